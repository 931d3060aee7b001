//! CSV as people really have it: RFC 4180 read by the csv crate's liberal rules.
//!
//! A quote opens a quoted field only where a field begins; inside, a doubled quote is one quote, and commas
//! and line ends are text; what follows the closing quote belongs to the field. Lines end with LF or CRLF.
//! Blank lines are nothing. Beyond the csv crate: spaces around a field are dropped, a field that is
//! quoted within such spaces (`0, " The sun"`) is unquoted, and a quote that shows itself as never closed
//! is a fault of its row.

use memchr::{memchr, memchr_iter, memchr2, memrchr};

use super::machine::Machine;
use super::masks::{BLOCK_BYTES, portable};
#[cfg(target_arch = "x86_64")]
use super::masks::{avx2, avx512};
use super::{Cells, Fault, Plan, plan::normalised_name};
use crate::reject::Reason;

/// Where in a row the scan for row ends is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Unquoted,
    Quoted,
    /// A quote inside a quoted field was the last byte so far: the next one tells what it was.
    QuoteInQuoted,
}

/// Finds row ends in a stream, keeping its place between buffers.
#[derive(Debug, Default)]
pub(crate) struct CsvFraming {
    state: State,
}

impl CsvFraming {
    /// Scans `bytes` from `from`, where the last scan ended, and returns the position behind the last row
    /// end in it. `bytes` begins where a row begins.
    pub(crate) fn scan(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        let last = memrchr(b'\n', &bytes[from..]).map(|at| from + at);
        let begun = self.state;
        self.pass_quotes(bytes, from, last.unwrap_or(bytes.len()));
        let last = last?;
        let is_quoted = self.is_quoted();
        self.pass_quotes(bytes, last, bytes.len());
        if !is_quoted {
            return Some(last + 1);
        }
        // The last line end is no row end. That is rare enough to look at all of them for it.
        self.state = begun;
        self.scan_lines(bytes, from)
    }

    /// Goes on from `from` to `to` by the quotes alone.
    fn pass_quotes(&mut self, bytes: &[u8], from: usize, to: usize) {
        let mut pass = QuotePass {
            is_quoted: self.is_quoted(),
            behind_closing: match self.state {
                State::QuoteInQuoted => from,
                _ => usize::MAX,
            },
        };
        // SAFETY: as in `Index::fill`.
        #[allow(
            unsafe_code,
            reason = "vector instructions, chosen where the machine has them"
        )]
        match Machine::here() {
            #[cfg(target_arch = "x86_64")]
            Machine::Avx512 => unsafe { pass.over_avx512(&bytes[..to], from) },
            #[cfg(target_arch = "x86_64")]
            Machine::Avx2 => unsafe { pass.over_avx2(&bytes[..to], from) },
            Machine::Any => pass.over(&bytes[..to], from, portable::quotes),
        }
        self.state = match pass.is_quoted {
            true => State::Quoted,
            false if pass.behind_closing == to => State::QuoteInQuoted,
            false => State::Unquoted,
        };
    }

    /// The same as [`CsvFraming::scan`], line end by line end.
    fn scan_lines(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut boundary = None;
        let mut at = from;
        for newline in memchr_iter(b'\n', &bytes[from..]).map(|newline| from + newline) {
            self.pass_quotes(bytes, at, newline);
            if !self.is_quoted() {
                boundary = Some(newline + 1);
            }
            at = newline;
        }
        self.pass_quotes(bytes, at, bytes.len());
        boundary
    }

    /// Whether the scan stands inside a quoted field.
    pub(crate) fn is_quoted(&self) -> bool {
        self.state == State::Quoted
    }

    /// Forgets an opening quote that is never closed; the next row begins unquoted.
    pub(crate) fn restart(&mut self) {
        self.state = State::Unquoted;
    }
}

/// A pass over text from quote to quote.
struct QuotePass {
    is_quoted: bool,
    /// The position behind the last closing quote: another quote there makes one of the two.
    behind_closing: usize,
}

