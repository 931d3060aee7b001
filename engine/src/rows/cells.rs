//! Cells: where the parts of a row stand, and how they are read.

use super::plan::NO_FIELD;
use super::{Chunk, Format, Plan};

/// The cells of a row that was located field by field, copied out of it: it is no regular row.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    /// The cells, each behind one byte that is none.
    text: Vec<u8>,
    /// The positions of these bytes, and of the one behind the last cell.
    marks: Vec<u32>,
    /// For each wanted column, its place among the cells, or [`NO_FIELD`].
    fields: Vec<u32>,
}

impl Cells {
    pub(super) fn reset(&mut self, num_columns: usize) {
        self.text.clear();
        self.text.push(b',');
        self.marks.clear();
        self.marks.push(0);
        self.fields.clear();
        self.fields.resize(num_columns, NO_FIELD);
    }

    /// Sets a cell to `text`, without the spaces around it.
    pub(super) fn set(&mut self, slot: usize, text: &[u8]) {
        self.fields[slot] = position(self.marks.len() - 1);
        self.text.extend_from_slice(text.trim_ascii());
        self.marks.push(position(self.text.len()));
        self.text.push(b',');
    }

    /// The cells as they were set.
    pub(super) fn row(&self) -> RowCells<'_> {
        RowCells {
            chunk: ChunkText {
                bytes: &self.text,
                text: None,
            },
            marks: &self.marks,
            fields: &self.fields,
            format: None,
        }
    }
}

/// Chunks are at most a few MiB: their positions fit into 32 bits.
pub(super) fn position(at: usize) -> u32 {
    u32::try_from(at).expect("a chunk is shorter than 4 GiB")
}

/// A chunk as cells are read from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkText<'c> {
    bytes: &'c [u8],
    /// The same, where all of it is UTF-8: checking a chunk once is faster than checking each text.
    text: Option<&'c str>,
}

impl<'c> ChunkText<'c> {
    pub(super) fn of(chunk: &'c Chunk) -> Self {
        ChunkText {
            bytes: &chunk.bytes,
            text: std::str::from_utf8(&chunk.bytes).ok(),
        }
    }
}

/// The cells of one row, each without surrounding spaces and quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowCells<'a> {
    chunk: ChunkText<'a>,
    /// The position before each field, and the one behind the last.
    marks: &'a [u32],
    /// For each wanted column, the field that holds it, or [`NO_FIELD`].
    fields: &'a [u32],
    /// How the fields are written, or `None` where they are the texts of the cells already.
    format: Option<Format>,
}

impl<'a> RowCells<'a> {
    /// The cells of a regular row.
    #[inline]
    pub(super) fn indexed(
        chunk: ChunkText<'a>,
        marks: &'a [u32],
        plan: &'a Plan,
        format: Format,
    ) -> Self {
        RowCells {
            chunk,
            marks,
            fields: plan.fields(),
            format: Some(format),
        }
    }

    /// Whether the row was found by the index.
    #[cfg(test)]
    pub(super) fn is_indexed(&self) -> bool {
        self.format.is_some()
    }

    /// The bytes of a wanted column.
    #[inline]
    pub(crate) fn bytes(&self, slot: usize) -> &'a [u8] {
        let (start, end) = self.place(slot);
        let bytes = &self.chunk.bytes[start..end];
        match has_outer_space(bytes) {
            true => bytes.trim_ascii(),
            false => bytes,
        }
    }

    /// The bytes of a wanted column, spaces around them included, with whatever stands behind them, and their
    /// number.
    #[inline(always)]
    pub(crate) fn wide(&self, slot: usize) -> (&'a [u8], usize) {
        let (start, end) = self.place(slot);
        (&self.chunk.bytes[start..], end.saturating_sub(start))
    }

    /// The text of a wanted column, or its bytes where they are not UTF-8.
    #[inline(always)]
    pub(crate) fn text(&self, slot: usize) -> Result<&'a str, &'a [u8]> {
        let (start, end) = self.place(slot);
        if start == end {
            return Ok("");
        }
        match self.chunk.text.and_then(|text| text.get(start..end)) {
            Some(text) if !has_outer_space(text.as_bytes()) => Ok(text),
            Some(text) => Ok(text.trim_ascii()),
            None => {
                let bytes = self.bytes(slot);
                std::str::from_utf8(bytes).map_err(|_| bytes)
            }
        }
    }

    /// The start and end of a cell.
    #[inline(always)]
    fn place(&self, slot: usize) -> (usize, usize) {
        let marks = self.marks.get(self.fields[slot] as usize..);
        let Some([before, behind]) = marks.and_then(<[u32]>::first_chunk) else {
            return (0, 0);
        };
        // The mark before the first row of a chunk is in front of its first byte.
        let start = before.wrapping_add(1) as usize;
        let end = *behind as usize;
        // There is a byte behind every cell, the mark itself.
        match self.chunk.bytes[start] {
            b'"' if self.format.is_some() => (start + 1, end - 1),
            b'n' if self.format == Some(Format::Json)
                && &self.chunk.bytes[start..end] == b"null" =>
            {
                (start, start)
            }
            _ => (start, end),
        }
    }
}

/// Whether there is a space at an end of a text, or a control character: of most there is none.
#[inline(always)]
fn has_outer_space(text: &[u8]) -> bool {
    matches!((text.first(), text.last()), (Some(first), Some(last)) if *first <= b' ' || *last <= b' ')
}
