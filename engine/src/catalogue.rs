//! The catalogue: JPL's small-body database, as the Query API's JSON document or as a CSV export of any
//! column set, plain, gzip or zstd. Everything about it is recognised from its bytes.
//!
//! Reading is synchronous: bytes in, chunks of whole rows out. [`Catalogue::open`] reads as far as the
//! columns; the rows follow chunk by chunk; [`Catalogue::finish`] checks that the input ended as it should.

mod column;
mod error;

use std::io::{self, Read};

pub(crate) use column::Column;
pub use column::{COLUMN_NAMES, MAX_COLUMNS};
pub use error::CatalogueError;

use crate::compression::{Compression, Decompressed};
use crate::content::{BYTE_ORDER_MARK, Content, page_text};
pub use crate::rows::Format;
use crate::rows::{
    Chunk, ChunkReader, CsvFraming, DataStart, Ended, Framing, JsonFraming, JsonHead, Plan,
    find_data, read_header,
};

/// Most bytes of a document before, and as many behind, its rows.
const MAX_ENVELOPE_BYTES: usize = 1 << 20;

/// How a catalogue is read.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// About how many bytes are handed over at once.
    pub chunk_bytes: usize,
    /// The columns of a JSON document, where they are known from asking for them. A document may give its
    /// rows before its fields; these are then checked against its own at the end.
    pub fields: Option<Vec<String>>,
    /// Whether reading waits for others, as for whoever writes into a pipe. One thread does all of it then while the others
    /// value; a compressed input is read so in any case.
    pub is_waited_for: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions {
            // Two frames of an input set, which are decoded straight into it.
            chunk_bytes: 2 * crate::frames::CONTENT_BYTES,
            fields: None,
            is_waited_for: false,
        }
    }
}

/// What a catalogue says of itself, known before its rows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Header {
    /// How its rows are written.
    pub format: Format,
    /// How it is compressed.
    pub compression: Compression,
    /// Its columns, in the order of the cells, by their normalised names.
    pub columns: Vec<String>,
}

/// What a catalogue says of itself, known behind its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Trailer {
    /// The number of bodies that the server counted. With a `limit` it is that of all matches.
    pub count: Option<u64>,
    /// Who made the document and by which version of the interface.
    pub made_by: Option<String>,
}

/// A catalogue being read.
pub struct Catalogue<R: Read> {
    header: Header,
    plan: Plan,
    /// Rows that came with the header.
    first: Option<Chunk>,
    chunks: ChunkReader<Decompressed<R>>,
    is_waited_for: bool,
    /// The line that the first row may begin on, from 1.
    first_line: u64,
    /// The document up to its rows.
    envelope: Vec<u8>,
    rows_read_bytes: u64,
    /// Whether the rows so far end with a line end.
    is_line_ended: bool,
}

impl<R: Read> Catalogue<R> {
    /// Reads `input` as far as its columns.
    ///
    /// # Errors
    /// [`CatalogueError`] where the input cannot be read or is no catalogue.
    pub fn open(input: R, options: &ReadOptions) -> Result<Self, CatalogueError> {
        let mut input = Decompressed::new(input).map_err(CatalogueError::Read)?;
        let compression = input.compression();
        let fail = |error| read_error(compression, error);
        let mut start = Vec::new();
        input
            .by_ref()
            .take(64 << 10)
            .read_to_end(&mut start)
            .map_err(fail)?;
        match Content::of(&start) {
            Content::Empty => Err(CatalogueError::Empty),
            Content::Markup => Err(CatalogueError::Page {
                text: page_text(&start, 200),
            }),
            Content::Utf16 => Err(CatalogueError::Utf16),
            Content::Archive(kind) => Err(CatalogueError::Archive(kind)),
            Content::Binary => Err(CatalogueError::Binary),
            Content::Json => Self::open_json(input, start, options),
            Content::Text => Self::open_csv(input, start, options),
        }
    }

