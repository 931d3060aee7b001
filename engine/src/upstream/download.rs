//! A body as a stream of decoded bytes, with its size bounded.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures::stream::{BoxStream, Stream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName};

use super::error::{Problem, UpstreamError};
use super::transfer::Transfer;

/// Where a document came from, as its server describes it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Origin {
    /// The address that answered, after redirects.
    pub url: String,
    /// The server's mark of this version.
    pub etag: Option<String>,
    /// When it changed last, as the server writes it.
    pub last_modified: Option<String>,
    /// Its length, bytes, as it is sent: before decoding.
    pub content_length: Option<u64>,
    /// When the server answered.
    pub fetched_at: Timestamp,
}

/// A body on its way: a stream of decoded bytes that ends in an error unless it is whole.
///
/// While it is at work, no other download from its host begins. Once it has ended, well or not, or is dropped,
/// its connection is done with and the next one may begin.
pub struct Download {
    /// Where it comes from.
    pub origin: Origin,
    /// What is still to come; none after the end.
    live: Option<Live>,
    received: u64,
}

struct Live {
    decoded: BoxStream<'static, Result<Bytes, Problem>>,
    transfer: Arc<Transfer>,
}

impl Download {
    pub(super) fn new(
        origin: Origin,
        decoded: BoxStream<'static, Result<Bytes, Problem>>,
        transfer: Arc<Transfer>,
    ) -> Self {
        Download {
            origin,
            live: Some(Live { decoded, transfer }),
            received: 0,
        }
    }

    /// Reads the whole body into memory.
    pub(super) async fn whole(mut self) -> Result<(Origin, Bytes), UpstreamError> {
        let mut body = BytesMut::new();
        while let Some(piece) = self.try_next().await? {
            body.extend_from_slice(&piece);
        }
        Ok((self.origin, body.freeze()))
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Download")
            .field("origin", &self.origin)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

impl Stream for Download {
    type Item = Result<Bytes, UpstreamError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(live) = &mut this.live else {
            return Poll::Ready(None);
        };
        let max_bytes = live.transfer.request.max_bytes;
        let problem = match ready!(live.decoded.poll_next_unpin(context)) {
            Some(Ok(piece)) => {
                this.received += piece.len() as u64;
                if this.received <= max_bytes {
                    return Poll::Ready(Some(Ok(piece)));
                }
                Some(Problem::TooLarge { max_bytes })
            }
            Some(Err(problem)) => Some(problem),
            None => None,
        };
        let error = problem.map(|problem| Err(live.transfer.error(problem)));
        this.live = None;
        Poll::Ready(error)
    }
}

/// A header as text, where it is there and is text.
pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}
