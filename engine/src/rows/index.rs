//! The structural index: where fields and rows end in a stretch of a chunk, found 64 bytes at a time.
//!
//! It knows regular rows only: a quoted field whose quotes stand at its ends alone, no line end in it, no
//! escape in a string of JSON, no space around a cell of one. Up to the first byte that is otherwise, whether a byte
//! stands inside quotes is the parity of the quotes before it, which vector code counts without looking at
//! fields; from there on the index is silent, and the row is left to [`csv`](super::csv) and
//! [`json`](super::json), which take anything and decide what is a fault.
//!
//! The unsafe blocks call code that is compiled for AVX2 or AVX-512, on machines that have it.

use std::ops::Range;

use super::Format;
use super::cells::position;
use super::machine::Machine;
use super::masks::{BLOCK_BYTES, CsvMasks, JsonMasks, portable};
#[cfg(target_arch = "x86_64")]
use super::masks::{avx2, avx512};

/// Bytes that are indexed at once: two blocks of rows as JPL writes them.
const WINDOW_BYTES: usize = 32 << 10;

/// The ends of fields and rows in a stretch of a chunk.
#[derive(Debug)]
pub(super) struct Index {
    /// Positions in the chunk of whatever ends a field or begins a row, behind one that is a place holder:
    /// the row's own beginning for CSV, where the line end before it stands in for the next ones.
    marks: Box<[u32]>,
    num_marks: usize,
    /// For each row, the place of its end among the marks.
    row_ends: Box<[u32]>,
    num_rows: usize,
    next_row: usize,
    format: Format,
    /// What it is made with; without one it stays empty, and every row is left to the plain readers.
    machine: Option<Machine>,
}

/// A row of an index.
pub(super) struct IndexedRow<'i> {
    /// The mark before its first field, and the one behind each field.
    pub(super) marks: &'i [u32],
}

impl IndexedRow<'_> {
    /// Where it stands in the chunk.
    #[inline(always)]
    pub(super) fn place(&self, format: Format) -> Range<usize> {
        let (first, last) = (self.marks[0], self.marks[self.marks.len() - 1]);
        let start = match format {
            // Of the chunk's first row it is in front of its first byte.
            Format::Csv => first.wrapping_add(1),
            Format::Json => first,
        };
        start as usize..last as usize + 1
    }
}

impl Default for Index {
    fn default() -> Self {
        Self::on(Some(Machine::here()))
    }
}

impl Index {
    /// An empty index that is made with `machine`, if with any.
    pub(super) fn on(machine: Option<Machine>) -> Self {
        Index {
            marks: vec![0; WINDOW_BYTES + 2 * BLOCK_BYTES].into_boxed_slice(),
            num_marks: 0,
            row_ends: vec![0; WINDOW_BYTES + BLOCK_BYTES].into_boxed_slice(),
            num_rows: 0,
            next_row: 0,
            format: Format::Csv,
            machine,
        }
    }

    /// Forgets what it has, for another chunk.
    pub(super) fn begin(&mut self, format: Format) {
        self.format = format;
        self.num_rows = 0;
        self.next_row = 0;
    }

