//! The table on AWS: every run writes a DynamoDB table of its own, and a pointer in the control table says which
//! one readers ask.
//!
//! [`BodiesTable`] is the table of one run: made, written and deleted. [`DynamoControl`] has the pointer and the lock
//! that lets one run at a time write. [`PublishedTable`] asks the table that the pointer names. A run's
//! [ledger](crate::ledger::DynamoLedger) is kept in its table, under keys that no body can have.
//!
//! # What it cannot answer
//! Questions go by the key and by eight sparse indexes. Of those that [`Table`](super::Table) answers, these remain
//! without an answer: a body by its SPK-ID unless that has its number in it, by the provisional designation of a
//! numbered asteroid, or by a designation that is written neither as it is nor in capitals; bodies whose designation
//! goes on behind what is searched for; and ranked bodies behind the best 5,000 of their kind, which a
//! filter chooses among as well.
//!
//! # Bounds
//! A question holds what it answers and a page of each of the eight parts of a ranking; a write holds the
//! items that it was given, and has [`DynamoDbOptions::max_in_flight`] requests under way.

mod client;
mod control;
mod error;
mod get;
mod item;
mod lifecycle;
mod names;
mod published;
mod ranking;
mod schema;
mod write;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

pub use control::DynamoControl;
pub use item::{item_bytes, read_item};
pub use published::PublishedTable;

pub(crate) use error::CONDITION_FAILED;
pub(crate) use get::key;
pub(crate) use item::Attributes;

use super::TableError;

/// How requests go to DynamoDB.
#[derive(Debug, Clone)]
pub struct DynamoDbOptions {
    /// Requests of one write or read that are under way at the same time, at least 1.
    pub max_in_flight: usize,
    /// How often a request is tried, at least 1.
    pub max_attempts: u32,
    /// How long the first retry waits at most; each further one up to twice as long.
    pub retry_backoff: Duration,
    /// How long items that DynamoDB leaves unprocessed are sent again.
    pub max_patience: Duration,
    /// How long a table may take to be made or deleted.
    pub max_table_wait: Duration,
}

impl Default for DynamoDbOptions {
    fn default() -> Self {
        DynamoDbOptions {
            max_in_flight: 8,
            max_attempts: 8,
            retry_backoff: Duration::from_millis(100),
            max_patience: Duration::from_secs(60),
            max_table_wait: Duration::from_secs(600),
        }
    }
}

/// A client of one table; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) options: DynamoDbOptions,
    /// Where requests go, if not to AWS.
    endpoint: Option<String>,
}

impl Connection {
    fn new(config: &SdkConfig, table: &str, options: DynamoDbOptions) -> Self {
        let (client, endpoint) = client::client(config, &options);
        Connection {
            client,
            table: table.to_owned(),
            options,
            endpoint,
        }
    }

    /// The same for another table.
    pub(crate) fn to(&self, table: &str) -> Self {
        Connection {
            table: table.to_owned(),
            ..self.clone()
        }
    }

    /// What `error` means for this table, when it was to be `doing`, which needs the permission `action`.
    pub(crate) fn error<E>(
        &self,
        doing: &'static str,
        action: &'static str,
        error: SdkError<E, HttpResponse>,
    ) -> TableError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        if error.code() == Some(error::NO_TABLE) {
            return TableError::RunOver {
                table: self.table.clone(),
            };
        }
        let is_retryable = error::is_retryable(&error);
        self.failed(doing, is_retryable, self.refusal(action, error))
    }

    pub(crate) fn failed(
        &self,
        doing: &'static str,
        is_retryable: bool,
        source: impl Into<crate::store::BodyError>,
    ) -> TableError {
        TableError::Failed {
            table: self.table.clone(),
            doing,
            is_retryable,
            source: source.into(),
        }
    }

    /// Waits between attempts: longer and longer, up to some seconds, each with chance in it.
    pub(crate) fn delays(&self) -> impl Iterator<Item = Duration> + use<> {
        use backon::BackoffBuilder;

        backon::ExponentialBuilder::default()
            .with_min_delay(self.options.retry_backoff)
            .with_max_delay(self.options.retry_backoff * 32)
            .without_max_times()
            .with_jitter()
            .build()
    }
}

/// The table of one run.
#[derive(Debug, Clone)]
pub struct BodiesTable {
    connection: Connection,
}

impl BodiesTable {
    /// The table `name`, whether it exists or not, by settings made with
    /// [`config_loader`](crate::aws::config_loader).
    #[must_use]
    pub fn new(config: &SdkConfig, name: &str, options: DynamoDbOptions) -> Self {
        BodiesTable {
            connection: Connection::new(config, name, options),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.connection.table
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}
