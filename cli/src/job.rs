//! The job that `run` and `value` share: read the lookups, value the catalogue into a sink, report.

use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use engine::body::{Lookups, Valuer};
use engine::catalogue::Catalogue;
use engine::delta_v::{DeltaVTable, compare};
use engine::exoplanets::{Candidates, Exoplanet, ExoplanetList};
use engine::inputs::Manifest;
use engine::masses::{self, Average, MassList};
use engine::nhats::NhatsTable;
use engine::pipeline::{self, PipelineError, PipelineOptions, Sinks, Summary};
use engine::reject::Reject;
use engine::report::{
    ByteCounts, CatalogueInput, DeltaVInput, ExoplanetInput, Inputs, MassInput, NhatsInput, Report,
    RowCounts, Stage,
};
use engine::sink::Sink;
use engine::store::Writer;
use engine::table::ReplacedFile;

use crate::{INTERRUPTED, output};

/// Rejected rows that are shown where they are not written to a file.
const MAX_SHOWN_REJECTS: usize = 5;

/// A small input: what people call it, and its bytes with their compression taken off.
pub(crate) struct Source<'a> {
    pub(crate) name: String,
    pub(crate) bytes: &'a [u8],
}

/// A job on its way: what it has read, and what each stage took.
pub(crate) struct Job {
    run: Option<String>,
    num_threads: NonZeroUsize,
    max_rejects_percent: f64,
    lookups: Lookups,
    planets: Vec<Exoplanet>,
    inputs: Inputs,
    stages: Vec<Stage>,
    /// Rows of the small inputs that could not be read.
    rejects: Vec<Reject>,
}

impl Job {
    /// A job with no lookups yet.
    pub(crate) fn new(
        run: Option<String>,
        threads: Option<NonZeroUsize>,
        max_rejects_percent: f64,
    ) -> Self {
        let machine = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Job {
            run,
            num_threads: threads.unwrap_or_else(machine),
            max_rejects_percent,
            lookups: Lookups::default(),
            planets: Vec::new(),
            inputs: Inputs::default(),
            stages: Vec::new(),
            rejects: Vec::new(),
        }
    }

    /// Notes the input set that the inputs are of.
    pub(crate) fn note_set(&mut self, manifest: &Manifest) {
        self.inputs.set = Some(manifest.set.clone());
        self.inputs.notes.clone_from(&manifest.notes);
    }

    /// Notes stages that came before this job's own.
    pub(crate) fn add_stages(&mut self, stages: Vec<Stage>) {
        self.stages.extend(stages);
    }

    /// Reads the published delta-v table and compares it with the equations.
    pub(crate) fn read_delta_v(&mut self, source: Source<'_>) -> anyhow::Result<()> {
        let start = Instant::now();
        let table = DeltaVTable::parse(source.bytes).with_context(|| source.name.clone())?;
        self.inputs.delta_v = Some(DeltaVInput {
            from: source.name,
            rejected: table.rejects.len(),
            comparison: compare(&table),
        });
        self.rejects.extend_from_slice(&table.rejects);
        self.lookups.delta_v = table;
        self.end_stage("delta-v", start);
        Ok(())
    }

    /// Reads JPL's NHATS table.
    pub(crate) fn read_nhats(&mut self, source: Source<'_>) -> anyhow::Result<()> {
        let start = Instant::now();
        let table = NhatsTable::parse(source.bytes).with_context(|| source.name.clone())?;
        self.inputs.nhats = Some(NhatsInput::new(source.name, &table));
        self.rejects.extend_from_slice(&table.rejects);
        self.lookups.nhats = table;
        self.end_stage("nhats", start);
        Ok(())
    }

    /// Averages a list of mass estimates.
    pub(crate) fn read_masses(
        &mut self,
        source: Source<'_>,
        average: Average,
    ) -> anyhow::Result<()> {
        let start = Instant::now();
        let list = MassList::parse(source.bytes, average).with_context(|| source.name.clone())?;
        self.take_masses(source.name, list, start);
        Ok(())
    }

    /// Takes the list of masses that comes with the program.
    pub(crate) fn use_builtin_masses(&mut self) {
        let start = Instant::now();
        self.take_masses("built-in".to_owned(), masses::builtin().clone(), start);
    }

    fn take_masses(&mut self, from: String, list: MassList, start: Instant) {
        self.inputs.masses = Some(MassInput::new(from, &list));
        self.rejects.extend_from_slice(&list.rejects);
        self.lookups.masses = list;
        self.end_stage("calculate-masses", start);
    }

