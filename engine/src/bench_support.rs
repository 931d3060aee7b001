//! Single stages of the hot path for the package `benches`, which sees the public interface alone.

use std::io::Read;

use crate::batch::{Encoding, Valuing};
use crate::body::Valuer;
use crate::catalogue::{COLUMN_NAMES, Catalogue, CatalogueError, ReadOptions};
use crate::pen::Lines;
use crate::rows::{self, Chunk, Format, Places, Plan};

/// What was found in a catalogue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Located {
    /// Rows.
    pub rows: u64,
    /// Bytes of wanted cells.
    pub cell_bytes: u64,
}

/// Cuts a catalogue into chunks of whole rows and returns their number.
///
/// # Errors
/// [`CatalogueError`] where it cannot be read.
pub fn cut(bytes: impl Read) -> Result<u64, CatalogueError> {
    let mut catalogue = Catalogue::open(bytes, &ReadOptions::default())?;
    let mut chunk = Chunk::default();
    let mut num_chunks = 0;
    while catalogue.next_chunk(&mut chunk)? {
        num_chunks += 1;
    }
    Ok(num_chunks)
}

/// Cuts a catalogue and locates the wanted cells of its rows.
///
/// # Errors
/// [`CatalogueError`] where it cannot be read.
pub fn locate(bytes: impl Read) -> Result<Located, CatalogueError> {
    let mut catalogue = Catalogue::open(bytes, &ReadOptions::default())?;
    let mut located = Located::default();
    let (mut chunk, mut places) = (Chunk::default(), Places::default());
    while catalogue.next_chunk(&mut chunk)? {
        let mut rows = rows::Rows::new(&chunk, catalogue.header().format, &mut places);
        while let Some(row) = rows.next_row(catalogue.plan()) {
            located.rows += 1;
            if let Ok(cells) = row.cells {
                let lengths = (0..COLUMN_NAMES.len()).map(|slot| cells.bytes(slot).len() as u64);
                located.cell_bytes += lengths.sum::<u64>();
            }
        }
    }
    Ok(located)
}

/// The rows of a catalogue, cut already.
pub struct Rows {
    chunks: Vec<Chunk>,
    plan: Plan,
    format: Format,
}

impl Rows {
    /// Reads a catalogue.
    ///
    /// # Errors
    /// [`CatalogueError`] where it cannot be read.
    pub fn read(bytes: impl Read) -> Result<Self, CatalogueError> {
        let mut catalogue = Catalogue::open(bytes, &ReadOptions::default())?;
        let mut chunks = Vec::new();
        let mut chunk = Chunk::default();
        while catalogue.next_chunk(&mut chunk)? {
            chunks.push(std::mem::take(&mut chunk));
        }
        Ok(Rows {
            chunks,
            plan: catalogue.plan().clone(),
            format: catalogue.header().format,
        })
    }

    /// Finds, merges and values every row, writes the items to `out` if there is one, and returns their number.
    pub fn value(&self, valuer: &Valuer, mut out: Option<&mut Lines>) -> u64 {
        let valuing = Valuing {
            valuer,
            plan: &self.plan,
            format: self.format,
            encoding: Encoding::Json,
        };
        let mut num_items = 0;
        let mut places = Places::default();
        for chunk in &self.chunks {
            valuing.each(chunk, &mut places, |body| {
                let is_valid = body.invalid.is_none();
                num_items += u64::from(is_valid);
                match &mut out {
                    Some(out) if is_valid => body.item.write_json(out),
                    _ => {
                        std::hint::black_box(&body.item);
                    }
                }
            });
        }
        num_items
    }
}
