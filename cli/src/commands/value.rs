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
use engine::inputs::Which;
use engine::inspect::{Source as Table, inspect_table};
use engine::job::{Job, Source};
use engine::masses::Average;
use engine::pipeline::Summary;
use engine::report::Report;
use engine::sink::{LineSink, Sink, TableSink};

use crate::args::{Cli, MassAverage, OutputFormat, ValueArgs};
use crate::job::{self, RejectLog};
use crate::store::Store;
use crate::{database, input, output, text};

pub(crate) fn run(args: &ValueArgs) -> anyhow::Result<()> {
    refuse_unusable_outputs(args);
    let start = Instant::now();
    let job = Job::new(None, args.threads, args.max_rejects);
    let mut rejects = RejectLog::create(args.rejects.as_deref())?;
    let valued = match &args.inputs {
        Some(which) => value_set(args, which, job, &mut rejects),
        None => value_file(args, job, &mut rejects),
    };
    rejects.finish(valued.is_ok())?;
    output::note(&text::summary(&valued?, start.elapsed().as_secs_f64()));
    Ok(())
}

/// Wrong usage that the arguments show only together.
fn refuse_unusable_outputs(args: &ValueArgs) {
    let to_stdout = args.output == Path::new("-");
    let asteroids = args.inputs.is_none().then(|| args.asteroids());
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
    } else if !to_stdout && asteroids.is_some_and(|path| is_same(path, &args.output)) {
        "--output would replace the catalogue that is read"
    } else if rejects.is_some_and(|rejects| asteroids.is_some_and(|path| is_same(rejects, path))) {
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

/// Values a catalogue that is a file or standard input.
fn value_file(args: &ValueArgs, mut job: Job, rejects: &mut RejectLog) -> anyhow::Result<Report> {
    let path = args.asteroids();
    read_lookups(args, &mut job)?;
    let (catalogue, bar) = input::open_catalogue(path, is_quiet(args))
        .map_err(|error| advise_on_other_table(error, path))?;
    let name = input::name(path);
    write(args, job, rejects, |job, sink, rejects| {
        let summary = job::value(job, catalogue, &name, sink, rejects);
        bar.finish_and_clear();
        summary
    })
}

/// Values an input set of the store.
fn value_set(
    args: &ValueArgs,
    which: &Which,
    mut job: Job,
    rejects: &mut RejectLog,
) -> anyhow::Result<Report> {
    let store = Store::open(&args.store.store, args.store.aws.endpoint_url())?;
    let manifest = store.find_inputs(which)?;
    let valuing = store.open_inputs(&manifest, &mut job, is_quiet(args))?;
    write(args, job, rejects, |job, sink, rejects| {
        valuing.value(job, sink, rejects)
    })
}

/// Whether a bar would be drawn over items that go to the same terminal.
fn is_quiet(args: &ValueArgs) -> bool {
    args.output == Path::new("-") && io::stdout().is_terminal()
}

/// Writes what `value` makes of a catalogue to where and as the arguments say.
fn write(
    args: &ValueArgs,
    mut job: Job,
    rejects: &mut RejectLog,
    value: impl FnOnce(&mut Job, &mut (dyn Sink + Send), &mut RejectLog) -> anyhow::Result<Summary>,
) -> anyhow::Result<Report> {
    let encoding = match args.format() {
        OutputFormat::Ndjson => Encoding::Json,
        OutputFormat::Csv => Encoding::Csv,
        OutputFormat::Sqlite => {
            output::check_folder(&args.output)?;
            let keep = |_: &Report, rejects: &mut RejectLog| rejects.finish(true);
            let value = |job: &mut Job, sink: &mut TableSink, rejects: &mut RejectLog| {
                value(job, sink, rejects)
            };
            return database::replace(&args.output, "", job, rejects, value, keep);
        }
    };
    let write_lines =
        |out: &mut (dyn Write + Send)| value(&mut job, &mut LineSink::new(out, encoding)?, rejects);
    let summary = match destination(&args.output) {
        Destination::Stdout => {
            let mut stdout = io::stdout();
            let summary = write_lines(&mut stdout)?;
            stdout.flush()?;
            summary
        }
        Destination::Special(path) => {
            let mut file = OpenOptions::new()
                .write(true)
                .open(&path)
                .with_context(|| format!("cannot write {}", path.display()))?;
            write_lines(&mut file)?
        }
        Destination::File(path) => {
            let mut file = output::create_file(&path)?;
            let summary = write_lines(&mut file)?;
            file.commit()?;
            summary
        }
    };
    let written = summary.counts.valued;
    Ok(job.report(&summary, written)?)
}

/// Says which option takes a table that was given in place of the catalogue.
fn advise_on_other_table(error: anyhow::Error, path: &Path) -> anyhow::Error {
    let is_other_table = error
        .downcast_ref()
        .is_some_and(CatalogueError::may_be_other_table);
    let inspected = (is_other_table && input::can_be_read_twice(path))
        .then(|| inspect_table(input::open(path).ok()?, ""))
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
