//! Sinks: where valued bodies go. A sink says how it wants items written, and takes batches in order.

use std::io::{self, Write};

use crate::batch::{Batch, Encoding};
use crate::item;
use crate::table::TableWriter;

/// Takes items.
pub trait Sink {
    /// How items are to be written for it.
    fn encoding(&self) -> Encoding;

    /// Takes the next batch.
    ///
    /// # Errors
    /// [`SinkError`] where the batch is not taken; the run ends with it.
    fn write(&mut self, batch: &Batch) -> Result<(), SinkError>;
}

/// A sink that does not take a batch.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SinkError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl SinkError {
    /// Wraps what the sink's own writing fails with.
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        SinkError(Box::new(error))
    }
}

/// Writes items as text, one a line.
#[derive(Debug)]
pub struct LineSink<W> {
    out: W,
    encoding: Encoding,
}

impl<W: Write> LineSink<W> {
    /// Writes to `out`, in CSV with a header first.
    ///
    /// # Errors
    /// Whatever writing the header fails with.
    pub fn new(mut out: W, encoding: Encoding) -> io::Result<Self> {
        if encoding == Encoding::Csv {
            out.write_all(item::csv_header().as_bytes())?;
        }
        Ok(LineSink { out, encoding })
    }

    /// Gives back what it writes to.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Sink for LineSink<W> {
    fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        self.out.write_all(batch.lines()).map_err(SinkError::new)
    }
}

/// Takes items and keeps none.
#[derive(Debug)]
pub struct Discard;

impl Sink for Discard {
    fn encoding(&self) -> Encoding {
        Encoding::Json
    }

    fn write(&mut self, _: &Batch) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Writes items into a new table.
#[derive(Debug)]
pub struct TableSink(pub TableWriter);

impl Sink for TableSink {
    fn encoding(&self) -> Encoding {
        Encoding::Values
    }

    fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        let records = batch.records().map(|(row, record)| {
            // More rows than that would take SQLite more than a lifetime.
            let rowid = i64::try_from(row).unwrap_or(i64::MAX);
            (rowid, record)
        });
        self.0.insert_records(records).map_err(SinkError::new)
    }
}
