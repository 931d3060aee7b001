//! The readers against plain references, and however their input is cut.

mod csv;
mod cuts;
mod index;
mod json;

use std::io::{self, Read};

use proptest::prelude::ProptestConfig;

use super::{Chunk, Format, Places, Rows};
use crate::batch::{Batch, Counts, Encoding, Valuing};
use crate::body::{Lookups, Valuer};
use crate::catalogue::{Catalogue, CatalogueError, ReadOptions, Trailer};
use crate::reject::Reject;

/// A counterexample becomes a test with a name here, not a line of a file of seeds.
fn cases(num_cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases: num_cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// All that reading a catalogue gives.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    lines: String,
    rejects: Vec<Reject>,
    counts: Counts,
    trailer: Trailer,
}

/// Reads and values a catalogue as the pipeline does, without its threads.
fn read(input: impl Read, options: &ReadOptions) -> Result<Outcome, CatalogueError> {
    let valuer = Valuer {
        lookups: Lookups::default(),
        run: None,
    };
    let mut outcome = Outcome::default();
    let mut chunk = Chunk::default();
    let mut batch = Batch::default();
    let mut places = Places::default();
    let mut next_row = 1;
    let mut catalogue = Catalogue::open(input, options)?;
    let mut next_line = catalogue.first_line();
    while catalogue.next_chunk(&mut chunk)? {
        let valuing = Valuing {
            valuer: &valuer,
            plan: catalogue.plan(),
            format: catalogue.header().format,
            encoding: Encoding::Json,
        };
        valuing.fill(&mut batch, &chunk, &mut places);
        batch.place(next_row, next_line);
        next_row += batch.counts.read;
        next_line += batch.num_lines;
        outcome.counts.add(&batch.counts);
        outcome.lines += std::str::from_utf8(batch.lines()).expect("items are UTF-8");
        outcome.rejects.append(&mut batch.rejects);
    }
    outcome.trailer = catalogue.finish()?;
    Ok(outcome)
}

/// The same with an error as what it tells, to be compared.
fn told(input: impl Read, chunk_bytes: usize) -> Result<Outcome, String> {
    let options = ReadOptions {
        chunk_bytes,
        ..ReadOptions::default()
    };
    read(input, &options).map_err(|error| error.to_string())
}

/// Bytes that come in two pieces.
struct CutAt<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Read for CutAt<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = match self.at {
            0 => self.bytes.len(),
            at => at,
        };
        let num_read = (&self.bytes[..piece.min(self.bytes.len())]).read(buffer)?;
        self.bytes = &self.bytes[num_read..];
        self.at = self.at.saturating_sub(num_read);
        Ok(num_read)
    }
}

/// The cells of a row.
type Row = Vec<Vec<u8>>;

/// The cells of every row of one chunk, all columns wanted, and whether the row is whole.
fn cells_of(
    chunk: &Chunk,
    format: Format,
    plan: &super::Plan,
) -> Vec<(Row, Result<(), super::Fault>)> {
    let mut places = Places::default();
    let mut rows = Rows::new(chunk, format, &mut places);
    let mut all = Vec::new();
    while let Some(row) = rows.next_row(plan) {
        let found = row.cells.map(|cells| {
            let slots = 0..plan.num_wanted();
            slots.map(|slot| cells.bytes(slot).to_vec()).collect()
        });
        all.push(match found {
            Ok(found) => (found, Ok(())),
            // As many cells as there are were located all the same.
            Err(fault) => {
                let slots = 0..plan.num_wanted();
                let cells = rows.places.cells.row();
                let located = slots.map(|slot| cells.bytes(slot).to_vec());
                (located.collect(), Err(fault))
            }
        });
    }
    all
}
