//! An input set of the store, with a progress bar while its catalogue is read.

use anyhow::bail;
use engine::inputs::{self, Manifest, Which};
use engine::job::Job;
use engine::pipeline::{Sinks, Summary};
use engine::sink::Sink;
use engine::stages::{InputSet, OpenSet};
use engine::store::Reader;
use indicatif::{ProgressBar, ProgressBarIter};

use crate::input::progress_bar;
use crate::job::{RejectLog, explain_stage};
use crate::store::Store;
use crate::{INTERRUPT, INTERRUPTED};

/// An input set whose catalogue is being read.
pub(crate) struct WatchedSet {
    opened: OpenSet<ProgressBarIter<Reader>>,
    bar: ProgressBar,
}

impl Store {
    /// The manifest of the set that is asked for.
    pub(crate) fn find_inputs(&self, which: &Which) -> anyhow::Result<Manifest> {
        let name = match which {
            Which::Named(name) => Some(name),
            Which::Latest => None,
            Which::Fresh => bail!(
                "fresh inputs are downloaded by `prospector run`; here latest or a set's name is wanted"
            ),
        };
        self.wait_for(inputs::find_or_latest(&*self.objects, name))
    }

    /// Reads all of a set but the catalogue into `job`, and opens that, with a progress bar on a terminal, which is
    /// hidden where `is_quiet`.
    pub(crate) fn open_inputs(
        &self,
        manifest: &Manifest,
        job: &mut Job,
        is_quiet: bool,
    ) -> anyhow::Result<WatchedSet> {
        let set = InputSet {
            runtime: self.runtime(),
            store: &self.objects,
            manifest,
            cancelled: &INTERRUPT,
        };
        set.read_lookups(job).map_err(explain_stage)?;
        let mut bar = ProgressBar::hidden();
        let opened = set.open_catalogue(|reader, object| {
            if !is_quiet {
                bar = progress_bar(Some(object.bytes), "");
            }
            bar.wrap_read(reader)
        });
        Ok(WatchedSet {
            opened: opened.map_err(explain_stage)?,
            bar,
        })
    }
}

impl WatchedSet {
    /// Values the catalogue into `sink`.
    pub(crate) fn value(
        self,
        job: &mut Job,
        sink: &mut (dyn Sink + Send),
        rejects: &mut RejectLog,
    ) -> anyhow::Result<Summary> {
        let sinks = Sinks {
            items: sink,
            rejects: &mut |reject| rejects.add(reject),
        };
        let summary = self.opened.value(job, sinks, &INTERRUPTED);
        self.bar.finish_and_clear();
        summary.map_err(explain_stage)
    }
}