impl QuotePass {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,pclmulqdq")]
    fn over_avx2(&mut self, bytes: &[u8], from: usize) {
        self.over(bytes, from, |block| avx2::quotes(block));
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512bw,bmi1,bmi2,popcnt")]
    fn over_avx512(&mut self, bytes: &[u8], from: usize) {
        self.over(bytes, from, |block| avx512::quotes(block));
    }

    /// Inlined, so that it is compiled for the machine that its caller is compiled for.
    #[inline(always)]
    fn over(&mut self, bytes: &[u8], from: usize, quotes: impl Fn(&[u8; BLOCK_BYTES]) -> u64) {
        let (blocks, rest) = bytes[from..].as_chunks::<BLOCK_BYTES>();
        let mut at = from;
        for block in blocks {
            let mut quotes = quotes(block);
            while quotes != 0 {
                self.take(bytes, at + quotes.trailing_zeros() as usize);
                quotes &= quotes - 1;
            }
            at += BLOCK_BYTES;
        }
        for (quote, _) in (at..).zip(rest).filter(|(_, byte)| **byte == b'"') {
            self.take(bytes, quote);
        }
    }

    #[inline(always)]
    fn take(&mut self, bytes: &[u8], quote: usize) {
        if self.is_quoted {
            self.is_quoted = false;
            self.behind_closing = quote + 1;
        } else {
            self.is_quoted = self.behind_closing == quote
                || quote == 0
                || matches!(bytes[quote - 1], b',' | b'\n');
        }
    }
}

/// What a row's quote is where its field has line ends and then text behind the closing quote.
///
/// Taken as it stands, `1,"Eros,2` and `3,"Ida (A)",4` would make one row of three fields: a body that is
/// half one and half the other.
pub(super) const TEXT_BEHIND_LINE_END: &str =
    "a quoted field goes on over the line end to another field's quote";

/// A row that was located.
pub(super) struct Located {
    /// The position behind its line end.
    pub(super) end: usize,
    /// The lines it takes.
    pub(super) num_lines: u64,
    pub(super) outcome: Result<(), Fault>,
}

/// One field of a row.
struct Field {
    start: usize,
    end: usize,
    /// Position of the comma or line end behind it, or the chunk's length.
    stop: usize,
    /// The closing quote, where the text must be copied to lose it or doubled quotes.
    quote_at: Option<usize>,
}

impl Field {
    /// Whether there is more behind the closing quote than spaces.
    fn has_text_behind(&self, bytes: &[u8]) -> bool {
        self.quote_at
            .is_some_and(|close| !bytes[close + 1..self.end].trim_ascii().is_empty())
    }
}

/// Locates the wanted cells of the row that begins at `start`, before the chunk's end.
pub(super) fn locate(bytes: &[u8], start: usize, plan: &Plan, cells: &mut Cells) -> Located {
    let mut at = start;
    let mut num_fields = 0;
    let mut num_lines = 1;
    let mut is_run_on = false;
    let end = loop {
        let Some(field) = field_at(bytes, at) else {
            let fault = Fault::new(Reason::UnclosedQuote, "a quoted field is never closed");
            // Its quote costs no other row: the next line may begin one.
            return Located {
                end: line_end(bytes, start),
                num_lines: 1,
                outcome: Err(fault),
            };
        };
        if bytes[at] == b'"' {
            let num_line_ends = memchr_iter(b'\n', &bytes[field.start..field.end]).count();
            num_lines += num_line_ends as u64;
            is_run_on |= num_line_ends > 0 && field.has_text_behind(bytes);
        }
        if let Some(slot) = plan.slot(num_fields) {
            set_cell(bytes, &field, slot, cells);
        }
        num_fields += 1;
        at = field.stop + 1;
        if field.stop >= bytes.len() || bytes[field.stop] == b'\n' {
            break at.min(bytes.len());
        }
        if at == bytes.len() {
            // The last row ends with a comma and no line end: one more field, empty.
            num_fields += 1;
            break at;
        }
    };
    let outcome = if is_run_on {
        Err(Fault::new(Reason::UnclosedQuote, TEXT_BEHIND_LINE_END))
    } else if num_fields == plan.width() {
        Ok(())
    } else {
        Err(Fault::field_count(num_fields, plan.width()))
    };
    Located {
        end,
        num_lines,
        outcome,
    }
}

/// The field at `at`, or `None` where its quote is never closed.
fn field_at(bytes: &[u8], at: usize) -> Option<Field> {
    if bytes[at] != b'"' {
        let stop = stop_from(bytes, at);
        return Some(Field {
            start: at,
            end: stop,
            stop,
            quote_at: None,
        });
    }
    let start = at + 1;
    let mut has_doubled = false;
    let mut from = start;
    let close = loop {
        let quote = from + memchr(b'"', &bytes[from..])?;
        if bytes.get(quote + 1) != Some(&b'"') {
            break quote;
        }
        has_doubled = true;
        from = quote + 2;
    };
    let stop = stop_from(bytes, close + 1);
    let is_plain = !has_doubled && bytes[close + 1..stop].trim_ascii().is_empty();
    Some(if is_plain {
        Field {
            start,
            end: close,
            stop,
            quote_at: None,
        }
    } else {
        Field {
            start,
            end: stop,
            stop,
            quote_at: Some(close),
        }
    })
}

/// The next comma or line end from `at` on, or the end.
fn stop_from(bytes: &[u8], at: usize) -> usize {
    memchr2(b',', b'\n', &bytes[at..]).map_or(bytes.len(), |found| at + found)
}

fn set_cell(bytes: &[u8], field: &Field, slot: usize, cells: &mut Cells) {
    let mut text = &bytes[field.start..field.end];
    let unescaped;
    if let Some(close) = field.quote_at {
        let mut copy = Vec::new();
        unescape(&bytes[field.start..close], &mut copy);
        copy.extend_from_slice(&bytes[close + 1..field.end]);
        unescaped = copy;
        text = &unescaped;
    } else if text.first() == Some(&b' ')
        && let [b'"', inner @ .., b'"'] = text.trim_ascii()
    {
        text = inner;
    }
    cells.set(slot, text);
}

/// Appends `quoted` with each doubled quote halved.
fn unescape(quoted: &[u8], out: &mut Vec<u8>) {
    let mut rest = quoted;
    while let Some(quote) = memchr(b'"', rest) {
        out.extend_from_slice(&rest[..=quote]);
        rest = &rest[(quote + 2).min(rest.len())..];
    }
    out.extend_from_slice(rest);
}

/// The position behind the line end from `at` on, or the end.
pub(super) fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |newline| at + newline + 1)
}

