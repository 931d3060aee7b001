//! The queue's port: texts are sent, received, and acknowledged once what they ask for is done.
//!
//! Delivery is at least once and in no order, as on SQS: what is received and not acknowledged comes again after
//! the queue's visibility timeout, and a sender that lost the answer sends again. The bounds are the adapters':
//! [`Channel`] holds so many messages, [`Sqs`] has so many calls in flight.

mod channel;
#[cfg(feature = "aws")]
pub mod sqs;

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;

pub use channel::Channel;
#[cfg(feature = "aws")]
pub use sqs::{Sqs, SqsOptions};

use crate::upstream::Retry;

/// A queue of texts.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends messages, all of them.
    ///
    /// # Errors
    /// [`QueueError`]; some of the messages may have been sent.
    ///
    /// # Cancel safety
    /// Dropped before its end, some of the messages may have been sent.
    async fn send(&self, bodies: Vec<String>) -> Result<(), QueueError>;

    /// Receives between one and `max` messages, or none where none comes within `wait`. They are hidden from
    /// others until they are acknowledged or returned, or the visibility timeout ends.
    ///
    /// # Errors
    /// [`QueueError`].
    ///
    /// # Cancel safety
    /// Dropped before its end, messages may be hidden until their visibility timeout ends.
    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>, QueueError>;

    /// Acknowledges a delivery: its message does not come again. Where it was delivered again already, that
    /// delivery may stand.
    ///
    /// # Errors
    /// [`QueueError`].
    async fn ack(&self, receipt: &str) -> Result<(), QueueError>;

    /// Returns a delivery: its message comes again after `delay`, in whole seconds.
    ///
    /// # Errors
    /// [`QueueError`].
    async fn return_after(&self, receipt: &str, delay: Duration) -> Result<(), QueueError>;
}

/// A message as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The message.
    pub body: String,
    /// What this delivery is acknowledged or returned by.
    pub receipt: String,
}

/// A queue that does not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// No queue takes the message.
    #[error("a message of {bytes} bytes is longer than {queue} takes: {max_bytes}")]
    TooLong {
        /// The queue.
        queue: String,
        /// The message's length.
        bytes: usize,
        /// The longest message.
        max_bytes: usize,
    },
    /// The queue fails or refuses.
    #[error("messages cannot be {doing} {queue}")]
    Failed {
        /// The queue.
        queue: String,
        /// What was not done: `sent to`, `received from`, `acknowledged at` or `returned to`.
        doing: &'static str,
        /// Whether the same may succeed a little later.
        is_retryable: bool,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl Retry for QueueError {
    fn is_retryable(&self) -> bool {
        matches!(
            self,
            QueueError::Failed {
                is_retryable: true,
                ..
            }
        )
    }
}
