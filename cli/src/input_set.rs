//! An input set of a store, read into a job.

use anyhow::{Context, bail};
use engine::catalogue::{Catalogue, Format, ReadOptions};
use engine::exoplanets::Candidates;
use engine::inputs::{self, CatalogueEntry, Entry, InputsError, Manifest, Which};
use engine::masses::Average;
use engine::pipeline::Summary;
use engine::sink::Sink;
use engine::store::Reader;
use indicatif::{ProgressBar, ProgressBarIter};

use crate::input::progress_bar;
use crate::job::{Job, RejectLog, Source};
use crate::store::Store;

/// An input set that is to be valued.
pub(crate) struct InputSet<'a> {
    store: &'a Store,
    manifest: &'a Manifest,
}

impl Store {
    /// The manifest of the set that is asked for.
    pub(crate) fn find_inputs(&self, which: &Which) -> anyhow::Result<Manifest> {
        let objects = &*self.objects;
        match which {
            Which::Named(name) => self.wait_for(inputs::find(objects, name)),
            Which::Latest => {
                let latest = self.wait_for(inputs::latest(objects))?;
                latest.ok_or_else(|| {
                    let location = objects.location();
                    InputsError::NoSet { location }.into()
                })
            }
            Which::Fresh => bail!(
                "fresh inputs are downloaded by `prospector run`; here latest or a set's name is wanted"
            ),
        }
    }
}

impl<'a> InputSet<'a> {
    pub(crate) fn new(store: &'a Store, manifest: &'a Manifest) -> Self {
        InputSet { store, manifest }
    }

    fn name_of(&self, entry: &Entry) -> String {
        format!("{}{}", self.manifest.set.prefix(), entry.object)
    }

    /// Reads all but the catalogue into `job`.
    pub(crate) fn read_lookups(&self, job: &mut Job) -> anyhow::Result<()> {
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
        read: impl FnOnce(Source<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let objects = &*self.store.objects;
        let bytes = self
            .store
            .wait_for(inputs::read(objects, self.manifest, entry))?;
        read(Source {
            name: self.name_of(entry),
            bytes: &bytes,
        })
    }

    /// Opens the catalogue with a progress bar on a terminal, which is hidden where `is_quiet`.
    pub(crate) fn open_catalogue(&self, is_quiet: bool) -> anyhow::Result<OpenSet> {
        let CatalogueEntry {
            entry,
            format,
            columns,
            ..
        } = &self.manifest.asteroids;
        let find = inputs::object(&*self.store.objects, self.manifest, entry);
        let object = self.store.wait_for(find)?;
        let bar = if is_quiet {
            ProgressBar::hidden()
        } else {
            progress_bar(Some(object.bytes), "")
        };
        let options = ReadOptions {
            // A document may give its rows before its fields.
            fields: (*format == Format::Json).then(|| columns.clone()),
            ..ReadOptions::default()
        };
        let reader = bar.wrap_read(self.store.reader(object));
        let name = self.name_of(entry);
        let catalogue = Catalogue::open(reader, &options).with_context(|| name.clone())?;
        Ok(OpenSet {
            name,
            rows: entry.rows,
            catalogue,
            bar,
        })
    }
}

/// An input set whose catalogue is being read.
pub(crate) struct OpenSet {
    name: String,
    rows: u64,
    catalogue: Catalogue<ProgressBarIter<Reader>>,
    bar: ProgressBar,
}

impl OpenSet {
    /// Values the catalogue into `sink`, and checks that it has as many rows as when it was downloaded.
    pub(crate) fn value(
        self,
        job: &mut Job,
        sink: &mut (dyn Sink + Send),
        rejects: &mut RejectLog,
    ) -> anyhow::Result<Summary> {
        let summary = job.value(self.catalogue, &self.name, sink, rejects);
        self.bar.finish_and_clear();
        let summary = summary?;
        let found = summary.counts.read - summary.counts.exoplanets;
        if found != self.rows {
            bail!(
                "{} has {found} rows where its manifest says {}: `prospector inputs verify` tells what is damaged",
                self.name,
                self.rows
            );
        }
        Ok(summary)
    }
}
