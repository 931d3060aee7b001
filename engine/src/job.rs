//! The job that every run is: read the lookups, value a catalogue into a sink, report.
//!
//! Where the bytes come from is for others: a file of somebody's, or an input set
//! ([`InputSet`](crate::stages::InputSet)). A job blocks and computes; async code runs it on a thread of its own.

use std::error::Error;
use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::body::{Lookups, Valuer};
use crate::catalogue::Catalogue;
use crate::delta_v::{DeltaVTable, compare};
use crate::exoplanets::{Candidates, Exoplanet, ExoplanetList};
use crate::inputs::Manifest;
use crate::masses::{self, Average, MassList};
use crate::nhats::NhatsTable;
use crate::pipeline::{self, PipelineError, PipelineOptions, Sinks, Summary};
use crate::reject::Reject;
use crate::report::{
    ByteCounts, CatalogueInput, DeltaVInput, ExoplanetInput, Inputs, MassInput, NhatsInput, Report,
    RowCounts, Stage, Unreconciled,
};

/// A small input: what people call it, and its bytes with their compression taken off.
#[derive(Debug)]
pub struct Source<'a> {
    /// What people call it.
    pub name: String,
    /// Its content.
    pub bytes: &'a [u8],
}

/// Which input made a job fail. The cause says why.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// A small input is not usable.
    #[error("{name}")]
    Input {
        /// What people call it.
        name: String,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The catalogue was not valued to its end.
    #[error("{name}")]
    Catalogue {
        /// What people call it.
        name: String,
        /// Why.
        source: PipelineError,
    },
}

/// A job on its way: what it has read, and what each stage took.
#[derive(Debug)]
pub struct Job {
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
    /// A job with no lookups yet, for `threads` threads or as many as the machine has cores.
    #[must_use]
    pub fn new(
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
    pub fn note_set(&mut self, manifest: &Manifest) {
        self.inputs.set = Some(manifest.set.clone());
        self.inputs.notes.clone_from(&manifest.notes);
    }

    /// Notes stages that came before this job's own.
    pub fn add_stages(&mut self, stages: Vec<Stage>) {
        self.stages.extend(stages);
    }

    /// Reads the published delta-v table and compares it with the equations.
    ///
    /// # Errors
    /// [`JobError::Input`].
    pub fn read_delta_v(&mut self, source: Source<'_>) -> Result<(), JobError> {
        let start = Instant::now();
        let table = DeltaVTable::parse(source.bytes).map_err(|error| unusable(&source, error))?;
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
    ///
    /// # Errors
    /// [`JobError::Input`].
    pub fn read_nhats(&mut self, source: Source<'_>) -> Result<(), JobError> {
        let start = Instant::now();
        let table = NhatsTable::parse(source.bytes).map_err(|error| unusable(&source, error))?;
        self.inputs.nhats = Some(NhatsInput::new(source.name, &table));
        self.rejects.extend_from_slice(&table.rejects);
        self.lookups.nhats = table;
        self.end_stage("nhats", start);
        Ok(())
    }

    /// Averages a list of mass estimates.
    ///
    /// # Errors
    /// [`JobError::Input`].
    pub fn read_masses(&mut self, source: Source<'_>, average: Average) -> Result<(), JobError> {
        let start = Instant::now();
        let list =
            MassList::parse(source.bytes, average).map_err(|error| unusable(&source, error))?;
        self.take_masses(source.name, list, start);
        Ok(())
    }

    /// Takes the list of masses that comes with the program.
    pub fn use_builtin_masses(&mut self) {
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
    ///
    /// # Errors
    /// [`JobError::Input`].
    pub fn read_exoplanets(
        &mut self,
        source: Source<'_>,
        candidates: Candidates,
    ) -> Result<(), JobError> {
        let start = Instant::now();
        let list = ExoplanetList::parse(source.bytes, candidates)
            .map_err(|error| unusable(&source, error))?;
        self.inputs.exoplanets = Some(ExoplanetInput::new(source.name, &list));
        self.rejects.extend(list.rejects);
        self.planets = list.planets;
        self.end_stage("exoplanets", start);
        Ok(())
    }

    /// Values a catalogue, known to people as `name`, into `sinks`, until `cancelled` is set. The rejected rows of
    /// the lookups come first.
    ///
    /// # Errors
    /// [`JobError::Catalogue`].
    pub fn value<R: Read + Send>(
        &mut self,
        catalogue: Catalogue<R>,
        name: &str,
        sinks: Sinks<'_>,
        cancelled: &AtomicBool,
    ) -> Result<Summary, JobError> {
        let start = Instant::now();
        let failed = |source| JobError::Catalogue {
            name: name.to_owned(),
            source,
        };
        for reject in &self.rejects {
            (sinks.rejects)(reject).map_err(|error| failed(PipelineError::Rejects(error)))?;
        }
        let header = catalogue.header().clone();
        let valuer = Valuer {
            lookups: std::mem::take(&mut self.lookups),
            run: self.run.clone(),
        };
        let options = PipelineOptions {
            num_threads: self.num_threads,
            max_rejects_percent: self.max_rejects_percent,
            cancelled,
        };
        let summary =
            pipeline::run(catalogue, &self.planets, &valuer, sinks, &options).map_err(failed)?;
        self.inputs.asteroids = Some(CatalogueInput {
            from: name.to_owned(),
            header,
            trailer: summary.trailer.clone(),
        });
        self.end_stage("parse-horizon", start);
        Ok(summary)
    }

    /// Checks that no more rows were rejected than may be, duplicates among them.
    ///
    /// # Errors
    /// [`JobError::Catalogue`].
    pub fn check_rejects(&self, summary: &Summary) -> Result<(), JobError> {
        let catalogue = self.inputs.asteroids.as_ref();
        summary
            .check_rejects(self.max_rejects_percent)
            .map_err(|source| JobError::Catalogue {
                name: catalogue.map_or_else(String::new, |input| input.from.clone()),
                source,
            })
    }

    /// Notes that a stage that began at `start` has ended.
    pub fn end_stage(&mut self, name: &'static str, start: Instant) {
        self.stages.push(Stage::ended(name, start.elapsed()));
    }

    /// The report, where the items are written by somebody else, who counts them.
    #[must_use]
    pub fn report_before_writing(self, summary: &Summary) -> Report {
        Report {
            run: self.run,
            inputs: self.inputs,
            rows: RowCounts::new(summary),
            bytes: ByteCounts {
                read: summary.bytes_read,
                written: summary.bytes_written,
            },
            stages: self.stages,
        }
    }

    /// The report, once `written` items have reached their end.
    ///
    /// # Errors
    /// [`Unreconciled`].
    pub fn report(self, summary: &Summary, written: u64) -> Result<Report, Unreconciled> {
        let mut report = self.report_before_writing(summary);
        report.rows.reconcile(written)?;
        Ok(report)
    }
}

fn unusable(source: &Source<'_>, error: impl Error + Send + Sync + 'static) -> JobError {
    JobError::Input {
        name: source.name.clone(),
        source: error.into(),
    }
}
