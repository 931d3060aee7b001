//! The stages: those that bring inputs in, and those that value and write them on AWS. Each takes a [`Context`], or
//! the ports that it needs, and what it is to do; a Lambda calls one, `prospector run` those that bring inputs all at
//! once ([`bring_inputs()`]).
//!
//! A stage is async and moves bytes; what computes (parsing, compressing, hashing) crosses to other threads
//! by [`crate::cpu`] or runs in the synchronous core behind a bounded channel. Every stage may be dropped: what it
//! had begun to store is gone then.

mod bring_inputs;
mod calculate_masses;
mod check;
mod create_table;
mod download_delta_v;
mod download_exoplanets;
mod get_latest_asteroids;
mod input_set;
mod keep;
mod kind;
mod open;
mod parse_horizon;
mod record;
mod write_to_dynamo;

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use bring_inputs::{
    AsteroidRequest, InputRequest, MAX_REJECTS_PERCENT, MAX_SHRINK_PERCENT, MIN_ROWS_OF_JPL,
    SmallInputs, bring_inputs, complete_inputs,
};
pub use calculate_masses::{MassSource, calculate_masses};
pub use create_table::{Published, Stack, create_table, discard_table, publish_table};
pub use download_delta_v::{Downloaded, download_delta_v, download_nhats};
pub use download_exoplanets::download_exoplanets;
pub use get_latest_asteroids::{CatalogueRequest, PreviousRows, get_latest_asteroids};
pub use input_set::{InputSet, OpenSet};
pub use kind::Kind;
pub use parse_horizon::{HorizonRequest, Parsed, parse_horizon};
pub use record::record;
pub use write_to_dynamo::{Answered, DoneResult, Outcome, RunTables, answer_done, write_message};

use crate::inputs::{InputsError, SetName};
use crate::job::JobError;
use crate::ledger::LedgerError;
use crate::messages::SendError;
use crate::observer::Observer;
use crate::pipeline::PipelineError;
use crate::queue::QueueError;
use crate::report::Unreconciled;
use crate::store::{ObjectStore, StoreError};
use crate::table::TableError;
use crate::tasks::TaskError;
use crate::upstream::{Client, Retry, UpstreamError};

/// What every stage has at hand.
#[derive(Clone)]
pub struct Context {
    /// Where objects are kept.
    pub store: Arc<dyn ObjectStore>,
    /// Asks the upstreams.
    pub client: Client,
    /// Is told what happens.
    pub observer: Arc<dyn Observer>,
    /// Cancelled when the work is to stop, for want of time or because someone says so.
    pub cancelled: CancellationToken,
}

/// Why a stage did not bring its input. Nothing of it is visible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// An upstream failed.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The table failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A task could not be answered.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// What was written is not what was valued.
    #[error(transparent)]
    Unreconciled(#[from] Unreconciled),
    /// The input sets cannot be read.
    #[error(transparent)]
    Inputs(#[from] InputsError),
    /// The work was stopped from outside.
    #[error("the work was stopped")]
    Cancelled,
    /// An input set cannot be valued.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The catalogue of an input set has another number of rows than when it was downloaded.
    #[error(
        "{name} has {found} rows where its manifest says {rows}: `prospector inputs verify` tells what is damaged"
    )]
    OtherRows {
        /// The catalogue.
        name: String,
        /// Rows that are there.
        found: u64,
        /// Rows that the manifest gives it.
        rows: u64,
    },
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The document is larger than any that is wanted, compressed or decompressed.
    #[error("{from} is larger than {max_bytes} bytes: that is not what was asked for")]
    TooLarge {
        /// Where it came from.
        from: String,
        /// The limit.
        max_bytes: u64,
    },
    /// The document is not what it claims to be.
    #[error("{from} is not usable")]
    Document {
        /// Where it came from.
        from: String,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The catalogue is not one, is cut off, or too many of its rows are unreadable.
    #[error("the catalogue from {from} is not usable")]
    Catalogue {
        /// Where it came from.
        from: String,
        /// What is wrong with it.
        source: PipelineError,
    },
    /// The catalogue has another number of rows than it says.
    #[error(
        "the catalogue from {from} has {rows} rows and says that it has {count}: it is not whole"
    )]
    OtherCount {
        /// Where it came from.
        from: String,
        /// Rows that are there.
        rows: u64,
        /// The number that it gives itself.
        count: u64,
    },
    /// The catalogue has fewer rows than any that is wanted.
    #[error(
        "the catalogue from {from} has {rows} rows, fewer than the {min_rows} that are the least \
         (--min-rows N takes fewer)"
    )]
    TooFewRows {
        /// Where it came from.
        from: String,
        /// Rows that are there.
        rows: u64,
        /// The least.
        min_rows: u64,
    },
    /// The catalogue has shrunk.
    #[error(
        "the catalogue from {from} has {rows} rows, more than {max_shrink_percent} % fewer than the {previous_rows} \
         of input set {previous_set} (--max-shrink PERCENT takes fewer)"
    )]
    Shrunk {
        /// Where it came from.
        from: String,
        /// Rows that are there.
        rows: u64,
        /// Rows that the last good set has.
        previous_rows: u64,
        /// The last good set.
        previous_set: SetName,
        /// The most that it may shrink, in per cent.
        max_shrink_percent: f64,
    },
}

impl From<SendError> for StageError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Queue(error) => error.into(),
            SendError::Ledger(error) => error.into(),
        }
    }
}

impl Retry for StageError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Upstream(error) => error.is_retryable(),
            // The store has tried its best already; to try again is no reason to ask an upstream again.
            Self::Store(_) => false,
            // A server that ends a document early, politely, may not do so again.
            Self::Catalogue { source, .. } => {
                matches!(source, PipelineError::Catalogue(error) if error.is_cut_off())
            }
            _ => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Upstream(error) => error.retry_after(),
            _ => None,
        }
    }
}
