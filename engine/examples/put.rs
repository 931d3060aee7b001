//! Puts standard input, or the body behind an http URL, into an object store, and says how fast and with how
//! much memory.
//!
//! ```text
//! cargo run --release --features aws --example put -- s3://bucket/key < file
//! cargo run --release --features aws --example put -- s3://bucket/key http://localhost:8000/file
//! ```
#![allow(clippy::print_stderr, reason = "a program for people")]

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read};
use std::time::Instant;

use bytes::Bytes;
use engine::store::{Body, BodyError, Key, StoreLocation};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;

/// Bytes that are handed over at once.
const PIECE_BYTES: usize = 256 << 10;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments
        .next()
        .ok_or("usage: put STORE/KEY [URL] < BODY")?;
    let (location, key) = target.rsplit_once('/').ok_or("STORE/KEY is wanted")?;
    let store = location.parse::<StoreLocation>()?.open(None).await?;
    let begin = Instant::now();
    let body = match arguments.next() {
        Some(url) => download(&url).await?,
        None => standard_input(),
    };
    let result = store.put(&Key::new(key)?, body).await;
    store.settle().await?;
    let object = result?;
    let secs = begin.elapsed().as_secs_f64();
    let (bytes, megabytes) = (object.bytes, object.bytes as f64 / 1e6);
    let peak = peak_memory_kib().map_or("?".to_owned(), |kib| (kib >> 10).to_string());
    eprintln!(
        "{bytes} bytes in {secs:.3} s, {:.0} MB/s, peak memory {peak} MiB",
        megabytes / secs
    );
    Ok(())
}

/// Reads on a thread of its own, as the standard input of a program is no async file. Two pieces wait.
fn standard_input() -> Body {
    let (sender, received) = mpsc::channel(2);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            let read = input
                .by_ref()
                .take(PIECE_BYTES as u64)
                .read_to_end(&mut piece);
            let is_last = !matches!(read, Ok(1..));
            let piece = read.map(|_| Bytes::from(piece)).map_err(BodyError::from);
            if sender.blocking_send(piece).is_err() || is_last {
                return;
            }
        }
    });
    stream::unfold(received, async |mut received| {
        received.recv().await.map(|piece| (piece, received))
    })
    .boxed()
}

async fn download(url: &str) -> Result<Body, Box<dyn Error>> {
    // The choice of the cryptography is the program's.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::get(url).await?.error_for_status()?;
    let pieces = answer.bytes_stream().map_err(BodyError::from);
    Ok(pieces.boxed())
}

/// The most memory that this process had so far, where the system says so.
fn peak_memory_kib() -> Option<u64> {
    let status = BufReader::new(std::fs::File::open("/proc/self/status").ok()?);
    let lines: io::Result<Vec<String>> = status.lines().collect();
    let lines = lines.ok()?;
    let peak = lines.iter().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches(" kB").parse().ok()
}
