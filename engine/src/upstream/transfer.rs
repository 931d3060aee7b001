//! One download from its first request to its last byte: the permit, the time limit, requests and redirects.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::Response;
use reqwest::header::{ETAG, IF_RANGE, LAST_MODIFIED, LOCATION, RANGE};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use super::address;
use super::client::Client;
use super::coding::Coding;
use super::download::{Download, Origin, text};
use super::encoded::{self, EncodedBody};
use super::error::{Problem, UpstreamError};
use super::reply;
use super::resume::Validator;
use super::retry::Attempts;

/// How many redirects are followed, one after the other.
const MAX_REDIRECTS: usize = 5;

/// A document that is wanted.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its address: http or https, without a user name.
    pub url: Url,
    /// What people call it, such as `JPL's small-body catalogue`.
    pub what: String,
    /// The largest body that is taken, decoded. Encoded it may be a little larger, as what cannot be compressed is.
    pub max_bytes: u64,
    /// The longest time for everything from the first request to the last byte, with all attempts and the delays
    /// between them; waiting for another download from the same host does not count.
    pub total_timeout: Duration,
}

/// A download at work. Holds the host's permit.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) client: Client,
    pub(super) request: Request,
    deadline: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Transfer {
    /// Checks the address and waits for the host's permit.
    pub(super) async fn begin(
        client: &Client,
        request: &Request,
    ) -> Result<Arc<Self>, UpstreamError> {
        address::check(&request.url).map_err(|problem| error(request, problem))?;
        let permit = client.inner.hosts.permit(&request.url).await;
        Ok(Arc::new(Transfer {
            client: client.clone(),
            request: request.clone(),
            deadline: Instant::now() + request.total_timeout,
            _permit: permit,
        }))
    }

    /// Asks once, and returns the body if the server answers with success.
    pub(super) async fn open(self: &Arc<Self>) -> Result<Download, Problem> {
        let (url, response) = self.send(&self.request.url, None).await?;
        let response = reply::check(self, &url, response).await?;
        let headers = response.headers();
        let coding = Coding::of(headers)?;
        let origin = Origin {
            url: url.to_string(),
            etag: text(headers, ETAG),
            last_modified: text(headers, LAST_MODIFIED),
            content_length: response.content_length(),
            fetched_at: Timestamp::now(),
        };
        let max_bytes = self.request.max_bytes;
        let max_encoded = match coding {
            Coding::Identity => max_bytes,
            _ => encoded::max_encoded(max_bytes),
        };
        if origin.content_length > Some(max_encoded) {
            return Err(Problem::TooLarge { max_bytes });
        }
        let body = EncodedBody::new(Arc::clone(self), url, response, max_encoded);
        let decoded = coding.decode(body.into_stream());
        Ok(Download::new(origin, decoded, Arc::clone(self)))
    }

    /// Sends a request, for what comes from an offset on where one is given, and follows redirects. Returns the
    /// address that answered, and its answer, whatever its status.
    pub(super) async fn send(
        &self,
        url: &Url,
        from: Option<(u64, &Validator)>,
    ) -> Result<(Url, Response), Problem> {
        let options = &self.client.inner.options;
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut request = self.client.inner.http.get(url.clone());
            if let Some((offset, validator)) = from {
                request = request
                    .header(RANGE, format!("bytes={offset}-"))
                    .header(IF_RANGE, validator.header());
            }
            let patience = options.connect_timeout + options.read_timeout;
            let response = self
                .within(patience, request.send())
                .await?
                .map_err(unanswered)?;
            let location = match response.status().as_u16() {
                301 | 302 | 303 | 307 | 308 => response.headers().get(LOCATION),
                _ => None,
            };
            let Some(location) = location else {
                return Ok((url, response));
            };
            url = address::follow(&url, &String::from_utf8_lossy(location.as_bytes()))?;
        }
        Err(Problem::TooManyRedirects {
            max_redirects: MAX_REDIRECTS,
        })
    }

    /// Waits for the next piece of a body.
    pub(super) async fn read(
        &self,
        response: &mut Response,
        received: u64,
    ) -> Result<Option<Bytes>, Problem> {
        let broken = |source: reqwest::Error| Problem::Broken {
            received,
            source: source.without_url(),
        };
        self.within(self.client.inner.options.read_timeout, response.chunk())
            .await?
            .map_err(broken)
    }

    /// Waits for `future`, at most so long, and not beyond the time for the whole download.
    async fn within<T>(
        &self,
        silence: Duration,
        future: impl Future<Output = T>,
    ) -> Result<T, Problem> {
        let patience = Instant::now() + silence;
        let late = |_| {
            if patience < self.deadline {
                Problem::Stalled { waited: silence }
            } else {
                self.timed_out()
            }
        };
        timeout_at(patience.min(self.deadline), future)
            .await
            .map_err(late)
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    /// The problem, where there is to be no next attempt.
    pub(super) async fn pause(
        &self,
        attempts: &mut Attempts,
        problem: Problem,
    ) -> Result<(), UpstreamError> {
        let error = self.error(problem);
        let delay = attempts.next_delay(&error);
        match delay.filter(|delay| Instant::now() + *delay < self.deadline) {
            Some(delay) => {
                let observer = &self.client.inner.observer;
                observer.retrying(&self.request.what, &error, delay);
                sleep(delay).await;
                Ok(())
            }
            None if error.is_retryable() => Err(self.error(Problem::GaveUp {
                attempts: attempts.num_failed(),
                source: Box::new(error.problem),
            })),
            None => Err(error),
        }
    }

    /// The problem as an error that names the download.
    pub(super) fn error(&self, problem: Problem) -> UpstreamError {
        error(&self.request, problem)
    }

    fn timed_out(&self) -> Problem {
        Problem::TimedOut {
            waited: self.request.total_timeout,
        }
    }
}

fn error(request: &Request, problem: Problem) -> UpstreamError {
    UpstreamError {
        what: request.what.clone(),
        place: address::place(&request.url),
        problem,
    }
}

/// What it means that there is no answer.
fn unanswered(error: reqwest::Error) -> Problem {
    let is_connect = error.is_connect();
    // The address may be long, and is named already.
    let source = error.without_url();
    if is_connect {
        Problem::Unreachable { source }
    } else {
        Problem::NoAnswer { source }
    }
}
