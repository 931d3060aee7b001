//! Messages from a channel to a queue, with the ledger's pages opened before them.

use futures::stream::{self, TryStreamExt};
use tokio::sync::mpsc;

use super::MESSAGES_WAITING;
use crate::cpu::on_cpu;
use crate::ledger::{Ledger, LedgerError, num_pages};
use crate::message::Packed;
use crate::queue::{Queue, QueueError};
use crate::upstream::Retry;

/// Messages that are given to the queue at once.
const MESSAGES_PER_GROUP: usize = 20;
/// Groups that are on their way at the same time.
const GROUPS_IN_FLIGHT: usize = 3;

/// What was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Messages.
    pub messages: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
}

/// Messages that could not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The queue does not take them.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The ledger has no page for them.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Retry for SendError {
    fn is_retryable(&self) -> bool {
        match self {
            SendError::Queue(error) => error.is_retryable(),
            SendError::Ledger(error) => error.is_retryable(),
        }
    }
}

/// Sends messages, which come in the order of their numbers, until no more can come.
///
/// Up to 60 messages are in flight. A page of the ledger is open before the first of its messages goes out.
///
/// # Errors
/// The first [`SendError`]; the channel is closed then, so that whoever fills it learns of it.
pub async fn send_all(
    messages: mpsc::Receiver<Packed>,
    queue: &dyn Queue,
    ledger: &dyn Ledger,
) -> Result<Sent, SendError> {
    let next_group = async |(mut messages, num_open): (mpsc::Receiver<Packed>, u64)| {
        let mut group = Vec::with_capacity(MESSAGES_PER_GROUP);
        messages.recv_many(&mut group, MESSAGES_PER_GROUP).await;
        let Some(last) = group.last() else {
            return Ok(None);
        };
        let num_needed = num_pages(last.seq + 1).max(num_open);
        for page in num_open..num_needed {
            ledger.open_page(page).await?;
        }
        Ok::<_, SendError>(Some((group, (messages, num_needed))))
    };
    let send = async |group: Vec<Packed>| {
        let bodies: Vec<String> = group.into_iter().map(|message| message.body).collect();
        let sent = Sent {
            messages: bodies.len() as u64,
            bytes: bodies.iter().map(|body| body.len() as u64).sum(),
        };
        queue.send(bodies).await?;
        Ok::<_, SendError>(sent)
    };
    stream::try_unfold((messages, 0), next_group)
        .map_ok(send)
        .try_buffer_unordered(GROUPS_IN_FLIGHT)
        .try_fold(Sent::default(), async |all, sent| {
            Ok(Sent {
                messages: all.messages + sent.messages,
                bytes: all.bytes + sent.bytes,
            })
        })
        .await
}

/// Runs `work`, which packs messages into the channel that it is given, on a thread of its own, and sends them
/// meanwhile.
///
/// # Errors
/// Why sending failed, else why `work` did, which may be because sending has.
///
/// # Panics
/// Where `work` does.
///
/// # Cancel safety
/// Dropped before its end, nothing more is sent, and `work` ends with its next message.
pub async fn send_while<T, E>(
    queue: &dyn Queue,
    ledger: &dyn Ledger,
    work: impl FnOnce(mpsc::Sender<Packed>) -> Result<T, E> + Send + 'static,
) -> Result<(T, Sent), E>
where
    T: Send + 'static,
    E: From<SendError> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(MESSAGES_WAITING);
    let packing = on_cpu(move || work(sender));
    let (packed, sent) = tokio::join!(packing, send_all(receiver, queue, ledger));
    let sent = sent?;
    Ok((packed?, sent))
}