    fn open_csv(
        mut input: Decompressed<R>,
        mut start: Vec<u8>,
        options: &ReadOptions,
    ) -> Result<Self, CatalogueError> {
        if start.starts_with(BYTE_ORDER_MARK) {
            start.drain(..BYTE_ORDER_MARK.len());
        }
        let compression = input.compression();
        let fail = |error| read_error(compression, error);
        let num_lines = skip_preamble(&mut start, &mut input).map_err(fail)?;
        let position = input.position();
        let framing = Framing::Csv(CsvFraming::default());
        let mut chunks = ChunkReader::new(input, start, position, framing, options.chunk_bytes);
        let mut first = Chunk::default();
        if !chunks.next_chunk(&mut first).map_err(fail)? {
            return Err(CatalogueError::Empty);
        }
        if first.overlong_lines.is_some() {
            return Err(CatalogueError::Header("it is longer than any header"));
        }
        let Some(header) = read_header(&first.bytes) else {
            return Err(CatalogueError::Header("a quote in it is never closed"));
        };
        first.bytes.drain(..header.end);
        let columns = header.columns;
        let plan = column::plan(&columns)?;
        Ok(Catalogue {
            header: Header {
                format: Format::Csv,
                compression,
                columns,
            },
            plan,
            first: Some(first),
            chunks,
            is_waited_for: options.is_waited_for,
            first_line: 1 + num_lines + header.num_lines,
            envelope: Vec::new(),
            rows_read_bytes: 0,
            is_line_ended: true,
        })
    }

    fn open_json(
        mut input: Decompressed<R>,
        mut start: Vec<u8>,
        options: &ReadOptions,
    ) -> Result<Self, CatalogueError> {
        let compression = input.compression();
        let data = loop {
            match find_data(&start) {
                DataStart::At(data) => break data,
                DataStart::Further if start.len() < MAX_ENVELOPE_BYTES => {
                    let missing = start.len() as u64;
                    let num_read = input
                        .by_ref()
                        .take(missing)
                        .read_to_end(&mut start)
                        .map_err(|error| read_error(compression, error))?;
                    if num_read == 0 {
                        return Err(CatalogueError::TruncatedDocument { rows_read_bytes: 0 });
                    }
                }
                DataStart::Further => return Err(CatalogueError::NoData),
                DataStart::Absent => return Err(without_data(&start)),
            }
        };
        let rows = start.split_off(data);
        let columns = match parse_envelope(&start, b"]}")?.fields {
            Some(fields) => {
                check_fields(options.fields.as_deref(), &fields)?;
                fields
            }
            None => options
                .fields
                .clone()
                .ok_or(CatalogueError::FieldsBehindData)?,
        };
        let plan = column::plan(&columns)?;
        let position = input.position();
        let framing = Framing::Json(JsonFraming::default());
        Ok(Catalogue {
            header: Header {
                format: Format::Json,
                compression,
                columns,
            },
            plan,
            first: None,
            chunks: ChunkReader::new(input, rows, position, framing, options.chunk_bytes),
            is_waited_for: options.is_waited_for,
            first_line: 1,
            envelope: start,
            rows_read_bytes: 0,
            is_line_ended: true,
        })
    }

    /// What the catalogue says of itself before its rows.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whether the input is CSV whose last row has no line end: it may be cut off.
    pub(crate) fn may_be_cut_off(&self) -> bool {
        self.header.format == Format::Csv && !self.is_line_ended
    }

