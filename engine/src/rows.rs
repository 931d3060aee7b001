//! Rows: from a stream of bytes to the cells of one row, for CSV and for the API's JSON document.
//!
//! [`ChunkReader`] cuts the stream behind whole rows, wherever the input happened to be cut; [`Rows`] walks
//! the rows of one chunk and locates the cells that a [`Plan`] asks for. Cutting is sequential and looks at
//! structure alone; locating is per chunk, so that chunks can be read side by side. Nothing is allocated
//! per row, but for a cell with doubled quotes or backslashes. What the cells mean is for others: the catalogue's
//! columns, the exoplanets' columns.

mod cells;
mod chunks;
mod csv;
mod index;
mod json;
mod machine;
mod masks;
mod plan;
#[cfg(test)]
mod tests;

pub(crate) use cells::RowCells;
pub(crate) use chunks::{Chunk, ChunkReader, Ended, Framing, MAX_ROW_BYTES};
pub(crate) use csv::{CsvFraming, read_header};
pub(crate) use json::{DataStart, JsonFraming, JsonHead, find_data};
pub(crate) use plan::Plan;

use cells::{Cells, ChunkText};
use index::{Index, IndexedRow};

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
pub(crate) struct RawRow<'a> {
    /// The row's bytes.
    pub(crate) bytes: &'a [u8],
    /// The line of CSV that it begins on, from 0, counted in the chunk.
    pub(crate) line: u64,
    /// Its cells, if they were located.
    pub(crate) cells: Result<RowCells<'a>, Fault>,
}

/// Where the parts of rows stand: memory that is used again for the next chunk.
#[derive(Debug, Default)]
pub(crate) struct Places {
    index: Index,
    cells: Cells,
}

/// The rows of one chunk, in order.
pub(crate) struct Rows<'c> {
    chunk: &'c Chunk,
    text: ChunkText<'c>,
    format: Format,
    places: &'c mut Places,
    at: usize,
    num_lines: u64,
}

impl<'c> Rows<'c> {
    pub(crate) fn new(chunk: &'c Chunk, format: Format, places: &'c mut Places) -> Self {
        places.index.begin(format);
        Rows {
            chunk,
            text: ChunkText::of(chunk),
            format,
            places,
            at: 0,
            num_lines: 0,
        }
    }

    /// Lines passed so far.
    pub(crate) fn num_lines(&self) -> u64 {
        self.num_lines
    }

    /// Locates the cells of the next row, or returns `None` behind the last one.
    #[inline(always)]
    pub(crate) fn next_row<'a>(&'a mut self, plan: &'a Plan) -> Option<RawRow<'a>> {
        let Some(row) = self.next_indexed(plan) else {
            return self.next_of_any(plan);
        };
        Some(self.indexed(&row, plan))
    }

    /// Passes the next row, if the index has it and it has all of its fields.
    #[inline(always)]
    fn next_indexed(&mut self, plan: &Plan) -> Option<IndexedRow> {
        let row = self.places.index.row_at(self.at)?;
        if row.num_fields() != plan.width() {
            return None;
        }
        self.at = row.end;
        match self.format {
            Format::Csv => self.num_lines += 1,
            // The next row begins behind the comma.
            Format::Json => {
                self.at += usize::from(self.chunk.bytes.get(row.end) == Some(&b','));
            }
        }
        Some(row)
    }

    #[inline(always)]
    fn indexed<'a>(&'a self, row: &IndexedRow, plan: &'a Plan) -> RawRow<'a> {
        let marks = self.places.index.marks(row);
        RawRow {
            bytes: &self.chunk.bytes[row.start..row.end],
            line: self.num_lines.saturating_sub(1),
            cells: Ok(RowCells::indexed(self.text, marks, plan, self.format)),
        }
    }

    /// The next row, whatever it is. From it on, the index is made anew where it has come to its end.
    #[cold]
    fn next_of_any<'a>(&'a mut self, plan: &'a Plan) -> Option<RawRow<'a>> {
        let bytes = &self.chunk.bytes[..];
        if let Some(num_lines) = self.chunk.overlong_lines {
            let is_first = self.at == 0;
            self.at = bytes.len();
            self.num_lines = num_lines;
            let fault = Fault::new(Reason::RowTooLong, "longer than any row of a catalogue");
            return is_first.then_some(RawRow {
                bytes,
                line: 0,
                cells: Err(fault),
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
        // The index does not tell a blank line from an empty field.
        let is_indexed = plan.width() > 1 && !self.chunk.is_line_by_line;
        if is_indexed && self.places.index.is_exhausted() {
            self.places.index.fill(bytes, self.at);
        }
        if let Some(row) = self.next_indexed(plan) {
            return Some(self.indexed(&row, plan));
        }
        let cells = &mut self.places.cells;
        cells.reset(plan.num_wanted());
        let start = self.at;
        let bytes = match self.chunk.is_line_by_line {
            true => &bytes[..csv::line_end(bytes, start)],
            false => bytes,
        };
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
            cells: outcome.map(|()| cells.row()),
        })
    }
}
