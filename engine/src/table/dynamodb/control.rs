//! The control table: the pointer that readers follow, and the lock that runs take.
//!
//! Both are single items, written on a condition, so that each changes in one step or not at all.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;

use super::error::{CONDITION_FAILED, NO_TABLE, Refusal};
use super::get::key;
use super::item::Attributes;
use super::{BodiesTable, Connection, DynamoDbOptions};
use crate::table::TableError;

const ID: &str = "id";
const POINTER: &str = "current";
const LOCK: &str = "run";

/// Readers that look while the pointer moves are few: this often it is read and written again.
const MAX_MOVES: usize = 8;

/// The run that readers ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    /// The run.
    pub run: String,
    /// Its table.
    pub table: String,
    /// When it had finished.
    pub finished_at: String,
    /// How many bodies it has.
    pub items: u64,
    /// Its report, JSON.
    pub report: String,
    /// The run that was published before, which [`Control::publish`] fills in.
    pub previous: Option<Previous>,
}

/// What a run took the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// The run.
    pub run: String,
    /// Its table.
    pub table: String,
    /// How many bodies it had.
    pub items: u64,
}

/// The control table, which the stack has and is called like.
#[derive(Debug, Clone)]
pub struct Control {
    connection: Connection,
}

impl Control {
    /// The control table `name`, by settings made with [`config_loader`](crate::aws::config_loader).
    #[must_use]
    pub fn new(config: &SdkConfig, name: &str, options: DynamoDbOptions) -> Self {
        Control {
            connection: Connection::new(config, name, options),
        }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The table of a run.
    #[must_use]
    pub fn table_of(&self, run: &str) -> BodiesTable {
        let name = format!("{}.{run}", self.connection.table);
        BodiesTable {
            connection: self.connection.to(&name),
        }
    }

    /// Takes the lock for `run` until `validity` has passed. A run that has it already has it for longer then.
    ///
    /// # Errors
    /// [`TableError::RunInProgress`] where another run has it, [`TableError::Failed`].
    pub async fn acquire(&self, run: &str, validity: Duration) -> Result<(), TableError> {
        let now = seconds(SystemTime::now());
        let expires_at = seconds(SystemTime::now() + validity);
        let request = self
            .connection
            .client
            .put_item()
            .table_name(&self.connection.table)
            .item(ID, text(LOCK))
            .item("run", text(run))
            .item("table", text(self.table_of(run).name()))
            .item("expires_at", whole(expires_at))
            .condition_expression("attribute_not_exists(#id) OR #run = :run OR expires_at <= :now")
            .expression_attribute_names("#id", ID)
            .expression_attribute_names("#run", "run")
            .expression_attribute_values(":run", text(run))
            .expression_attribute_values(":now", whole(now));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(CONDITION_FAILED) => {
                let holder = self.holder().await?;
                Err(TableError::RunInProgress {
                    table: self.connection.table.clone(),
                    run: holder.unwrap_or_else(|| "that ended just now".to_owned()),
                })
            }
            Err(error) => Err(self.error("locked", "dynamodb:PutItem", error)),
        }
    }

