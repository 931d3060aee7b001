//! CSV: the engine's cells are those that csv-async reads.

use csv_async::{AsyncReaderBuilder, ByteRecord, Terminator};
use futures::executor::block_on;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::csv::TEXT_BEHIND_LINE_END;
use super::super::{Chunk, ChunkReader, CsvFraming, Format, Framing, Plan};
use super::{Row, cells_of};
use crate::reject::Reason;

/// As many columns as a row of the tests ever has.
const NUM_COLUMNS: usize = 40;

/// The records as csv-async reads them, the spaces around their fields dropped. A line of spaces is no row.
fn reference(text: &[u8]) -> Vec<Row> {
    let mut reader = AsyncReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .terminator(Terminator::Any(b'\n'))
        .create_reader(text);
    let mut rows = Vec::new();
    let mut record = ByteRecord::new();
    while block_on(reader.read_byte_record(&mut record)).expect("memory can be read") {
        rows.push(
            record
                .iter()
                .map(|field| field.trim_ascii().to_vec())
                .collect(),
        );
    }
    rows.retain(|row: &Row| row.len() > 1 || row.iter().any(|field| !field.is_empty()));
    rows
}

/// What became of a row.
#[derive(Debug, PartialEq)]
enum Read {
    Row(Row),
    Unclosed,
    TextBehindLineEnd,
}

/// The rows as the engine reads them, in chunks of `chunk_bytes`.
fn engine(text: &[u8], chunk_bytes: usize) -> Vec<Read> {
    let names: Vec<String> = (0..NUM_COLUMNS).map(|column| column.to_string()).collect();
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let plan = Plan::new(&names, &wanted).expect("no column stands twice");
    let framing = Framing::Csv(CsvFraming::default());
    let mut chunks = ChunkReader::new(text, Vec::new(), 0, framing, chunk_bytes);
    let mut chunk = Chunk::default();
    let mut rows = Vec::new();
    while chunks.next_chunk(&mut chunk).expect("memory can be read") {
        for (mut cells, outcome) in cells_of(&chunk, Format::Csv, &plan) {
            let Err(fault) = outcome else {
                panic!("a row as wide as the test's plan: {cells:?}");
            };
            rows.push(match fault.reason {
                Reason::FieldCount => {
                    let (found, _) = fault.message.split_once(' ').expect("a count comes first");
                    cells.truncate(found.parse().expect("a count is a number"));
                    Read::Row(cells)
                }
                Reason::UnclosedQuote if fault.message == TEXT_BEHIND_LINE_END => {
                    Read::TextBehindLineEnd
                }
                Reason::UnclosedQuote => Read::Unclosed,
                other => panic!("{other:?}: {}", fault.message),
            });
        }
    }
    let is_blank = |row: &Row| row.len() == 1 && row[0].is_empty();
    rows.retain(|read| !matches!(read, Read::Row(row) if is_blank(row)));
    rows
}

/// Compares the two up to the first quote that is never closed, from where on csv-async reads a field.
fn check(text: &[u8]) -> Result<(), TestCaseError> {
    let rows = engine(text, usize::MAX);
    let expected = reference(text);
    let num_whole = rows.iter().position(|read| *read == Read::Unclosed);
    match num_whole {
        None => prop_assert_eq!(rows.len(), expected.len(), "{:?}", rows),
        Some(num_whole) => prop_assert!(expected.len() <= num_whole + 1),
    }
    for (read, expected) in rows
        .iter()
        .zip(&expected)
        .take(num_whole.unwrap_or(usize::MAX))
    {
        if let Read::Row(row) = read {
            prop_assert_eq!(row, expected);
        }
    }
    for chunk_bytes in 1..text.len() + 2 {
        prop_assert_eq!(
            &engine(text, chunk_bytes),
            &rows,
            "chunks of {}",
            chunk_bytes
        );
    }
    Ok(())
}

/// A field in one of the ways that people write it, without a line end where it is not quoted.
fn field() -> impl Strategy<Value = String> {
    let spaces = || select(vec!["", "", "", " ", "  ", "\t"]);
    let bare = (spaces(), "[a-z0-9.é#'(-][a-z0-9.é#'\"( -]{0,6}", spaces())
        .prop_map(|(before, text, after)| format!("{before}{text}{after}"));
    let inside = select(vec!["a", "1", " ", ",", "\"\"", "\n", "\r\n", "é", "#", ""]);
    let quoted = (prop::collection::vec(inside, 0..8), spaces())
        .prop_map(|(parts, after)| format!("\"{}\"{after}", parts.concat()));
    prop_oneof![4 => bare, 2 => quoted, 1 => spaces().prop_map(str::to_owned)]
}

/// A table with any of the quirks.
fn table() -> impl Strategy<Value = String> {
    let row = prop::collection::vec(field(), 1..6).prop_map(|fields| fields.join(","));
    let line_end = select(vec!["\n", "\r\n", "\n\n", "\n \r\n", "\r\n\r\n"]);
    (prop::collection::vec((row, line_end), 0..8), any::<bool>()).prop_map(|(rows, is_ended)| {
        let text: String = rows
            .iter()
            .map(|(row, end)| format!("{row}{end}"))
            .collect();
        match is_ended {
            true => text,
            false => text.trim_end_matches(['\r', '\n']).to_owned(),
        }
    })
}

proptest! {
    #![proptest_config(super::cases(1_000))]

    #[test]
    fn cells_are_those_of_csv_async(text in table()) {
        check(text.as_bytes())?;
    }

    #[test]
    fn a_soup_of_special_characters_is_read_as_csv_async_reads_it(
        parts in prop::collection::vec(select(vec!["\"", "\"\"", ",", "\n", "\r\n", "a ", "é"]), 0..32)
    ) {
        check(parts.concat().as_bytes())?;
    }
}

#[test]
fn a_field_quoted_within_spaces_is_unquoted_where_csv_async_keeps_the_quotes() {
    let rows = engine(b"0, \" The sun\" ,1\n", 1);
    let expected = [b"0".to_vec(), b"The sun".to_vec(), b"1".to_vec()];
    assert_eq!(rows, [Read::Row(expected.to_vec())]);
}
