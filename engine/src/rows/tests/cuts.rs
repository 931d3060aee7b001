//! What is read does not depend on how the input was cut.

use std::cell::Cell;
use std::io::{self, Read};
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::select;

use super::{CutAt, Outcome, told};
use crate::reject::MAX_TEXT_BYTES;
use crate::rows::chunks::MAX_ROW_BYTES;
use crate::rows::{Chunk, ChunkReader, CsvFraming, Framing, JsonFraming};

fn data(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data");
    std::fs::read(folder.join(name)).expect("our own data")
}

const CSV_FILES: [&str; 3] = [
    "asteroids-2020.csv",
    "asteroids-2021.csv",
    "asteroids-handmade.csv",
];

/// The bytes up to the line end that follows `at`.
fn lines_to(bytes: &[u8], at: usize) -> &[u8] {
    let from = at.min(bytes.len());
    let end = memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |end| from + end + 1);
    &bytes[..end]
}

/// A CSV file in pieces of about `piece_bytes`, each with the header.
fn pieces_of_csv(file: &[u8], piece_bytes: usize) -> Vec<Vec<u8>> {
    let header = lines_to(file, 0);
    let mut rest = &file[header.len()..];
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let piece = lines_to(rest, piece_bytes);
        pieces.push([header, piece].concat());
        rest = &rest[piece.len()..];
    }
    pieces
}

/// Our own JSON document in pieces of `num_rows`, each a document.
fn pieces_of_json(file: &[u8], num_rows: usize) -> Vec<Vec<u8>> {
    let document = String::from_utf8(file.to_vec()).expect("JSON is UTF-8");
    let (head, rest) = document.split_once("\"data\":[[").expect("rows begin");
    let (rows, tail) = rest.split_once("]]").expect("rows end");
    let rows: Vec<&str> = rows.split("],[").collect();
    rows.chunks(num_rows)
        .map(|rows| format!("{head}\"data\":[[{}]]{tail}", rows.join("],[")).into_bytes())
        .collect()
}

#[track_caller]
fn check_every_cut(bytes: &[u8], expected: &Result<Outcome, String>) {
    for at in 0..bytes.len() {
        assert_eq!(&told(CutAt { bytes, at }, 1 << 20), expected, "cut at {at}");
    }
}

#[track_caller]
fn check_chunks(bytes: &[u8], sizes: impl Iterator<Item = usize>) {
    let expected = told(bytes, MAX_ROW_BYTES);
    for chunk_bytes in sizes {
        assert_eq!(
            told(bytes, chunk_bytes),
            expected,
            "chunks of {chunk_bytes}"
        );
    }
}

#[test]
fn our_csv_files_may_be_cut_anywhere() {
    for name in CSV_FILES {
        let file = data(name);
        let expected = told(&file[..], 1 << 20);
        assert!(expected.is_ok());
        for at in (0..file.len()).step_by(41) {
            assert_eq!(
                told(CutAt { bytes: &file, at }, 1 << 20),
                expected,
                "cut at {at}"
            );
        }
        // Every place would take long in the whole file, and not in a few rows at a time.
        for piece in pieces_of_csv(&file, 1_500) {
            check_every_cut(&piece, &told(&piece[..], 1 << 20));
        }
    }
}

#[test]
fn our_csv_files_may_be_read_in_chunks_of_any_size() {
    for name in CSV_FILES {
        let file = data(name);
        check_chunks(&file, (1..file.len() + 2).step_by(41));
        for piece in pieces_of_csv(&file, 1_500) {
            check_chunks(&piece, 1..piece.len() + 2);
        }
    }
}

#[test]
fn our_json_file_may_be_cut_anywhere() {
    for document in pieces_of_json(&data("asteroids.json"), 8) {
        let expected = told(&document[..], 1 << 20);
        assert!(expected.is_ok());
        check_every_cut(&document, &expected);
    }
}

#[test]
fn our_json_file_may_be_read_in_chunks_of_any_size() {
    for document in pieces_of_json(&data("asteroids.json"), 60) {
        check_chunks(&document, (1..document.len() + 2).step_by(7));
    }
    let document = data("asteroids.json");
    check_chunks(&document, (1..document.len()).step_by(997));
    // The reader looks at the first 64 KiB before it reads rows.
    let expected = told(&document[..], 1 << 20);
    for at in 65_500..65_600 {
        assert_eq!(
            told(
                CutAt {
                    bytes: &document,
                    at
                },
                1 << 20
            ),
            expected,
            "cut at {at}"
        );
    }
}

#[test]
fn real_files_may_be_cut_anywhere_and_read_in_chunks_of_any_size() {
    let Some(folder) = std::env::var_os("PROSPECTOR_RECORDED").map(PathBuf::from) else {
        println!("skipped: PROSPECTOR_RECORDED is not set, so there are no real files");
        return;
    };
    for entry in std::fs::read_dir(folder.join("sbdb")).unwrap() {
        let path = entry.unwrap().path();
        let file = std::fs::read(&path).unwrap();
        let documents = match path.extension() {
            Some(extension) if extension == "json" => vec![file.clone()],
            _ => pieces_of_csv(lines_to(&file, 30_000), 1_000),
        };
        for document in &documents {
            check_every_cut(document, &told(&document[..], 1 << 20));
            check_chunks(document, (1..document.len() + 2).step_by(41));
        }
        let whole = lines_to(&file, 300_000);
        let expected = told(whole, 1 << 20);
        for at in (0..whole.len()).step_by(whole.len() / 8 + 1) {
            assert_eq!(
                told(CutAt { bytes: whole, at }, 1 << 20),
                expected,
                "cut at {at}"
            );
        }
        check_chunks(
            whole,
            [1, 1_000, 4_095, 4_096, 65_535, 65_536, 65_537].into_iter(),
        );
        println!(
            "{}: {} documents of its beginning",
            path.display(),
            documents.len()
        );
    }
}

