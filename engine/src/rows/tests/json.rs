//! JSON: the engine's cells are those that serde_json reads.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::super::{Chunk, Places, Rows};
use crate::catalogue::{COLUMN_NAMES, Catalogue, ReadOptions, find_fields};

/// Columns that a catalogue needs, and some that nobody reads.
const FIELDS: [&str; 7] = ["pdes", "e", "x", "full_name", "a", "a \"b\" é", "name"];

/// A text of JSON and what it says.
type Written = (String, Value);

/// A character of a string, plain or escaped in one of its ways.
fn character() -> impl Strategy<Value = (String, String)> {
    let pairs = [
        ("a", "a"),
        ("7", "7"),
        (" ", " "),
        (",", ","),
        ("[", "["),
        ("]", "]"),
        ("{", "{"),
        ("}", "}"),
        (":", ":"),
        ("é", "é"),
        ("😀", "😀"),
        ("\\\"", "\""),
        ("\\\\", "\\"),
        ("\\/", "/"),
        ("/", "/"),
        ("\\n", "\n"),
        ("\\t", "\t"),
        ("\\u0041", "A"),
        ("\\u00e9", "é"),
        ("\\ud83d\\ude00", "😀"),
        ("\\u0022", "\""),
        ("\\u005C", "\\"),
        ("\\u0000", "\0"),
    ];
    select(
        pairs
            .map(|(written, meant)| (written.to_owned(), meant.to_owned()))
            .to_vec(),
    )
}

fn string() -> impl Strategy<Value = Written> {
    prop::collection::vec(character(), 0..8).prop_map(|characters| {
        let (written, meant): (Vec<_>, Vec<_>) = characters.into_iter().unzip();
        (
            format!("\"{}\"", written.concat()),
            Value::String(meant.concat()),
        )
    })
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => string().prop_map(|(written, _)| written),
        2 => "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,2})?",
        1 => select(vec!["null", "true", "false"]).prop_map(str::to_owned),
    ]
}

fn space() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", "", " ", "\n", "\r\n\t "])
}

/// An array or object of `items`, with white space.
fn enclosed(open: char, close: char, items: Vec<String>, spaces: &[&str]) -> String {
    let space = |at: usize| spaces[at % spaces.len()];
    let items: Vec<String> = items
        .iter()
        .enumerate()
        .map(|(at, item)| format!("{}{item}{}", space(2 * at), space(2 * at + 1)))
        .collect();
    format!("{open}{}{}{close}", items.join(","), space(items.len()))
}

/// A document with its keys in any order, and whether its fields come before its rows.
fn document() -> impl Strategy<Value = String> {
    let row = prop::collection::vec(scalar(), FIELDS.len());
    let rows = prop::collection::vec(row, 1..6);
    let nested = string().prop_map(|(text, _)| {
        format!("{{\"data\":[[1,2],{text}],\"x\":{{\"data\":[]}},\"fields\":{text}}}")
    });
    let spaces = prop::collection::vec(space(), 1..7);
    let order = Just([0, 1, 2, 3, 4]).prop_shuffle();
    (rows, nested, spaces, order, any::<bool>()).prop_map(
        |(rows, nested, spaces, order, is_text)| {
            let num_rows = rows.len();
            let rows = rows
                .into_iter()
                .map(|row| enclosed('[', ']', row, &spaces))
                .collect();
            let fields = FIELDS
                .iter()
                .map(|name| Value::from(*name).to_string())
                .collect();
            let quote = if is_text { "\"" } else { "" };
            let pairs = [
                format!(
                    "\"data\"{}:{}{}",
                    spaces[0],
                    spaces[0],
                    enclosed('[', ']', rows, &spaces)
                ),
                format!("\"fields\":{}", enclosed('[', ']', fields, &spaces)),
                format!("\"count\":{quote}{num_rows}{quote}"),
                "\"signature\":{\"version\":\"1.0\",\"source\":\"data\"}".to_owned(),
                format!("\"more\":{nested}"),
            ];
            let pairs = order.iter().map(|at| pairs[*at].clone()).collect();
            format!(
                "{}{}{}",
                spaces[0],
                enclosed('{', '}', pairs, &spaces),
                spaces[0]
            )
        },
    )
}

