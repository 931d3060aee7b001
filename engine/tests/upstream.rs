//! Downloads from a server that misbehaves, on loopback: each is recovered to the byte, or a clear error.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "upstream/bodies.rs"]
mod bodies;
#[path = "upstream/limits.rs"]
mod limits;
#[path = "support/misbehaving_server.rs"]
mod misbehaving_server;
#[path = "upstream/resume.rs"]
mod resume;
#[path = "upstream/retry.rs"]
mod retry;

use std::error::Error;
use std::future::Future;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::observer::Observer;
use engine::upstream::{Client, ClientOptions, Problem, Request, UpstreamError};
use futures::StreamExt;

use misbehaving_server::{Answer, Route, Server};

/// What an observer was told.
#[derive(Debug, Default)]
struct Told {
    received: Mutex<Vec<(u64, Option<u64>)>>,
    delays: Mutex<Vec<Duration>>,
}

impl Told {
    fn bytes_received(&self) -> u64 {
        let received = self.received.lock().unwrap();
        received.iter().map(|(num_bytes, _)| num_bytes).sum()
    }

    fn delays(&self) -> Vec<Duration> {
        self.delays.lock().unwrap().clone()
    }
}

impl Observer for Told {
    fn received(&self, what: &str, num_bytes: u64, total: Option<u64>) {
        assert_eq!(what, "the test document");
        self.received.lock().unwrap().push((num_bytes, total));
    }

    fn retrying(&self, _: &str, _: &(dyn Error + 'static), delay: Duration) {
        self.delays.lock().unwrap().push(delay);
    }
}

/// Three attempts in quick succession, and patience with a busy machine.
fn options() -> ClientOptions {
    ClientOptions {
        connect_timeout: Duration::from_secs(20),
        read_timeout: Duration::from_secs(20),
        max_attempts: 3,
        first_delay: Duration::from_millis(2),
        max_delay: Duration::from_millis(4),
        max_retry_after: Duration::from_secs(10),
    }
}

/// Does not wait long for the next byte; tries often enough for a busy machine.
fn impatient() -> ClientOptions {
    ClientOptions {
        read_timeout: Duration::from_millis(300),
        connect_timeout: Duration::from_millis(300),
        max_attempts: 6,
        ..options()
    }
}

/// A client and what its observer is told.
fn client(options: ClientOptions) -> (Client, Arc<Told>) {
    let told = Arc::new(Told::default());
    let observer = Arc::clone(&told);
    (Client::new(options, observer).unwrap(), told)
}

/// A request for at most 1 MiB.
fn request(url: &str) -> Request {
    Request {
        url: url.parse().unwrap(),
        what: "the test document".to_owned(),
        max_bytes: 1 << 20,
        total_timeout: Duration::from_secs(40),
    }
}

/// A server with one document.
fn serve(script: impl IntoIterator<Item = Answer>) -> Server {
    Server::start([Route::new("/document", script)])
}

/// Waits for what must end by itself.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(60);
    let result = tokio::time::timeout(limit, future).await;
    result.expect("it ends by itself")
}

/// Fetches the server's document.
async fn fetch(server: &Server) -> Result<Vec<u8>, UpstreamError> {
    fetch_with(&client(options()).0, server).await
}

async fn fetch_with(client: &Client, server: &Server) -> Result<Vec<u8>, UpstreamError> {
    let request = request(&server.url("/document"));
    let (_, body) = soon(client.fetch(&request)).await?;
    Ok(body.to_vec())
}

/// Opens the server's document and reads its body as far as it goes.
async fn stream(client: &Client, server: &Server) -> (Vec<u8>, Option<UpstreamError>) {
    let request = request(&server.url("/document"));
    let mut download = soon(client.open(&request)).await.unwrap();
    let mut body = Vec::new();
    while let Some(piece) = soon(download.next()).await {
        match piece {
            Ok(piece) => body.extend_from_slice(&piece),
            Err(error) => {
                assert!(soon(download.next()).await.is_none(), "an error is the end");
                return (body, Some(error));
            }
        }
    }
    (body, None)
}

/// The problem that ended the attempts, and how many there were.
fn gave_up(error: UpstreamError) -> (u32, Problem) {
    assert!(!error.is_retryable(), "{error:?}");
    match error.problem {
        Problem::GaveUp { attempts, source } => (attempts, *source),
        other => panic!("not given up, but: {other:?}"),
    }
}

/// An error with all its causes.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

/// A document of 100,000 bytes that no coding makes very small.
fn document() -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'0' + (state >> 24) as u8 % 40
    };
    (0..100_000).map(|_| next()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}
