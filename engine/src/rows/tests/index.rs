//! Rows that the index finds are those that the plain readers find, on every kind of machine.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::select;

use super::super::index::Index;
use super::super::machine::Machine;
use super::super::{Chunk, Fault, Format, Places, Plan, Rows, read_header};
use crate::catalogue::{Catalogue, ReadOptions};
use crate::generate::{self, Options};

/// All that is known of a row: its bytes, its line, its cells or what is wrong with it.
type Known = (Vec<u8>, u64, Result<Vec<Vec<u8>>, Fault>);

/// The rows of a chunk as they are found on `machine`, and how many lines they take.
fn rows(chunk: &Chunk, plan: &Plan, format: Format, machine: Option<Machine>) -> (Vec<Known>, u64) {
    let mut places = Places {
        index: Index::on(machine),
        ..Places::default()
    };
    let mut rows = Rows::new(chunk, format, &mut places);
    let mut known = Vec::new();
    while let Some(block) = rows.next_block(plan, 3) {
        for row in block {
            let found = row.cells.map(|cells| {
                let slots = 0..plan.num_wanted();
                slots.map(|slot| cells.bytes(slot).to_vec()).collect()
            });
            let line = if format == Format::Csv { row.line } else { 0 };
            known.push((row.bytes.to_vec(), line, found));
        }
    }
    (known, rows.num_lines())
}

fn check(bytes: &[u8], plan: &Plan, format: Format) -> Result<(), TestCaseError> {
    let chunk = Chunk {
        bytes: bytes.to_vec(),
        ..Chunk::default()
    };
    let (expected, num_lines) = rows(&chunk, plan, format, None);
    for machine in Machine::all().map(Some) {
        let (found, found_lines) = rows(&chunk, plan, format, machine);
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert_eq!(found, expected, "{:?}", machine);
        }
        prop_assert_eq!(found.len(), expected.len(), "{:?}", machine);
        prop_assert_eq!(found_lines, num_lines, "{:?}", machine);
    }
    Ok(())
}

/// A plan of `width` fields of which some are wanted.
fn plan(width: usize) -> Plan {
    let names: Vec<String> = (0..width).map(|field| field.to_string()).collect();
    Plan::new(&names, &["3", "0", "x", "2"]).expect("no column stands twice")
}

/// Pieces of rows, regular and not, each of which is likely to be the last that is regular.
fn pieces(special: &'static [&'static str], row: &'static str) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => Just(row.to_owned()),
        2 => (0_usize..130).prop_map(|length| "7".repeat(length)),
        2 => select(special).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

const CSV: &[&str] = &[
    "\"",
    "\"\"",
    ",",
    "\n",
    "\r\n",
    " ",
    "\n\n",
    "\n \n",
    ",\"",
    "\",",
    "\"a\"\"b\",",
    "\"a\nb\",",
    "\"a\"\r\n",
    "é",
    "\0",
    "[",
    "\n\"",
    "1,2,3,4\n",
    "1,\"2\",3,\"4\"\n",
];
const JSON: &[&str] = &[
    "\"",
    "\"\"",
    ",",
    "[",
    "]",
    "],[",
    "],\n[",
    "] ,[",
    "{",
    "}",
    " ",
    "\\",
    "\\\"",
    "null",
    "nul",
    "\"é\"",
    ":",
    "1",
    "-1.5e3",
    "[]",
    ",,",
    "[,",
    ",]",
    "[1,\"a\",null,4],",
    "[nulls,none,null,nul],",
    "[\"\",\"]\",\"[\",\",\"],",
];

proptest! {
    #![proptest_config(super::cases(2_000))]

    #[test]
    fn pieces_of_csv_are_read_alike(text in pieces(CSV, "\"a, b\",12.5,,\"c\"\n")) {
        check(text.as_bytes(), &plan(4), Format::Csv)?;
    }

    #[test]
    fn pieces_of_json_are_read_alike(text in pieces(JSON, "[\"a, b\",12.5,null,\"c\"],")) {
        check(text.as_bytes(), &plan(4), Format::Json)?;
    }
}

/// Checks a file, whatever it is, with all of its columns wanted.
fn check_file(name: &Path, bytes: &[u8]) {
    let format = match name.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Format::Json,
        _ => Format::Csv,
    };
    let (columns, rows) = match format {
        Format::Csv => {
            let header = read_header(bytes).expect("a header");
            (header.columns, &bytes[header.end..])
        }
        Format::Json => {
            let document: serde_json::Value = serde_json::from_slice(bytes).expect("a document");
            let Some(fields) = document["fields"].as_array() else {
                return;
            };
            let fields = fields
                .iter()
                .map(|name| name.as_str().expect("a name").to_owned());
            let rows = memchr::memmem::find(bytes, b"\"data\":[").expect("rows") + 8;
            let end = memchr::memmem::rfind(bytes, b"]]").expect("rows end") + 1;
            (fields.collect::<Vec<_>>(), &bytes[rows..end])
        }
    };
    let wanted: Vec<&str> = columns.iter().map(String::as_str).collect();
    let plan = Plan::new(&columns, &wanted).expect("no column stands twice");
    check(rows, &plan, format).unwrap_or_else(|error| panic!("{}: {error}", name.display()));
}

#[test]
fn catalogues_are_read_alike() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data");
    let names = [
        "asteroids-2020.csv",
        "asteroids-2021.csv",
        "asteroids-handmade.csv",
        "asteroids.json",
    ];
    let mut files: Vec<PathBuf> = names.map(|name| folder.join(name)).to_vec();
    match std::env::var_os("PROSPECTOR_RECORDED").map(PathBuf::from) {
        Some(recorded) => {
            let entries = std::fs::read_dir(recorded.join("sbdb")).expect("a folder");
            files.extend(entries.map(|entry| entry.expect("a file").path()));
        }
        None => println!("skipped: PROSPECTOR_RECORDED is not set, so there are no real files"),
    }
    for path in files {
        check_file(&path, &std::fs::read(&path).expect("a file"));
    }
    for (format, name) in [
        (generate::Format::Csv, "generated.csv"),
        (generate::Format::Json, "generated.json"),
    ] {
        let mut bytes = Vec::new();
        let options = Options {
            rows: 3_000,
            seed: 5,
            format,
        };
        generate::generate(&options, &mut bytes).expect("memory takes a catalogue");
        check_file(Path::new(name), &bytes);
    }
}

#[test]
fn catalogues_as_jpl_writes_them_are_found_by_the_index_alone() {
    for format in [generate::Format::Csv, generate::Format::Json] {
        let mut bytes = Vec::new();
        let options = Options {
            rows: 3_000,
            seed: 6,
            format,
        };
        generate::generate(&options, &mut bytes).expect("memory takes a catalogue");
        let mut catalogue =
            Catalogue::open(&bytes[..], &ReadOptions::default()).expect("a catalogue");
        let (mut chunk, mut places, mut num_rows) = (Chunk::default(), Places::default(), 0);
        while catalogue
            .next_chunk(&mut chunk)
            .expect("memory can be read")
        {
            let mut rows = Rows::new(&chunk, catalogue.header().format, &mut places);
            while let Some(block) = rows.next_block(catalogue.plan(), 7) {
                assert!(block.is_regular(), "behind {num_rows} rows");
                for row in block {
                    num_rows += 1;
                    assert!(row.cells.is_ok(), "{}", String::from_utf8_lossy(row.bytes));
                }
            }
        }
        assert_eq!(num_rows, options.rows);
    }
}