/// The position of the first line from `at` on that is not blank, and how many blank ones were passed.
pub(super) fn skip_blank_lines(bytes: &[u8], mut at: usize) -> (usize, u64) {
    let mut num_blank = 0;
    while matches!(bytes.get(at), Some(b'\n' | b'\r' | b' ' | b'\t')) {
        let end = line_end(bytes, at);
        if !bytes[at..end].trim_ascii().is_empty() {
            break;
        }
        num_blank += 1;
        at = end;
    }
    (at, num_blank)
}

/// The header of a CSV file.
pub(crate) struct Header {
    /// Its names, normalised.
    pub(crate) columns: Vec<String>,
    /// The position behind it.
    pub(crate) end: usize,
    /// The lines down to its own.
    pub(crate) num_lines: u64,
}

/// Reads the header out of the first rows of a file: the first line that is neither blank nor begins with
/// `#`. `None` where there is none.
pub(crate) fn read_header(bytes: &[u8]) -> Option<Header> {
    let mut at = 0;
    loop {
        let end = line_end(bytes, at);
        let line = bytes[at..end].trim_ascii();
        if !line.is_empty() && !line.starts_with(b"#") {
            break;
        }
        if end == bytes.len() {
            return None;
        }
        at = end;
    }
    let mut columns = Vec::new();
    let mut cells = Cells::default();
    while at < bytes.len() {
        let field = field_at(bytes, at)?;
        cells.reset(1);
        set_cell(bytes, &field, 0, &mut cells);
        columns.push(normalised_name(cells.row().bytes(0)));
        at = field.stop + 1;
        if field.stop >= bytes.len() || bytes[field.stop] == b'\n' {
            break;
        }
    }
    let end = at.min(bytes.len());
    Some(Header {
        columns,
        end,
        num_lines: memchr_iter(b'\n', &bytes[..end]).count() as u64,
    })
}
