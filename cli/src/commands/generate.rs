//! `prospector generate`: a synthetic catalogue in JPL's formats.

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use engine::generate::{Format, Options, generate};
use engine::pipeline::PipelineError;

use crate::args::{CatalogueFormat, GenerateArgs};
use crate::input::counter;
use crate::output::create_file;
use crate::text::count;
use crate::{INTERRUPTED, output};

pub(crate) fn run(args: &GenerateArgs, stdout: &mut dyn Write) -> anyhow::Result<()> {
    let format = match args.format {
        CatalogueFormat::Csv => Format::Csv,
        CatalogueFormat::Json => Format::Json,
    };
    let options = Options {
        rows: args.rows,
        seed: args.seed,
        format,
    };
    let bar = counter();
    let to_stdout = args.output == Path::new("-");
    let generated = if to_stdout {
        generate(&options, &mut Interruptible(bar.wrap_write(stdout)))
    } else {
        let mut file = create_file(&args.output)?;
        generate(&options, &mut Interruptible(bar.wrap_write(&mut file)))
            .and_then(|()| file.commit().map_err(io::Error::other))
    };
    bar.finish_and_clear();
    if INTERRUPTED.load(Ordering::Relaxed) {
        return Err(PipelineError::Cancelled.into());
    }
    generated?;
    if !to_stdout {
        output::note(&format!(
            "{} rows: {}",
            count(args.rows),
            args.output.display()
        ));
    }
    Ok(())
}

/// A writer that fails once the program is to stop.
struct Interruptible<W>(W);

impl<W: Write> Write for Interruptible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if INTERRUPTED.load(Ordering::Relaxed) {
            return Err(io::Error::other("stopped"));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
