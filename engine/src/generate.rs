//! A synthetic catalogue in JPL's formats, for benchmarks and tests of any size without a download.
//!
//! The bytes depend on [`Options`] alone: the random numbers, the arithmetic and the digits are the
//! same on every machine. Row *k* depends on the seed and on *k*, so a short catalogue is the
//! beginning of every longer one with its seed, and both formats hold the same bodies with the same
//! spellings.
//!
//! The rows look like the real ones (unique keys, consistent orbits, the mix of classes and the
//! share of missing values of 2026) but are nobody's: no real body has these elements, though
//! numbers and designations may coincide. The order of JPL's file, numbered asteroids, unnumbered
//! ones, comets, is repeated in blocks of 1,000 rows, so that even a short catalogue has all kinds.
//!
//! Memory is bounded by one write buffer of [`BUFFER_BYTES`].

mod body;
mod class;
mod columns;
mod dates;
mod designation;
mod digits;
mod identity;
mod names;
mod observations;
mod orbit;
mod physical;
mod random;

use std::io::{Error, ErrorKind, Result, Write};

use body::Body;
use columns::{COLUMNS, Column, JSON_FIELDS};
use digits::push_integer;

/// What the catalogue is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The CSV export of JPL's web tool of 2021 and later: a quoted header, values quoted only where
    /// they contain a space, about 560 bytes a row. Its 74 columns are those of the exports of 2020
    /// without `id`; the later `sats` and the uncertainties of A1, A2, A3 and DT are not among them.
    Csv,
    /// The SBDB Query API's document in full precision: one line, 33 fields, about 380 bytes a row.
    Json,
}

/// Which catalogue to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Options {
    /// The number of bodies, at most [`MAX_ROWS`].
    pub rows: u64,
    /// Every seed gives another catalogue.
    pub seed: u64,
    /// The format of the bytes.
    pub format: Format,
}

/// The most rows a catalogue can have; up to here the SPK-IDs of numbered and unnumbered asteroids
/// do not meet.
pub const MAX_ROWS: u64 = 50_000_000;

/// Bytes are handed to the writer in pieces of about this size: large enough to make system calls
/// rare, small enough to stay in a processor's cache.
pub const BUFFER_BYTES: usize = 256 * 1024;

/// No row is longer than this; the longest of a million is well below 1 KiB.
const ROW_BYTES: usize = 2 * 1024;

/// Writes a catalogue to `out`, in pieces of about [`BUFFER_BYTES`], and flushes it.
///
/// # Errors
/// The first error of `out`; [`ErrorKind::InvalidInput`] for more than [`MAX_ROWS`] rows, before
/// anything is written.
pub fn generate(options: &Options, out: &mut dyn Write) -> Result<()> {
    if options.rows > MAX_ROWS {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!("a synthetic catalogue has at most {MAX_ROWS} rows"),
        ));
    }
    match options.format {
        Format::Csv => write_csv(options, out)?,
        Format::Json => write_json(options, out)?,
    }
    out.flush()
}

fn write_csv(options: &Options, out: &mut dyn Write) -> Result<()> {
    let mut buffer = Vec::with_capacity(BUFFER_BYTES + ROW_BYTES);
    for (index, column) in COLUMNS.iter().enumerate() {
        buffer.extend_from_slice(if index == 0 { b"\"" } else { b",\"" });
        buffer.extend_from_slice(column.name.as_bytes());
        buffer.push(b'"');
    }
    buffer.push(b'\n');
    for row in 0..options.rows {
        push_csv_row(&mut buffer, &Body::of_row(options.seed, row));
        drain_full(&mut buffer, out)?;
    }
    out.write_all(&buffer)
}

