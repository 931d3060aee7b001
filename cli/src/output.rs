//! What people see beside the results: errors and notes, on standard error; and the files that results go
//! to.

use std::io::{self, Write};
use std::path::Path;

use engine::table::ReplacedFile;

/// Prints an error and what caused it, in one line.
pub(crate) fn report_error(error: &anyhow::Error) {
    write_line(&format!("error: {error:#}"));
}

/// Prints a warning.
pub(crate) fn warn(message: &str) {
    write_line(&format!("warning: {message}"));
}

/// Prints a line about what was done.
pub(crate) fn note(message: &str) {
    write_line(message);
}

/// Begins the successor of the file at `path`. A folder that is not there is most likely mistyped.
pub(crate) fn create_file(path: &Path) -> anyhow::Result<ReplacedFile> {
    check_folder(path)?;
    Ok(ReplacedFile::create(path)?)
}

/// Refuses a path in a folder that is not there.
pub(crate) fn check_folder(path: &Path) -> anyhow::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => {
            anyhow::bail!(
                "there is no folder {} to write {} to",
                folder.display(),
                path.display()
            )
        }
        _ => Ok(()),
    }
}

fn write_line(line: &str) {
    // Where standard error is gone there is no one to tell.
    let _ = writeln!(io::stderr().lock(), "{line}");
}