    /// Indexes the whole regular rows from `start` on, where one begins.
    pub(super) fn fill(&mut self, bytes: &[u8], start: usize) {
        self.num_rows = 0;
        self.next_row = 0;
        self.marks[0] = position(start).wrapping_sub(1);
        self.num_marks = 1;
        let stretch = &bytes[..bytes.len().min(start + WINDOW_BYTES)];
        // SAFETY: these functions are safe but for the instructions that they are compiled to, and a `Machine` of a
        // kind is made only where the machine was found to have them.
        #[allow(
            unsafe_code,
            reason = "vector instructions, chosen where the machine has them"
        )]
        match self.machine {
            #[cfg(target_arch = "x86_64")]
            Some(Machine::Avx512) => unsafe { self.fill_avx512(stretch, start) },
            #[cfg(target_arch = "x86_64")]
            Some(Machine::Avx2) => unsafe { self.fill_avx2(stretch, start) },
            Some(Machine::Any) => self.fill_portable(stretch, start),
            None => {}
        }
    }

    fn fill_portable(&mut self, bytes: &[u8], start: usize) {
        self.fill_by(
            bytes,
            start,
            portable::csv,
            portable::json,
            portable::positions,
        );
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
    fn fill_avx2(&mut self, bytes: &[u8], start: usize) {
        self.fill_by(
            bytes,
            start,
            |block| avx2::csv(block),
            |block| avx2::json(block),
            portable::positions,
        );
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
    fn fill_avx512(&mut self, bytes: &[u8], start: usize) {
        self.fill_by(
            bytes,
            start,
            |block| avx512::csv(block),
            |block| avx512::json(block),
            |bits, at, to| avx512::positions(bits, at, to),
        );
    }

    /// Inlined, so that it is compiled for the machine that its caller is compiled for.
    #[inline(always)]
    fn fill_by(
        &mut self,
        bytes: &[u8],
        start: usize,
        csv: impl Fn(&[u8; BLOCK_BYTES]) -> CsvMasks,
        json: impl Fn(&[u8; BLOCK_BYTES]) -> JsonMasks,
        positions: impl Fn(u64, u32, &mut [u32; BLOCK_BYTES]),
    ) {
        let format = self.format;
        let mut marks = Marks {
            index: self,
            positions,
        };
        match format {
            Format::Csv => scan(bytes, start, CsvScan::default(), csv, &mut marks),
            Format::Json => scan(bytes, start, JsonScan::default(), json, &mut marks),
        }
    }

    /// The rows from `start` on, as far as they are in the index and have `num_fields` fields each: of each the mark
    /// before its first field, and those behind its fields. Those that are taken are to be [passed](Self::pass).
    #[inline(always)]
    pub(super) fn rows_from(
        &mut self,
        start: usize,
        num_fields: usize,
    ) -> impl Iterator<Item = IndexedRow<'_>> {
        self.pass_before(start);
        let is_there = self.start_of_next() == Some(start);
        (self.next_row..)
            .map_while(|row| self.row(row))
            .take_while(move |row| is_there && row.marks.len() == num_fields + 1)
    }

    /// Passes the rows before `start`.
    #[inline(always)]
    fn pass_before(&mut self, start: usize) {
        while self.start_of_next().is_some_and(|next| next < start) {
            self.next_row += 1;
        }
    }

    #[inline(always)]
    fn start_of_next(&self) -> Option<usize> {
        self.row(self.next_row)
            .map(|row| row.place(self.format).start)
    }

    /// Passes the next rows.
    pub(super) fn pass(&mut self, num_rows: usize) {
        self.next_row += num_rows;
    }

    /// A row by its number.
    #[inline(always)]
    fn row(&self, row: usize) -> Option<IndexedRow<'_>> {
        let last = *self.row_ends[..self.num_rows].get(row)? as usize;
        let before = match row {
            0 => 0,
            row => self.row_ends[row - 1] as usize,
        };
        // The bracket that opens a row of JSON is a mark, too.
        let first = before + usize::from(self.format == Format::Json);
        Some(IndexedRow {
            marks: &self.marks[first..=last],
        })
    }

    /// Whether it has no row from `start` on.
    pub(super) fn is_exhausted(&mut self, start: usize) -> bool {
        self.pass_before(start);
        self.next_row == self.num_rows
    }
}

/// Takes the marks of each block and, among them, the row ends.
struct Marks<'i, P> {
    index: &'i mut Index,
    /// How bits become positions.
    positions: P,
}

impl<P: Fn(u64, u32, &mut [u32; BLOCK_BYTES])> Marks<'_, P> {
    /// Takes what the block at `at` gives.
    #[inline(always)]
    fn take(&mut self, at: usize, step: Step) {
        let Step {
            marks,
            mut row_ends,
            ..
        } = step;
        let index = &mut *self.index;
        let mut next_end = || {
            let before = marks & row_ends.wrapping_sub(1) & !row_ends;
            row_ends &= row_ends.wrapping_sub(1);
            index.num_marks as u32 + before.count_ones()
        };
        let num_ends = step.row_ends.count_ones() as usize;
        let ends = &mut index.row_ends[index.num_rows..];
        // One is written in any case: most blocks have none, and few have more than one.
        ends[0] = next_end();
        if num_ends > 1 {
            ends[1..num_ends].fill_with(next_end);
        }
        index.num_rows += num_ends;
        let slots = index.marks[index.num_marks..].first_chunk_mut();
        let slots = slots.expect("there is room for a window's marks");
        (self.positions)(marks, position(at), slots);
        index.num_marks += marks.count_ones() as usize;
    }
}

