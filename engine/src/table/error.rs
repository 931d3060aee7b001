//! Why a table could not be written or read.

use std::path::PathBuf;

use super::ReplaceError;
use crate::store::BodyError;

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
    /// A table on AWS could not be used.
    #[error("the table {table} cannot be {doing}")]
    Failed {
        /// The table.
        table: String,
        /// What could not be done to it: `created`, `deleted`, `opened`, `read` or `written`.
        doing: &'static str,
        /// Whether the same call may succeed later.
        is_retryable: bool,
        /// Why.
        source: BodyError,
    },
    /// There is a table of that name which is something else.
    #[error("{table} is there already and has another key or other indexes")]
    OtherSchema {
        /// The table.
        table: String,
    },
    /// A table that a run writes to, or its lock, is gone: the run was published or discarded.
    #[error("the run that writes to {table} is over")]
    RunOver {
        /// The table.
        table: String,
    },
    /// Another run has the lock.
    #[error("run {run} is at work on {table}: wait for its end, or for its lock to expire")]
    RunInProgress {
        /// What both runs publish to.
        table: String,
        /// The run that has the lock.
        run: String,
    },
    /// No run was ever published.
    #[error("no run has published anything to {table} yet")]
    Unpublished {
        /// What runs publish to.
        table: String,
    },
}

impl TableError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Failed {
                is_retryable: true,
                ..
            }
        )
    }
}
