//! Chunks: a stream of bytes cut behind whole rows.
//!
//! For each chunk the input is read up to a multiple of the chunk size, counted from its beginning: as independent compressed
//! frames begin and end there, too. Memory is one chunk and its successor's first row: a chunk grows beyond that only where
//! a single row needs it, or where what was read for such a row is handed out, and never beyond [`MAX_ROW_BYTES`]; the
//! memory that it has then is used again. Where the cuts fall depends on the bytes alone, not on how they arrive.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

use super::{CsvFraming, JsonFraming, json};
use crate::reject::MAX_TEXT_BYTES;

/// The longest row that is read, in bytes; a longer one is rejected.
///
/// A row with all of the catalogue's columns takes about 600 bytes.
pub(crate) const MAX_ROW_BYTES: usize = 1 << 20;

/// How many bytes of a row that is never closed become rows of a line each at once, about: behind each of these lines
/// there are three quarters of [`MAX_ROW_BYTES`] that do not close its quote.
const MAX_LINES_BYTES: usize = MAX_ROW_BYTES / 4;

/// Whole rows, or the beginning of one that is too long to read.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) bytes: Vec<u8>,
    /// Where `bytes` is the beginning of a single overlong row, the rest of which was passed over: the
    /// lines that the whole row takes.
    pub(crate) overlong_lines: Option<u64>,
    /// Whether each line is a row of its own, as the first has a quoted field that is never closed.
    pub(crate) is_line_by_line: bool,
}

/// How row ends are found.
#[derive(Debug)]
pub(crate) enum Framing {
    Csv(CsvFraming),
    Json(JsonFraming),
}

/// How a stream of rows ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The input ended.
    AtEnd,
    /// The array of rows was closed; what follows it is still to be read.
    Closed,
}

/// Cuts an input into chunks of whole rows.
pub(crate) struct ChunkReader<R> {
    input: R,
    /// How much was read of the input, bytes.
    position: u64,
    framing: Framing,
    chunk_bytes: usize,
    /// What was read behind the last cut.
    tail: Vec<u8>,
    /// How much of `tail` the framing has seen.
    num_scanned: usize,
    is_at_end: bool,
    ended: Option<Ended>,
}

impl<R: Read> ChunkReader<R> {
    /// Reads rows from `start`, the end of the `position` bytes that were read already, and then `input`, in chunks of about
    /// `chunk_bytes`.
    pub(crate) fn new(
        input: R,
        start: Vec<u8>,
        position: u64,
        framing: Framing,
        chunk_bytes: usize,
    ) -> Self {
        ChunkReader {
            input,
            position,
            framing,
            chunk_bytes: chunk_bytes.clamp(1, MAX_ROW_BYTES),
            tail: start,
            num_scanned: 0,
            is_at_end: false,
            ended: None,
        }
    }

    /// Fills `chunk` with the next rows and returns true, or false behind the last one.
    pub(crate) fn next_chunk(&mut self, chunk: &mut Chunk) -> io::Result<bool> {
        chunk.overlong_lines = None;
        chunk.is_line_by_line = false;
        let bytes = &mut chunk.bytes;
        if self.ended.is_some() {
            bytes.clear();
            return Ok(false);
        }
        // What the chunk held before is read over: to clear it would mean to fill it with zeros first.
        let mut num_read = self.tail.len();
        bytes.resize(bytes.len().max(num_read), 0);
        bytes[..num_read].copy_from_slice(&self.tail);
        self.tail.clear();
        let mut target = (num_read + self.chunk_left()).min(MAX_ROW_BYTES);
        loop {
            self.fill(bytes, num_read, target)?;
            num_read = bytes.len();
            let (boundary, end) = self.scan(bytes, self.num_scanned, false);
            self.num_scanned = bytes.len();
            if let Some(end) = end {
                self.ended = Some(Ended::Closed);
                self.keep_from(bytes, end);
                return Ok(!bytes.is_empty());
            }
            if let Some(boundary) = boundary {
                self.keep_from(bytes, boundary);
                return Ok(true);
            }
            if self.is_at_end {
                return Ok(self.last_rows(chunk));
            }
            if bytes.len() >= MAX_ROW_BYTES {
                if self.is_between_rows(bytes) {
                    (num_read, self.num_scanned, target) = (0, 0, self.chunk_left());
                    continue;
                }
                if !self.cut_lines_of_unclosed(chunk) {
                    self.pass_over_row(chunk)?;
                }
                return Ok(true);
            }
            target = (bytes.len() * 2).clamp(target, MAX_ROW_BYTES);
        }
    }

