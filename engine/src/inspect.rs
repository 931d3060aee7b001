//! Inspection: what a file is and how much of it can be used, without valuing it.

use std::io::Read;

use serde::Serialize;

use crate::body::is_missing;
use crate::catalogue::{COLUMN_NAMES, Catalogue, CatalogueError, Format, Trailer};
use crate::compression::{Compression, read_all};
use crate::content::Content;
use crate::delta_v::{Comparison, DeltaVTable, compare};
use crate::exoplanets::{Candidates, ExoplanetList};
use crate::masses::{Average, MassList};
use crate::nhats::NhatsTable;
use crate::number::Number;
use crate::reject::Reject;
use crate::report::{ExoplanetInput, MassInput, NhatsInput};
use crate::rows::{Chunk, Places, Rows};

/// Columns of the catalogue whose cells are texts.
const TEXT_COLUMNS: [&str; 11] = [
    "full_name",
    "pdes",
    "name",
    "prefix",
    "class",
    "neo",
    "pha",
    "spec_B",
    "spec_T",
    "condition_code",
    "spkid",
];

/// What a file is.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// Where it is from.
    #[serde(flatten)]
    pub source: Source,
    /// How it is written: `CSV`, `text`, `JSON document` or `HTML page`.
    pub format: &'static str,
    /// How it is compressed.
    pub compression: Compression,
}

/// Where a file is from, and what is in it.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum Source {
    /// A catalogue of JPL's small-body database.
    SmallBodyDatabase(CatalogueInspection),
    /// The published delta-v table.
    DeltaVTable {
        /// Its values against the equations'.
        comparison: Comparison,
        /// Rows that cannot be read.
        rejects: Vec<Reject>,
    },
    /// JPL's NHATS table.
    NhatsTable {
        /// Its rows.
        #[serde(flatten)]
        summary: NhatsInput,
        /// Rows that cannot be read.
        rejects: Vec<Reject>,
    },
    /// A table of the NASA Exoplanet Archive.
    ExoplanetArchive {
        /// Its rows.
        #[serde(flatten)]
        summary: ExoplanetInput,
        /// Rows that cannot be read.
        rejects: Vec<Reject>,
    },
    /// A list of masses or of mass estimates.
    MassList {
        /// Its bodies.
        #[serde(flatten)]
        summary: MassInput,
        /// Rows that cannot be read.
        rejects: Vec<Reject>,
    },
}

/// What a catalogue is.
#[derive(Debug, Clone, Serialize)]
pub struct CatalogueInspection {
    /// Its columns.
    pub columns: Vec<String>,
    /// What it says behind its rows.
    #[serde(flatten)]
    pub trailer: Trailer,
    /// Rows.
    pub rows: u64,
    /// Rows whose cells cannot be told apart.
    pub malformed_rows: u64,
    /// The columns that are read, as far as the file has them.
    pub used: Vec<ColumnUse>,
    /// Columns that would be read and are not there.
    pub absent: Vec<&'static str>,
    /// Columns that are there and not read.
    pub unused: Vec<String>,
}

/// How much of a column can be used.
#[derive(Debug, Clone, Serialize)]
pub struct ColumnUse {
    /// Its name.
    pub name: &'static str,
    /// Cells that are not empty.
    pub filled: u64,
    /// Cells that are not empty and cannot be read.
    pub unreadable: u64,
}

impl ColumnUse {
    /// Whether the column is there and none of its cells can be read.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        self.filled == self.unreadable
    }
}

/// Inspects a catalogue to its end.
///
/// # Errors
/// [`CatalogueError`] where it cannot be read to its end.
pub fn inspect_catalogue<R: Read>(
    mut catalogue: Catalogue<R>,
) -> Result<Inspection, CatalogueError> {
    let plan = catalogue.plan().clone();
    let header = catalogue.header().clone();
    let mut used: Vec<ColumnUse> = COLUMN_NAMES
        .iter()
        .map(|name| ColumnUse {
            name,
            filled: 0,
            unreadable: 0,
        })
        .collect();
    let (mut rows, mut malformed_rows) = (0, 0);
    let (mut chunk, mut places) = (Chunk::default(), Places::default());
    while catalogue.next_chunk(&mut chunk)? {
        let mut chunk_rows = Rows::new(&chunk, header.format, &mut places);
        while let Some(row) = chunk_rows.next_row(&plan) {
            rows += 1;
            let Ok(cells) = row.cells else {
                malformed_rows += 1;
                continue;
            };
            for (slot, column) in used.iter_mut().enumerate() {
                let text = cells.bytes(slot);
                column.filled += u64::from(!text.is_empty());
                column.unreadable += u64::from(!is_readable(column.name, text));
            }
        }
    }
    let trailer = catalogue.finish()?;
    let has = |name: &str| header.columns.iter().any(|column| column == name);
    used.retain(|column| has(column.name));
    let is_unused = |name: &&String| !COLUMN_NAMES.contains(&name.as_str());
    let format = match header.format {
        Format::Csv => "CSV",
        Format::Json => "JSON document",
    };
    let catalogue = CatalogueInspection {
        trailer,
        rows,
        malformed_rows,
        used,
        absent: COLUMN_NAMES
            .iter()
            .copied()
            .filter(|name| !has(name))
            .collect(),
        unused: header.columns.iter().filter(is_unused).cloned().collect(),
        columns: header.columns,
    };
    Ok(Inspection {
        source: Source::SmallBodyDatabase(catalogue),
        format,
        compression: header.compression,
    })
}

fn is_readable(column: &str, text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    is_missing(text.as_bytes()) || TEXT_COLUMNS.contains(&column) || Number::parse(text).is_ok()
}

/// Inspects one of the small inputs, which fit into memory: a delta-v table, an NHATS table, a mass list or
/// exoplanets.
/// `None` where the input is none of them, or cannot be decompressed.
#[must_use]
pub fn inspect_table(input: impl Read, from: &str) -> Option<Inspection> {
    let (compression, bytes) = read_all(input).ok()?;
    let source = table_source(&bytes, from)?;
    let format = match Content::of(&bytes) {
        Content::Json => "JSON document",
        Content::Markup => "HTML page",
        _ if matches!(source, Source::ExoplanetArchive { .. }) => "CSV",
        _ => "text",
    };
    Some(Inspection {
        source,
        format,
        compression,
    })
}

fn table_source(bytes: &[u8], from: &str) -> Option<Source> {
    if let Ok(list) = ExoplanetList::parse(bytes, Candidates::LeftOut)
        && list.table.is_some()
    {
        let summary = ExoplanetInput::new(from.to_owned(), &list);
        return Some(Source::ExoplanetArchive {
            summary,
            rejects: list.rejects,
        });
    }
    if let Ok(table) = DeltaVTable::parse(bytes) {
        return Some(Source::DeltaVTable {
            comparison: compare(&table),
            rejects: table.rejects,
        });
    }
    if let Ok(table) = NhatsTable::parse(bytes) {
        let summary = NhatsInput::new(from.to_owned(), &table);
        return Some(Source::NhatsTable {
            summary,
            rejects: table.rejects,
        });
    }
    if Content::of(bytes) == Content::Markup {
        return None;
    }
    let list = MassList::parse(bytes, Average::Weighted).ok()?;
    let summary = MassInput::new(from.to_owned(), &list);
    Some(Source::MassList {
        summary,
        rejects: list.rejects,
    })
}