    /// Whether one thread is to do all the reading.
    pub(crate) fn is_read_by_one(&self) -> bool {
        self.is_waited_for || self.header.compression != Compression::None
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The line that the first row may begin on, from 1.
    pub(crate) fn first_line(&self) -> u64 {
        self.first_line
    }

    /// Bytes of rows that were handed out, after decompression.
    pub(crate) fn rows_read_bytes(&self) -> u64 {
        self.rows_read_bytes
    }

    /// Fills `chunk` with the next rows and returns true, or false behind the last one.
    pub(crate) fn next_chunk(&mut self, chunk: &mut Chunk) -> Result<bool, CatalogueError> {
        let is_filled = match self.first.take().filter(|first| !first.bytes.is_empty()) {
            Some(first) => {
                *chunk = first;
                true
            }
            None => self
                .chunks
                .next_chunk(chunk)
                .map_err(|error| read_error(self.header.compression, error))?,
        };
        self.rows_read_bytes += chunk.bytes.len() as u64;
        self.is_line_ended = chunk
            .bytes
            .last()
            .map_or(self.is_line_ended, |last| *last == b'\n');
        Ok(is_filled)
    }

    /// Checks that the input ended as its format wants it, once its rows are read.
    ///
    /// # Errors
    /// [`CatalogueError`] where a document is cut off, malformed behind its rows, or names other fields
    /// than those it was read with.
    pub(crate) fn finish(self) -> Result<Trailer, CatalogueError> {
        if self.header.format == Format::Csv {
            return Ok(Trailer::default());
        }
        let columns = self.header.columns.clone();
        let document = self.read_envelope()?;
        if let Some(fields) = &document.fields {
            check_fields(Some(&columns), fields)?;
        }
        let count = document.count();
        let made_by = document.signature.and_then(|signature| signature.made_by());
        Ok(Trailer { count, made_by })
    }

    /// Reads what a document says beside its rows, once they are read.
    fn read_envelope(self) -> Result<JsonHead, CatalogueError> {
        let compression = self.header.compression;
        let truncated = CatalogueError::TruncatedDocument {
            rows_read_bytes: self.rows_read_bytes,
        };
        if self.chunks.ended() != Some(Ended::Closed) {
            return Err(truncated);
        }
        let rest = self
            .chunks
            .read_rest(MAX_ENVELOPE_BYTES as u64)
            .map_err(|error| read_error(compression, error))?;
        match parse_envelope(&self.envelope, &rest) {
            Err(CatalogueError::MalformedDocument(error)) if error.is_eof() => Err(truncated),
            document => document,
        }
    }
}

/// Finds the fields of a document that gives its rows first, by reading it to its end. Of CSV these are
/// the header's.
///
/// # Errors
/// [`CatalogueError`] where the document cannot be read or has no fields.
pub fn find_fields(input: impl Read) -> Result<Vec<String>, CatalogueError> {
    // Any columns will do to get past the rows.
    let probe = ["spkid", "e", "a"].map(str::to_owned).to_vec();
    let options = ReadOptions {
        fields: Some(probe),
        ..ReadOptions::default()
    };
    let mut catalogue = match Catalogue::open(input, &options) {
        Err(CatalogueError::OtherFields { got, .. }) => return Ok(got),
        catalogue => catalogue?,
    };
    if catalogue.header.format == Format::Csv {
        return Ok(catalogue.header.columns);
    }
    let mut chunk = Chunk::default();
    while catalogue.next_chunk(&mut chunk)? {}
    let document = catalogue.read_envelope()?;
    document.fields.ok_or(CatalogueError::NoFields)
}

/// Passes over the lines before a header, which are blank or begin with `#`, and returns their number.
///
/// It is done before rows are looked for: a quote in a comment opens no field.
fn skip_preamble(start: &mut Vec<u8>, input: &mut impl Read) -> io::Result<u64> {
    const STEP_BYTES: u64 = 64 << 10;
    let mut num_lines = 0;
    let mut is_comment = false;
    while !start.is_empty() {
        for (at, byte) in start.iter().enumerate() {
            match byte {
                b'\n' => {
                    num_lines += 1;
                    is_comment = false;
                }
                _ if is_comment || byte.is_ascii_whitespace() => {}
                b'#' => is_comment = true,
                _ => {
                    start.drain(..at);
                    return Ok(num_lines);
                }
            }
        }
        start.clear();
        input.by_ref().take(STEP_BYTES).read_to_end(start)?;
    }
    Ok(num_lines)
}

/// The document without its rows: what stands before them and what stands behind.
fn parse_envelope(before: &[u8], behind: &[u8]) -> Result<JsonHead, CatalogueError> {
    let before = before.strip_prefix(BYTE_ORDER_MARK).unwrap_or(before);
    serde_json::from_slice(&[before, behind].concat()).map_err(CatalogueError::MalformedDocument)
}

/// What a document without rows is.
fn without_data(document: &[u8]) -> CatalogueError {
    match parse_envelope(document, b"") {
        Ok(head) => match (head.count(), head.message) {
            (_, Some(message)) => CatalogueError::ErrorReply(message),
            (Some(count), None) => CatalogueError::CountOnly { count },
            (None, None) => CatalogueError::NoData,
        },
        Err(_) => CatalogueError::NoData,
    }
}

fn check_fields(asked: Option<&[String]>, got: &[String]) -> Result<(), CatalogueError> {
    column::check_num_columns(got)?;
    match asked {
        Some(asked) if asked != got => Err(CatalogueError::OtherFields {
            asked: asked.to_vec(),
            got: got.to_vec(),
        }),
        _ => Ok(()),
    }
}

fn read_error(compression: Compression, error: io::Error) -> CatalogueError {
    match (compression, error.kind()) {
        (Compression::None, _) => CatalogueError::Read(error),
        (_, io::ErrorKind::UnexpectedEof) => CatalogueError::CutOff(compression),
        (_, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other) => {
            CatalogueError::Damaged {
                compression,
                source: error,
            }
        }
        _ => CatalogueError::Read(error),
    }
}
