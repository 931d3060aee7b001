//! The check of a catalogue while it streams by: the synchronous core reads it on a thread of its own, as a
//! run would.

use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::body::Valuer;
use crate::catalogue::{Catalogue, CatalogueError, Header, ReadOptions};
use crate::pipeline::{self, PipelineError, PipelineOptions, Sinks, Summary};
use crate::sink::Discard;

/// Pieces that wait for the reader.
const MAX_PIECES_WAITING: usize = 4;

/// A catalogue that is being checked.
pub(super) struct Check {
    /// What was not taken yet; `None` inside is the end of the catalogue.
    pieces: mpsc::Sender<Option<Bytes>>,
    reading: JoinHandle<Result<Checked, PipelineError>>,
}

/// What a catalogue that is whole and readable says.
pub(super) struct Checked {
    pub(super) header: Header,
    pub(super) summary: Summary,
}

/// The check has found the catalogue at fault and takes no more; [`Check::finish`] says why.
pub(super) struct Stopped;

impl Check {
    /// Begins a check by which no more than `max_rejects_percent` of the rows may be unreadable.
    pub(super) fn start(options: ReadOptions, max_rejects_percent: f64) -> Check {
        let (pieces, receiver) = mpsc::channel(MAX_PIECES_WAITING);
        let reader = PieceReader {
            receiver,
            piece: Bytes::new(),
            is_at_end: false,
        };
        let reading =
            tokio::task::spawn_blocking(move || read(reader, &options, max_rejects_percent));
        Check { pieces, reading }
    }

    /// Shows the next piece to the check.
    pub(super) async fn see(&self, piece: Bytes) -> Result<(), Stopped> {
        self.pieces.send(Some(piece)).await.map_err(|_| Stopped)
    }

    /// Ends the catalogue and waits for what the check says.
    pub(super) async fn finish(self) -> Result<Checked, PipelineError> {
        // One that has stopped has its answer already.
        let _ = self.pieces.send(None).await;
        match self.reading.await {
            Ok(checked) => checked,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(PipelineError::Cancelled),
            },
        }
    }
}

/// Values every row, without lookups, into nothing.
fn read(
    mut reader: PieceReader,
    options: &ReadOptions,
    max_rejects_percent: f64,
) -> Result<Checked, PipelineError> {
    let catalogue = Catalogue::open(&mut reader, options)?;
    let header = catalogue.header().clone();
    let sinks = Sinks {
        items: &mut Discard,
        rejects: &mut |_| Ok(()),
    };
    let options = PipelineOptions {
        num_threads: NonZeroUsize::MIN,
        max_rejects_percent,
        // A check that nobody waits for ends with its pieces.
        cancelled: &AtomicBool::new(false),
    };
    let summary = pipeline::run(catalogue, &[], &Valuer::default(), sinks, &options)?;
    // Whoever reads the catalogue later stops at its end; nothing may stand behind it that nobody looks at.
    if reader.read(&mut [0]).map_err(CatalogueError::Read)? > 0 {
        return Err(CatalogueError::GoesOn.into());
    }
    Ok(Checked { header, summary })
}

/// Reads pieces as they come. Where they stop coming without an end, reading fails.
struct PieceReader {
    receiver: mpsc::Receiver<Option<Bytes>>,
    piece: Bytes,
    is_at_end: bool,
}

impl Read for PieceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !self.is_at_end {
            match self.receiver.blocking_recv() {
                Some(Some(piece)) => self.piece = piece,
                Some(None) => self.is_at_end = true,
                None => return Err(io::Error::other("the download was given up")),
            }
        }
        let num_bytes = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..num_bytes]);
        Ok(num_bytes)
    }
}
