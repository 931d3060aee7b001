//! The ledger: which messages of a run are written, so that "done" means written, exactly, however often and in
//! whatever order messages are delivered.
//!
//! Messages are marked by their number on pages of [`MESSAGES_PER_PAGE`]. The sender opens a page before the
//! first message of it goes out; who has written a message's items marks it; whoever asks reads all pages.
//! Opening and marking may be repeated. A page that is not there says that the run is over, so that a message
//! that comes late changes nothing. What the marks mean is decided by [`verdict()`], which does no I/O.

#[cfg(feature = "aws")]
mod dynamodb;
mod memory;
mod verdict;

use std::collections::BTreeMap;
use std::error::Error;

use async_trait::async_trait;

#[cfg(feature = "aws")]
pub use dynamodb::DynamoLedger;
pub use memory::MemoryLedger;
pub use verdict::{Done, Missing, Verdict, verdict};

use crate::upstream::Retry;

/// Messages that share a page: a mark is about ten bytes, and a page of a hundred fits one write unit of
/// DynamoDB (1 KB, attribute names included).
pub const MESSAGES_PER_PAGE: u64 = 100;

/// The page that the message `seq` is marked on.
#[must_use]
pub fn page_of(seq: u64) -> u64 {
    seq / MESSAGES_PER_PAGE
}

/// The number of pages of a run of `num_messages`.
#[must_use]
pub fn num_pages(num_messages: u64) -> u64 {
    num_messages.div_ceil(MESSAGES_PER_PAGE)
}

/// Written messages by their number, each with how many items it had.
pub type Marks = BTreeMap<u64, u64>;

/// The ledger of one run.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Opens a page, so that its messages can be marked. One that is open stays as it is.
    ///
    /// # Errors
    /// [`LedgerError`].
    async fn open_page(&self, page: u64) -> Result<(), LedgerError>;

    /// Marks a message whose items, `num_items` of them, are all written. Marking it again changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::RunOver`] where its page is not open.
    async fn mark(&self, seq: u64, num_items: u64) -> Result<(), LedgerError>;

    /// Reads the marks of a run of `num_messages`; whatever was marked before is among them.
    ///
    /// # Errors
    /// [`LedgerError::RunOver`] where one of the pages is not open.
    async fn read(&self, num_messages: u64) -> Result<Marks, LedgerError>;

    /// Removes the pages of a run of `num_messages`. Those that are gone already are no error.
    ///
    /// # Errors
    /// [`LedgerError::Failed`].
    async fn close(&self, num_messages: u64) -> Result<(), LedgerError>;
}

/// A ledger that does not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The page, or what it is kept in, is gone: the run has ended one way or the other.
    #[error("the run is over")]
    RunOver,
    /// What the ledger is kept in fails.
    #[error("the ledger cannot be {doing}")]
    Failed {
        /// What was not done to it: `opened`, `marked`, `read` or `closed`.
        doing: &'static str,
        /// Whether the same may succeed a little later.
        is_retryable: bool,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl Retry for LedgerError {
    fn is_retryable(&self) -> bool {
        matches!(
            self,
            LedgerError::Failed {
                is_retryable: true,
                ..
            }
        )
    }
}
