//! A batch: the rows of one chunk, valued and written, on their way to a sink.

use std::ops::Range;

use memchr::memchr_iter;

use crate::body::{Body, Found, Valuer};
use crate::catalogue::COLUMN_NAMES;
use crate::item::Item;
use crate::item::values::{Record, records};
use crate::pen::Lines;
use crate::reject::{Input, Reject, excerpt};
use crate::rows::{Chunk, Format, Places, Plan, Rows};

/// The most rows that are valued together.
const MAX_BLOCK_ROWS: usize = 32;

/// How items are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// One JSON object a line.
    Json,
    /// One row of CSV a line, without a header.
    Csv,
    /// The values as they are, for a sink in the same process: no text.
    Values,
}

impl Encoding {
    fn write(self, item: &Item, lines: &mut Lines) {
        match self {
            Self::Json => item.write_json(lines),
            Self::Csv => item.write_csv(lines),
            Self::Values => item.write_record(lines),
        }
    }
}

/// How many rows were counted as what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Rows read.
    pub read: u64,
    /// Rows that became items.
    pub valued: u64,
    /// Items that are asteroids.
    pub asteroids: u64,
    /// Items that are comets.
    pub comets: u64,
    /// Items that are exoplanets.
    pub exoplanets: u64,
    /// Items that the delta-v table lists.
    pub matched_delta_v: u64,
    /// Items that NHATS lists.
    pub matched_nhats: u64,
    /// Items that the mass list names.
    pub matched_mass: u64,
}

impl Counts {
    /// Counts a row that became an item.
    #[inline(always)]
    fn add_found(&mut self, found: Found) {
        self.valued += 1;
        self.asteroids += u64::from(!found.is_comet);
        self.comets += u64::from(found.is_comet);
        self.matched_delta_v += u64::from(found.delta_v);
        self.matched_nhats += u64::from(found.nhats);
        self.matched_mass += u64::from(found.mass);
    }

    /// Adds another part's counts.
    pub(crate) fn add(&mut self, other: &Counts) {
        self.read += other.read;
        self.valued += other.valued;
        self.asteroids += other.asteroids;
        self.comets += other.comets;
        self.exoplanets += other.exoplanets;
        self.matched_delta_v += other.matched_delta_v;
        self.matched_nhats += other.matched_nhats;
        self.matched_mass += other.matched_mass;
    }
}

/// How the rows of a chunk become a batch.
pub(crate) struct Valuing<'v> {
    pub(crate) valuer: &'v Valuer,
    /// Which columns the rows have.
    pub(crate) plan: &'v Plan,
    pub(crate) format: Format,
    pub(crate) encoding: Encoding,
}

impl Valuing<'_> {
    /// Values the rows of `chunk` into `batch`. The memory of it and of `places` is used again.
    pub(crate) fn fill(&self, batch: &mut Batch, chunk: &Chunk, places: &mut Places) {
        batch.clear();
        let num_lines = self.each(chunk, places, |body| {
            let row = batch.counts.read;
            batch.counts.read += 1;
            let Some(invalid) = &mut body.invalid else {
                self.encoding.write(&body.item, &mut batch.lines);
                batch.counts.add_found(body.found);
                return;
            };
            let column = invalid.column;
            batch.rejects.push(Reject {
                input: Input::Asteroids,
                row,
                line: (self.format == Format::Csv).then_some(body.line),
                column: column.map(|column| COLUMN_NAMES[column as usize].to_owned()),
                reason: invalid.reason,
                message: std::mem::take(&mut invalid.message),
                text: excerpt(body.bytes),
            });
        });
        batch.num_lines = num_lines;
    }

    /// Values the rows of `chunk`, has each body taken in turn, and returns how many lines the rows take.
    #[inline(always)]
    pub(crate) fn each(
        &self,
        chunk: &Chunk,
        places: &mut Places,
        mut take: impl FnMut(&mut Body<'_>),
    ) -> u64 {
        let mut rows = Rows::new(chunk, self.format, places);
        let mut free = Vec::new();
        while let Some(block) = rows.next_block(self.plan, MAX_BLOCK_ROWS) {
            let mut bodies = emptied(free);
            bodies.resize_with(block.len(), Body::default);
            for (body, row) in bodies.iter_mut().zip(block) {
                body.begin(row);
            }
            self.valuer.value(&mut bodies);
            bodies.iter_mut().for_each(&mut take);
            free = emptied(bodies);
        }
        rows.num_lines()
    }
}

