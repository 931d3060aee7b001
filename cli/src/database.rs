//! The database: built beside the old one and put in its place.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use engine::job::Job;
use engine::pipeline::{PipelineError, Summary};
use engine::reject::{Reason, Reject, RejectedItem};
use engine::report::Report;
use engine::sink::TableSink;
use engine::table::{Duplicate, TableWriter};
use jiff::Timestamp;

use crate::INTERRUPTED;
use crate::input::spinner;
use crate::job::{RejectLog, explain};

/// Replaces the database at `path` by what `value` puts into a new one, once `keep` has taken the report and the rejects.
/// Whatever fails, the old one stays.
pub(crate) fn replace(
    path: &Path,
    run_id: &str,
    mut job: Job,
    rejects: &mut RejectLog,
    value: impl FnOnce(&mut Job, &mut TableSink, &mut RejectLog) -> anyhow::Result<Summary>,
    keep: impl FnOnce(&Report, &mut RejectLog) -> anyhow::Result<()>,
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
    keep(&report, rejects)?;
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
