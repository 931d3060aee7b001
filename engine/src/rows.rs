//! Rows: from a stream of bytes to the cells of one row, for CSV and for the API's JSON document.
//!
//! [`ChunkReader`] cuts the stream behind whole rows, wherever the input happened to be cut; [`Rows`] walks
//! the rows of one chunk and locates the cells that a [`Plan`] asks for. Cutting is sequential and looks at
//! structure alone; locating is per chunk, so that chunks can be read side by side. Nothing is allocated
//! per row, but for a cell with doubled quotes or backslashes. What the cells mean is for others: the catalogue's
//! columns, the exoplanets' columns.

mod block;
mod brackets;
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

pub(crate) use block::Block;
pub(crate) use cells::RowCells;
pub(crate) use chunks::{Chunk, ChunkReader, Ended, Framing, MAX_ROW_BYTES};
pub(crate) use csv::{CsvFraming, read_header};
pub(crate) use json::{DataStart, JsonFraming, JsonHead, find_data};
pub(crate) use plan::Plan;

use std::ops::Range;

use cells::{Cells, ChunkText, Place};
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
    /// The rows of a block, and the places of the cells of each.
    block: Vec<Range<usize>>,
    places: Vec<Place>,
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
    pub(crate) fn next_row<'a>(&'a mut self, plan: &'a Plan) -> Option<RawRow<'a>> {
        self.next_block(plan, 1)?.next()
    }

    /// Locates the cells of the next rows, at most `max_rows` and at least one, or returns `None` behind the last one.
    pub(crate) fn next_block<'a>(
        &'a mut self,
        plan: &'a Plan,
        max_rows: usize,
    ) -> Option<Block<'a>> {
        if !self.index_block(plan, max_rows) {
            self.pass_gap(plan)?;
            if !self.index_block(plan, max_rows) {
                return Some(Block::single(self.next_of_any(plan)));
            }
        }
        let Places { block, places, .. } = &*self.places;
        let line = self.num_lines.saturating_sub(block.len() as u64);
        Some(Block::regular(
            self.text,
            line,
            block,
            places,
            plan.num_wanted(),
        ))
    }

    /// Passes the next rows into the block, as far as the index has them and they have all of their fields. Returns
    /// whether there are any.
    fn index_block(&mut self, plan: &Plan, max_rows: usize) -> bool {
        let Places {
            index,
            block,
            places,
            ..
        } = &mut *self.places;
        let num_wanted = plan.num_wanted();
        block.clear();
        places.resize(max_rows * num_wanted, Place::default());
        let rows = index.rows_from(self.at, plan.width());
        for (row, places) in rows.zip(places.chunks_exact_mut(num_wanted)) {
            Place::locate(places, &self.chunk.bytes, row.marks, plan, self.format);
            block.push(row.place(self.format));
        }
        index.pass(block.len());
        let Some(last) = block.last() else {
            return false;
        };
        self.at = last.end;
        match self.format {
            Format::Csv => self.num_lines += block.len() as u64,
            // The next row begins behind the comma.
            Format::Json => {
                self.at += usize::from(self.chunk.bytes.get(last.end) == Some(&b','));
            }
        }
        true
    }

    /// Passes what is between rows, and makes the index anew where it has come to its end. Returns `None` behind
    /// the last row.
    #[cold]
    fn pass_gap(&mut self, plan: &Plan) -> Option<()> {
        let bytes = &self.chunk.bytes[..];
        if self.chunk.overlong_lines.is_some() {
            return (self.at == 0).then_some(());
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
        if is_indexed && self.places.index.is_exhausted(self.at) {
            self.places.index.fill(bytes, self.at);
        }
        (self.at < bytes.len()).then_some(())
    }

    /// The next row, whatever it is.
    #[cold]
    fn next_of_any<'a>(&'a mut self, plan: &'a Plan) -> RawRow<'a> {
        let bytes = &self.chunk.bytes[..];
        if let Some(num_lines) = self.chunk.overlong_lines {
            self.at = bytes.len();
            self.num_lines = num_lines;
            let fault = Fault::new(Reason::RowTooLong, "longer than any row of a catalogue");
            return RawRow {
                bytes,
                line: 0,
                cells: Err(fault),
            };
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
                let row = csv::locate(bytes, start, plan, cells);
                self.at = row.end;
                self.num_lines += row.num_lines;
                outcome = row.outcome;
            }
            Format::Json => (self.at, outcome) = json::locate(bytes, start, plan, cells),
        }
        RawRow {
            bytes: &bytes[start..self.at],
            line,
            cells: outcome.map(|()| cells.row()),
        }
    }
}
