//! An input set of a store, read into a job.
//!
//! Everything here blocks: it runs on a thread that runs no async tasks, and asks the store through a runtime's
//! handle. A token that is cancelled ends what is being waited for.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::StageError;
use crate::catalogue::{Catalogue, Format, ReadOptions};
use crate::exoplanets::Candidates;
use crate::inputs::{self, CatalogueEntry, Entry, InputsError, Manifest};
use crate::job::{Job, JobError, Source};
use crate::masses::Average;
use crate::pipeline::{Sinks, Summary};
use crate::store::{self, Object, ObjectStore, Reader};

/// An input set that is to be valued.
#[derive(Debug, Clone, Copy)]
pub struct InputSet<'a> {
    /// Where the store's work is done.
    pub runtime: &'a Handle,
    /// Where the set is.
    pub store: &'a Arc<dyn ObjectStore>,
    /// What it holds.
    pub manifest: &'a Manifest,
    /// Cancelled when the work is to stop.
    pub cancelled: &'a CancellationToken,
}

impl InputSet<'_> {
    fn name_of(&self, entry: &Entry) -> String {
        format!("{}{}", self.manifest.set.prefix(), entry.object)
    }

    /// Reads all but the catalogue into `job`.
    ///
    /// # Errors
    /// [`StageError::Inputs`], [`StageError::Job`], [`StageError::Cancelled`].
    pub fn read_lookups(&self, job: &mut Job) -> Result<(), StageError> {
        let manifest = self.manifest;
        if let Some(entry) = &manifest.delta_v {
            self.with(entry, |source| job.read_delta_v(source))?;
        }
        if let Some(entry) = &manifest.nhats {
            self.with(entry, |source| job.read_nhats(source))?;
        }
        self.with(&manifest.masses, |source| {
            job.read_masses(source, Average::Weighted)
        })?;
        self.with(&manifest.exoplanets, |source| {
            job.read_exoplanets(source, Candidates::LeftOut)
        })?;
        job.note_set(manifest);
        Ok(())
    }

    fn with(
        &self,
        entry: &Entry,
        read: impl FnOnce(Source<'_>) -> Result<(), JobError>,
    ) -> Result<(), StageError> {
        let bytes = self.wait_for(inputs::read(&**self.store, self.manifest, entry))?;
        let source = Source {
            name: self.name_of(entry),
            bytes: &bytes,
        };
        Ok(read(source)?)
    }

    /// Opens the catalogue. Its object is read through what `wrap` makes of the reader, such as one that counts.
    ///
    /// # Errors
    /// [`StageError::Inputs`], [`StageError::Job`], [`StageError::Cancelled`].
    pub fn open_catalogue<R: Read + Send>(
        &self,
        wrap: impl FnOnce(Reader, &Object) -> R,
    ) -> Result<OpenSet<R>, StageError> {
        let CatalogueEntry {
            entry,
            format,
            columns,
            ..
        } = &self.manifest.asteroids;
        let object = self.wait_for(inputs::object(&**self.store, self.manifest, entry))?;
        let options = ReadOptions {
            // A document may give its rows before its fields.
            fields: (*format == Format::Json).then(|| columns.clone()),
            ..ReadOptions::default()
        };
        let reader = Reader::new(
            self.runtime,
            Arc::clone(self.store),
            object.clone(),
            store::ReadOptions::default(),
        );
        let name = self.name_of(entry);
        match Catalogue::open(wrap(reader, &object), &options) {
            Ok(catalogue) => Ok(OpenSet {
                name,
                rows: entry.rows,
                catalogue,
            }),
            Err(error) => Err(JobError::Catalogue {
                name,
                source: error.into(),
            }
            .into()),
        }
    }

    fn wait_for<T>(
        &self,
        work: impl Future<Output = Result<T, InputsError>>,
    ) -> Result<T, StageError> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.cancelled.cancelled() => Err(StageError::Cancelled),
                result = work => Ok(result?),
            }
        })
    }
}

/// An input set whose catalogue is being read.
pub struct OpenSet<R: Read + Send> {
    name: String,
    rows: u64,
    catalogue: Catalogue<R>,
}

impl<R: Read + Send> OpenSet<R> {
    /// Values the catalogue into `sinks`, and checks that it has as many rows as when it was downloaded.
    ///
    /// # Errors
    /// [`StageError::Job`], [`StageError::OtherRows`].
    pub fn value(
        self,
        job: &mut Job,
        sinks: Sinks<'_>,
        cancelled: &AtomicBool,
    ) -> Result<Summary, StageError> {
        let summary = job.value(self.catalogue, &self.name, sinks, cancelled)?;
        let found = summary.counts.read - summary.counts.exoplanets;
        if found != self.rows {
            return Err(StageError::OtherRows {
                name: self.name,
                found,
                rows: self.rows,
            });
        }
        Ok(summary)
    }
}