fn write_json(options: &Options, out: &mut dyn Write) -> Result<()> {
    let columns: Vec<&Column> = JSON_FIELDS
        .iter()
        .flat_map(|field| COLUMNS.iter().find(|column| column.name == *field))
        .collect();
    let mut buffer = Vec::with_capacity(BUFFER_BYTES + ROW_BYTES);
    buffer.extend_from_slice(
        b"{\"signature\":{\"version\":\"1.0\",\"source\":\
          \"NASA/JPL SBDB (Small-Body DataBase) Query API\"},\"fields\":[",
    );
    for (index, column) in columns.iter().enumerate() {
        buffer.extend_from_slice(if index == 0 { b"\"" } else { b",\"" });
        buffer.extend_from_slice(column.name.as_bytes());
        buffer.push(b'"');
    }
    buffer.extend_from_slice(b"],\"data\":[");
    for row in 0..options.rows {
        if row > 0 {
            buffer.push(b',');
        }
        push_json_row(&mut buffer, &columns, &Body::of_row(options.seed, row));
        drain_full(&mut buffer, out)?;
    }
    buffer.extend_from_slice(b"],\"count\":");
    push_integer(&mut buffer, options.rows);
    buffer.push(b'}');
    out.write_all(&buffer)
}

fn push_csv_row(buffer: &mut Vec<u8>, body: &Body) {
    for (index, column) in COLUMNS.iter().enumerate() {
        if index > 0 {
            buffer.push(b',');
        }
        let start = buffer.len();
        (column.write)(body, buffer);
        if column.can_hold_spaces && buffer[start..].contains(&b' ') {
            buffer.insert(start, b'"');
            buffer.push(b'"');
        }
    }
    buffer.push(b'\n');
}

/// No value holds a character that JSON escapes.
fn push_json_row(buffer: &mut Vec<u8>, columns: &[&Column], body: &Body) {
    for (index, column) in columns.iter().enumerate() {
        buffer.push(if index == 0 { b'[' } else { b',' });
        let start = buffer.len();
        if !column.is_json_number {
            buffer.push(b'"');
        }
        let value = buffer.len();
        (column.write)(body, buffer);
        if buffer.len() == value {
            buffer.truncate(start);
            buffer.extend_from_slice(b"null");
        } else if !column.is_json_number {
            buffer.push(b'"');
        }
    }
    buffer.push(b']');
}

/// Writes the buffer out and empties it once it has reached its size.
fn drain_full(buffer: &mut Vec<u8>, out: &mut dyn Write) -> Result<()> {
    if buffer.len() >= BUFFER_BYTES {
        out.write_all(buffer)?;
        buffer.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts what it is given, and fails once it has taken `room` bytes.
    struct Meter {
        room: usize,
        taken: usize,
        largest: usize,
    }

    impl Write for Meter {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            if self.taken + bytes.len() > self.room {
                return Err(Error::from(ErrorKind::StorageFull));
            }
            self.taken += bytes.len();
            self.largest = self.largest.max(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    fn check(rows: u64, format: Format, room: usize) -> (Result<()>, Meter) {
        let mut meter = Meter {
            room,
            taken: 0,
            largest: 0,
        };
        let result = generate(
            &Options {
                rows,
                seed: 5,
                format,
            },
            &mut meter,
        );
        (result, meter)
    }

    #[test]
    fn hands_over_pieces_of_bounded_size() {
        for format in [Format::Csv, Format::Json] {
            let (result, meter) = check(5_000, format, usize::MAX);
            assert!(result.is_ok());
            assert!(meter.taken > 5 * BUFFER_BYTES);
            assert!(meter.largest < BUFFER_BYTES + ROW_BYTES);
        }
    }

    #[test]
    fn stops_at_the_writers_first_error() {
        let (result, meter) = check(5_000, Format::Csv, 2 * BUFFER_BYTES);
        assert_eq!(result.unwrap_err().kind(), ErrorKind::StorageFull);
        assert!(meter.taken < 2 * BUFFER_BYTES);
    }

    #[test]
    fn refuses_more_rows_than_there_are_keys() {
        let (result, meter) = check(MAX_ROWS + 1, Format::Json, usize::MAX);
        assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(meter.taken, 0);
    }

    #[test]
    fn asks_the_api_for_columns_that_exist() {
        for field in JSON_FIELDS {
            assert!(COLUMNS.iter().any(|column| column.name == field), "{field}");
        }
    }
}
