//! Downloads over HTTP/1.1 from servers that are slow, break off, refuse or lie.
//!
//! [`Client::open`] gives a body as a stream, [`Client::fetch`] a small document whole. Both try again by
//! themselves what may pass: no connection, silence, 408, 429, 5xx. A body that breaks is taken up again where
//! it broke, if the server allows it; where it does not, the stream ends in an error that
//! [`UpstreamError::is_retryable`], and whoever stores the body begins again, by [`Client::retry`]. What a
//! document means, and whether it is whole in its own terms, is for others: a body that the server ends by
//! closing the connection, with neither a length nor chunks, shows its end in nothing else.
//!
//! The bounds: one download at a time from a host; a body's decoded and encoded size; 64 KiB decoded ahead,
//! hyper's buffer of about 400 KiB, and a zstd window of 8 MiB; the time for an answer, between two bytes, and in all; the number of attempts; five
//! redirects, none of which leaves the host. Numbers and sizes of headers are bounded by hyper.

mod address;
mod client;
mod coding;
mod download;
mod encoded;
mod error;
mod hosts;
mod reply;
mod resolver;
mod resume;
mod retry;
mod transfer;

pub use client::{Client, ClientOptions, SetupError};
pub use download::{Download, Origin};
pub use error::{Problem, UpstreamError};
pub use retry::Retry;
pub use transfer::Request;
