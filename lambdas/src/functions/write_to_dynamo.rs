//! `write-to-dynamo`: messages of the data queue and of the done queue, each answered by itself.
//!
//! The answer names the messages that failed: SQS gives those again, and puts one that failed too often among the dead
//! letters. A bounded number of them is worked on side by side.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use engine::aws::SdkConfig;
use engine::ledger::{Done, DynamoLedger, Ledger};
use engine::message::Message;
use engine::observer::chain;
use engine::queue::{Queue, Sqs, SqsOptions};
use engine::stages::{Answered, Outcome, RunTables, answer_done, write_message};
use engine::table::TableError;
use engine::table::dynamodb::{DynamoControl, DynamoDbOptions};
use engine::tasks::StepFunctions;
use futures::{StreamExt, stream};
use serde_json::value::RawValue;
use tracing::{error, info, warn};

use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::serve::Function;
use crate::settings::Settings;

/// Messages that are written side by side, each by several calls at the same time.
const MAX_MESSAGES_IN_FLIGHT: usize = 4;
/// How long the done message is hidden before it asks again, in seconds, unless the deployer says otherwise.
const DONE_POLL_SECONDS: u64 = 15;

/// How long items that DynamoDB does not take are sent again: less than the function lives (template.yaml), so that it
/// says what it could not do.
const MAX_PATIENCE: Duration = Duration::from_secs(35);
/// A queue counts at most 1,000 receives: the done message comes no more often than this until its deadline.
const MAX_POLLS: u64 = 900;

/// `write-to-dynamo`.
pub struct WriteToDynamo {
    tables: Tables,
    done_queue: Sqs,
    dead_letters: Sqs,
    tasks: StepFunctions,
    poll: Duration,
}

/// The tables of the stack's runs.
struct Tables {
    control: DynamoControl,
}

#[async_trait]
impl RunTables for Tables {
    async fn write(&self, run: &str, items: &[&RawValue]) -> Result<u64, TableError> {
        let lines = items.iter().map(|item| item.get());
        self.control.table_of(run).write(lines).await
    }

    fn ledger(&self, run: &str) -> Box<dyn Ledger> {
        Box::new(DynamoLedger::new(&self.control.table_of(run)))
    }
}

/// A message was not dealt with: SQS is to give it again.
struct Again;

impl Function for WriteToDynamo {
    type Event = SqsEvent;
    type Answer = SqsBatchResponse;

    async fn set_up(settings: &Settings, aws: &SdkConfig) -> Result<Self, Failure> {
        let queue = |variable| {
            let url = settings.required(variable)?;
            Ok::<_, Failure>(Sqs::with_config(aws, &url, SqsOptions::default()))
        };
        let control = settings.required("CONTROL_TABLE")?;
        Ok(WriteToDynamo {
            tables: Tables {
                control: DynamoControl::new(
                    aws,
                    &control,
                    DynamoDbOptions {
                        max_patience: MAX_PATIENCE,
                        ..DynamoDbOptions::default()
                    },
                ),
            },
            done_queue: queue("DONE_QUEUE_URL")?,
            dead_letters: queue("DEAD_LETTER_QUEUE_URL")?,
            tasks: StepFunctions::new(aws),
            poll: Duration::from_secs(settings.or("DONE_POLL_SECONDS", DONE_POLL_SECONDS)?),
        })
    }

    /// The messages of an event may be of several runs.
    fn run_of(_: &SqsEvent) -> Option<&str> {
        None
    }

    async fn handle(
        &self,
        event: SqsEvent,
        invocation: &Invocation,
    ) -> Result<SqsBatchResponse, Failure> {
        let failed: Vec<Option<String>> = stream::iter(event.records)
            .map(|record| async move {
                let dealt_with = tokio::select! {
                    biased;
                    () = invocation.cancelled.cancelled() => {
                        let id = record.message_id.as_deref();
                        warn!(id, "there was no time left for this message");
                        invocation.count("MessagesFailed", 1);
                        Err(Again)
                    }
                    dealt_with = self.deal_with(&record, invocation) => dealt_with,
                };
                dealt_with
                    .err()
                    .map(|Again| record.message_id.unwrap_or_default())
            })
            .buffer_unordered(MAX_MESSAGES_IN_FLIGHT)
            .collect()
            .await;
        let failures = failed.into_iter().flatten().map(|id| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failure
        });
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = failures.collect();
        Ok(response)
    }
}

