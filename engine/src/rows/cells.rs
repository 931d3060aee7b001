//! Cells: where the parts of a row stand, and how they are read.

use std::ops::Range;

use super::{Chunk, Format, Plan};

/// Where a cell stands in its text, without quotes around it: of one that there is not, nowhere.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    start: u32,
    end: u32,
}

impl Place {
    /// Finds the wanted cells of a regular row by the `marks` before its first field and behind each field.
    #[inline(always)]
    pub(super) fn locate(
        places: &mut [Place],
        bytes: &[u8],
        marks: &[u32],
        plan: &Plan,
        format: Format,
    ) {
        match format {
            Format::Csv => Self::locate_by(places, marks, plan, |field| field.in_csv(bytes)),
            Format::Json => Self::locate_by(places, marks, plan, |field| field.in_json(bytes)),
        }
    }

    #[inline(always)]
    fn locate_by(places: &mut [Place], marks: &[u32], plan: &Plan, cell: impl Fn(Place) -> Place) {
        for (place, field) in places.iter_mut().zip(plan.fields()) {
            let field = *field as usize;
            *place = match (marks.get(field), marks.get(field + 1)) {
                (Some(before), Some(behind)) => cell(Place {
                    // The mark before the first row of a chunk is in front of its first byte.
                    start: before.wrapping_add(1),
                    end: *behind,
                }),
                _ => Place::default(),
            };
        }
    }

    /// A field of CSV without its quotes. There is a byte behind every field, its mark.
    #[inline(always)]
    fn in_csv(self, bytes: &[u8]) -> Self {
        let num_quotes = u32::from(bytes[self.start as usize] == b'"');
        Place {
            start: self.start + num_quotes,
            end: self.end - num_quotes,
        }
    }

    /// A field of JSON without its quotes, or nothing where it is `null`.
    #[inline(always)]
    fn in_json(self, bytes: &[u8]) -> Self {
        let Some(first) = bytes[self.start as usize..].first_chunk() else {
            // Too little is left of the bytes for it to be one.
            return self.in_csv(bytes);
        };
        let is_null = (self.end - self.start == 4) & (first == b"null");
        let num_quotes = u32::from(first[0] == b'"');
        Place {
            start: self.start + num_quotes,
            // Without a branch: which cells are empty differs from row to row.
            end: std::hint::select_unpredictable(is_null, self.start, self.end - num_quotes),
        }
    }
}

/// The cells of a row that was located field by field, copied out of it: it is no regular row.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    /// The cells, one behind the other.
    text: Vec<u8>,
    places: Vec<Place>,
}

impl Cells {
    pub(super) fn reset(&mut self, num_columns: usize) {
        self.text.clear();
        self.places.clear();
        self.places.resize(num_columns, Place::default());
    }

    /// Sets a cell to `text`, without the spaces around it.
    pub(super) fn set(&mut self, slot: usize, text: &[u8]) {
        let start = position(self.text.len());
        self.text.extend_from_slice(text.trim_ascii());
        let end = position(self.text.len());
        self.places[slot] = Place { start, end };
    }

    /// The cells as they were set.
    pub(super) fn row(&self) -> RowCells<'_> {
        let chunk = ChunkText {
            bytes: &self.text,
            text: None,
        };
        RowCells::new(chunk, &self.places)
    }
}

/// Chunks are at most a few MiB: their positions fit into 32 bits.
pub(super) fn position(at: usize) -> u32 {
    u32::try_from(at).expect("a chunk is shorter than 4 GiB")
}

/// A chunk as cells are read from it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ChunkText<'c> {
    bytes: &'c [u8],
    /// The same, where all of it is UTF-8: checking a chunk once is faster than checking each text.
    text: Option<&'c str>,
}

impl<'c> ChunkText<'c> {
    pub(super) fn of(chunk: &'c Chunk) -> Self {
        ChunkText {
            bytes: &chunk.bytes,
            text: simdutf8::basic::from_utf8(&chunk.bytes).ok(),
        }
    }

    /// The bytes of a row.
    #[inline(always)]
    pub(super) fn bytes(&self, row: &Range<usize>) -> &'c [u8] {
        &self.bytes[row.clone()]
    }
}

/// The cells of one row, each without surrounding spaces and quotes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowCells<'a> {
    chunk: ChunkText<'a>,
    /// For each wanted column, its cell's place.
    places: &'a [Place],
}

impl<'a> RowCells<'a> {
    #[inline(always)]
    pub(super) fn new(chunk: ChunkText<'a>, places: &'a [Place]) -> Self {
        RowCells { chunk, places }
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
        let Place { start, end } = self.places[slot];
        (start as usize, end as usize)
    }
}

/// Whether there is a space at an end of a text, or a control character: of most there is none.
#[inline(always)]
fn has_outer_space(text: &[u8]) -> bool {
    matches!((text.first(), text.last()), (Some(first), Some(last)) if *first <= b' ' || *last <= b' ')
}
