//! Why an input is no catalogue.

use std::io;

use super::MAX_COLUMNS;
use crate::compression::Compression;

/// An input that cannot be read as a catalogue. No row of it counts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// Reading failed, below the format.
    #[error("the input cannot be read")]
    Read(#[source] io::Error),
    /// A compressed stream ends before its end.
    #[error("the {} stream is cut off: download it again", .0.name())]
    CutOff(Compression),
    /// A compressed stream is damaged.
    #[error("the {} stream is damaged: download it again", compression.name())]
    Damaged {
        /// How the input is compressed.
        compression: Compression,
        /// What the decoder says.
        #[source]
        source: io::Error,
    },
    /// The content of a compressed input is compressed, too.
    #[error("the input is compressed twice: decompress it once")]
    CompressedTwice,
    /// There is nothing in the input.
    #[error("the input is empty")]
    Empty,
    /// The input is a page, most likely a server's error page.
    #[error("the input is a page of HTML or XML, not a catalogue: \"{text}\"")]
    Page {
        /// What the page says.
        text: String,
    },
    /// The input is an archive.
    #[error("the input is packed as {0}: unpack it first (gzip and zstd are read as they are)")]
    Archive(&'static str),
    /// The input is UTF-16 text.
    #[error("the input is UTF-16 text: save it as CSV in UTF-8")]
    Utf16,
    /// The input is not text.
    #[error("the input is binary data, not CSV or JSON")]
    Binary,
    /// The header of a CSV file cannot be read.
    #[error("the header cannot be read: {0}")]
    Header(&'static str),
    /// The header has more columns than any catalogue.
    #[error("the header has {num_columns} columns: more than {MAX_COLUMNS} are in no catalogue")]
    TooManyColumns {
        /// How many columns it has.
        num_columns: usize,
    },
    /// The header has no column that names a body.
    #[error(
        "no usable key: none of the columns pdes, full_name and spkid is there (columns: {columns})"
    )]
    NoKeyColumn {
        /// The columns that are there.
        columns: String,
    },
    /// The header has no usable orbit.
    #[error("no usable orbit: column e and one of a and q are needed (columns: {columns})")]
    NoOrbitColumns {
        /// The columns that are there.
        columns: String,
    },
    /// A needed column stands twice in the header.
    #[error("column {0} stands twice in the header")]
    DuplicateColumn(String),
    /// The document is the API's answer to a query without fields.
    #[error("the document is a count ({count}) without rows: ask the API for fields")]
    CountOnly {
        /// The number of bodies.
        count: u64,
    },
    /// The document is the API's error reply.
    #[error("the document is an error reply of the API: {0}")]
    ErrorReply(String),
    /// The document has no rows.
    #[error("the JSON document has no array \"data\": it is no answer of the SBDB Query API")]
    NoData,
    /// The rows come before the names of their columns.
    #[error(
        "the document gives its rows before its fields: read it from a file, which can be read twice"
    )]
    FieldsBehindData,
    /// The document has rows and does not name their columns.
    #[error("the document has no \"fields\": its columns must be known from asking for them")]
    NoFields,
    /// The document's own fields are others than those that were expected.
    #[error(
        "the document's fields are not those that were asked for (asked: {}; got: {})",
        asked.join(", "),
        got.join(", ")
    )]
    OtherFields {
        /// What was asked for.
        asked: Vec<String>,
        /// What the document says.
        got: Vec<String>,
    },
    /// The document ends before its end.
    #[error(
        "the JSON document is cut off after {rows_read_bytes} bytes of rows: download it again"
    )]
    TruncatedDocument {
        /// Bytes of whole and broken rows that were there.
        rows_read_bytes: u64,
    },
    /// The last row of a CSV file has no line end and is incomplete.
    #[error("the table is cut off in its last row, {row}: download it again")]
    TruncatedTable {
        /// The row's number.
        row: u64,
    },
    /// The document is whole and more follows.
    #[error("the JSON document goes on behind its end")]
    GoesOn,
    /// What stands around the rows is not JSON.
    #[error("the JSON document is malformed around its rows")]
    MalformedDocument(#[source] serde_json::Error),
    /// There is a header and no row.
    #[error("there is no row below the header")]
    NoRows,
}

impl CatalogueError {
    /// Whether the input ended before its end, as one does whose download was cut short.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        matches!(
            self,
            Self::CutOff(_) | Self::TruncatedDocument { .. } | Self::TruncatedTable { .. }
        )
    }

    /// Whether the input, though no catalogue, may be one of the other tables.
    #[must_use]
    pub fn may_be_other_table(&self) -> bool {
        matches!(
            self,
            Self::NoKeyColumn { .. }
                | Self::NoOrbitColumns { .. }
                | Self::Page { .. }
                | Self::NoData
                | Self::NoFields
        )
    }
}