    /// Gives the lock back, if `run` has it.
    ///
    /// # Errors
    /// [`TableError::Failed`].
    pub async fn release(&self, run: &str) -> Result<(), TableError> {
        let request = self
            .connection
            .client
            .delete_item()
            .table_name(&self.connection.table)
            .set_key(Some(key(ID, LOCK)))
            .condition_expression("#run = :run")
            .expression_attribute_names("#run", "run")
            .expression_attribute_values(":run", text(run));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(CONDITION_FAILED) => Ok(()),
            Err(error) => Err(self.error("unlocked", "dynamodb:DeleteItem", error)),
        }
    }

    /// Moves the pointer, in one step, and returns it with what it pointed to before, whose table can be deleted
    /// then. A run that is published already is returned as it was published.
    ///
    /// # Errors
    /// [`TableError::RunOver`] where the run does not have the lock: it was discarded, or took so long that another
    /// has it. [`TableError::Failed`].
    pub async fn publish(&self, new: &Pointer) -> Result<Pointer, TableError> {
        for _ in 0..MAX_MOVES {
            let current = self.current().await?;
            if let Some(current) = current.as_ref().filter(|current| current.run == new.run) {
                return Ok(current.clone());
            }
            if self.holder().await?.as_ref() != Some(&new.run) {
                return Err(TableError::RunOver {
                    table: new.table.clone(),
                });
            }
            let pointer = Pointer {
                previous: current.map(|current| Previous {
                    run: current.run,
                    table: current.table,
                    items: current.items,
                }),
                ..new.clone()
            };
            if self.replace(&pointer).await? {
                return Ok(pointer);
            }
        }
        Err(self.connection.failed("published", true, Refusal::Restless))
    }

    /// Puts the pointer in the place of the one that it names as the previous, unless that is no longer there.
    async fn replace(&self, pointer: &Pointer) -> Result<bool, TableError> {
        let request = self
            .connection
            .client
            .put_item()
            .table_name(&self.connection.table)
            .set_item(Some(write(pointer)));
        let request = match &pointer.previous {
            Some(previous) => request
                .condition_expression("#run = :run")
                .expression_attribute_names("#run", "run")
                .expression_attribute_values(":run", text(&previous.run)),
            None => request
                .condition_expression("attribute_not_exists(#id)")
                .expression_attribute_names("#id", ID),
        };
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some(CONDITION_FAILED) => Ok(false),
            Err(error) => Err(self.error("published", "dynamodb:PutItem", error)),
        }
    }

    /// Where readers are sent, if anything was ever published.
    ///
    /// # Errors
    /// [`TableError::Failed`].
    pub async fn current(&self) -> Result<Option<Pointer>, TableError> {
        let Some(item) = self.item(POINTER).await? else {
            return Ok(None);
        };
        match read(&item) {
            Ok(pointer) => Ok(Some(pointer)),
            Err(attribute) => {
                let item = POINTER;
                let damaged = Refusal::Damaged { item, attribute };
                Err(self.connection.failed("read", false, damaged))
            }
        }
    }

    /// Where readers are sent.
    ///
    /// # Errors
    /// [`TableError::Unpublished`], [`TableError::Failed`].
    pub async fn published(&self) -> Result<Pointer, TableError> {
        let current = self.current().await?;
        current.ok_or_else(|| TableError::Unpublished {
            table: self.connection.table.clone(),
        })
    }

    /// Deletes the table of a run that failed, unless readers are sent to it, and gives its lock back. Repeating it
    /// does nothing more.
    ///
    /// # Errors
    /// [`TableError::Failed`].
    pub async fn discard(&self, run: &str) -> Result<(), TableError> {
        let table = self.table_of(run);
        let current = self.current().await?;
        if current.is_none_or(|current| current.table != table.name()) {
            table.delete().await?;
        }
        self.release(run).await
    }

    /// The run that has the lock, expired or not.
    async fn holder(&self) -> Result<Option<String>, TableError> {
        let lock = self.item(LOCK).await?;
        Ok(lock.and_then(|lock| lock.get("run")?.as_s().ok().cloned()))
    }

    async fn item(&self, id: &str) -> Result<Option<Attributes>, TableError> {
        let request = self
            .connection
            .client
            .get_item()
            .table_name(&self.connection.table)
            .set_key(Some(key(ID, id)))
            .consistent_read(true);
        match request.send().await {
            Ok(answer) => Ok(answer.item),
            Err(error) => Err(self.error("read", "dynamodb:GetItem", error)),
        }
    }

    fn error<E>(
        &self,
        doing: &'static str,
        action: &'static str,
        error: SdkError<E, HttpResponse>,
    ) -> TableError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        match error.code() {
            Some(NO_TABLE) => self
                .connection
                .failed(doing, false, Refusal::NoControlTable),
            _ => self.connection.error(doing, action, error),
        }
    }
}

fn write(pointer: &Pointer) -> Attributes {
    let mut item = vec![
        (ID, text(POINTER)),
        ("run", text(&pointer.run)),
        ("table", text(&pointer.table)),
        ("finished_at", text(&pointer.finished_at)),
        ("items", whole(pointer.items)),
        ("report", text(&pointer.report)),
    ];
    if let Some(previous) = &pointer.previous {
        item.extend([
            ("previous_run", text(&previous.run)),
            ("previous_table", text(&previous.table)),
            ("previous_items", whole(previous.items)),
        ]);
    }
    item.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Reads a pointer, or says what it lacks.
fn read(item: &Attributes) -> Result<Pointer, &'static str> {
    let text = |name: &'static str| {
        let found = item.get(name).and_then(|value| value.as_s().ok());
        found.cloned().ok_or(name)
    };
    let whole = |name: &'static str| {
        let found = item.get(name).and_then(|value| value.as_n().ok());
        found.and_then(|number| number.parse().ok()).ok_or(name)
    };
    let previous = match item.contains_key("previous_run") {
        true => Some(Previous {
            run: text("previous_run")?,
            table: text("previous_table")?,
            items: whole("previous_items")?,
        }),
        false => None,
    };
    Ok(Pointer {
        run: text("run")?,
        table: text("table")?,
        finished_at: text("finished_at")?,
        items: whole("items")?,
        report: text("report")?,
        previous,
    })
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn whole(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Seconds since 1970.
fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