impl WriteToDynamo {
    async fn deal_with(&self, record: &SqsMessage, invocation: &Invocation) -> Result<(), Again> {
        let body = record.body.as_deref().unwrap_or_default();
        // A done message has a token and no items; neither form allows what the other has.
        if let Ok(done) = serde_json::from_str::<Done>(body) {
            return self.answer(&done, record, invocation).await;
        }
        match Message::parse(body) {
            Ok(message) => self.write(&message, invocation).await,
            Err(problem) => {
                let id = record.message_id.as_deref();
                error!(id, reason = chain(&problem), "this is no message of ours");
                invocation.count("MessagesPoisonous", 1);
                Err(Again)
            }
        }
    }

    async fn write(&self, message: &Message<'_>, invocation: &Invocation) -> Result<(), Again> {
        let (run, seq) = (&*message.run, message.seq);
        match write_message(&self.tables, message).await {
            Ok(Outcome::Written(num_items)) => {
                invocation.count("MessagesWritten", 1);
                invocation.count("ItemsWritten", num_items);
                Ok(())
            }
            Ok(Outcome::Stale) => {
                warn!(run, seq, "the run of this message is over");
                invocation.count("MessagesStale", 1);
                Ok(())
            }
            Err(failed) => {
                let name = failed.kind().name();
                error!(run, seq, name, reason = chain(&failed), "not written");
                invocation.count("MessagesFailed", 1);
                Err(Again)
            }
        }
    }

    async fn answer(
        &self,
        done: &Done,
        record: &SqsMessage,
        invocation: &Invocation,
    ) -> Result<(), Again> {
        let run = &*done.run;
        let elapsed = elapsed_since_sent(record);
        let answering = answer_done(&self.tables, &self.dead_letters, &self.tasks, done, elapsed);
        match answering.await {
            Ok(Answered::Written(result)) => {
                info!(run, items = result.written, "the run is written");
                Ok(())
            }
            Ok(Answered::Failed { kind, cause }) => {
                error!(
                    run,
                    name = kind.name(),
                    reason = cause,
                    "the run has failed"
                );
                Ok(())
            }
            Ok(Answered::Stale) => {
                warn!(run, "nobody waits for this run any more");
                invocation.count("MessagesStale", 1);
                Ok(())
            }
            Ok(Answered::Waiting(missing)) => {
                info!(run, missing = missing.count, "not all is written yet");
                self.ask_again_later(done, record).await;
                Err(Again)
            }
            Err(failed) => {
                let name = failed.kind().name();
                error!(run, name, reason = chain(&failed), "not answered");
                self.ask_again_later(done, record).await;
                Err(Again)
            }
        }
    }

    /// Hides the done message for a while. Where that fails, it comes again when its visibility timeout ends.
    async fn ask_again_later(&self, done: &Done, record: &SqsMessage) {
        let receipt = record.receipt_handle.as_deref().unwrap_or_default();
        let delay = self.poll.max(Duration::from_secs(
            done.deadline_seconds.div_ceil(MAX_POLLS),
        ));
        if let Err(failed) = self.done_queue.return_after(receipt, delay).await {
            warn!(reason = chain(&failed), "the done message comes later");
        }
    }
}

/// How long ago a message was sent, by the clock of SQS.
fn elapsed_since_sent(record: &SqsMessage) -> Duration {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    sent_at(&record.attributes).map_or(Duration::ZERO, |sent| now.saturating_sub(sent))
}

/// When a message was sent, since the Unix epoch.
fn sent_at(attributes: &HashMap<String, String>) -> Option<Duration> {
    let sent = attributes.get("SentTimestamp")?.parse().ok()?;
    Some(Duration::from_millis(sent))
}
