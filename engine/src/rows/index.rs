//! The structural index: where fields and rows end in a stretch of a chunk, found 64 bytes at a time.
//!
//! It knows regular rows only: a quoted field whose quotes stand at its ends alone, no line end in it, no
//! escape in a string of JSON, no space around a cell of one. Up to the first byte that is otherwise, whether a byte
//! stands inside quotes is the parity of the quotes before it, which vector code counts without looking at
//! fields; from there on the index is silent, and the row is left to [`csv`](super::csv) and
//! [`json`](super::json), which take anything and decide what is a fault.
//!
//! The one unsafe block is here: it calls code that is compiled for AVX2, on machines that have it.

use super::Format;
use super::cells::position;
#[cfg(target_arch = "x86_64")]
use super::masks::avx2;
use super::masks::{BLOCK_BYTES, CsvMasks, JsonMasks, Machine, parity, portable};

/// Bytes that are indexed at once: they and their index fit into a core's first cache.
const WINDOW_BYTES: usize = 16 << 10;

/// The ends of fields and rows in a stretch of a chunk.
#[derive(Debug)]
pub(super) struct Index {
    /// Positions in the chunk of whatever ends a field or begins a row, behind one that is a place holder:
    /// the row's own beginning for CSV, where the line end before it stands in for the next ones.
    marks: Box<[u32]>,
    num_marks: usize,
    /// For each row, the place of its end among the marks.
    row_ends: Vec<u32>,
    next_row: usize,
    format: Format,
    machine: Machine,
}

/// A row of an index.
pub(super) struct IndexedRow {
    /// The places of the mark before its first field and of the one behind its last.
    first: usize,
    last: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl IndexedRow {
    pub(super) fn num_fields(&self) -> usize {
        self.last - self.first
    }
}

impl Index {
    pub(super) fn new(format: Format) -> Self {
        Self::on(Machine::here(), format)
    }

    pub(super) fn on(machine: Machine, format: Format) -> Self {
        Index {
            marks: vec![0; WINDOW_BYTES + 2 * BLOCK_BYTES].into_boxed_slice(),
            num_marks: 0,
            row_ends: Vec::new(),
            next_row: 0,
            format,
            machine,
        }
    }

    /// Indexes the whole regular rows from `start` on, where one begins.
    pub(super) fn fill(&mut self, bytes: &[u8], start: usize) {
        self.row_ends.clear();
        self.next_row = 0;
        self.marks[0] = position(start).wrapping_sub(1);
        self.num_marks = 1;
        let stretch = &bytes[..bytes.len().min(start + WINDOW_BYTES)];
        match self.machine {
            // SAFETY: `fill_avx2` is safe but for the instructions that it is compiled to, those of AVX2,
            // BMI and POPCNT; `Machine::Avx2` is made only where the machine was found to have all of them.
            #[cfg(target_arch = "x86_64")]
            #[allow(
                unsafe_code,
                reason = "vector instructions, chosen where the machine has them"
            )]
            Machine::Avx2 => unsafe { self.fill_avx2(stretch, start) },
            Machine::Any => self.fill_portable(stretch, start),
            #[cfg(test)]
            Machine::None => {}
        }
    }

    fn fill_portable(&mut self, bytes: &[u8], start: usize) {
        match self.format {
            Format::Csv => scan(bytes, start, CsvScan::default(), portable::csv, self),
            Format::Json => scan(bytes, start, JsonScan::default(), portable::json, self),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    fn fill_avx2(&mut self, bytes: &[u8], start: usize) {
        match self.format {
            Format::Csv => scan(
                bytes,
                start,
                CsvScan::default(),
                |block| avx2::csv(block),
                self,
            ),
            Format::Json => scan(
                bytes,
                start,
                JsonScan::default(),
                |block| avx2::json(block),
                self,
            ),
        }
    }

    /// The row that begins at `start`, if it is in the index. Rows before it are passed over.
    #[inline]
    pub(super) fn row_at(&mut self, start: usize) -> Option<IndexedRow> {
        loop {
            let last = *self.row_ends.get(self.next_row)? as usize;
            let before = match self.next_row {
                0 => 0,
                next => self.row_ends[next - 1] as usize,
            };
            let (first, row_start) = match self.format {
                Format::Csv => (before, self.marks[before].wrapping_add(1)),
                // The bracket that opens a row is a mark, too.
                Format::Json => (before + 1, self.marks[before + 1]),
            };
            if row_start as usize > start {
                return None;
            }
            self.next_row += 1;
            if row_start as usize == start {
                return Some(IndexedRow {
                    first,
                    last,
                    start,
                    end: self.marks[last] as usize + 1,
                });
            }
        }
    }

    /// The mark before the first field of a row, and the one behind each field.
    #[inline]
    pub(super) fn marks(&self, row: &IndexedRow) -> &[u32] {
        &self.marks[row.first..=row.last]
    }

    /// Whether all of its rows were given or passed over.
    pub(super) fn is_exhausted(&self) -> bool {
        self.next_row == self.row_ends.len()
    }
}

impl Marks for Index {
    #[inline(always)]
    fn take(&mut self, at: usize, mut marks: u64, mut row_ends: u64) {
        let at = position(at);
        while row_ends != 0 {
            let before = marks & row_ends.wrapping_sub(1) & !row_ends;
            self.row_ends
                .push(self.num_marks as u32 + before.count_ones());
            row_ends &= row_ends - 1;
        }
        let num_marks = marks.count_ones() as usize;
        let slots = &mut self.marks[self.num_marks..self.num_marks + BLOCK_BYTES];
        // A fixed number of marks is written at once, though fewer be there: so many have one block in two,
        // and a loop that ends elsewhere each time costs more than the ones that are overwritten.
        let (first, more) = slots.split_at_mut(12);
        for slot in first {
            *slot = at + marks.trailing_zeros();
            marks &= marks.wrapping_sub(1);
        }
        if num_marks > 12 {
            for slot in &mut more[..num_marks - 12] {
                *slot = at + marks.trailing_zeros();
                marks &= marks.wrapping_sub(1);
            }
        }
        self.num_marks += num_marks;
    }
}

/// The position behind the last row end that is reached from `start` on, where a row of JSON begins, over
/// regular rows alone.
pub(super) fn last_json_row_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut last = LastRowEnd(None);
    match Machine::here() {
        // SAFETY: as in `Index::fill`.
        #[cfg(target_arch = "x86_64")]
        #[allow(
            unsafe_code,
            reason = "vector instructions, chosen where the machine has them"
        )]
        Machine::Avx2 => unsafe { pass_json_avx2(bytes, start, &mut last) },
        _ => scan(bytes, start, JsonScan::default(), portable::json, &mut last),
    }
    last.0
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn pass_json_avx2(bytes: &[u8], start: usize, last: &mut LastRowEnd) {
    scan(
        bytes,
        start,
        JsonScan::default(),
        |block| avx2::json(block),
        last,
    );
}

