//! The control table on DynamoDB: its one item, which is replaced on the condition that it is as it was read.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;

use super::error::{CONDITION_FAILED, NO_TABLE, Refusal};
use super::get::key;
use super::item::Attributes;
use super::{BodiesTable, Connection, DynamoDbOptions};
use crate::control::{Control, ControlItem, Lock, Pointer, Previous, RunTable};
use crate::table::TableError;

const ID: &str = "id";
/// The item. What its names begin with `lock_` is the lock's, the others but for the leftovers are the pointer's.
const CURRENT: &str = "current";
const HOLDER: &str = "lock_run";
const EXPIRES_AT: &str = "lock_expires_at";
const LEFTOVERS: &str = "leftovers";
/// The attributes that tell two items of one table apart: a run is published once.
const TELLING: [&str; 4] = ["run", HOLDER, EXPIRES_AT, LEFTOVERS];

/// The control table, which the stack has and is called like.
#[derive(Debug, Clone)]
pub struct DynamoControl {
    connection: Connection,
}

impl DynamoControl {
    /// The control table `name`, by settings made with [`config_loader`](crate::aws::config_loader).
    #[must_use]
    pub fn new(config: &SdkConfig, name: &str, options: DynamoDbOptions) -> Self {
        DynamoControl {
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

    /// Where readers are sent.
    ///
    /// # Errors
    /// [`TableError::Unpublished`], [`TableError::Failed`].
    pub async fn published(&self) -> Result<Pointer, TableError> {
        let item = self.read().await?;
        item.pointer.ok_or_else(|| TableError::Unpublished {
            table: self.connection.table.clone(),
        })
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

#[async_trait]
impl Control for DynamoControl {
    fn name(&self) -> &str {
        &self.connection.table
    }

    fn run_table(&self, run: &str) -> Box<dyn RunTable> {
        Box::new(self.table_of(run))
    }

    async fn read(&self) -> Result<ControlItem, TableError> {
        let request = self
            .connection
            .client
            .get_item()
            .table_name(&self.connection.table)
            .set_key(Some(key(ID, CURRENT)))
            .consistent_read(true);
        let item = match request.send().await {
            Ok(answer) => answer.item.unwrap_or_default(),
            Err(error) => return Err(self.error("read", "dynamodb:GetItem", error)),
        };
        from_attributes(&item).map_err(|attribute| {
            let item = CURRENT;
            let damaged = Refusal::Damaged { item, attribute };
            self.connection.failed("read", false, damaged)
        })
    }

    async fn replace(&self, seen: &ControlItem, new: &ControlItem) -> Result<bool, TableError> {
        let update = Update::of(&to_attributes(seen), to_attributes(new));
        let request = self
            .connection
            .client
            .update_item()
            .table_name(&self.connection.table)
            .set_key(Some(key(ID, CURRENT)))
            .condition_expression(update.condition)
            .update_expression(update.change)
            .set_expression_attribute_names(Some(update.names))
            .set_expression_attribute_values((!update.values.is_empty()).then_some(update.values));
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some(CONDITION_FAILED) => Ok(false),
            Err(error) => Err(self.error("written", "dynamodb:UpdateItem", error)),
        }
    }
}

/// An item's replacement in DynamoDB's expressions.
#[derive(Debug, Default)]
struct Update {
    condition: String,
    change: String,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Update {
    fn of(seen: &Attributes, new: Attributes) -> Self {
        let mut update = Update::default();
        let conditions = TELLING.map(|name| match seen.get(name) {
            Some(value) => format!("{} = {}", update.name(name), update.value(value.clone())),
            None => format!("attribute_not_exists({})", update.name(name)),
        });
        update.condition = conditions.join(" AND ");
        let gone = seen.keys().filter(|name| !new.contains_key(*name));
        let removed: Vec<String> = gone.map(|name| update.name(name)).collect();
        let assigned: Vec<String> = new
            .into_iter()
            .map(|(name, value)| format!("{} = {}", update.name(&name), update.value(value)))
            .collect();
        for (clause, terms) in [("SET", assigned), ("REMOVE", removed)] {
            if !terms.is_empty() {
                update.change += &format!("{clause} {} ", terms.join(", "));
            }
        }
        update
    }

    /// A placeholder for a name, of which some are reserved.
    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }
}

fn to_attributes(item: &ControlItem) -> Attributes {
    let mut attributes = Vec::new();
    if let Some(pointer) = &item.pointer {
        attributes.extend([
            ("run", text(&pointer.run)),
            ("table", text(&pointer.table)),
            ("finished_at", text(&pointer.finished_at)),
            ("items", whole(pointer.items)),
            ("report", text(&pointer.report)),
        ]);
        if let Some(previous) = &pointer.previous {
            attributes.extend([
                ("previous_run", text(&previous.run)),
                ("previous_table", text(&previous.table)),
                ("previous_items", whole(previous.items)),
            ]);
        }
    }
    if let Some(lock) = &item.lock {
        attributes.extend([
            (HOLDER, text(&lock.run)),
            (EXPIRES_AT, whole(lock.expires_at)),
        ]);
    }
    // DynamoDB has no empty set.
    if !item.leftovers.is_empty() {
        let runs = item.leftovers.iter().cloned().collect();
        attributes.push((LEFTOVERS, AttributeValue::Ss(runs)));
    }
    attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Reads an item, or says what it lacks.
fn from_attributes(item: &Attributes) -> Result<ControlItem, &'static str> {
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
    let pointer = match item.contains_key("run") {
        true => Some(Pointer {
            run: text("run")?,
            table: text("table")?,
            finished_at: text("finished_at")?,
            items: whole("items")?,
            report: text("report")?,
            previous,
        }),
        false => None,
    };
    let lock = match item.contains_key(HOLDER) {
        true => Some(Lock {
            run: text(HOLDER)?,
            expires_at: whole(EXPIRES_AT)?,
        }),
        false => None,
    };
    let leftovers = match item.get(LEFTOVERS) {
        Some(AttributeValue::Ss(runs)) => runs.iter().cloned().collect(),
        Some(_) => return Err(LEFTOVERS),
        None => BTreeSet::new(),
    };
    Ok(ControlItem {
        pointer,
        lock,
        leftovers,
    })
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn whole(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