    /// Reads the exoplanets.
    pub(crate) fn read_exoplanets(
        &mut self,
        source: Source<'_>,
        candidates: Candidates,
    ) -> anyhow::Result<()> {
        let start = Instant::now();
        let list =
            ExoplanetList::parse(source.bytes, candidates).with_context(|| source.name.clone())?;
        self.inputs.exoplanets = Some(ExoplanetInput::new(source.name, &list));
        self.rejects.extend(list.rejects);
        self.planets = list.planets;
        self.end_stage("exoplanets", start);
        Ok(())
    }

    /// Values a catalogue, known to people as `name`, into `sink`.
    pub(crate) fn value<R: Read>(
        &mut self,
        catalogue: Catalogue<R>,
        name: &str,
        sink: &mut (dyn Sink + Send),
        rejects: &mut RejectLog,
    ) -> anyhow::Result<Summary> {
        let start = Instant::now();
        for reject in &self.rejects {
            rejects.add(reject)?;
        }
        let header = catalogue.header().clone();
        let valuer = Valuer {
            lookups: std::mem::take(&mut self.lookups),
            run: self.run.clone(),
        };
        let options = PipelineOptions {
            num_threads: self.num_threads,
            max_rejects_percent: self.max_rejects_percent,
            cancelled: &INTERRUPTED,
        };
        let sinks = Sinks {
            items: sink,
            rejects: &mut |reject| rejects.add(reject),
        };
        let summary = pipeline::run(catalogue, &self.planets, &valuer, sinks, &options)
            .map_err(|error| explain_pipeline_error(error, name))?;
        let trailer = summary.trailer.clone();
        self.inputs.asteroids = Some(CatalogueInput {
            from: name.to_owned(),
            header,
            trailer,
        });
        self.end_stage("parse-horizon", start);
        Ok(summary)
    }

    /// Checks that no more rows were rejected than may be, duplicates among them.
    pub(crate) fn check_rejects(&self, summary: &Summary) -> anyhow::Result<()> {
        let name = self
            .inputs
            .asteroids
            .as_ref()
            .map_or("", |input| input.from.as_str());
        summary
            .check_rejects(self.max_rejects_percent)
            .map_err(|error| explain_pipeline_error(error, name))
    }

    /// Notes that a stage that began at `start` has ended.
    pub(crate) fn end_stage(&mut self, name: &'static str, start: Instant) {
        self.stages.push(stage(name, start.elapsed()));
    }

    /// The report, once `written` items have reached their end. It is checked to reconcile.
    pub(crate) fn report(self, summary: &Summary, written: u64) -> anyhow::Result<Report> {
        let rows = RowCounts::new(summary, written);
        rows.reconcile()?;
        Ok(Report {
            run: self.run,
            inputs: self.inputs,
            rows,
            bytes: ByteCounts {
                read: summary.bytes_read,
                written: summary.bytes_written,
            },
            stages: self.stages,
        })
    }
}

/// What a stage took that is done just now.
pub(crate) fn stage(name: &'static str, elapsed: Duration) -> Stage {
    Stage {
        name,
        seconds: elapsed.as_secs_f64(),
        peak_memory_bytes: peak_memory_bytes(),
    }
}

/// Says which input failed, and what to do where the error itself cannot know.
fn explain_pipeline_error(error: PipelineError, name: &str) -> anyhow::Error {
    match &error {
        PipelineError::Catalogue(_) => anyhow::Error::from(error).context(name.to_owned()),
        PipelineError::TooManyRejects { .. } => anyhow::anyhow!(
            "{name}: {error}; --rejects FILE lists them with their reasons, --max-rejects PERCENT accepts more"
        ),
        _ => error.into(),
    }
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
            RejectTarget::Screen => Ok(()),
        }
    }

    /// Puts what was written in its place, or says how many were not shown. Where the run failed before any row
    /// was rejected, the list of an earlier run stays.
    pub(crate) fn finish(self, is_done: bool) -> anyhow::Result<()> {
        const FAILED: &str = "the rejected rows cannot be written";
        let is_kept = is_done || self.num_rejects > 0;
        match self.target {
            RejectTarget::File(file) if is_kept => file.commit().context(FAILED),
            RejectTarget::Object(object) if is_kept => object.finish().map(drop).context(FAILED),
            RejectTarget::File(_) | RejectTarget::Object(_) => Ok(()),
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

/// The most memory that this process has had, where the system tells.
///
/// Linux keeps the figure of getrusage(2) across exec(2), so that of cargo would count; `VmHWM` begins anew
/// (proc_pid_status(5)).
fn peak_memory_bytes() -> Option<u64> {
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = kib.trim().trim_end_matches("kB").trim().parse().ok()?;
        return Some(kib * 1024);
    }
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).ok()?;
    // Linux counts in KiB, macOS in bytes (getrusage(2) of either).
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    u64::try_from(usage.max_rss()).ok().map(|rss| rss * unit)
}
