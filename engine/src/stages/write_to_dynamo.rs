//! `write-to-dynamo`: a message's items into the table of its run, and the answer whether all are written.
//!
//! Delivery is at least once and in no order, so everything here may be repeated: items are written over
//! themselves, a message is marked once its items are in the table and not before, and the question whether a run is
//! written is asked until it has an answer. A message of a run that is over changes nothing.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Kind, StageError};
use crate::ledger::{Done, Ledger, LedgerError, Marks, Missing, Verdict, verdict};
use crate::message::Message;
use crate::queue::{Delivery, Queue};
use crate::table::TableError;
use crate::tasks::{TaskError, Tasks};

/// Dead letters that are looked at: one of the run is enough to know that it will not be written.
const MAX_DEAD_LETTERS: usize = 100;
/// Dead letters that are received at once, and how long they are waited for.
const DEAD_LETTERS_AT_ONCE: usize = 10;
const DEAD_LETTER_WAIT: Duration = Duration::from_secs(1);

/// The tables of runs, each with the ledger of its run.
#[async_trait]
pub trait RunTables: Send + Sync {
    /// Writes items into the table of `run`, and returns how many bodies they are.
    ///
    /// # Errors
    /// [`TableError::RunOver`] where the table is gone.
    async fn write(&self, run: &str, items: &[&RawValue]) -> Result<u64, TableError>;

    /// The ledger of `run`.
    fn ledger(&self, run: &str) -> Box<dyn Ledger>;
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its items are in the table, so many, and it is marked.
    Written(u64),
    /// Its run is over: nothing was to be done.
    Stale,
}

/// What became of the question whether a run is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// It has its answer: the run is written.
    Written(DoneResult),
    /// It has its answer: the run will not be written.
    Failed {
        /// What kind of failure it is.
        kind: Kind,
        /// Why, for people.
        cause: String,
    },
    /// Messages are still missing: it is to be asked again.
    Waiting(Missing),
    /// Nobody waits for the answer any more.
    Stale,
}

/// The result of the task that waits until a run is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoneResult {
    /// Messages that were written, all of the run's.
    pub messages: u64,
    /// Items in them.
    pub written: u64,
}

/// Writes a message's items into the table of its run, and marks it as written.
///
/// # Errors
/// [`StageError::Table`], [`StageError::Ledger`]: the message is to come again.
pub async fn write_message(
    tables: &dyn RunTables,
    message: &Message<'_>,
) -> Result<Outcome, StageError> {
    let num_items = match tables.write(&message.run, &message.items).await {
        Ok(num_items) => num_items,
        Err(TableError::RunOver { .. }) => return Ok(Outcome::Stale),
        Err(error) => return Err(error.into()),
    };
    match tables
        .ledger(&message.run)
        .mark(message.seq, num_items)
        .await
    {
        Ok(()) => Ok(Outcome::Written(num_items)),
        Err(LedgerError::RunOver) => Ok(Outcome::Stale),
        Err(error) => Err(error.into()),
    }
}

/// Asks the ledger whether a run is written, `elapsed` after `done` was sent, and answers the task that waits; where
/// there is no answer yet, the task is told that somebody is at work.
///
/// # Errors
/// [`StageError::Ledger`], [`StageError::Queue`], [`StageError::Task`]: it is to be asked again.
pub async fn answer_done(
    tables: &dyn RunTables,
    dead_letters: &dyn Queue,
    tasks: &dyn Tasks,
    done: &Done,
    elapsed: Duration,
) -> Result<Answered, StageError> {
    let marks = match tables.ledger(&done.run).read(done.messages).await {
        Ok(marks) => marks,
        // Late, as a rule. If the task still waits, somebody has deleted the table.
        Err(LedgerError::RunOver) => {
            let failed = Answered::Failed {
                kind: Kind::RunOver,
                cause: format!("the table of {} is gone", done.run),
            };
            return tell_answer(tasks, done, failed).await;
        }
        Err(error) => return Err(error.into()),
    };
    let answered = match judge(&marks, dead_letters, done, elapsed).await? {
        Verdict::Written => Answered::Written(DoneResult {
            messages: done.messages,
            written: done.items,
        }),
        Verdict::Unreconciled { written } => Answered::Failed {
            kind: Kind::Unreconciled,
            cause: format!("{written} items are written where {} were sent", done.items),
        },
        Verdict::Dead { seqs } => Answered::Failed {
            kind: Kind::MessagesDead,
            cause: format!(
                "{} of {} messages are in the dead-letter queue: {}",
                seqs.len(),
                done.messages,
                listed(&seqs)
            ),
        },
        Verdict::Overdue(missing) => Answered::Failed {
            kind: Kind::Stopped,
            cause: format!("after {} s {missing}", done.deadline_seconds),
        },
        Verdict::Waiting(missing) => Answered::Waiting(missing),
    };
    tell_answer(tasks, done, answered).await
}

async fn tell_answer(
    tasks: &dyn Tasks,
    done: &Done,
    answered: Answered,
) -> Result<Answered, StageError> {
    match tell(tasks, &done.task_token, &answered).await {
        Ok(()) => Ok(answered),
        Err(TaskError::Over) => Ok(Answered::Stale),
        Err(error) => Err(error.into()),
    }
}

/// The verdict. Dead letters are looked for only where messages are missing.
async fn judge(
    marks: &Marks,
    dead_letters: &dyn Queue,
    done: &Done,
    elapsed: Duration,
) -> Result<Verdict, StageError> {
    match verdict(marks, done, &[], elapsed) {
        Verdict::Waiting(_) | Verdict::Overdue(_) => {
            let dead = dead_of(dead_letters, &done.run).await?;
            Ok(verdict(marks, done, &dead, elapsed))
        }
        other => Ok(other),
    }
}

async fn tell(tasks: &dyn Tasks, token: &str, answered: &Answered) -> Result<(), TaskError> {
    match answered {
        Answered::Written(result) => {
            let DoneResult { messages, written } = result;
            let output = format!("{{\"messages\":{messages},\"written\":{written}}}");
            tasks.succeed(token, &output).await
        }
        Answered::Failed { kind, cause } => tasks.fail(token, *kind, cause).await,
        Answered::Waiting(_) => tasks.beat(token).await,
        Answered::Stale => Ok(()),
    }
}

/// The numbers of the messages of `run` among the dead letters, which stay where they are.
async fn dead_of(dead_letters: &dyn Queue, run: &str) -> Result<Vec<u64>, StageError> {
    let mut letters: Vec<Delivery> = Vec::new();
    while letters.len() < MAX_DEAD_LETTERS {
        let received = dead_letters.receive(DEAD_LETTERS_AT_ONCE, DEAD_LETTER_WAIT);
        let received = received.await?;
        if received.is_empty() {
            break;
        }
        letters.extend(received);
    }
    for letter in &letters {
        dead_letters
            .return_after(&letter.receipt, Duration::ZERO)
            .await?;
    }
    let seq_of = |letter: &Delivery| {
        let message = Message::parse(&letter.body).ok()?;
        (message.run == run).then_some(message.seq)
    };
    Ok(letters.iter().filter_map(seq_of).collect())
}

fn listed(seqs: &[u64]) -> String {
    let seqs: Vec<String> = seqs.iter().map(u64::to_string).collect();
    seqs.join(", ")
}