#[test]
fn an_overlong_row_takes_no_more_memory_than_a_long_one() {
    const LENGTH: u64 = 64 << 20;
    for (framing, end) in [
        (Framing::Csv(CsvFraming::default()), &b"\n1,2\n"[..]),
        (Framing::Json(JsonFraming::default()), b"],[1,2]]"),
    ] {
        let start = match end[0] {
            b']' => b"[".to_vec(),
            _ => Vec::new(),
        };
        let input = io::repeat(b'1').take(LENGTH).chain(end);
        let mut chunks = ChunkReader::new(input, start, 0, framing, MAX_ROW_BYTES);
        let mut chunk = Chunk::default();
        let mut lengths = Vec::new();
        while chunks.next_chunk(&mut chunk).unwrap() {
            lengths.push((chunk.overlong_lines, chunk.bytes.len()));
            assert!(chunk.bytes.capacity() <= 2 * MAX_ROW_BYTES);
        }
        assert_eq!(lengths[0], (Some(1), MAX_TEXT_BYTES));
        assert!(lengths[1].0.is_none() && lengths[1].1 < 10, "{lengths:?}");
    }
}

/// Parts of which tables are made that are wrong in many ways.
fn csv_parts() -> impl Strategy<Value = String> {
    let parts = vec![
        "\"",
        "\"\"",
        ",",
        ",\"",
        "\",",
        "\n",
        "\n",
        "\r\n",
        " ",
        "\n\n",
        "\n \t\r\n",
        "1",
        ".5",
        "-2",
        "a",
        "é",
        "433 Eros",
        "433,.2,1.4",
        "\n433,.2,1.4\n",
        "\"433\",\".2\",1.4\n",
        "#",
        "\n# a,\"b\n",
    ];
    prop::collection::vec(select(parts), 0..40).prop_map(|parts| parts.concat())
}

fn json_parts() -> impl Strategy<Value = String> {
    let parts = vec![
        "\"",
        "\\",
        "\\\"",
        ",",
        "[",
        "]",
        "{",
        "}",
        ":",
        " ",
        "1",
        "null",
        "\"a\"",
        "\"[\"",
        "\"]\"",
        "[\"433\",\".2\",1.4]",
        ",[\"433\",\".2\",1.4]",
        "[\"a\\u0041\",.2,\"1.4\"],",
    ];
    prop::collection::vec(select(parts), 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(super::cases(1_000))]

    #[test]
    fn a_broken_table_gives_the_same_in_chunks_of_any_size(
        before in csv_parts(), behind in csv_parts(), is_headed in any::<bool>()
    ) {
        let before = if is_headed { "" } else { &before };
        let text = format!("{before}\npdes,e,a\n{behind}");
        let expected = told(text.as_bytes(), MAX_ROW_BYTES);
        if let Ok(outcome) = &expected {
            prop_assert_eq!(outcome.counts.read, outcome.counts.valued + outcome.rejects.len() as u64);
        }
        for chunk_bytes in 1..text.len() + 2 {
            prop_assert_eq!(&told(text.as_bytes(), chunk_bytes), &expected, "chunks of {}", chunk_bytes);
        }
    }

    #[test]
    fn a_broken_document_gives_the_same_in_chunks_of_any_size(rows in json_parts()) {
        let text = format!("{{\"fields\":[\"pdes\",\"e\",\"a\"],\"data\":[{rows}]}}");
        let expected = told(text.as_bytes(), MAX_ROW_BYTES);
        if let Ok(outcome) = &expected {
            prop_assert_eq!(outcome.counts.read, outcome.counts.valued + outcome.rejects.len() as u64);
        }
        for chunk_bytes in 1..text.len() + 2 {
            prop_assert_eq!(&told(text.as_bytes(), chunk_bytes), &expected, "chunks of {}", chunk_bytes);
        }
    }
}

/// Counts what is read of an input.
struct Counted<'b, 'c> {
    bytes: &'b [u8],
    num_read: &'c Cell<usize>,
}

impl Read for Counted<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let num_read = self.bytes.read(buffer)?;
        self.num_read.set(self.num_read.get() + num_read);
        Ok(num_read)
    }
}

#[test]
fn each_chunk_is_read_up_to_a_multiple_of_its_size_in_the_input() {
    const CHUNK_BYTES: usize = 1_000;
    let rows: String = (0..2_000)
        .map(|row| format!("{row},{}\n", "x".repeat(row % 90)))
        .collect();
    for position in [0, 1, 700, 999, 1_000, 2_345] {
        // Only some of what was read before is rows.
        let (start, rest) = rows.as_bytes().split_at(position / 2);
        let num_read = Cell::new(0);
        let input = Counted {
            bytes: rest,
            num_read: &num_read,
        };
        let framing = Framing::Csv(CsvFraming::default());
        let start = start.to_vec();
        let mut chunks = ChunkReader::new(input, start, position as u64, framing, CHUNK_BYTES);
        let mut chunk = Chunk::default();
        let mut taken = Vec::new();
        while chunks.next_chunk(&mut chunk).unwrap() {
            taken.extend_from_slice(&chunk.bytes);
            let is_whole = (position + num_read.get()).is_multiple_of(CHUNK_BYTES);
            assert!(is_whole || num_read.get() == rest.len(), "{position}");
        }
        assert!(taken == rows.as_bytes(), "{position}");
    }
}
