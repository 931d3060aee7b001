//! The pipeline: chunks of a catalogue are valued side by side and handed to a sink in input order.
//!
//! ```text
//! one thread at a time: read, cut ──chunk──▶ any thread: value ──batch──▶ one thread at a time: write ──▶ sink
//!          ▲                                                                      │
//!          └───────────────────────── used buffers come back ◀────────────────────┘
//! ```
//!
//! There are no more threads than were asked for, the caller's among them. Each reads a chunk and values it, so that the
//! chunk stays in one core's caches. The caller's thread alone reads a pipe, so that no other waits for the reading, and a
//! compressed input, as the decoder's window would go from core to core otherwise. It hands its chunks to the others, and
//! values one itself where more wait already than there are others; where decoding is the slow part, as with a gzip
//! stream, it does nothing else.
//! Whoever has valued the batch that is next in order writes it, and those behind it.
//!
//! The bound: `2 × threads + 2` pairs of a chunk and a batch exist, and the reader waits for one to come
//! back. A slow sink therefore slows the reader, not memory. What is written does not depend on the number
//! of threads: batches are put in order again, and every row is valued by itself.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ThreadId;

mod queue;

use queue::Queue;
use rayon::Scope;

use crate::batch::{Batch, Counts, Encoding, Valuing};
use crate::body::Valuer;
use crate::catalogue::{Catalogue, CatalogueError, Trailer};
use crate::crash;
use crate::exoplanets::Exoplanet;
use crate::reject::{Reason, Reject};
use crate::rows::{Chunk, Places};
use crate::sink::{Sink, SinkError};

/// Exoplanets that are handed over at once.
const PLANETS_PER_BATCH: usize = 1_000;

/// How a pipeline runs.
#[derive(Debug, Clone, Copy)]
pub struct PipelineOptions<'a> {
    /// Threads, the caller's among them.
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
    /// Bytes of items as the sink took them: of text, or of values on their way into a database.
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

    /// Counts an item of a kind as rejected: it was valued, and whoever takes items does not take it.
    pub fn leave_out(&mut self, kind: Option<&str>, reason: Reason) {
        self.counts.valued -= 1;
        match kind {
            Some("comet") => self.counts.comets -= 1,
            Some("exoplanet") => self.counts.exoplanets -= 1,
            _ => self.counts.asteroids -= 1,
        }
        *self.rejected.entry(reason).or_default() += 1;
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
#[derive(Debug, Default)]
struct Work {
    /// The thread that read it last, in whose core's caches it may still be.
    thread: Option<ThreadId>,
    seq: u64,
    chunk: Chunk,
    batch: Batch,
    places: Places,
}

/// Values a `catalogue` and then `planets` into `sinks`.
///
/// # Errors
/// [`PipelineError`]; what the sinks have taken by then is not a result.
///
/// # Panics
/// Where reading, valuing or a sink panics.
pub fn run<R: Read + Send>(
    mut catalogue: Catalogue<R>,
    planets: &[Exoplanet],
    valuer: &Valuer,
    sinks: Sinks<'_>,
    options: &PipelineOptions,
) -> Result<Summary, PipelineError> {
    let encoding = sinks.items.encoding();
    let plan = catalogue.plan().clone();
    let workshop = Workshop {
        valuing: Valuing {
            valuer,
            plan: &plan,
            format: catalogue.header().format,
            encoding,
        },
        queue: Queue::new(Writer::new(sinks, catalogue.first_line()), options),
    };
    let read = workshop.value_all(&mut catalogue, options);
    // A writer that failed is the reason why a reader stops; its error is the one to tell.
    let mut writer = workshop.queue.into_writer()?;
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

/// The reading end, which one thread at a time is at.
struct Reader<'r, R: Read> {
    catalogue: &'r mut Catalogue<R>,
    cancelled: &'r AtomicBool,
    num_read: u64,
    /// How the reading ended, once it has.
    ended: Option<Result<(), PipelineError>>,
}

impl<R: Read> Reader<'_, R> {
    /// Fills `work` with the next chunk; false where there is none.
    fn fill(&mut self, work: &mut Work) -> bool {
        if self.ended.is_some() {
            return false;
        }
        let is_filled = self.catalogue.next_chunk(&mut work.chunk);
        self.ended = match is_filled {
            Err(error) => Some(Err(error.into())),
            Ok(_) if self.cancelled.load(Ordering::Relaxed) => Some(Err(PipelineError::Cancelled)),
            Ok(false) => Some(Ok(())),
            Ok(true) => {
                work.seq = self.num_read;
                self.num_read += 1;
                None
            }
        };
        self.ended.is_none()
    }
}

