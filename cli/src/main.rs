//! `prospector`: the engine on one machine, for people.

mod args;
mod commands;
mod database;
mod fresh;
mod input;
mod input_set;
mod job;
mod output;
mod progress;
mod questions;
mod store;
mod text;
mod waiting;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use engine::pipeline::PipelineError;
use engine::stages::StageError;
use tokio_util::sync::CancellationToken;

use args::{Cli, Command};

/// Set when the person at the keyboard wants the program to stop.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// The same for async work, which waits for it.
static INTERRUPT: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = ctrlc::set_handler(interrupt) {
        output::warn(&format!("Ctrl-C will stop the program at once: {error}"));
    }
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::report_error(&error);
            let is_interrupted = matches!(error.downcast_ref(), Some(PipelineError::Cancelled))
                || matches!(error.downcast_ref(), Some(StageError::Cancelled));
            ExitCode::from(if is_interrupted { 130 } else { 1 })
        }
    }
}

/// The first time, asks the run to stop and clean up; the second time, stops.
fn interrupt() {
    if INTERRUPTED.swap(true, Ordering::Relaxed) {
        std::process::exit(130);
    }
    INTERRUPT.cancel();
    output::warn("stopping; press Ctrl-C again to stop at once");
}

fn run(command: Command) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout());
    match command {
        Command::Run(args) => commands::run::run(&args, &mut out)?,
        Command::Value(args) => commands::value::run(&args)?,
        Command::DeltaV(args) => commands::delta_v::run(&args, &mut out)?,
        Command::Top(args) => commands::top::run(&args, &mut out)?,
        Command::Show(args) => commands::show::run(&args, &mut out)?,
        Command::Explain(args) => commands::explain::run(&args, &mut out)?,
        Command::Search(args) => commands::search::run(&args, &mut out)?,
        Command::Inputs(args) => commands::inputs::run(&args, &mut out)?,
        Command::Record(args) => commands::record::run(&args, &mut out)?,
        Command::Inspect(args) => commands::inspect::run(&args, &mut out)?,
        Command::Generate(args) => commands::generate::run(&args, out.get_mut())?,
    }
    out.flush()?;
    Ok(())
}

/// Whether the reader of our output has gone, as `head` does: that is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
