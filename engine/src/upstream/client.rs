//! The client: one for a whole program, cheap to clone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::redirect;

use super::coding::ACCEPTED;
use super::download::{Download, Origin};
use super::error::UpstreamError;
use super::hosts::Hosts;
use super::resolver::NotLinkLocal;
use super::retry::{Attempts, Policy, Retry};
use super::transfer::{Request, Transfer};
use crate::observer::Observer;

/// How patient a client is.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The longest time for a connection to come about.
    pub connect_timeout: Duration,
    /// The longest silence: before an answer's headers, and between two pieces of its body.
    pub read_timeout: Duration,
    /// How often one thing is tried before it is given up; at least once. A body that goes on after it broke
    /// begins to count afresh.
    pub max_attempts: u32,
    /// The longest delay after the first failure; the least is half of it, and both double with each further one.
    pub first_delay: Duration,
    /// The longest delay that doubling leads to.
    pub max_delay: Duration,
    /// The longest time that a server may ask to be left alone; where it asks for more, it is an error.
    pub max_retry_after: Duration,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions {
            connect_timeout: Duration::from_secs(15),
            // JPL's server works on the whole catalogue for a while before its first byte.
            read_timeout: Duration::from_secs(120),
            max_attempts: 5,
            first_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(60),
            max_retry_after: Duration::from_secs(600),
        }
    }
}

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up")]
pub struct SetupError(#[source] reqwest::Error);

/// Downloads, one at a time from each host.
#[derive(Clone)]
pub struct Client {
    pub(super) inner: Arc<Inner>,
}

/// What the clones of a client share.
pub(super) struct Inner {
    pub(super) http: reqwest::Client,
    pub(super) options: ClientOptions,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) hosts: Hosts,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Sets up a client that tells `observer` what arrives and what is tried again.
    ///
    /// # Errors
    /// Where the system's certificates or proxy settings cannot be used.
    pub fn new(options: ClientOptions, observer: Arc<dyn Observer>) -> Result<Self, SetupError> {
        // The process has one provider of cryptography. That another one is installed already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
        let http = reqwest::Client::builder()
            .http1_only()
            .user_agent(user_agent())
            .default_headers(headers)
            .referer(false)
            .redirect(redirect::Policy::none())
            .dns_resolver(Arc::new(NotLinkLocal))
            .connect_timeout(options.connect_timeout)
            .build()
            .map_err(SetupError)?;
        let inner = Inner {
            http,
            options,
            observer,
            hosts: Hosts::default(),
        };
        Ok(Client {
            inner: Arc::new(inner),
        })
    }

    /// Asks for a document and returns its body as a stream, once the server has answered with success.
    ///
    /// Waits first until no other [`Download`] from that host lives: whoever holds one and opens another waits
    /// for itself.
    ///
    /// # Errors
    /// An [`UpstreamError`] that says what was tried; one that was worth another attempt has had it.
    ///
    /// # Cancel safety
    /// Dropped before it is done, the connection is closed.
    pub async fn open(&self, request: &Request) -> Result<Download, UpstreamError> {
        let transfer = Transfer::begin(self, request).await?;
        let mut attempts = self.attempts();
        loop {
            match transfer.open().await {
                Ok(download) => return Ok(download),
                Err(problem) => transfer.pause(&mut attempts, problem).await?,
            }
        }
    }

    /// Downloads a document whole into memory, at most [`Request::max_bytes`]. A body that breaks is taken up
    /// again or begun again.
    ///
    /// # Errors
    /// An [`UpstreamError`] that says what was tried.
    ///
    /// # Cancel safety
    /// Dropped before it is done, the connection is closed.
    pub async fn fetch(&self, request: &Request) -> Result<(Origin, Bytes), UpstreamError> {
        let transfer = Transfer::begin(self, request).await?;
        let mut attempts = self.attempts();
        loop {
            let whole = match transfer.open().await {
                Ok(download) => download.whole().await.map_err(|error| error.problem),
                Err(problem) => Err(problem),
            };
            match whole {
                Ok(document) => return Ok(document),
                Err(problem) => transfer.pause(&mut attempts, problem).await?,
            }
        }
    }

    /// Tries `operation` again, as often and after such delays as a download, while its error says that this may
    /// help: for an object that is stored whole or not at all, and so begins again where its download broke.
    ///
    /// # Errors
    /// The last attempt's error.
    ///
    /// # Cancel safety
    /// That of `operation`.
    // Not `AsyncFnMut`: a future made from one cannot yet be shown to move between threads.
    pub async fn retry<T, E: Retry, F: Future<Output = Result<T, E>>>(
        &self,
        what: &str,
        mut operation: impl FnMut() -> F,
    ) -> Result<T, E> {
        let mut attempts = self.attempts();
        loop {
            let error = match operation().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let Some(delay) = attempts.next_delay(&error) else {
                return Err(error);
            };
            self.inner.observer.retrying(what, &error, delay);
            tokio::time::sleep(delay).await;
        }
    }

    /// The attempts at something new.
    pub(super) fn attempts(&self) -> Attempts {
        let options = &self.inner.options;
        Attempts::new(Policy {
            max_attempts: options.max_attempts,
            first_delay: options.first_delay,
            max_delay: options.max_delay,
            max_retry_after: options.max_retry_after,
        })
    }
}

/// The name of the project, so that a server's operators know whom they serve.
fn user_agent() -> String {
    let name = concat!("prospector/", env!("CARGO_PKG_VERSION"));
    match env!("CARGO_PKG_REPOSITORY") {
        "" => name.to_owned(),
        address => format!("{name} (+{address})"),
    }
}
