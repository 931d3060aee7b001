//! The pipeline: chunks of a catalogue are valued side by side and handed to a sink in input order.
//!
//! ```text
//! reader (caller's thread) ──chunk──▶ rayon workers ──batch──▶ writer (one thread) ──▶ sink
//!          ▲                                                       │
//!          └───────────────── used buffers come back ◀─────────────┘
//! ```
//!
//! The bound: `2 × threads + 2` pairs of a chunk and a batch exist, and the reader waits for one to come
//! back. A slow sink therefore slows the reader, not memory. What is written does not depend on the number
//! of threads: batches are put in order again, and every row is valued by itself.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::batch::{Batch, Counts, Encoding};
use crate::body::Valuer;
use crate::catalogue::{Catalogue, CatalogueError, Trailer};
use crate::exoplanets::Exoplanet;
use crate::reject::{Reason, Reject};
use crate::rows::{Cells, Chunk};
use crate::sink::{Sink, SinkError};

/// Exoplanets that are handed over at once.
const PLANETS_PER_BATCH: usize = 1_000;

/// How a pipeline runs.
#[derive(Debug, Clone, Copy)]
pub struct PipelineOptions<'a> {
    /// Threads that value rows, beside one that reads and one that writes.
    pub num_threads: NonZeroUsize,
    /// The most rows that may be rejected, in per cent of those read.
    pub max_rejects_percent: f64,
    /// Set by others to stop the run.
    pub cancelled: &'a AtomicBool,
}

/// What went through a pipeline.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Rows by what became of them.
    pub counts: Counts,
    /// Rejected rows by reason.
    pub rejected: BTreeMap<Reason, u64>,
    /// Bytes of rows read, after decompression.
    pub bytes_read: u64,
    /// Bytes of items written.
    pub bytes_written: u64,
    /// What the catalogue said of itself at its end.
    pub trailer: Trailer,
}

impl Summary {
    /// The number of rejected rows.
    #[must_use]
    pub fn num_rejected(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Checks that there were rows and that no more of them were rejected than may be.
    ///
    /// # Errors
    /// [`CatalogueError::NoRows`], [`PipelineError::TooManyRejects`].
    pub fn check_rejects(&self, max_percent: f64) -> Result<(), PipelineError> {
        let read = self.counts.read;
        let rejected = self.num_rejected();
        if read == 0 {
            return Err(CatalogueError::NoRows.into());
        }
        // Divided last, so that exactly 0.69 % of the rows is not above 0.69: that quotient is correctly
        // rounded, as the limit is.
        if rejected as f64 * 100.0 / read as f64 > max_percent {
            return Err(PipelineError::TooManyRejects {
                rejected,
                read,
                max_percent,
            });
        }
        Ok(())
    }
}

/// Why a pipeline did not run to its end. Nothing that the sink holds is to be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The catalogue cannot be read.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The sink takes no more.
    #[error("the result cannot be written")]
    Sink(#[from] SinkError),
    /// The rejects cannot be written.
    #[error("the rejected rows cannot be written")]
    Rejects(#[source] io::Error),
    /// More rows were rejected than may be.
    #[error("{rejected} of {read} rows were rejected, more than {max_percent} %")]
    TooManyRejects {
        /// Rows rejected.
        rejected: u64,
        /// Rows read.
        read: u64,
        /// The most that may be, in per cent.
        max_percent: f64,
    },
    /// The run was stopped from outside.
    #[error("the run was stopped")]
    Cancelled,
    /// The threads could not be started.
    #[error("the worker threads cannot be started")]
    Threads(#[source] rayon::ThreadPoolBuildError),
}

/// What a pipeline's ends are: items go to one, rejected rows to the other.
pub struct Sinks<'s> {
    /// Takes the items.
    pub items: &'s mut (dyn Sink + Send),
    /// Takes each rejected row, in input order.
    pub rejects: &'s mut (dyn FnMut(&Reject) -> io::Result<()> + Send),
}

/// A chunk and the batch that becomes of it; both are used again and again.
#[derive(Default)]
struct Work {
    seq: u64,
    chunk: Chunk,
    batch: Batch,
    cells: Cells,
}

/// A finished work, or the panic that it ended in.
type Done = std::thread::Result<Work>;

/// Values a `catalogue` and then `planets` into `sinks`.
///
/// # Errors
/// [`PipelineError`]; what the sinks have taken by then is not a result.
///
/// # Panics
/// Where valuing a row panics: a fault of this program.
pub fn run<R: Read>(
    mut catalogue: Catalogue<R>,
    planets: &[Exoplanet],
    valuer: &Valuer,
    sinks: Sinks<'_>,
    options: &PipelineOptions,
) -> Result<Summary, PipelineError> {
    let num_threads = options.num_threads.get();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(num_threads)
        .build()
        .map_err(PipelineError::Threads)?;
    let (free_sender, free) = channel();
    for _ in 0..2 * num_threads + 2 {
        free_sender
            .send(Work::default())
            .expect("the receiver is held here");
    }
    let (done_sender, done) = channel();
    let encoding = sinks.items.encoding();
    let mut writer = Writer::new(sinks, catalogue.first_line());
    let (read, writer) = std::thread::scope(|scope| {
        let writing = scope.spawn(move || writer.write_all(&done, &free_sender).map(|()| writer));
        let read = Reader {
            catalogue: &mut catalogue,
            free,
            done: done_sender,
            options,
        }
        .read_all(&pool, valuer, encoding);
        (
            read,
            writing.join().unwrap_or_else(|panic| resume_unwind(panic)),
        )
    });
    // A writer that failed is the reason why a reader stops; its error is the one to tell.
    let mut writer = writer?;
    read?;
    writer.summary.bytes_read = catalogue.rows_read_bytes();
    if catalogue.may_be_cut_off()
        && let Some(row) = writer.incomplete_last_row
    {
        return Err(CatalogueError::TruncatedTable { row }.into());
    }
    writer.summary.trailer = catalogue.finish()?;
    writer.summary.check_rejects(options.max_rejects_percent)?;
    writer.write_planets(planets, valuer.run.as_deref(), encoding)?;
    Ok(writer.summary)
}

/// The reading end: cuts chunks and gives them to the workers.
struct Reader<'r, 'o, R: Read> {
    catalogue: &'r mut Catalogue<R>,
    free: Receiver<Work>,
    done: Sender<Done>,
    options: &'r PipelineOptions<'o>,
}

impl<R: Read> Reader<'_, '_, R> {
    /// Reads until the catalogue ends, the writer is gone or the run is stopped.
    fn read_all(
        self,
        pool: &rayon::ThreadPool,
        valuer: &Valuer,
        encoding: Encoding,
    ) -> Result<(), PipelineError> {
        let plan = self.catalogue.plan().clone();
        let format = self.catalogue.header().format;
        pool.in_place_scope(|scope| {
            let mut seq = 0;
            while let Ok(mut work) = self.free.recv() {
                let is_filled = self.catalogue.next_chunk(&mut work.chunk)?;
                if self.options.cancelled.load(Ordering::Relaxed) {
                    return Err(PipelineError::Cancelled);
                }
                if !is_filled {
                    break;
                }
                work.seq = seq;
                seq += 1;
                let done = self.done.clone();
                let plan = &plan;
                scope.spawn(move |_| {
                    let valued = catch_unwind(AssertUnwindSafe(move || {
                        let Work {
                            chunk,
                            batch,
                            cells,
                            ..
                        } = &mut work;
                        batch.fill(chunk, format, plan, valuer, encoding, cells);
                        work
                    }));
                    // A writer that is gone has told why already.
                    let _ = done.send(valued);
                });
            }
            Ok(())
        })
    }
}

/// The writing end: puts batches in order, counts, and hands them to the sinks.
struct Writer<'s> {
    sinks: Sinks<'s>,
    summary: Summary,
    next_row: u64,
    next_line: u64,
    /// The last row, where it lacks fields or the end of one.
    incomplete_last_row: Option<u64>,
}

impl<'s> Writer<'s> {
    fn new(sinks: Sinks<'s>, first_line: u64) -> Self {
        Writer {
            sinks,
            summary: Summary::default(),
            next_row: 1,
            next_line: first_line,
            incomplete_last_row: None,
        }
    }

