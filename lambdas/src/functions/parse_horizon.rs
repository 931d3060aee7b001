//! `parse-horizon`: an input set, valued and sent as messages.

use std::sync::Arc;

use engine::aws::SdkConfig;
use engine::inputs::{SetName, Which};
use engine::ledger::DynamoLedger;
use engine::queue::{Sqs, SqsOptions};
use engine::stages::{Context, HorizonRequest, MAX_REJECTS_PERCENT, Parsed, parse_horizon};
use engine::store::ObjectStore;
use engine::table::dynamodb::{DynamoControl, DynamoDbOptions};
use engine::upstream::{Client, ClientOptions};
use serde::Deserialize;

use super::RunId;
use super::downloads::open_store;
use crate::failure::{Failure, Name};
use crate::invocation::Invocation;
use crate::logs::Log;
use crate::serve::Function;
use crate::settings::Settings;

/// What `parse-horizon` is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HorizonEvent {
    /// The run.
    pub run: RunId,
    /// `latest`, or the name of an input set.
    pub inputs: String,
}

/// `parse-horizon`.
pub struct ParseHorizon {
    store: Arc<dyn ObjectStore>,
    client: Client,
    queue: Sqs,
    control: DynamoControl,
    max_rejects_percent: f64,
}

impl Function for ParseHorizon {
    type Event = HorizonEvent;
    type Answer = Parsed;

    async fn set_up(settings: &Settings, aws: &SdkConfig) -> Result<Self, Failure> {
        let url = settings.required("DATA_QUEUE_URL")?;
        let control = settings.required("CONTROL_TABLE")?;
        let defaults = SqsOptions::default();
        let options = SqsOptions {
            batch_bytes: settings.or("QUEUE_BATCH_BYTES", defaults.batch_bytes)?,
            ..defaults
        };
        Ok(ParseHorizon {
            store: open_store(settings, aws)?,
            client: Client::new(ClientOptions::default(), Arc::new(Log))
                .map_err(|error| Failure::of(Name::INTERNAL, &error))?,
            queue: Sqs::with_config(aws, &url, options),
            control: DynamoControl::new(aws, &control, DynamoDbOptions::default()),
            max_rejects_percent: settings.percent("MAX_REJECTS_PERCENT", MAX_REJECTS_PERCENT)?,
        })
    }

    fn run_of(event: &HorizonEvent) -> Option<&str> {
        Some(&event.run)
    }

    async fn handle(
        &self,
        event: HorizonEvent,
        invocation: &Invocation,
    ) -> Result<Parsed, Failure> {
        let request = HorizonRequest {
            inputs: wanted(&event.inputs)?,
            run: event.run.to_string(),
            max_rejects_percent: self.max_rejects_percent,
        };
        let context = Context {
            store: Arc::clone(&self.store),
            client: self.client.clone(),
            observer: Arc::new(Log),
            cancelled: invocation.cancelled.clone(),
        };
        let ledger = DynamoLedger::new(&self.control.table_of(&event.run));
        let parsed = parse_horizon(&context, request, &self.queue, &ledger).await?;
        let rows = &parsed.report.rows;
        for (name, number) in [
            ("RowsRead", rows.read),
            ("RowsRejected", rows.rejected),
            ("MessagesSent", parsed.messages),
            ("ItemsSent", parsed.items),
        ] {
            invocation.count(name, number);
        }
        Ok(parsed)
    }
}

/// The set that is asked for; nothing where it is the latest.
fn wanted(inputs: &str) -> Result<Option<SetName>, Failure> {
    match inputs.parse() {
        Ok(Which::Latest) => Ok(None),
        Ok(Which::Named(name)) => Ok(Some(name)),
        Ok(Which::Fresh) | Err(_) => Err(Failure::new(
            Name::EventInvalid,
            format!("inputs {inputs:?}: latest or the name of an input set is wanted"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_the_latest_set_or_one_by_its_name() {
        assert_eq!(wanted("latest"), Ok(None));
        assert!(wanted("2026-11-25T101500Z").unwrap().is_some());
        for inputs in ["fresh", "", "../x", "a/b"] {
            assert_eq!(wanted(inputs).unwrap_err().name, Name::EventInvalid);
        }
    }
}
