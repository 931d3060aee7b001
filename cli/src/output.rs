//! What people see beside the results: errors and notes, on standard error.

use std::io::{self, Write};

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

fn write_line(line: &str) {
    // Where standard error is gone there is no one to tell.
    let _ = writeln!(io::stderr().lock(), "{line}");
}
