//! `prospector generate`: a synthetic catalogue in JPL's formats.

use std::io::{self, Write};
use std::path::Path;

use engine::generate::{Format, Options, generate};
use engine::table::ReplacedFile;

use crate::INTERRUPTED;
use crate::args::{CatalogueFormat, GenerateArgs};
use crate::input::counter;

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
    if args.output == Path::new("-") {
        generate(&options, &mut Interruptible(bar.wrap_write(stdout)))?;
    } else {
        let mut file = ReplacedFile::create(&args.output)?;
        generate(&options, &mut Interruptible(bar.wrap_write(&mut file)))?;
        file.commit()?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// A writer that fails once the program is to stop.
struct Interruptible<W>(W);

impl<W: Write> Write for Interruptible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if INTERRUPTED.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(io::Error::other("stopped"));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