/// An empty vector in the same memory, for bodies of another lifetime.
fn emptied<'b>(mut bodies: Vec<Body<'_>>) -> Vec<Body<'b>> {
    bodies.clear();
    bodies.into_iter().map(|_| unreachable!()).collect()
}

/// Items of consecutive rows and the rejects among them.
#[derive(Debug, Default)]
pub struct Batch {
    /// The items, each a line, or a record where they were written as values.
    pub(crate) lines: Lines,
    pub(crate) counts: Counts,
    /// The rejected rows, in order. Rows and lines are counted in the chunk, from 0, until
    /// [`Batch::place`] puts them in their place.
    pub(crate) rejects: Vec<Reject>,
    /// The number of the first row, from 1, once it is placed.
    pub(crate) first_row: u64,
    pub(crate) num_lines: u64,
}

impl Batch {
    /// Fills this batch with bodies that are items already.
    pub(crate) fn fill_with<'a>(
        &mut self,
        items: impl Iterator<Item = Item<'a>>,
        encoding: Encoding,
    ) {
        self.clear();
        for item in items {
            encoding.write(&item, &mut self.lines);
            self.counts.read += 1;
            self.counts.valued += 1;
            self.counts.exoplanets += 1;
        }
    }

    fn clear(&mut self) {
        self.lines.clear();
        self.rejects.clear();
        self.counts = Counts::default();
        self.num_lines = 0;
    }

    /// Puts rows and lines in their place: the first row is number `first_row`, and the first line is
    /// `first_line`.
    pub(crate) fn place(&mut self, first_row: u64, first_line: u64) {
        self.first_row = first_row;
        for reject in &mut self.rejects {
            reject.row += first_row;
            reject.line = reject.line.map(|line| line + first_line);
        }
    }

    /// The items of a batch that was written as JSON, each with the number of its row.
    pub fn items(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.places()
            .map(|(row, place)| (row, &self.lines()[place]))
    }

    /// The same as text, which is checked at once for all of them.
    ///
    /// # Panics
    /// Never: items are written from texts.
    pub(crate) fn text_items(&self) -> impl Iterator<Item = (u64, &str)> {
        let lines = std::str::from_utf8(self.lines()).expect("items are text");
        self.places().map(move |(row, place)| (row, &lines[place]))
    }

    /// The items of a batch that was written as values, each with the number of its row.
    pub(crate) fn records(&self) -> impl Iterator<Item = (u64, Record<'_>)> {
        self.numbered(records(self.lines()))
    }

    /// Where the items are, each with the number of its row.
    fn places(&self) -> impl Iterator<Item = (u64, Range<usize>)> {
        let mut start = 0;
        self.numbered(memchr_iter(b'\n', self.lines()).map(move |end| {
            let place = start..end;
            start = end + 1;
            place
        }))
    }

    /// Gives each item the number of its row: rejected rows have none.
    fn numbered<T>(&self, items: impl Iterator<Item = T>) -> impl Iterator<Item = (u64, T)> {
        let mut rejected = self.rejects.iter().map(|reject| reject.row).peekable();
        let mut row = self.first_row;
        items.map(move |item| {
            while rejected.next_if_eq(&row).is_some() {
                row += 1;
            }
            let numbered = (row, item);
            row += 1;
            numbered
        })
    }

    /// The items as they were written: lines with their ends, or records.
    pub fn lines(&self) -> &[u8] {
        self.lines.as_bytes()
    }
}