/// Takes note of the last row end alone.
struct LastRowEnd(Option<usize>);

impl Marks for LastRowEnd {
    #[inline(always)]
    fn take(&mut self, at: usize, _marks: u64, row_ends: u64) {
        if let Some(last) = row_ends.checked_ilog2() {
            self.0 = Some(at + last as usize + 1);
        }
    }
}

/// Takes what a scan finds, block by block.
trait Marks {
    /// Takes the marks and, among them, the row ends of the block at `at`.
    fn take(&mut self, at: usize, marks: u64, row_ends: u64);
}

/// Scans `bytes` from `start` on, as far as they are regular.
///
/// Inlined, so that it is compiled for the machine that its caller is compiled for.
#[inline(always)]
fn scan<S: Scan>(
    bytes: &[u8],
    start: usize,
    mut scan: S,
    classify: impl Fn(&[u8; BLOCK_BYTES]) -> S::Masks,
    found: &mut impl Marks,
) {
    let (blocks, rest) = bytes[start..].as_chunks::<BLOCK_BYTES>();
    let mut at = start;
    for block in blocks {
        let step = scan.step(classify(block));
        let valid = regular_part(step.irregular);
        found.take(at, step.marks & valid, step.row_ends & valid);
        if step.irregular != 0 {
            return;
        }
        at += BLOCK_BYTES;
    }
    if !rest.is_empty() {
        let mut block = [0; BLOCK_BYTES];
        block[..rest.len()].copy_from_slice(rest);
        let step = scan.step(classify(&block));
        let valid = regular_part(step.irregular | 1 << rest.len());
        found.take(at, step.marks & valid, step.row_ends & valid);
    }
}

/// The bits below the lowest one that is irregular.
#[inline(always)]
fn regular_part(irregular: u64) -> u64 {
    !irregular & irregular.wrapping_sub(1)
}

/// What a block gives.
struct Step {
    /// Bytes that end a field or begin a row.
    marks: u64,
    /// Those of them that end a row.
    row_ends: u64,
    /// Bytes that no regular row has there. From the first one on nothing is known.
    irregular: u64,
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
        } = masks;
        let inside = parity(quotes) ^ self.inside;
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
        let inside = parity(masks.quotes) ^ self.inside;
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