    /// How the rows ended, once they have.
    pub(crate) fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// Reads what follows the rows, at most `max_bytes` of it.
    pub(crate) fn read_rest(mut self, max_bytes: u64) -> io::Result<Vec<u8>> {
        let missing = max_bytes.saturating_sub(self.tail.len() as u64);
        self.input.take(missing).read_to_end(&mut self.tail)?;
        Ok(self.tail)
    }

    /// How many bytes there are up to the next multiple of the chunk size.
    fn chunk_left(&self) -> usize {
        let chunk_bytes = self.chunk_bytes as u64;
        // Not above the chunk size.
        (chunk_bytes - self.position % chunk_bytes) as usize
    }

    /// Reads behind the first `num_read` bytes, which are kept, up to `target` in all.
    fn fill(&mut self, bytes: &mut Vec<u8>, mut num_read: usize, target: usize) -> io::Result<()> {
        // Read straight into its place: `read_to_end` feels its way with small buffers.
        bytes.resize(target.max(num_read), 0);
        while num_read < target && !self.is_at_end {
            match self.input.read(&mut bytes[num_read..]) {
                Ok(0) => self.is_at_end = true,
                Ok(more) => {
                    num_read += more;
                    self.position += more as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(num_read);
        Ok(())
    }

    fn scan(
        &mut self,
        bytes: &[u8],
        from: usize,
        is_first: bool,
    ) -> (Option<usize>, Option<usize>) {
        match &mut self.framing {
            Framing::Csv(_) if is_first => (memchr(b'\n', &bytes[from..]).map(|at| at + 1), None),
            Framing::Csv(framing) => (framing.scan(bytes, from), None),
            Framing::Json(framing) => {
                let scan = framing.scan(bytes, from, is_first);
                (scan.boundary, scan.end)
            }
        }
    }

    /// Moves what stands behind `at` to the next chunk.
    fn keep_from(&mut self, bytes: &mut Vec<u8>, at: usize) {
        self.tail.clear();
        self.tail.extend_from_slice(&bytes[at..]);
        self.num_scanned -= at.min(self.num_scanned);
        bytes.truncate(at);
    }

    /// The rows behind the last row end, at the end of the input; whether there are any.
    fn last_rows(&mut self, chunk: &mut Chunk) -> bool {
        chunk.is_line_by_line =
            matches!(&self.framing, Framing::Csv(framing) if framing.is_quoted());
        self.ended = Some(Ended::AtEnd);
        !chunk.bytes.is_empty()
    }

    /// Whether there is nothing but what stands between the rows of a document.
    fn is_between_rows(&self, bytes: &[u8]) -> bool {
        matches!(self.framing, Framing::Json(_)) && json::skip_separators(bytes, 0).is_none()
    }

    /// Cuts lines off a row whose quoted field is not closed in [`MAX_ROW_BYTES`], so that its quote costs no
    /// other row; whether this was such a row.
    ///
    /// All line ends are within quotes then, as seen from the first line. Seen from another one, where nothing
    /// is quoted, they are so too behind the first that is: the two agree from there on. So each line that ends
    /// within quotes has a quote that is never closed, and any other ends a row.
    fn cut_lines_of_unclosed(&mut self, chunk: &mut Chunk) -> bool {
        let bytes = &mut chunk.bytes;
        let Framing::Csv(framing) = &mut self.framing else {
            return false;
        };
        let Some(last) = memrchr(b'\n', bytes) else {
            return false;
        };
        // A row that is long behind its quoted line ends is an overlong one.
        if !framing.is_quoted() && last < MAX_LINES_BYTES {
            return false;
        }
        let cut = memchr(b'\n', &bytes[MAX_LINES_BYTES..]).map_or(last, |at| MAX_LINES_BYTES + at);
        framing.restart();
        self.keep_from(bytes, cut + 1);
        self.num_scanned = 0;
        chunk.is_line_by_line = true;
        true
    }

    /// Keeps the beginning of an overlong row and reads on to its end.
    fn pass_over_row(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        // It may have quoted line ends in it, before the one that ends it.
        chunk.overlong_lines = Some(memchr_iter(b'\n', &chunk.bytes).count() as u64 + 1);
        let mut passed = chunk.bytes.split_off(MAX_TEXT_BYTES.min(chunk.bytes.len()));
        if let Framing::Csv(framing) = &mut self.framing {
            framing.restart();
        }
        loop {
            self.fill(&mut passed, 0, self.chunk_left())?;
            let (boundary, end) = self.scan(&passed, 0, true);
            if let Some(at) = boundary.or(end) {
                self.tail = passed.split_off(at);
                self.num_scanned = 0;
                return Ok(());
            }
            if self.is_at_end {
                self.ended = Some(Ended::AtEnd);
                return Ok(());
            }
        }
    }
}
