//! `prospector run`: the whole job, from the inputs to a database that can be asked.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use engine::catalogue::{Catalogue, ReadOptions};
use engine::exoplanets::Candidates;
use engine::report::Report;
use engine::table::{Filter, Ranking};
use jiff::Timestamp;

use crate::args::RunArgs;
use crate::commands::top;
use crate::job::{Job, RejectLog, Source};
use crate::{database, output, text};

/// The most rows that a run may reject, in per cent.
const MAX_REJECTS_PERCENT: f64 = 0.5;

/// The recorded inputs, which come with the program (data/README.md tells where they are from).
const ASTEROIDS: &[u8] = include_bytes!("../../../data/asteroids.json");
const DELTA_V: &[u8] = include_bytes!("../../../data/delta-v.html");
const EXOPLANETS: &[u8] = include_bytes!("../../../data/exoplanets.csv");

pub(crate) fn run(args: &RunArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    if !args.recorded {
        bail!(
            "inputs \"{}\": downloads and cached input sets are not built yet. `prospector run --recorded` \
             does the whole job on recorded inputs; `prospector value FILE --format sqlite --output \
             DATABASE` does it on a catalogue that you have",
            args.inputs
        );
    }
    let start = Instant::now();
    let run_id = Timestamp::now().strftime("%Y-%m-%dT%H%M%SZ").to_string();
    let folder = args.database.store.join("runs").join(&run_id);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = args.database.database();
    let report = value_recorded(args, &run_id, &folder, &path)?;
    let report_path = folder.join("report.json");
    let report_json = serde_json::to_vec_pretty(&report)?;
    fs::write(&report_path, report_json)
        .with_context(|| format!("cannot write {}", report_path.display()))?;
    output::note(&text::summary(&report, start.elapsed().as_secs_f64()));
    output::note(&format!("report: {}", report_path.display()));
    output::note(&format!("database: {}\n", path.display()));
    let bodies = database::open(&args.database)?.top(Ranking::Profit, &Filter::default(), 10)?;
    writeln!(out, "The ten most profitable asteroids:\n")?;
    top::write_table(&bodies, out)
}

fn value_recorded(
    args: &RunArgs,
    run_id: &str,
    folder: &Path,
    database: &Path,
) -> anyhow::Result<Report> {
    let mut job = Job::new(Some(run_id.to_owned()), args.threads, MAX_REJECTS_PERCENT);
    job.read_delta_v(Source {
        name: "recorded delta-v.html".to_owned(),
        bytes: DELTA_V,
    })?;
    job.use_builtin_masses();
    let exoplanets = Source {
        name: "recorded exoplanets.csv".to_owned(),
        bytes: EXOPLANETS,
    };
    job.read_exoplanets(exoplanets, Candidates::LeftOut)?;
    let name = "recorded asteroids.json";
    let catalogue =
        Catalogue::open(ASTEROIDS, &ReadOptions::default()).with_context(|| name.to_owned())?;
    let mut rejects = RejectLog::create(Some(&folder.join("rejects.jsonl")))?;
    let report = database::replace(database, run_id, job, &mut rejects, |job, sink, rejects| {
        job.value(catalogue, name, sink, rejects)
    });
    rejects.finish(report.is_ok())?;
    report
}