/// The wanted cells as serde_json reads them, without the spaces around them.
fn reference(document: &str) -> Vec<Vec<String>> {
    let text = |cell: &Value| match cell {
        Value::Null => String::new(),
        Value::String(text) => text
            .trim_matches(|c: char| c.is_ascii_whitespace())
            .to_owned(),
        // The engine keeps the digits; they are compared by value.
        Value::Number(number) => number.as_f64().expect("a finite number").to_string(),
        other => other.to_string(),
    };
    let document: Value = serde_json::from_str(document).expect("the document is JSON");
    let rows = document["data"].as_array().expect("rows");
    rows.iter()
        .map(|row| {
            let cell = |column: &&str| FIELDS.iter().position(|field| field == column);
            COLUMN_NAMES
                .iter()
                .map(|column| cell(column).map_or(String::new(), |at| text(&row[at])))
                .collect()
        })
        .collect()
}

/// The wanted cells as the engine reads them; numbers as their shortest decimals.
fn engine(document: &str, chunk_bytes: usize) -> Vec<Vec<String>> {
    let fields = find_fields(document.as_bytes()).expect("a document with fields");
    let options = ReadOptions {
        chunk_bytes,
        fields: Some(fields),
        ..ReadOptions::default()
    };
    let mut catalogue = Catalogue::open(document.as_bytes(), &options).expect("a catalogue");
    let mut chunk = Chunk::default();
    let mut places = Places::default();
    let mut all = Vec::new();
    while catalogue
        .next_chunk(&mut chunk)
        .expect("memory can be read")
    {
        let mut rows = Rows::new(&chunk, catalogue.header().format, &mut places);
        while let Some(row) = rows.next_row(catalogue.plan()) {
            let cells = row.cells.expect("a whole row");
            let text = |slot| String::from_utf8_lossy(cells.bytes(slot)).into_owned();
            all.push((0..COLUMN_NAMES.len()).map(text).collect());
        }
    }
    let trailer = catalogue.finish().expect("a whole document");
    assert_eq!(trailer.count, Some(all.len() as u64));
    assert_eq!(trailer.made_by.as_deref(), Some("data 1.0"));
    all
}

/// Equal as texts, or as numbers where a cell is one.
fn is_same(engine: &str, reference: &str) -> bool {
    engine == reference
        || matches!((engine.parse::<f64>(), reference.parse::<f64>()), (Ok(a), Ok(b)) if a.to_bits() == b.to_bits())
}

proptest! {
    #![proptest_config(super::cases(300))]

    #[test]
    fn cells_are_those_of_serde_json(document in document()) {
        let expected = reference(&document);
        let rows = engine(&document, usize::MAX);
        prop_assert_eq!(rows.len(), expected.len());
        for (row, expected) in rows.iter().zip(&expected) {
            for (cell, expected) in row.iter().zip(expected) {
                prop_assert!(is_same(cell, expected), "{:?} is not {:?}", cell, expected);
            }
        }
        for chunk_bytes in 1..64 {
            prop_assert_eq!(&engine(&document, chunk_bytes), &rows);
        }
    }

    #[test]
    fn every_beginning_of_a_document_is_an_error(document in document()) {
        let document = document.trim();
        let fields = FIELDS.map(str::to_owned).to_vec();
        let options = ReadOptions { fields: Some(fields), ..ReadOptions::default() };
        prop_assert!(super::read(document.as_bytes(), &options).is_ok());
        for end in 0..document.len() {
            let read = super::read(&document.as_bytes()[..end], &options);
            prop_assert!(read.is_err(), "cut at {}: {:?}", end, read);
        }
    }
}
