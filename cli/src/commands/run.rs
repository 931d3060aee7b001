//! `prospector run`: the whole job, from the inputs to a database that can be asked.

use std::io::Write;
use std::time::Instant;

use anyhow::Context;
use engine::catalogue::{Catalogue, ReadOptions};
use engine::exoplanets::Candidates;
use engine::inputs::{Manifest, Which, unused_name};
use engine::report::{Report, Stage};
use engine::store::Key;
use engine::table::{Filter, Ranking};
use jiff::Timestamp;

use crate::args::RunArgs;
use crate::commands::top;
use crate::input_set::InputSet;
use crate::job::{Job, RejectLog, Source};
use crate::store::Store;
use crate::{database, fresh, output, text};

/// The most rows that a run may reject, in per cent.
pub(crate) const MAX_REJECTS_PERCENT: f64 = 0.5;
/// Where reports and rejected rows are kept in a store.
const PREFIX: &str = "runs/";

/// The recorded inputs, which come with the program (data/README.md tells where they are from).
const ASTEROIDS: &[u8] = include_bytes!("../../../data/asteroids.json");
const DELTA_V: &[u8] = include_bytes!("../../../data/delta-v.html");
const EXOPLANETS: &[u8] = include_bytes!("../../../data/exoplanets.csv");

pub(crate) fn run(args: &RunArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let start = Instant::now();
    let store = Store::open(&args.database.store.store)?;
    let lock = store.lock()?;
    let name = unused_name(&*store.objects, PREFIX, Timestamp::now());
    let run = Run {
        id: store.wait_for(name)?.to_string(),
        args,
        store: &store,
    };
    let (set, stages) = match &args.inputs {
        _ if args.recorded => (None, Vec::new()),
        Which::Fresh => {
            let (set, stages) = fresh::bring(&store, &lock, args)?;
            (Some(set), stages)
        }
        which => (Some(store.find_inputs(which)?), Vec::new()),
    };
    let report = run.value(set.as_ref(), stages)?;
    let report_at = run.keep(&report)?;
    output::note(&text::summary(&report, start.elapsed().as_secs_f64()));
    output::note(&format!("report: {report_at}"));
    let path = args.database.database();
    output::note(&format!("database: {}\n", path.display()));
    let bodies = database::open(&args.database)?.top(Ranking::Profit, &Filter::default(), 10)?;
    writeln!(out, "The ten most profitable asteroids:\n")?;
    top::write_table(&bodies, out)
}

/// A run on its way.
struct Run<'a> {
    id: String,
    args: &'a RunArgs,
    store: &'a Store,
}

impl Run<'_> {
    /// Values an input set, or the recorded inputs, into a new database, and keeps the rejected rows.
    fn value(&self, set: Option<&Manifest>, stages: Vec<Stage>) -> anyhow::Result<Report> {
        let mut job = Job::new(
            Some(self.id.clone()),
            self.args.threads,
            MAX_REJECTS_PERCENT,
        );
        job.add_stages(stages);
        let mut rejects = RejectLog::in_store(self.store.writer(self.key("rejects.jsonl")?));
        let path = self.args.database.database();
        let report = match set {
            None => {
                read_recorded(&mut job)?;
                let name = "recorded asteroids.json";
                let catalogue = Catalogue::open(ASTEROIDS, &ReadOptions::default())
                    .with_context(|| name.to_owned())?;
                database::replace(&path, &self.id, job, &mut rejects, |job, sink, rejects| {
                    job.value(catalogue, name, sink, rejects)
                })
            }
            Some(manifest) => {
                let set = InputSet::new(self.store, manifest);
                set.read_lookups(&mut job)?;
                let opened = set.open_catalogue(false)?;
                database::replace(&path, &self.id, job, &mut rejects, |job, sink, rejects| {
                    opened.value(job, sink, rejects)
                })
            }
        };
        rejects.finish(report.is_ok())?;
        report
    }

    /// Keeps the report, and says where.
    fn keep(&self, report: &Report) -> anyhow::Result<String> {
        let key = self.key("report.json")?;
        let mut object = self.store.writer(key.clone());
        serde_json::to_writer_pretty(&mut object, report)?;
        object.finish()?;
        Ok(format!("{}/{key}", self.store.objects.location()))
    }

    fn key(&self, object: &str) -> anyhow::Result<Key> {
        Ok(Key::new(format!("{PREFIX}{}/{object}", self.id))?)
    }
}

fn read_recorded(job: &mut Job) -> anyhow::Result<()> {
    job.read_delta_v(Source {
        name: "recorded delta-v.html".to_owned(),
        bytes: DELTA_V,
    })?;
    job.use_builtin_masses();
    let exoplanets = Source {
        name: "recorded exoplanets.csv".to_owned(),
        bytes: EXOPLANETS,
    };
    job.read_exoplanets(exoplanets, Candidates::LeftOut)
}
