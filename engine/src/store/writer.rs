//! A blocking writer that puts an object, for code that is not async.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{BodyError, Key, Object, ObjectStore, StoreError};

/// Bytes that are handed over at once.
const PIECE_BYTES: usize = 256 << 10;
/// Pieces that wait for the store.
const MAX_PIECES: usize = 4;

/// An object that is being put, as a blocking writer.
///
/// It is stored when it is [finished](Self::finish). Dropped before that, nothing of it remains, once
/// [`ObjectStore::settle`] has returned. Writing panics on a thread that runs async tasks.
#[derive(Debug)]
pub struct Writer {
    runtime: Handle,
    buffer: BytesMut,
    /// `None` behind the last piece; a body that ends without it is not stored.
    pieces: mpsc::Sender<Option<Bytes>>,
    put: Option<JoinHandle<Result<Object, StoreError>>>,
}

/// A writer that was dropped.
#[derive(Debug, thiserror::Error)]
#[error("its writer stopped early")]
struct Abandoned;

impl Writer {
    /// Begins to put `key` on `runtime`.
    #[must_use]
    pub fn new(runtime: &Handle, store: Arc<dyn ObjectStore>, key: Key) -> Self {
        let (pieces, received) = mpsc::channel(MAX_PIECES);
        let put = runtime.spawn(async move { store.put(&key, body(received)).await });
        Writer {
            runtime: runtime.clone(),
            buffer: BytesMut::with_capacity(PIECE_BYTES),
            pieces,
            put: Some(put),
        }
    }

    /// Writes what is buffered and waits until the object is stored.
    ///
    /// # Errors
    /// Those of [`ObjectStore::put`].
    ///
    /// # Panics
    /// If the runtime has ended, or this thread runs async tasks.
    pub fn finish(mut self) -> Result<Object, StoreError> {
        let last = self.buffer.split().freeze();
        // Where the store takes no more, it has failed: the put says why.
        for piece in [Some(last), None] {
            let _ = self.pieces.blocking_send(piece);
        }
        self.result()
    }

    fn result(&mut self) -> Result<Object, StoreError> {
        let put = self.put.take().expect("the result is taken once");
        match self.runtime.block_on(put) {
            Ok(result) => result,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PIECE_BYTES - self.buffer.len();
        let num_bytes = bytes.len().min(room);
        self.buffer.extend_from_slice(&bytes[..num_bytes]);
        if num_bytes == room {
            self.flush()?;
        }
        Ok(num_bytes)
    }

    /// Hands over what is buffered; it is stored with the whole object only.
    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let next = BytesMut::with_capacity(PIECE_BYTES);
        let piece = std::mem::replace(&mut self.buffer, next).freeze();
        if self.pieces.blocking_send(Some(piece)).is_ok() {
            return Ok(());
        }
        match self.put.is_some().then(|| self.result()) {
            Some(Err(error)) => Err(io::Error::other(error)),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

/// The pieces up to the `None`; without one, they end in an error.
fn body(pieces: mpsc::Receiver<Option<Bytes>>) -> super::Body {
    stream::unfold(Some(pieces), async |pieces| {
        let mut pieces = pieces?;
        match pieces.recv().await {
            Some(Some(bytes)) => Some((Ok(bytes), Some(pieces))),
            Some(None) => None,
            None => Some((Err(BodyError::from(Abandoned)), None)),
        }
    })
    .boxed()
}
