//! `prospector value`: a catalogue in, items out.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::CommandFactory;
use clap::error::ErrorKind;
use engine::batch::Encoding;
use engine::catalogue::CatalogueError;
use engine::exoplanets::Candidates;
use engine::inspect::{Source as Table, inspect_table};
use engine::masses::Average;
use engine::pipeline::Summary;
use engine::report::Report;
use engine::sink::LineSink;

use crate::args::{Cli, MassAverage, OutputFormat, ValueArgs};
use crate::job::{Job, RejectLog, Source};
use crate::{database, input, output, text};

pub(crate) fn run(args: &ValueArgs) -> anyhow::Result<()> {
    refuse_unusable_outputs(args);
    let start = Instant::now();
    let mut job = Job::new(None, args.threads, args.max_rejects);
    read_lookups(args, &mut job)?;
    let mut rejects = RejectLog::create(args.rejects.as_deref())?;
    let valued = value(args, job, &mut rejects);
    rejects.finish(valued.is_ok())?;
    output::note(&text::summary(&valued?, start.elapsed().as_secs_f64()));
    Ok(())
}

/// Wrong usage that the arguments show only together.
fn refuse_unusable_outputs(args: &ValueArgs) {
    let to_stdout = args.output == Path::new("-");
    let is_same = |one: &Path, other: &Path| {
        one == other || (one.exists() && one.canonicalize().ok() == other.canonicalize().ok())
    };
    let rejects = args.rejects.as_deref();
    let message = if args.format() == OutputFormat::Sqlite && to_stdout {
        "--format sqlite needs --output FILE: a database cannot go to standard output"
    } else if rejects == Some(Path::new("-")) {
        "--rejects needs a file: standard output is for items"
    } else if rejects.is_some_and(|rejects| is_same(rejects, &args.output)) {
        "--rejects and --output name the same file"
    } else if !to_stdout && is_same(&args.asteroids, &args.output) {
        "--output would replace the catalogue that is read"
    } else if rejects.is_some_and(|rejects| is_same(rejects, &args.asteroids)) {
        "--rejects would replace the catalogue that is read"
    } else {
        return;
    };
    Cli::command()
        .error(ErrorKind::ArgumentConflict, message)
        .exit();
}

fn read_lookups(args: &ValueArgs, job: &mut Job) -> anyhow::Result<()> {
    if let Some(path) = &args.delta_v {
        let (_, bytes) = input::read_small(path)?;
        job.read_delta_v(Source {
            name: input::name(path),
            bytes: &bytes,
        })?;
    }
    if let Some(path) = &args.nhats {
        let (_, bytes) = input::read_small(path)?;
        job.read_nhats(Source {
            name: input::name(path),
            bytes: &bytes,
        })?;
    }
    match &args.masses {
        Some(path) => {
            let (_, bytes) = input::read_small(path)?;
            let average = match args.mass_average {
                MassAverage::Weighted => Average::Weighted,
                MassAverage::Plain => Average::Plain,
            };
            job.read_masses(
                Source {
                    name: input::name(path),
                    bytes: &bytes,
                },
                average,
            )?;
        }
        None => job.use_builtin_masses(),
    }
    if let Some(path) = &args.exoplanets {
        let (_, bytes) = input::read_small(path)?;
        let candidates = if args.koi_candidates {
            Candidates::Included
        } else {
            Candidates::LeftOut
        };
        job.read_exoplanets(
            Source {
                name: input::name(path),
                bytes: &bytes,
            },
            candidates,
        )?;
    }
    Ok(())
}

fn value(args: &ValueArgs, mut job: Job, rejects: &mut RejectLog) -> anyhow::Result<Report> {
    // A bar would be drawn over items that go to the same terminal.
    let is_quiet = args.output == Path::new("-") && io::stdout().is_terminal();
    let (catalogue, bar) = input::open_catalogue(&args.asteroids, is_quiet)
        .map_err(|error| advise_on_other_table(error, &args.asteroids))?;
    let name = input::name(&args.asteroids);
    let encoding = match args.format() {
        OutputFormat::Ndjson => Encoding::Json,
        OutputFormat::Csv => Encoding::Csv,
        OutputFormat::Sqlite => {
            output::check_folder(&args.output)?;
            return database::replace(&args.output, "", job, rejects, |job, sink, rejects| {
                let summary = job.value(catalogue, &name, sink, rejects);
                bar.finish_and_clear();
                summary
            });
        }
    };
    let value = |out: &mut (dyn Write + Send)| -> anyhow::Result<Summary> {
        let mut sink = LineSink::new(out, encoding)?;
        let summary = job.value(catalogue, &name, &mut sink, rejects);
        bar.finish_and_clear();
        summary
    };
    let summary = match destination(&args.output) {
        Destination::Stdout => {
            let mut stdout = io::stdout();
            let summary = value(&mut stdout)?;
            stdout.flush()?;
            summary
        }
        Destination::Special(path) => {
            let mut file = OpenOptions::new()
                .write(true)
                .open(&path)
                .with_context(|| format!("cannot write {}", path.display()))?;
            value(&mut file)?
        }
        Destination::File(path) => {
            let mut file = output::create_file(&path)?;
            let summary = value(&mut file)?;
            file.commit()?;
            summary
        }
    };
    let written = summary.counts.valued;
    job.report(&summary, written)
}

/// Says which option takes a table that was given in place of the catalogue.
fn advise_on_other_table(error: anyhow::Error, path: &Path) -> anyhow::Error {
    let is_other_table = error
        .downcast_ref()
        .is_some_and(CatalogueError::may_be_other_table);
    let inspected = (is_other_table && path != Path::new("-"))
        .then(|| inspect_table(input::Input::open(path).ok()?, ""))
        .flatten();
    let (what, option) = match inspected.map(|inspection| inspection.source) {
        Some(Table::DeltaVTable { .. }) => ("a delta-v table", "--delta-v"),
        Some(Table::NhatsTable { .. }) => ("JPL's NHATS table", "--nhats"),
        Some(Table::ExoplanetArchive { .. }) => ("a table of exoplanets", "--exoplanets"),
        Some(Table::MassList { .. }) => ("a list of masses", "--masses"),
        _ => return error,
    };
    anyhow::anyhow!(
        "{} is {what}, not a catalogue: give it as {option}",
        path.display()
    )
}

/// Where lines go.
enum Destination {
    Stdout,
    /// A device or pipe, which cannot be replaced.
    Special(PathBuf),
    /// A file, replaced in one step.
    File(PathBuf),
}

fn destination(path: &Path) -> Destination {
    if path == Path::new("-") {
        return Destination::Stdout;
    }
    let is_special = path
        .metadata()
        .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
    if is_special {
        Destination::Special(path.to_owned())
    } else {
        Destination::File(path.to_owned())
    }
}
