//! The database: built beside the old one and put in its place, or opened for questions.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::Context;
use engine::job::Job;
use engine::pipeline::{PipelineError, Summary};
use engine::reject::{Reason, Reject, RejectedItem};
use engine::report::Report;
use engine::sink::TableSink;
use engine::table::{Body, Duplicate, Table, TableWriter};
use jiff::Timestamp;

use crate::INTERRUPTED;
use crate::args::DatabaseArgs;
use crate::input::spinner;
use crate::job::{RejectLog, explain};

/// Replaces the database at `path` by what `value` puts into a new one, once `keep` has taken the report.
/// Whatever fails, the old one stays.
pub(crate) fn replace(
    path: &Path,
    run_id: &str,
    mut job: Job,
    rejects: &mut RejectLog,
    value: impl FnOnce(&mut Job, &mut TableSink, &mut RejectLog) -> anyhow::Result<Summary>,
    keep: impl FnOnce(&Report) -> anyhow::Result<()>,
) -> anyhow::Result<Report> {
    let mut sink = TableSink(TableWriter::create(path)?);
    let mut summary = value(&mut job, &mut sink, rejects)?;
    let indexing = Instant::now();
    let spinner = spinner("making the indexes");
    let loaded = sink.0.finish()?;
    spinner.finish_and_clear();
    for duplicate in &loaded.duplicates {
        // It was valued and is rejected after all.
        summary.leave_out(duplicate.kind.as_deref(), Reason::DuplicateKey);
        rejects.add(&rejected(duplicate))?;
    }
    job.end_stage("index", indexing);
    if INTERRUPTED.load(Ordering::Relaxed) {
        return Err(PipelineError::Cancelled.into());
    }
    job.check_rejects(&summary).map_err(explain)?;
    let report = job.report(&summary, loaded.items)?;
    keep(&report)?;
    let report_json = serde_json::to_string(&report)?;
    let finished_at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    loaded.publish(run_id, &finished_at, &report_json)?;
    Ok(report)
}

fn rejected(duplicate: &Duplicate) -> Reject {
    let item = RejectedItem {
        row: duplicate.rowid.unsigned_abs(),
        kind: duplicate.kind.as_deref(),
        designation: &duplicate.designation,
        full_name: duplicate.full_name.as_deref(),
    };
    item.duplicate(duplicate.first_rowid.unsigned_abs())
}

/// Opens the database for questions.
pub(crate) fn open(args: &DatabaseArgs) -> anyhow::Result<Table> {
    Table::open(&args.database()).context(
        "no database to ask (`prospector run --recorded` makes one; --database names another)",
    )
}

/// Finds the bodies that are called `name`.
pub(crate) fn find(args: &DatabaseArgs, name: &str) -> anyhow::Result<Vec<Body>> {
    let bodies = open(args)?.find(name)?;
    if bodies.is_empty() {
        anyhow::bail!(
            "no body is called {name:?}: `prospector search {name:?}` lists what begins like it"
        );
    }
    Ok(bodies)
}
