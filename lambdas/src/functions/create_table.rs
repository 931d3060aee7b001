//! `create-table`: before a run, and after it.

use std::sync::Arc;
use std::time::Duration;

use engine::aws::SdkConfig;
use engine::stages::{
    DoneResult, Parsed, Published, Stack, create_table, discard_table, publish_table,
};
use engine::table::dynamodb::{DynamoControl, DynamoDbOptions, PublishedTable};
use serde::{Deserialize, Serialize};

use super::RunId;
use super::downloads::open_store;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::serve::Function;
use crate::settings::Settings;

/// How long a run may take before another one may begin, in seconds, unless the deployer says otherwise: a day.
const RUN_SECONDS: u64 = 24 * 60 * 60;

/// How long a table is waited for: less than the function lives (template.yaml), so that it says what it waited for.
const MAX_TABLE_WAIT: Duration = Duration::from_secs(240);

/// What `create-table` is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase", deny_unknown_fields)]
pub enum TableEvent {
    /// To make the table of a run that begins.
    Create {
        /// The run.
        run: RunId,
    },
    /// To publish the table of a run that is written.
    Publish {
        /// The run.
        run: RunId,
        /// What `parse-horizon` answered.
        parsed: Box<Parsed>,
        /// What the done message was answered by.
        written: DoneResult,
    },
    /// To delete the table of a run that failed.
    Discard {
        /// The run.
        run: RunId,
    },
}

/// What `create-table` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum TableAnswer {
    /// The table is there.
    Created {
        /// Its name.
        table: String,
    },
    /// The table is what readers ask.
    Published(Box<Published>),
    /// The table is gone.
    Discarded {},
}

/// `create-table`.
pub struct CreateTable {
    stack: Stack,
    validity: Duration,
}

impl Function for CreateTable {
    type Event = TableEvent;
    type Answer = TableAnswer;

    async fn set_up(settings: &Settings, aws: &SdkConfig) -> Result<Self, Failure> {
        let name = settings.required("CONTROL_TABLE")?;
        let options = || DynamoDbOptions {
            max_table_wait: MAX_TABLE_WAIT,
            ..DynamoDbOptions::default()
        };
        Ok(CreateTable {
            stack: Stack {
                control: Arc::new(DynamoControl::new(aws, &name, options())),
                readers: Arc::new(PublishedTable::new(aws, &name, options())),
                store: open_store(settings, aws)?,
                name,
            },
            validity: Duration::from_secs(settings.or("RUN_SECONDS", RUN_SECONDS)?),
        })
    }

    fn run_of(event: &TableEvent) -> Option<&str> {
        match event {
            TableEvent::Create { run }
            | TableEvent::Publish { run, .. }
            | TableEvent::Discard { run } => Some(run),
        }
    }

    async fn handle(
        &self,
        event: TableEvent,
        invocation: &Invocation,
    ) -> Result<TableAnswer, Failure> {
        // Every step can be repeated, so that one that is dropped for want of time leaves nothing half-done.
        match event {
            TableEvent::Create { run } => Ok(TableAnswer::Created {
                table: create_table(&self.stack, &run, self.validity).await?,
            }),
            TableEvent::Publish {
                run,
                parsed,
                written,
            } => {
                let published = publish_table(&self.stack, &run, *parsed, written).await?;
                invocation.count("BodiesPublished", published.items);
                Ok(TableAnswer::Published(Box::new(published)))
            }
            TableEvent::Discard { run } => {
                discard_table(&self.stack, &run).await?;
                Ok(TableAnswer::Discarded {})
            }
        }
    }
}