/// Scans `bytes` from `start` on, as far as they are regular, and has what each block gives taken with the block's
/// position.
///
/// Inlined, so that it is compiled for the machine that its caller is compiled for.
#[inline(always)]
fn scan<S: Scan>(
    bytes: &[u8],
    start: usize,
    mut scan: S,
    classify: impl Fn(&[u8; BLOCK_BYTES]) -> S::Masks,
    found: &mut Marks<'_, impl Fn(u64, u32, &mut [u32; BLOCK_BYTES])>,
) {
    let (blocks, rest) = bytes[start..].as_chunks::<BLOCK_BYTES>();
    let mut at = start;
    for block in blocks {
        let step = scan.step(classify(block));
        if step.irregular != 0 {
            return found.take(at, step.regular_part(step.irregular));
        }
        found.take(at, step);
        at += BLOCK_BYTES;
    }
    if !rest.is_empty() {
        let mut block = [0; BLOCK_BYTES];
        block[..rest.len()].copy_from_slice(rest);
        let step = scan.step(classify(&block));
        found.take(at, step.regular_part(step.irregular | 1 << rest.len()));
    }
}

/// What a block gives.
#[derive(Clone, Copy)]
struct Step {
    /// Bytes that end a field or begin a row.
    marks: u64,
    /// Those of them that end a row.
    row_ends: u64,
    /// Bytes that no regular row has there. From the first one on nothing is known.
    irregular: u64,
}

impl Step {
    /// What there is below the lowest bit of `irregular`.
    #[inline(always)]
    fn regular_part(self, irregular: u64) -> Self {
        let regular = !irregular & irregular.wrapping_sub(1);
        Step {
            marks: self.marks & regular,
            row_ends: self.row_ends & regular,
            irregular,
        }
    }
}

/// A scan on its way from block to block.
trait Scan {
    type Masks;

    fn step(&mut self, masks: Self::Masks) -> Step;
}

/// Bits moved up by a byte, with what the block before has left over, which becomes what this one leaves.
#[inline(always)]
fn behind(bits: u64, left_over: &mut u64) -> u64 {
    let moved = bits << 1 | *left_over;
    *left_over = bits >> 63;
    moved
}

/// Carries between blocks of CSV: each the bit of the last byte, but for `inside`, which is all bits or none.
struct CsvScan {
    inside: u64,
    may_open: u64,
    closed: u64,
}

impl Default for CsvScan {
    fn default() -> Self {
        CsvScan {
            inside: 0,
            may_open: 1,
            closed: 0,
        }
    }
}

impl Scan for CsvScan {
    type Masks = CsvMasks;

    #[inline(always)]
    fn step(&mut self, masks: CsvMasks) -> Step {
        let CsvMasks {
            commas,
            line_ends,
            quotes,
            parity,
        } = masks;
        let inside = parity ^ self.inside;
        self.inside = (inside.cast_signed() >> 63).cast_unsigned();
        let opening = quotes & inside;
        let closing = quotes & !inside;
        let marks = (commas | line_ends) & !inside;
        let may_open = behind(marks, &mut self.may_open);
        let behind_closing = behind(closing, &mut self.closed);
        Step {
            marks,
            row_ends: line_ends & !inside,
            irregular: (opening & !may_open) | (behind_closing & !marks) | (line_ends & inside),
        }
    }
}

/// Carries between blocks of JSON.
struct JsonScan {
    inside: u64,
    row_begins: u64,
    row_ended: u64,
    cell_begins: u64,
    closed: u64,
}

impl Default for JsonScan {
    fn default() -> Self {
        JsonScan {
            inside: 0,
            row_begins: 1,
            row_ended: 0,
            cell_begins: 0,
            closed: 0,
        }
    }
}

impl Scan for JsonScan {
    type Masks = JsonMasks;

    #[inline(always)]
    fn step(&mut self, masks: JsonMasks) -> Step {
        let inside = masks.parity ^ self.inside;
        self.inside = (inside.cast_signed() >> 63).cast_unsigned();
        let opening_quotes = masks.quotes & inside;
        let closing_quotes = masks.quotes & !inside;
        let outside = !(inside | masks.quotes);
        let commas = masks.commas & outside;
        let opening = masks.opening & outside;
        let closing = masks.closing & outside;

        let behind_row = behind(closing, &mut self.row_ended);
        let between_rows = commas & behind_row;
        let between_cells = commas & !behind_row;
        let row_begins = behind(between_rows, &mut self.row_begins);
        let cell_begins = behind(opening | between_cells, &mut self.cell_begins);
        let behind_quote = behind(closing_quotes, &mut self.closed);
        let cell_ends = between_cells | closing;
        Step {
            marks: opening | cell_ends,
            row_ends: closing,
            irregular: masks.backslashes
                | (outside & !(masks.words | opening | closing))
                | (row_begins ^ opening)
                | (behind_row & !between_rows)
                | (cell_begins & cell_ends)
                | (opening_quotes & !cell_begins)
                | (behind_quote & !cell_ends),
        }
    }
}
