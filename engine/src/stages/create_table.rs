//! `create-table`: a run's table is made before the run, and published or discarded after it.
//!
//! Readers follow a pointer to the table of the run that was published last. A run writes a table of its own, so that
//! one that fails leaves what readers see as it was; a run that is written moves the pointer in one step, and only
//! then the old table goes. Each of the three may be repeated at any point.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;

use super::{DoneResult, Parsed, StageError};
use crate::control::{Control, Pointer};
use crate::notice::{self, Facts, Notice};
use crate::report::Report;
use crate::runs;
use crate::store::{ObjectStore, StoreError};
use crate::table::{Bodies, Filter, Ranking};

/// The bodies that a notice names.
const NUM_BEST: u32 = 10;

/// A run that is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Published {
    /// Its table.
    pub table: String,
    /// The bodies in it.
    pub items: u64,
    /// How many the run had that it took the place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_items: Option<u64>,
    /// Where the report is.
    pub report: String,
    /// What people are told.
    pub notice: Notice,
}

/// Where runs are published: a stack's control table, its readers and its store.
#[derive(Debug, Clone)]
pub struct Stack {
    /// What it is called, which its control table is, too.
    pub name: String,
    /// The pointer and the lock.
    pub control: Arc<dyn Control>,
    /// What readers see.
    pub readers: Arc<dyn Bodies>,
    /// Where reports are kept.
    pub store: Arc<dyn ObjectStore>,
}

/// Makes the table of `run`, which from now on is the one that may be published, for as long as `validity`. Returns
/// the table's name.
///
/// # Errors
/// [`StageError::Table`]: where another run is going on, or this one is published already, too.
pub async fn create_table(
    stack: &Stack,
    run: &str,
    validity: Duration,
) -> Result<String, StageError> {
    let control = &stack.control;
    control.acquire(run, validity).await?;
    // What runs left that were stopped, or could not tidy up themselves.
    control.sweep().await?;
    let table = control.run_table(run);
    table.create().await?;
    Ok(table.name().to_owned())
}

/// Deletes the table of a `run` that failed, unless it is the one that readers ask.
///
/// # Errors
/// [`StageError::Table`].
pub async fn discard_table(stack: &Stack, run: &str) -> Result<(), StageError> {
    Ok(stack.control.discard(run).await?)
}

/// Publishes the table of `run`, of which `parsed` is what was sent and `written` what was written: the report is
/// checked and kept, the ledger closed, the pointer moved, and the old table deleted.
///
/// # Errors
/// [`StageError::Unreconciled`] where the counts do not add up; [`StageError::Store`], [`StageError::Table`],
/// [`StageError::Ledger`].
pub async fn publish_table(
    stack: &Stack,
    run: &str,
    parsed: Parsed,
    written: DoneResult,
) -> Result<Published, StageError> {
    let control = &stack.control;
    let mut report = parsed.report;
    report.rows.reconcile(written.written)?;
    let report_location = keep(&*stack.store, run, &report).await?;
    let table = control.run_table(run);
    table.ledger().close(parsed.messages).await?;
    let pointer = Pointer {
        run: run.to_owned(),
        table: table.name().to_owned(),
        finished_at: now(),
        items: written.written,
        report: to_json(run, &report)?,
        previous: None,
    };
    let pointer = control.publish(&pointer).await?;
    let asteroids = Filter::default();
    let best = stack
        .readers
        .top(Ranking::Profit, &asteroids, NUM_BEST)
        .await?;
    let previous = pointer.previous.as_ref();
    if let Some(previous) = previous {
        control.run_table(&previous.run).begin_deletion().await?;
        control
            .forget(&BTreeSet::from([previous.run.clone()]))
            .await?;
    }
    control.release(run).await?;
    let notice = notice::published(&Facts {
        stack: &stack.name,
        run,
        report: &report,
        items: pointer.items,
        previous: previous.map(|previous| (&*previous.run, previous.items)),
        best: &best,
        report_location: &report_location,
    });
    Ok(Published {
        items: pointer.items,
        previous_items: previous.map(|previous| previous.items),
        table: pointer.table.clone(),
        report: report_location,
        notice,
    })
}

/// Keeps the report in the store, over an older one of the same run, and returns where it is.
async fn keep(store: &dyn ObjectStore, run: &str, report: &Report) -> Result<String, StageError> {
    let key = runs::key(run, runs::REPORT)?;
    let bytes = Bytes::from(to_json(run, report)?);
    let body = stream::once(async { Ok(bytes) }).boxed();
    store.put(&key, body).await?;
    Ok(format!("{}/{key}", store.location()))
}

fn to_json(run: &str, report: &Report) -> Result<String, StoreError> {
    serde_json::to_string(report).map_err(|error| {
        StoreError::failed(format!("the report of {run}"), "written", false, error)
    })
}

/// The time, to the second, as the table on one machine has it.
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
