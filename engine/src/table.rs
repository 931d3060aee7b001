//! The table of one machine: every body of the last run in one SQLite file, which any SQL tool can open.

mod replace;

pub use replace::{ReplaceError, ReplacedFile};
