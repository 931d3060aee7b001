//! Inputs: files and standard input, with progress on a terminal.

use std::fs::{File, Metadata};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use engine::catalogue::{Catalogue, CatalogueError, ReadOptions, find_fields};
use engine::compression::{Compression, read_all};
use indicatif::{ProgressBar, ProgressBarIter, ProgressStyle};

/// Opens a file, or standard input where the path is `-`.
pub(crate) fn open(path: &Path) -> anyhow::Result<File> {
    let file = if path == Path::new("-") {
        // Read without a buffer in between, and known for a file where it was redirected from one.
        io::stdin().as_fd().try_clone_to_owned().map(File::from)
    } else {
        File::open(path)
    };
    let file = file.with_context(|| format!("cannot open {}", name(path)))?;
    if file.metadata()?.is_dir() {
        anyhow::bail!("{} is a folder, not a file", name(path));
    }
    Ok(file)
}

/// The number of bytes, where it is known.
fn length(file: &File) -> Option<u64> {
    let data = file.metadata().ok().filter(Metadata::is_file)?;
    Some(data.len())
}

/// What people call an input.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Reads a small input whole, with its compression taken off.
pub(crate) fn read_small(path: &Path) -> anyhow::Result<(Compression, Vec<u8>)> {
    read_all(open(path)?).with_context(|| format!("cannot read {}", name(path)))
}

/// Opens a catalogue with a progress bar on a terminal. A JSON document that gives its rows before its
/// fields is read twice, where it is a file.
///
/// The bar is hidden where `is_quiet`.
pub(crate) fn open_catalogue(
    path: &Path,
    is_quiet: bool,
) -> anyhow::Result<(Catalogue<ProgressBarIter<File>>, ProgressBar)> {
    let attempt = |fields| -> anyhow::Result<_> {
        let input = open(path)?;
        let length = length(&input);
        let bar = if is_quiet {
            ProgressBar::hidden()
        } else {
            progress_bar(length, "")
        };
        let options = ReadOptions {
            fields,
            is_waited_for: length.is_none(),
            ..ReadOptions::default()
        };
        match Catalogue::open(bar.wrap_read(input), &options) {
            Ok(catalogue) => Ok(Ok((catalogue, bar))),
            Err(error) => {
                bar.finish_and_clear();
                Ok(Err(error))
            }
        }
    };
    let opened = match attempt(None)? {
        Err(CatalogueError::FieldsBehindData) if can_be_read_twice(path) => {
            let fields = find_fields(open(path)?).with_context(|| name(path))?;
            attempt(Some(fields))?
        }
        opened => opened,
    };
    opened.with_context(|| name(path))
}

/// Whether there is a file at `path`, and no pipe.
pub(crate) fn can_be_read_twice(path: &Path) -> bool {
    path != Path::new("-") && std::fs::metadata(path).is_ok_and(|data| data.is_file())
}

/// A bar over `length` bytes of what `message` says, or a counter where the length is not known; hidden unless
/// standard error is a terminal.
pub(crate) fn progress_bar(length: Option<u64>, message: &str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match length {
        Some(length) => (
            ProgressBar::new(length),
            "{msg} {wide_bar} {percent:>3} %  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {msg} {bytes}  {bytes_per_sec}  {elapsed}",
        ),
    };
    if let Ok(style) = ProgressStyle::with_template(template.trim_start()) {
        bar.set_style(style);
    }
    let bar = bar.with_message(message.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A counter of bytes.
pub(crate) fn counter() -> ProgressBar {
    progress_bar(None, "")
}

/// A sign of life for work whose length is not known.
pub(crate) fn spinner(message: &'static str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner().with_message(message);
    spinner.enable_steady_tick(Duration::from_millis(200));
    spinner
}
