//! Reading objects: as a stream of ranges, whole, and as a blocking reader.
//!
//! Ranges are fetched side by side and handed out in order. Each is fetched by a task of its own and held
//! whole in memory, so that whoever is slow to take them stalls no connection. The bound:
//! [`ReadOptions::max_ranges_in_flight`] ranges are fetched or wait; a [`Reader`] holds two more.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures::{Stream, StreamExt, TryStreamExt, future, stream as streams};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::{Key, Object, ObjectStore, StoreError};

/// How far reading goes ahead.
#[derive(Debug, Clone, Copy)]
pub struct ReadOptions {
    /// Bytes that are fetched at once, at least 1.
    pub range_bytes: u64,
    /// Ranges that are fetched at the same time or wait to be taken, at least 1.
    pub max_ranges_in_flight: usize,
}

impl Default for ReadOptions {
    /// Four ranges of 8 MiB, the same as for puts: enough that a request's latency weighs little.
    fn default() -> Self {
        ReadOptions {
            range_bytes: 8 << 20,
            max_ranges_in_flight: 4,
        }
    }
}

/// The bytes of `object`, in order. Must be polled on a tokio runtime.
///
/// # Errors
/// The stream ends with the first error of [`ObjectStore::read_range`]: an object that is replaced meanwhile
/// is an error and never a mixture.
pub fn stream(
    store: Arc<dyn ObjectStore>,
    object: Object,
    options: ReadOptions,
) -> impl Stream<Item = Result<Bytes, StoreError>> + Send + 'static {
    let (total, step) = (object.bytes, options.range_bytes.max(1));
    let starts = streams::iter((0..total.div_ceil(step)).map(move |number| number * step));
    let object = Arc::new(object);
    let ranges = starts.map(move |start| {
        let (store, object) = (Arc::clone(&store), Arc::clone(&object));
        let fetch = async move {
            let range = start..start.saturating_add(step);
            store.read_range(&object, range).await
        };
        Ok(AbortOnDropHandle::new(tokio::spawn(fetch)))
    });
    ranges
        .map_ok(|task| async move {
            match task.await {
                Ok(bytes) => bytes,
                Err(failed) => std::panic::resume_unwind(failed.into_panic()),
            }
        })
        .try_buffered(options.max_ranges_in_flight.max(1))
        .scan(false, |has_failed, range| {
            let is_behind_error = std::mem::replace(has_failed, range.is_err());
            future::ready((!is_behind_error).then_some(range))
        })
}

/// Reads a small object, all of it in memory.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::Failed`] where it is longer than `max_bytes`, or the store fails;
/// [`StoreError::Replaced`].
pub async fn read_all(
    store: &dyn ObjectStore,
    key: &Key,
    max_bytes: u64,
) -> Result<Bytes, StoreError> {
    let Some(object) = store.head(key).await? else {
        return Err(StoreError::NotFound { key: key.clone() });
    };
    if object.bytes > max_bytes {
        let too_long = TooLong {
            bytes: object.bytes,
            max_bytes,
        };
        return Err(StoreError::failed(key, "read", false, too_long));
    }
    store.read_range(&object, 0..object.bytes).await
}

/// An object that was expected to be small.
#[derive(Debug, thiserror::Error)]
#[error("it has {bytes} bytes, more than {max_bytes}")]
struct TooLong {
    bytes: u64,
    max_bytes: u64,
}

/// An object as a blocking reader, for code that is not async.
///
/// An error of the store comes as an [`io::Error`] whose source is the [`StoreError`]. Dropped, it ends what is
/// being fetched. Reading panics on a thread that runs async tasks.
#[derive(Debug)]
pub struct Reader {
    current: Bytes,
    ranges: mpsc::Receiver<Result<Bytes, StoreError>>,
    /// What has not come yet, bytes.
    num_outstanding: u64,
    _task: AbortOnDropHandle<()>,
}

impl Reader {
    /// Begins to fetch `object` on `runtime`.
    #[must_use]
    pub fn new(
        runtime: &Handle,
        store: Arc<dyn ObjectStore>,
        object: Object,
        options: ReadOptions,
    ) -> Self {
        let (sender, ranges) = mpsc::channel(1);
        let num_outstanding = object.bytes;
        let task = runtime.spawn(async move {
            let mut ranges = std::pin::pin!(stream(store, object, options));
            while let Some(range) = ranges.next().await {
                if sender.send(range).await.is_err() {
                    return;
                }
            }
        });
        Reader {
            current: Bytes::new(),
            ranges,
            num_outstanding,
            _task: AbortOnDropHandle::new(task),
        }
    }
}

impl BufRead for Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.current.is_empty() && self.num_outstanding > 0 {
            // The task ends early only where its runtime does.
            let range = self.ranges.blocking_recv();
            let range = range.ok_or(io::ErrorKind::UnexpectedEof)?;
            self.current = range.map_err(io::Error::other)?;
            self.num_outstanding -= self.current.len() as u64;
        }
        Ok(&self.current)
    }

    fn consume(&mut self, num_bytes: usize) {
        self.current.advance(num_bytes);
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let num_bytes = self.fill_buf()?.len().min(buffer.len());
        self.current.copy_to_slice(&mut buffer[..num_bytes]);
        Ok(num_bytes)
    }
}