    fn write_all(
        &mut self,
        done: &Receiver<Done>,
        free: &Sender<Work>,
    ) -> Result<(), PipelineError> {
        // Bounded by the number of works that exist.
        let mut waiting = BTreeMap::new();
        let mut next_seq = 0;
        for work in done {
            let work = work.unwrap_or_else(|panic| resume_unwind(panic));
            waiting.insert(work.seq, work);
            while let Some(mut work) = waiting.remove(&next_seq) {
                next_seq += 1;
                self.write(&mut work.batch)?;
                // At the end of the input the reader takes none back.
                let _ = free.send(work);
            }
        }
        Ok(())
    }

    fn write(&mut self, batch: &mut Batch) -> Result<(), PipelineError> {
        batch.place(self.next_row, self.next_line);
        self.next_row += batch.counts.read;
        self.next_line += batch.num_lines;
        let is_incomplete = |reject: &&Reject| {
            reject.row + 1 == self.next_row
                && matches!(reject.reason, Reason::FieldCount | Reason::UnclosedQuote)
        };
        self.incomplete_last_row = batch
            .rejects
            .last()
            .filter(is_incomplete)
            .map(|last| last.row);
        self.sinks.items.write(batch)?;
        self.summary.counts.add(&batch.counts);
        self.summary.bytes_written += batch.lines.len() as u64;
        for reject in &batch.rejects {
            *self.summary.rejected.entry(reject.reason).or_default() += 1;
            (self.sinks.rejects)(reject).map_err(PipelineError::Rejects)?;
        }
        Ok(())
    }

    fn write_planets(
        &mut self,
        planets: &[Exoplanet],
        run: Option<&str>,
        encoding: Encoding,
    ) -> Result<(), PipelineError> {
        let mut batch = Batch::default();
        for planets in planets.chunks(PLANETS_PER_BATCH) {
            batch.fill_with(planets.iter().map(|planet| planet.item(run)), encoding);
            self.write(&mut batch)?;
        }
        Ok(())
    }
}
