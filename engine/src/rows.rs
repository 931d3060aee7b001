//! Rows: from a stream of bytes to the cells of one row, for CSV and for the API's JSON document.
//!
//! [`ChunkReader`] cuts the stream behind whole rows, wherever the input happened to be cut; [`Rows`] walks
//! the rows of one chunk and locates the cells that a [`Plan`] asks for. Cutting is sequential and looks at
//! structure alone; locating is per chunk, so that chunks can be read side by side. Nothing is allocated
//! per row. What the cells mean is for others: the catalogue's columns, the exoplanets' columns.

mod chunks;
mod csv;
mod json;
mod plan;
#[cfg(test)]
mod tests;

pub(crate) use chunks::{Chunk, ChunkReader, Ended, Framing};
pub(crate) use csv::{CsvFraming, read_header};
pub(crate) use json::{DataStart, JsonFraming, JsonHead, find_data};
pub(crate) use plan::Plan;

use crate::reject::Reason;

/// How the rows of an input are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated values (RFC 4180, read as liberally as the csv crate does).
    Csv,
    /// The `data` array of an API document: arrays of strings, numbers and nulls.
    Json,
}

/// Where the cells of one row stand, in the chunk or, unescaped, in a scratch buffer.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    /// Start and end per wanted column; positions from the chunk's length on are in `scratch`.
    spans: Vec<(u32, u32)>,
    scratch: Vec<u8>,
}

impl Cells {
    fn reset(&mut self, num_columns: usize) {
        self.spans.clear();
        self.spans.resize(num_columns, (0, 0));
        self.scratch.clear();
    }

    fn set(&mut self, slot: usize, start: usize, end: usize) {
        self.spans[slot] = (position(start), position(end));
    }
}

/// Chunks are at most a few MiB: their positions fit into 32 bits.
fn position(at: usize) -> u32 {
    u32::try_from(at).expect("a chunk is shorter than 4 GiB")
}

/// What is wrong with the form of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Fault {
            reason,
            message: message.into(),
        }
    }

    fn field_count(found: usize, expected: usize) -> Self {
        Fault::new(
            Reason::FieldCount,
            format!("{found} fields where the header has {expected}"),
        )
    }
}

/// One row of a chunk.
#[derive(Debug)]
pub(crate) struct RawRow<'c> {
    /// The row's bytes.
    pub(crate) bytes: &'c [u8],
    /// The line that it begins on, from 0, counted in the chunk. A document on one line has line 0.
    pub(crate) line: u64,
    /// Whether its cells were located.
    pub(crate) outcome: Result<(), Fault>,
}

/// The rows of one chunk, in order.
pub(crate) struct Rows<'c> {
    chunk: &'c Chunk,
    format: Format,
    at: usize,
    num_lines: u64,
}

impl<'c> Rows<'c> {
    pub(crate) fn new(chunk: &'c Chunk, format: Format) -> Self {
        Rows {
            chunk,
            format,
            at: 0,
            num_lines: 0,
        }
    }

    /// Lines passed so far.
    pub(crate) fn num_lines(&self) -> u64 {
        self.num_lines
    }

    /// Locates the cells of the next row, or returns `None` behind the last one.
    pub(crate) fn next_row(&mut self, plan: &Plan, cells: &mut Cells) -> Option<RawRow<'c>> {
        let bytes = &self.chunk.bytes[..];
        if let Some(num_lines) = self.chunk.overlong_lines {
            let is_first = self.at == 0;
            self.at = bytes.len();
            self.num_lines = num_lines;
            return is_first.then(|| RawRow {
                bytes,
                line: 0,
                outcome: Err(Fault::new(
                    Reason::RowTooLong,
                    "longer than any row of a catalogue",
                )),
            });
        }
        cells.reset(plan.num_wanted());
        match self.format {
            Format::Csv => {
                let (start, num_blank) = csv::skip_blank_lines(bytes, self.at);
                // They count where no row follows, too: the next chunk's rows are placed behind them.
                self.at = start;
                self.num_lines += num_blank;
                let line = self.num_lines;
                let row = csv::locate(bytes, start, plan, cells)?;
                self.at = row.end;
                self.num_lines += row.num_lines;
                Some(RawRow {
                    bytes: &bytes[start..row.end],
                    line,
                    outcome: row.outcome,
                })
            }
            Format::Json => {
                let start = json::skip_separators(bytes, self.at)?;
                let (end, outcome) = json::locate(bytes, start, plan, cells);
                self.at = end;
                Some(RawRow {
                    bytes: &bytes[start..end],
                    line: 0,
                    outcome,
                })
            }
        }
    }
}

/// The text of a wanted column of the row that `cells` was last filled from, without surrounding spaces.
pub(crate) fn cell<'a>(chunk: &'a [u8], cells: &'a Cells, slot: usize) -> &'a [u8] {
    let (start, end) = cells.spans[slot];
    let (start, end) = (start as usize, end as usize);
    let text = match start.checked_sub(chunk.len()) {
        Some(start) if end > chunk.len() => &cells.scratch[start..end - chunk.len()],
        _ => &chunk[start..end],
    };
    text.trim_ascii()
}
