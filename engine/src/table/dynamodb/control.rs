//! The control table: the pointer that readers follow, and the lock that runs take.
//!
//! Both are in one item, which is written on conditions: who moves the pointer has the lock at that very moment, and a
//! run that was given up cannot move it however late it comes.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::error::{CONDITION_FAILED, NO_TABLE, Refusal};
use super::get::key;
use super::item::Attributes;
use super::{BodiesTable, Connection, DynamoDbOptions};
use crate::table::TableError;

const ID: &str = "id";
/// The item. What its names begin with `lock_` is the lock's, the others are the pointer's.
const CURRENT: &str = "current";
const HOLDER: &str = "lock_run";
const EXPIRES_AT: &str = "lock_expires_at";

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
    /// Returns the run whose lock had expired, if one never gave it back: its table may still be there.
    ///
    /// # Errors
    /// [`TableError::RunInProgress`] where another run has it, [`TableError::RunOver`] where the run is the one that
    /// readers are sent to, [`TableError::Failed`].
    pub async fn acquire(
        &self,
        run: &str,
        validity: Duration,
    ) -> Result<Option<String>, TableError> {
        let now = seconds(SystemTime::now());
        let expires_at = seconds(SystemTime::now() + validity);
        let request = self
            .update()
            .update_expression(format!("SET {HOLDER} = :run, {EXPIRES_AT} = :expires_at"))
            .condition_expression(
                "(attribute_not_exists(lock_run) OR lock_run = :run OR lock_expires_at <= :now) \
                 AND (attribute_not_exists(#run) OR #run <> :run)",
            )
            .expression_attribute_names("#run", "run")
            .expression_attribute_values(":run", text(run))
            .expression_attribute_values(":expires_at", whole(expires_at))
            .expression_attribute_values(":now", whole(now))
            .return_values(ReturnValue::UpdatedOld);
        match request.send().await {
            Ok(answer) => {
                let holder = answer.attributes.as_ref().and_then(holder);
                Ok(holder.filter(|holder| holder != run))
            }
            Err(error) if error.code() == Some(CONDITION_FAILED) => Err(self.refused(run).await?),
            Err(error) => Err(self.error("locked", "dynamodb:UpdateItem", error)),
        }
    }

    /// Why `run` does not get the lock.
    async fn refused(&self, run: &str) -> Result<TableError, TableError> {
        let item = self.item().await?.unwrap_or_default();
        if item
            .get("run")
            .and_then(|run| run.as_s().ok())
            .map(String::as_str)
            == Some(run)
        {
            return Ok(self.over(run));
        }
        Ok(TableError::RunInProgress {
            table: self.connection.table.clone(),
            run: holder(&item).unwrap_or_else(|| "that ended just now".to_owned()),
        })
    }

    fn over(&self, run: &str) -> TableError {
        TableError::RunOver {
            table: self.table_of(run).name().to_owned(),
        }
    }

    /// Gives the lock back, if `run` has it.
    ///
    /// # Errors
    /// [`TableError::Failed`].
    pub async fn release(&self, run: &str) -> Result<(), TableError> {
        let request = self
            .update()
            .update_expression(format!("REMOVE {HOLDER}, {EXPIRES_AT}"))
            .condition_expression("lock_run = :run")
            .expression_attribute_values(":run", text(run));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(CONDITION_FAILED) => Ok(()),
            Err(error) => Err(self.error("unlocked", "dynamodb:UpdateItem", error)),
        }
    }

    /// Moves the pointer, in one step, and returns it with what it pointed to before, whose table can be deleted
    /// then. A run that is published already is returned as it was published.
    ///
    /// # Errors
    /// [`TableError::RunOver`] where the run does not have the lock: it was discarded, or took so long that another
    /// has it. [`TableError::Failed`].
    pub async fn publish(&self, new: &Pointer) -> Result<Pointer, TableError> {
        let current = self.current().await?;
        if let Some(current) = current.as_ref().filter(|current| current.run == new.run) {
            return Ok(current.clone());
        }
        // Nobody else moves it meanwhile: only who has the lock does.
        let pointer = Pointer {
            previous: current.map(|current| Previous {
                run: current.run,
                table: current.table,
                items: current.items,
            }),
            ..new.clone()
        };
        let mut assignments = Vec::new();
        let mut request = self
            .update()
            .condition_expression("lock_run = :holder")
            .expression_attribute_values(":holder", text(&pointer.run));
        for (index, (name, value)) in write(&pointer).into_iter().enumerate() {
            assignments.push(format!("#{index} = :{index}"));
            request = request
                .expression_attribute_names(format!("#{index}"), name)
                .expression_attribute_values(format!(":{index}"), value);
        }
        let request = request.update_expression(format!("SET {}", assignments.join(", ")));
        match request.send().await {
            Ok(_) => Ok(pointer),
            Err(error) if error.code() == Some(CONDITION_FAILED) => Err(self.over(&pointer.run)),
            Err(error) => Err(self.error("published", "dynamodb:UpdateItem", error)),
        }
    }

    /// Where readers are sent, if anything was ever published.
    ///
    /// # Errors
    /// [`TableError::Failed`].
    pub async fn current(&self) -> Result<Option<Pointer>, TableError> {
        let item = self.item().await?;
        // Before anything is published, there is at most a lock.
        let Some(item) = item.filter(|item| item.contains_key("run")) else {
            return Ok(None);
        };
        match read(&item) {
            Ok(pointer) => Ok(Some(pointer)),
            Err(attribute) => {
                let item = CURRENT;
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

    /// Gives the lock of a run that failed back, and deletes its table. Where readers are sent to it already, it is
    /// the table of the run before that is deleted, as that run's end left it. Repeating it does nothing more.
    ///
    /// # Errors
    /// [`TableError::Failed`].
    pub async fn discard(&self, run: &str) -> Result<(), TableError> {
        // First: from here on whatever is still at work for the run cannot publish it.
        self.release(run).await?;
        match self.current().await? {
            Some(current) if current.run == run => match current.previous {
                Some(previous) => self.table_of(&previous.run).delete().await,
                None => Ok(()),
            },
            _ => self.table_of(run).delete().await,
        }
    }

    async fn item(&self) -> Result<Option<Attributes>, TableError> {
        let request = self
            .connection
            .client
            .get_item()
            .table_name(&self.connection.table)
            .set_key(Some(key(ID, CURRENT)))
            .consistent_read(true);
        match request.send().await {
            Ok(answer) => Ok(answer.item),
            Err(error) => Err(self.error("read", "dynamodb:GetItem", error)),
        }
    }

    fn update(&self) -> UpdateItemFluentBuilder {
        self.connection
            .client
            .update_item()
            .table_name(&self.connection.table)
            .set_key(Some(key(ID, CURRENT)))
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

/// The run that has the lock, expired or not.
fn holder(item: &Attributes) -> Option<String> {
    item.get(HOLDER)?.as_s().ok().cloned()
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
