//! What goes wrong with a download, and whether it is worth another try.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;

use super::retry::Retry;

/// A download that failed: of what, from where, and why.
#[derive(Debug)]
pub struct UpstreamError {
    /// What was wanted, for people.
    pub what: String,
    /// The address, without its query.
    pub place: String,
    /// What went wrong.
    pub problem: Problem,
}

/// What went wrong with a download.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Not an address to download from.
    #[error("the address is not usable: {reason}")]
    Address {
        /// Why.
        reason: &'static str,
    },
    /// No connection came about.
    #[error("the server cannot be reached")]
    Unreachable {
        /// Why.
        source: reqwest::Error,
    },
    /// The connection broke before an answer was there, or what came is no HTTP.
    #[error("the server gave no valid answer")]
    NoAnswer {
        /// Why.
        source: reqwest::Error,
    },
    /// Nothing arrived for too long.
    #[error("nothing arrived for {} s", waited.as_secs_f32())]
    Stalled {
        /// How long was waited.
        waited: Duration,
    },
    /// The whole download took too long.
    #[error("it was not done within {} s", waited.as_secs_f32())]
    TimedOut {
        /// How long was waited.
        waited: Duration,
    },
    /// The server answered with another status than success.
    #[error("the server answered {}{}", named(*status), quoted(said))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The first words of the answer's body.
        said: String,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The server answered 403.
    #[error(
        "the server answered 403 Forbidden{}; {host} may have blocked this machine's address: \
         leave it alone for a day, or download from another network and name the file as the source",
        quoted(said)
    )]
    Blocked {
        /// The server's host.
        host: String,
        /// The first words of the answer's body.
        said: String,
    },
    /// The server asks to be left alone for longer than is waited for.
    #[error("the server answered {} and asks not to come back before {at}{}", named(*status), quoted(said))]
    ComeBackLater {
        /// The HTTP status.
        status: u16,
        /// The first words of the answer's body.
        said: String,
        /// From when on the server may be asked again.
        at: Timestamp,
    },
    /// The server redirects to another server.
    #[error("{from} redirects to {to}, and redirects to other servers are not followed")]
    RedirectElsewhere {
        /// The server that was asked.
        from: String,
        /// The server that it names.
        to: String,
    },
    /// The server redirects to what is no address.
    #[error("the server redirects to something that is no address")]
    RedirectAddress {
        /// Why.
        source: url::ParseError,
    },
    /// One redirect led to the next.
    #[error("there were more than {max_redirects} redirects")]
    TooManyRedirects {
        /// How many are followed.
        max_redirects: usize,
    },
    /// The body is encoded in a way that was not asked for.
    #[error("the server sent Content-Encoding: {coding}, which it was not asked for")]
    UnknownCoding {
        /// The header's value.
        coding: String,
    },
    /// The body is not encoded as the server says.
    #[error("the server says that the body is {coding}, and it is not")]
    FalseCoding {
        /// What the server says.
        coding: &'static str,
    },
    /// The encoded body is damaged or cut off.
    #[error("the {coding} body is damaged")]
    Damaged {
        /// What it is encoded as.
        coding: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The connection broke within the body.
    #[error("the connection broke after {received} bytes")]
    Broken {
        /// Encoded bytes until then.
        received: u64,
        /// Why.
        source: reqwest::Error,
    },
    /// The body ended before its announced length.
    #[error("the body ended after {received} of {total} bytes")]
    CutShort {
        /// Encoded bytes until then.
        received: u64,
        /// The announced length.
        total: u64,
    },
    /// A broken body cannot be taken up where it broke.
    #[error("the download broke after {received} bytes and must begin again: {reason}")]
    Restart {
        /// Encoded bytes until then.
        received: u64,
        /// Why it cannot go on.
        reason: &'static str,
    },
    /// The body is larger than expected.
    #[error("the body is larger than the limit of {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// Every attempt failed; this is the last one's problem.
    #[error("given up after {attempts} {}", if *attempts == 1 { "attempt" } else { "attempts" })]
    GaveUp {
        /// How many there were.
        attempts: u32,
        /// The last one's problem.
        source: Box<Problem>,
    },
}

impl Problem {
    /// Whether the same download may succeed a little later. What was given up is not to be tried again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::NoAnswer { .. }
            | Self::Stalled { .. }
            | Self::Damaged { .. }
            | Self::Broken { .. }
            | Self::CutShort { .. }
            | Self::Restart { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// How long the server asks to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::ComeBackLater { at, .. } => {
                let wait = at.duration_since(Timestamp::now());
                Some(Duration::try_from(wait).unwrap_or_default())
            }
            Self::GaveUp { source, .. } => source.retry_after(),
            _ => None,
        }
    }
}

impl UpstreamError {
    /// Whether the whole download, begun again, may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.problem.is_retryable()
    }

    /// How long the server asks to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.problem.retry_after()
    }
}

impl Retry for UpstreamError {
    fn is_retryable(&self) -> bool {
        self.is_retryable()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after()
    }
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            place,
            problem,
        } = self;
        write!(formatter, "{what} ({place}): {problem}")
    }
}

impl Error for UpstreamError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problem.source()
    }
}

/// A status as people know it, such as `404 Not Found`.
fn named(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok();
    let reason = reason.and_then(|status| status.canonical_reason());
    format!("{status} {}", reason.unwrap_or_default())
        .trim_end()
        .to_owned()
}

/// What the server said, if it said anything.
fn quoted(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said:?}")
    }
}