/// Where chunks become batches.
struct Workshop<'w, 's> {
    valuing: Valuing<'w>,
    queue: Queue<'s>,
}

impl Workshop<'_, '_> {
    /// Reads until the catalogue ends, the writing fails or the run is stopped, and values all of it.
    fn value_all<R: Read + Send>(
        &self,
        catalogue: &mut Catalogue<R>,
        options: &PipelineOptions,
    ) -> Result<(), PipelineError> {
        let is_read_by_one = catalogue.is_read_by_one();
        let num_others = options.num_threads.get() - 1;
        let reader = Mutex::new(Reader {
            catalogue,
            cancelled: options.cancelled,
            num_read: 0,
            ended: None,
        });
        if num_others == 0 {
            self.value_own(&reader);
        } else {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(num_others)
                .build()
                .map_err(PipelineError::Threads)?;
            let num_waiting = AtomicUsize::new(0);
            pool.in_place_scope(|scope| {
                if is_read_by_one {
                    return self.hand_out(&reader, scope, num_others, &num_waiting);
                }
                for _ in 0..num_others {
                    scope.spawn(|_| self.value_own(&reader));
                }
                self.value_own(&reader);
            });
        }
        let reader = reader.into_inner();
        let ended = reader.expect("a reader's panic goes on").ended;
        ended.unwrap_or(Ok(()))
    }

    /// Reads chunks and values them.
    fn value_own<R: Read>(&self, reader: &Mutex<Reader<'_, R>>) {
        while let Some(work) = self.next_work(reader) {
            self.value(work);
        }
    }

    /// Reads chunks and has others value them, but for what is too much for them. Those that they have not begun are
    /// counted by `num_waiting`.
    fn hand_out<'scope, R: Read>(
        &'scope self,
        reader: &Mutex<Reader<'_, R>>,
        scope: &Scope<'scope>,
        num_others: usize,
        num_waiting: &'scope AtomicUsize,
    ) {
        while let Some(work) = self.next_work(reader) {
            if num_waiting.load(Ordering::Relaxed) > num_others {
                self.value(work);
                continue;
            }
            num_waiting.fetch_add(1, Ordering::Relaxed);
            scope.spawn(|_| {
                num_waiting.fetch_sub(1, Ordering::Relaxed);
                self.value(work);
            });
        }
    }

    fn next_work<R: Read>(&self, reader: &Mutex<Reader<'_, R>>) -> Option<Work> {
        let mut work = self.queue.free_work()?;
        // Where another thread's reading has panicked, nothing is to be read any more.
        let mut reader = reader.lock().ok()?;
        reader.fill(&mut work).then_some(work)
    }

    /// Values a chunk, and writes what is next in order then.
    fn value(&self, mut work: Work) {
        let valued = catch_unwind(AssertUnwindSafe(move || {
            let Work {
                chunk,
                batch,
                places,
                ..
            } = &mut work;
            self.valuing.fill(batch, chunk, places);
            work
        }));
        self.queue.add(valued);
        self.queue.write_next();
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
        crash::point("batch-written");
        self.summary.counts.add(&batch.counts);
        self.summary.bytes_written += batch.lines().len() as u64;
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
