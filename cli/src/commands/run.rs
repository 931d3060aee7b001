//! `prospector run`: the whole job, from the inputs to a database that can be asked.

use std::io::Write;
use std::time::Instant;

use anyhow::Context;
use clap::CommandFactory;
use clap::error::ErrorKind;
use engine::catalogue::{Catalogue, ReadOptions};
use engine::exoplanets::Candidates;
use engine::inputs::{self, Manifest, SetName, Which};
use engine::job::{Job, Source};
use engine::observer::chain;
use engine::report::{Report, Stage};
use engine::runs;
use engine::sink::TableSink;
use engine::stages::MAX_REJECTS_PERCENT;
use engine::store::Object;
use engine::table::{Filter, Ranking, Table};
use jiff::Timestamp;

use crate::args::{Cli, RunArgs};
use crate::commands::top;
use crate::job::{self, RejectLog};
use crate::store::{Store, StoreLock};
use crate::{database, fresh, output, text};

/// The recorded inputs, which come with the program (data/README.md tells where they are from).
const ASTEROIDS: &[u8] = include_bytes!("../../../data/asteroids.json");
const DELTA_V: &[u8] = include_bytes!("../../../data/delta-v.html");
const EXOPLANETS: &[u8] = include_bytes!("../../../data/exoplanets.csv");

pub(crate) fn run(args: &RunArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    refuse_sources_of_a_replay(args);
    let start = Instant::now();
    let place = &args.database.store;
    let store = Store::open(&place.store, place.aws.endpoint_url())?;
    let lock = store.lock()?;
    sweep_runs(args, &store, &lock)?;
    let name = store.wait_for(inputs::reserve(
        &*store.objects,
        runs::PREFIX,
        Timestamp::now(),
    ))?;
    let run = Run {
        id: name.to_string(),
        args,
        store: &store,
    };
    let done = run.bring_and_value(&lock);
    // Kept or failed, the run is over. That the mark cannot be taken away is no reason to fail.
    let released = store.wait_to_end(inputs::release(&*store.objects, runs::PREFIX, &name));
    let report = done?;
    if let Err(error) = released {
        output::warn(&chain(&error));
    }
    output::note(&text::summary(&report, start.elapsed().as_secs_f64()));
    let location = store.objects.location();
    output::note(&format!(
        "report: {location}/{}",
        runs::key(&run.id, runs::REPORT)?
    ));
    let path = args.database.database();
    output::note(&format!("database: {}\n", path.display()));
    let bodies = Table::open(&path)?.top(Ranking::Profit, &Filter::default(), 10)?;
    writeln!(out, "The ten most profitable asteroids:\n")?;
    top::write_table(&bodies, out)
}

/// Removes what killed runs have left, but not the report of one that came as far as to replace the database.
fn sweep_runs(args: &RunArgs, store: &Store, lock: &StoreLock) -> anyhow::Result<()> {
    let database = Table::open(&args.database.database()).and_then(|table| table.run());
    let current = database.ok().map(|run| run.run_id);
    // The database of a run on S3 may be another machine's.
    let is_done =
        |name: &SetName, _: &[Object]| !store.is_local() || current == Some(name.to_string());
    let sweep = inputs::sweep_names(
        &*store.objects,
        runs::PREFIX,
        store.dead_after(lock),
        is_done,
    );
    store.wait_for(sweep)?;
    Ok(())
}

/// Sources are for fresh inputs; a replay that passed them over would value something else than was asked for.
fn refuse_sources_of_a_replay(args: &RunArgs) {
    let is_fresh = !args.recorded && args.inputs == Which::Fresh;
    if !is_fresh && args.fresh.names_a_source() {
        let message = "--asteroids, --delta-v, --nhats, --exoplanets and --masses are sources of fresh inputs: \
            leave --inputs and --recorded away";
        Cli::command()
            .error(ErrorKind::ArgumentConflict, message)
            .exit();
    }
}

/// A run on its way.
struct Run<'a> {
    id: String,
    args: &'a RunArgs,
    store: &'a Store,
}

impl Run<'_> {
    /// Brings the inputs that were asked for and values them.
    fn bring_and_value(&self, lock: &StoreLock) -> anyhow::Result<Report> {
        let args = self.args;
        let (set, stages) = match &args.inputs {
            _ if args.recorded => (None, Vec::new()),
            Which::Fresh => {
                let (set, stages) = fresh::bring(self.store, lock, args)?;
                (Some(set), stages)
            }
            which => (Some(self.store.find_inputs(which)?), Vec::new()),
        };
        self.value(set.as_ref(), stages)
    }

    /// Values an input set, or the recorded inputs, into a new database, and keeps the rejected rows.
    fn value(&self, set: Option<&Manifest>, stages: Vec<Stage>) -> anyhow::Result<Report> {
        let mut job = Job::new(
            Some(self.id.clone()),
            self.args.threads,
            MAX_REJECTS_PERCENT,
        );
        job.add_stages(stages);
        let mut rejects =
            RejectLog::in_store(self.store.writer(runs::key(&self.id, runs::REJECTS)?));
        let path = self.args.database.database();
        // Whatever a run keeps, it has kept before the database is replaced: afterwards nothing fails.
        let keep = |report: &Report, rejects: &mut RejectLog| {
            rejects.finish(true)?;
            self.keep(report)
        };
        let report = match set {
            None => {
                read_recorded(&mut job)?;
                let name = "recorded asteroids.json";
                let catalogue = Catalogue::open(ASTEROIDS, &ReadOptions::default())
                    .with_context(|| name.to_owned())?;
                let value = |job: &mut Job, sink: &mut TableSink, rejects: &mut RejectLog| {
                    job::value(job, catalogue, name, sink, rejects)
                };
                database::replace(&path, &self.id, job, &mut rejects, value, keep)
            }
            Some(manifest) => {
                let opened = self.store.open_inputs(manifest, &mut job, false)?;
                let value = |job: &mut Job, sink: &mut TableSink, rejects: &mut RejectLog| {
                    opened.value(job, sink, rejects)
                };
                database::replace(&path, &self.id, job, &mut rejects, value, keep)
            }
        };
        rejects.finish(report.is_ok())?;
        report
    }

    /// Keeps the report.
    fn keep(&self, report: &Report) -> anyhow::Result<()> {
        let mut object = self.store.writer(runs::key(&self.id, runs::REPORT)?);
        serde_json::to_writer_pretty(&mut object, report)?;
        object.finish()?;
        Ok(())
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
    Ok(job.read_exoplanets(exoplanets, Candidates::LeftOut)?)
}
