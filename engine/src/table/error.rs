//! Why a table could not be written or read.

use std::path::PathBuf;

use super::ReplaceError;

/// A table that could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The new file could not be made or put in the old one's place.
    #[error(transparent)]
    Replace(#[from] ReplaceError),
    /// Some other program is writing to the old database.
    #[error("another program is writing to {}: {} is there", path.display(), journal.display())]
    InUse {
        /// The database.
        path: PathBuf,
        /// What gives the other program away.
        journal: PathBuf,
    },
    /// A line is not an item.
    #[error("row {row} is not an item: {problem} at byte {byte}")]
    Malformed {
        /// The row, as the caller numbers them.
        row: i64,
        /// Where in its line, from 0.
        byte: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// A row could not be inserted.
    #[error("row {row} cannot be inserted into {}", path.display())]
    Insert {
        /// The row, as the caller numbers them.
        row: i64,
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A run's report is not JSON.
    #[error("the report in {} is not json", path.display())]
    Report {
        /// The database.
        path: PathBuf,
        /// Where it is not.
        source: serde_json::Error,
    },
    /// There is no file.
    #[error("there is no table at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a prospector table", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The table has other columns or indexes than this version's.
    #[error("{} was written by another version of prospector", path.display())]
    OtherVersion {
        /// The database.
        path: PathBuf,
    },
    /// SQLite failed.
    #[error("the table {} cannot be {doing}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What could not be done to it: `created`, `opened`, `read` or `written`.
        doing: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}
