//! What `run` and `value` add to the engine's job: where rejected rows go, and what to do about an error.

use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::Context;
use engine::catalogue::Catalogue;
use engine::job::{Job, JobError};
use engine::pipeline::{PipelineError, Sinks, Summary};
use engine::reject::Reject;
use engine::sink::Sink;
use engine::stages::StageError;
use engine::store::Writer;
use engine::table::ReplacedFile;

use crate::{INTERRUPTED, output};

/// Rejected rows that are shown where they are not written to a file.
const MAX_SHOWN_REJECTS: usize = 5;

/// Says which input failed, and what to do where the error itself cannot know.
pub(crate) fn explain(error: JobError) -> anyhow::Error {
    match error {
        JobError::Catalogue { name, source } => match source {
            PipelineError::Catalogue(_) => anyhow::Error::from(source).context(name),
            PipelineError::TooManyRejects { .. } => anyhow::anyhow!(
                "{name}: {source}; --rejects FILE lists them with their reasons, --max-rejects PERCENT accepts more"
            ),
            _ => source.into(),
        },
        other => other.into(),
    }
}

/// The same of what a stage fails with.
pub(crate) fn explain_stage(error: StageError) -> anyhow::Error {
    match error {
        StageError::Job(error) => explain(error),
        other => other.into(),
    }
}

/// Values a catalogue, known to people as `name`, into `sink`.
pub(crate) fn value<R: Read + Send>(
    job: &mut Job,
    catalogue: Catalogue<R>,
    name: &str,
    sink: &mut (dyn Sink + Send),
    rejects: &mut RejectLog,
) -> anyhow::Result<Summary> {
    let sinks = Sinks {
        items: sink,
        rejects: &mut |reject| rejects.add(reject),
    };
    job.value(catalogue, name, sinks, &INTERRUPTED)
        .map_err(explain)
}

/// Where rejected rows go, and how many there were.
pub(crate) struct RejectLog {
    target: RejectTarget,
    num_rejects: u64,
}

enum RejectTarget {
    /// The first few are shown on standard error.
    Screen,
    /// A file that takes the place of an older one.
    File(ReplacedFile),
    /// An object of a store.
    Object(Writer),
    /// Nothing more comes.
    Finished,
}

impl RejectLog {
    /// Writes rejects to a new file that takes the place of that at `path`, or shows the first few.
    pub(crate) fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        let target = match path {
            Some(path) => RejectTarget::File(output::create_file(path)?),
            None => RejectTarget::Screen,
        };
        Ok(RejectLog {
            target,
            num_rejects: 0,
        })
    }

    /// Writes rejects to an object.
    pub(crate) fn in_store(object: Writer) -> Self {
        RejectLog {
            target: RejectTarget::Object(object),
            num_rejects: 0,
        }
    }

    /// Takes a rejected row.
    pub(crate) fn add(&mut self, reject: &Reject) -> io::Result<()> {
        self.num_rejects += 1;
        match &mut self.target {
            RejectTarget::File(file) => write_line(file, reject),
            RejectTarget::Object(object) => write_line(object, reject),
            RejectTarget::Screen if self.num_rejects <= MAX_SHOWN_REJECTS as u64 => {
                output::note(&format!("rejected: {}", crate::text::reject(reject)));
                Ok(())
            }
            RejectTarget::Screen | RejectTarget::Finished => Ok(()),
        }
    }

    /// Puts what was written in its place, or says how many were not shown. Where the run failed before any row
    /// was rejected, the list of an earlier run stays. Doing it again changes nothing.
    pub(crate) fn finish(&mut self, is_done: bool) -> anyhow::Result<()> {
        const FAILED: &str = "the rejected rows cannot be written";
        let is_kept = is_done || self.num_rejects > 0;
        match std::mem::replace(&mut self.target, RejectTarget::Finished) {
            RejectTarget::File(file) if is_kept => file.commit().context(FAILED),
            RejectTarget::Object(object) if is_kept => object.finish().map(drop).context(FAILED),
            RejectTarget::File(_) | RejectTarget::Object(_) | RejectTarget::Finished => Ok(()),
            RejectTarget::Screen => {
                let num_hidden = self.num_rejects.saturating_sub(MAX_SHOWN_REJECTS as u64);
                if num_hidden > 0 {
                    output::note(&format!(
                        "rejected: {num_hidden} more; --rejects FILE has them all"
                    ));
                }
                Ok(())
            }
        }
    }
}

fn write_line(out: &mut impl Write, reject: &Reject) -> io::Result<()> {
    serde_json::to_writer(&mut *out, reject)?;
    out.write_all(b"\n")
}
