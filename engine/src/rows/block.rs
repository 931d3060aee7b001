//! Blocks: consecutive rows that are taken together.

use std::iter::Zip;
use std::ops::Range;
use std::slice;

use super::cells::{ChunkText, Place};
use super::{RawRow, RowCells};

/// Consecutive rows of a chunk: regular ones, or a single one of any kind.
pub(crate) struct Block<'a>(Kind<'a>);

enum Kind<'a> {
    Regular {
        chunk: ChunkText<'a>,
        /// The line of the next row.
        line: u64,
        /// Where each row stands, and its cells.
        rows: Zip<slice::Iter<'a, Range<usize>>, slice::ChunksExact<'a, Place>>,
    },
    Single(Option<RawRow<'a>>),
}

impl<'a> Block<'a> {
    /// Rows of `chunk` that the index has: where they stand, and `num_places` places of cells for each. The first of
    /// them is on `line`.
    pub(super) fn regular(
        chunk: ChunkText<'a>,
        line: u64,
        rows: &'a [Range<usize>],
        places: &'a [Place],
        num_places: usize,
    ) -> Self {
        let rows = rows.iter().zip(places.chunks_exact(num_places));
        Block(Kind::Regular { chunk, line, rows })
    }

    pub(super) fn single(row: RawRow<'a>) -> Self {
        Block(Kind::Single(Some(row)))
    }

    /// How many rows are left of it.
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Kind::Regular { rows, .. } => rows.len(),
            Kind::Single(row) => usize::from(row.is_some()),
        }
    }

    /// Whether its rows were found by the index.
    #[cfg(test)]
    pub(super) fn is_regular(&self) -> bool {
        matches!(self.0, Kind::Regular { .. })
    }
}

impl<'a> Iterator for Block<'a> {
    type Item = RawRow<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<RawRow<'a>> {
        match &mut self.0 {
            Kind::Regular { chunk, line, rows } => {
                let (row, places) = rows.next()?;
                let found = RawRow {
                    bytes: chunk.bytes(row),
                    line: *line,
                    cells: Ok(RowCells::new(*chunk, places)),
                };
                *line += 1;
                Some(found)
            }
            Kind::Single(row) => row.take(),
        }
    }
}
