//! Rows: from a stream of bytes to the cells of one row, for CSV and for the API's JSON document.
//!
//! [`ChunkReader`] cuts the stream behind whole rows, wherever the input happened to be cut; [`Rows`] walks
//! the rows of one chunk and locates the cells that a [`Plan`] asks for. Cutting is sequential and looks at
//! structure alone; locating is per chunk, so that chunks can be read side by side. Nothing is allocated
//! per row. What the cells mean is for others: the catalogue's columns, the exoplanets' columns.

mod chunks;
mod csv;
mod index;
mod json;
mod masks;
mod plan;
#[cfg(test)]
mod tests;

pub(crate) use chunks::{Chunk, ChunkReader, Ended, Framing};
pub(crate) use csv::{CsvFraming, read_header};
pub(crate) use json::{DataStart, JsonFraming, JsonHead, find_data};
pub(crate) use plan::Plan;

use index::Index;

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
    /// Makes room for a row that sets the same columns as the row before it.
    #[inline]
    fn begin(&mut self, num_columns: usize) {
        if self.spans.len() != num_columns {
            self.reset(num_columns);
        }
        self.scratch.clear();
    }

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
    index: Index,
    at: usize,
    num_lines: u64,
}

impl<'c> Rows<'c> {
    pub(crate) fn new(chunk: &'c Chunk, format: Format) -> Self {
        Rows {
            chunk,
            format,
            index: Index::new(format),
            at: 0,
            num_lines: 0,
        }
    }

    /// The same, with another index.
    #[cfg(test)]
    fn with_index(chunk: &'c Chunk, index: Index, format: Format) -> Self {
        Rows {
            index,
            ..Rows::new(chunk, format)
        }
    }

    /// Lines passed so far.
    pub(crate) fn num_lines(&self) -> u64 {
        self.num_lines
    }

    /// Locates the cells of the next row, or returns `None` behind the last one.
    #[inline]
    pub(crate) fn next_row(&mut self, plan: &Plan, cells: &mut Cells) -> Option<RawRow<'c>> {
        if let Some(row) = self.next_indexed(plan, cells) {
            return Some(row);
        }
        self.next_of_any(plan, cells)
    }

    /// The next row, if it is a regular one with all of its fields.
    #[inline]
    fn next_indexed(&mut self, plan: &Plan, cells: &mut Cells) -> Option<RawRow<'c>> {
        let bytes = &self.chunk.bytes[..];
        let row = self.index.row_at(self.at)?;
        if row.marks.len() != plan.width() + 1 {
            return None;
        }
        cells.begin(plan.num_wanted());
        match self.format {
            Format::Csv => csv::locate_regular(bytes, row.marks, plan, cells)?,
            Format::Json => json::locate_regular(bytes, row.marks, plan, cells),
        }
        self.at = row.end;
        let line = self.num_lines;
        self.num_lines += u64::from(self.format == Format::Csv);
        Some(RawRow {
            bytes: &bytes[row.start..row.end],
            line,
            outcome: Ok(()),
        })
    }

    /// The next row, whatever it is. From it on, the index is made anew where it has come to its end.
    #[cold]
    fn next_of_any(&mut self, plan: &Plan, cells: &mut Cells) -> Option<RawRow<'c>> {
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
        match self.format {
            Format::Csv => {
                let (start, num_blank) = csv::skip_blank_lines(bytes, self.at);
                // They count where no row follows, too: the next chunk's rows are placed behind them.
                self.at = start;
                self.num_lines += num_blank;
            }
            Format::Json => self.at = json::skip_separators(bytes, self.at)?,
        }
        if self.index.is_exhausted()
            && self.index.fill(bytes, self.at)
            && let Some(row) = self.next_indexed(plan, cells)
        {
            return Some(row);
        }
        cells.reset(plan.num_wanted());
        let start = self.at;
        let line = self.num_lines;
        let outcome;
        match self.format {
            Format::Csv => {
                let row = csv::locate(bytes, start, plan, cells)?;
                self.at = row.end;
                self.num_lines += row.num_lines;
                outcome = row.outcome;
            }
            Format::Json => (self.at, outcome) = json::locate(bytes, start, plan, cells),
        }
        Some(RawRow {
            bytes: &bytes[start..self.at],
            line,
            outcome,
        })
    }
}

/// A chunk as cells are read from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkText<'c> {
    bytes: &'c [u8],
    /// The same, where all of it is UTF-8: checking a chunk once is faster than checking each text.
    text: Option<&'c str>,
}

impl<'c> ChunkText<'c> {
    pub(crate) fn of(chunk: &'c Chunk) -> Self {
        ChunkText {
            bytes: &chunk.bytes,
            text: std::str::from_utf8(&chunk.bytes).ok(),
        }
    }

    /// The cells of the row that `cells` was last filled from.
    pub(crate) fn row<'a>(self, cells: &'a Cells) -> RowCells<'a>
    where
        'c: 'a,
    {
        RowCells { chunk: self, cells }
    }
}

/// The cells of one row, each without surrounding spaces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowCells<'a> {
    chunk: ChunkText<'a>,
    cells: &'a Cells,
}

impl<'a> RowCells<'a> {
    /// The bytes of a wanted column.
    #[inline]
    pub(crate) fn bytes(self, slot: usize) -> &'a [u8] {
        let (from, len) = self.wide(slot);
        &from[..len]
    }

    /// The bytes of a wanted column with whatever stands behind them, and their number.
    #[inline]
    pub(crate) fn wide(self, slot: usize) -> (&'a [u8], usize) {
        let (start, end) = self.cells.spans[slot];
        let (start, end) = (start as usize, end as usize);
        match self.chunk.bytes.get(start..) {
            Some(from) if end <= self.chunk.bytes.len() => trimmed(from, end - start),
            _ => self.unescaped(start, end),
        }
    }

    #[cold]
    fn unescaped(self, start: usize, end: usize) -> (&'a [u8], usize) {
        let from = &self.cells.scratch[start - self.chunk.bytes.len()..];
        trimmed(from, end - start)
    }

    /// The text of a wanted column, or its bytes where they are not UTF-8.
    #[inline]
    pub(crate) fn text(self, slot: usize) -> Result<&'a str, &'a [u8]> {
        let (start, end) = self.cells.spans[slot];
        let place = start as usize..end as usize;
        if let Some(text) = self.chunk.text.and_then(|text| text.get(place)) {
            return Ok(match is_trimmed(text.as_bytes()) {
                true => text,
                false => text.trim_ascii(),
            });
        }
        let bytes = self.bytes(slot);
        std::str::from_utf8(bytes).map_err(|_| bytes)
    }
}

/// Whether there are no spaces around a text, which is so of most cells.
#[inline]
fn is_trimmed(text: &[u8]) -> bool {
    match text {
        [first, .., last] => *first > b' ' && *last > b' ',
        [only] => *only > b' ',
        [] => true,
    }
}

/// The first `len` bytes without the spaces around them.
#[inline]
fn trimmed(from: &[u8], len: usize) -> (&[u8], usize) {
    let text = &from[..len];
    if is_trimmed(text) {
        return (from, len);
    }
    let leading = len - text.trim_ascii_start().len();
    (&from[leading..], text.trim_ascii().len())
}

/// The text of a wanted column of the row that `cells` was last filled from, without surrounding spaces.
pub(crate) fn cell<'a>(chunk: &'a [u8], cells: &'a Cells, slot: usize) -> &'a [u8] {
    let chunk = ChunkText {
        bytes: chunk,
        text: None,
    };
    chunk.row(cells).bytes(slot)
}
