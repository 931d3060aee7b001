//! A body as it is sent, taken up again where it breaks.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use reqwest::{Response, StatusCode};
use url::Url;

use super::error::Problem;
use super::reply;
use super::resume::Validator;
use super::retry::Attempts;
use super::transfer::Transfer;

/// The largest encoded body for a decoded one: what cannot be compressed grows by some bytes a block, and there
/// are headers. Without this bound, a body of empty gzip members would never end.
pub(super) fn max_encoded(max_bytes: u64) -> u64 {
    max_bytes
        .saturating_add(max_bytes / 100)
        .saturating_add(64 * 1024)
}

/// A body on its way.
pub(super) struct EncodedBody {
    transfer: Arc<Transfer>,
    /// The address that answered.
    url: Url,
    response: Response,
    /// By what a later answer is known to be of the same version; none where the server does not resume.
    validator: Option<Validator>,
    /// The length, where the server announced one.
    total: Option<u64>,
    received: u64,
    max_encoded: u64,
    attempts: Attempts,
}

impl EncodedBody {
    pub(super) fn new(
        transfer: Arc<Transfer>,
        url: Url,
        response: Response,
        max_encoded: u64,
    ) -> Self {
        EncodedBody {
            url,
            validator: Validator::of(response.headers()),
            total: response.content_length(),
            response,
            received: 0,
            max_encoded,
            attempts: transfer.client.attempts(),
            transfer,
        }
    }

    /// The bytes as they arrive. An error ends the stream.
    pub(super) fn into_stream(self) -> BoxStream<'static, Result<Bytes, Problem>> {
        let next = |mut body: EncodedBody| async move {
            let piece = body.next().await?;
            Ok(piece.map(|piece| (piece, body)))
        };
        stream::try_unfold(self, next).boxed()
    }

    /// The next piece; none after the last one.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let problem = match self.read().await {
                Ok(Some(piece)) => {
                    self.attempts.reset();
                    return Ok(Some(piece));
                }
                Ok(None) => match self.total {
                    Some(total) if self.received < total => Problem::CutShort {
                        received: self.received,
                        total,
                    },
                    _ => return Ok(None),
                },
                Err(problem) => problem,
            };
            self.resume(problem).await?;
        }
    }

    /// The next piece of the answer that is being read, counted.
    async fn read(&mut self) -> Result<Option<Bytes>, Problem> {
        let transfer = &self.transfer;
        let piece = transfer.read(&mut self.response, self.received).await?;
        if let Some(piece) = &piece {
            let num_bytes = piece.len() as u64;
            self.received += num_bytes;
            let observer = &transfer.client.inner.observer;
            observer.received(&transfer.request.what, num_bytes, self.total);
            if self.received > self.max_encoded {
                return Err(Problem::TooLarge {
                    max_bytes: transfer.request.max_bytes,
                });
            }
        }
        Ok(piece)
    }

    /// Asks for what is missing after `problem`, as often as the attempts allow.
    ///
    /// # Errors
    /// The problem itself where the server does not resume, [`Problem::Restart`] where the answer does not go on
    /// where the body broke, [`Problem::GaveUp`].
    async fn resume(&mut self, mut problem: Problem) -> Result<(), Problem> {
        let Some(validator) = &self.validator else {
            return Err(problem);
        };
        loop {
            let pause = self.transfer.pause(&mut self.attempts, problem);
            pause.await.map_err(|error| error.problem)?;
            let from = Some((self.received, validator));
            let response = match self.transfer.send(&self.url, from).await {
                Ok((_, response)) => response,
                Err(again) => {
                    problem = again;
                    continue;
                }
            };
            if response.status() == StatusCode::PARTIAL_CONTENT {
                let goes_on = validator.goes_on(&response, self.received, self.total);
                self.total = goes_on.map_err(|reason| self.restart(reason))?;
                self.response = response;
                return Ok(());
            }
            match reply::check(&self.transfer, &self.url, response).await {
                Ok(_) => return Err(self.restart("the server sends the whole body again")),
                Err(Problem::Status { status: 416, .. }) => {
                    return Err(self.restart("the server no longer has what is missing"));
                }
                Err(again) => problem = again,
            }
        }
    }

    fn restart(&self, reason: &'static str) -> Problem {
        Problem::Restart {
            received: self.received,
            reason,
        }
    }
}
