//! A bad row is a reject with its place and reason, and the run goes on.

mod support;

use engine::catalogue::ReadOptions;
use engine::reject::{Reason, Reject};
use support::{Job, Valued};

const HEADER: &str = "pdes,full_name,spkid,neo,condition_code,H,albedo,diameter,GM,e,a,q,i,note";
const FIRST: &str = "1,1 First,,N,0,10,.1,,,.2,1.4,,3,";
const LAST: &str = "3,3 Last,,Y,E,11,,2.5,,.3,1.5,,4,";

/// Values `input` in chunks of several sizes, which give the same.
#[track_caller]
fn value(input: &[u8]) -> Valued {
    let run = |chunk_bytes| {
        let read = ReadOptions {
            chunk_bytes,
            ..ReadOptions::default()
        };
        let job = Job {
            read,
            ..Job::default()
        };
        job.run(input).expect("a catalogue")
    };
    let valued = run(1 << 20);
    for chunk_bytes in [1, 100, 65_536] {
        let again = run(chunk_bytes);
        assert_eq!(again.lines, valued.lines, "chunks of {chunk_bytes}");
        assert_eq!(again.rejects, valued.rejects, "chunks of {chunk_bytes}");
    }
    let counts = valued.summary.counts;
    assert_eq!(counts.read, counts.valued + valued.summary.num_rejected());
    valued
}

fn designations(valued: &Valued) -> Vec<String> {
    let designation = |item: &serde_json::Value| item["designation"].as_str().map(str::to_owned);
    valued.items().iter().filter_map(designation).collect()
}

/// Values a table with `row` between two good ones, and returns the reject that it is.
#[track_caller]
fn check(row: &[u8], reason: Reason, column: Option<&str>, told: &str) -> Reject {
    let table = [
        HEADER.as_bytes(),
        FIRST.as_bytes(),
        row,
        LAST.as_bytes(),
        b"",
    ]
    .join(&b'\n');
    let valued = value(&table);
    assert_eq!(designations(&valued), ["1", "3"]);
    let [reject] = &valued.rejects[..] else {
        panic!("{:?}", valued.rejects)
    };
    let place = (
        reject.row,
        reject.line,
        reject.column.as_deref(),
        reject.reason,
    );
    assert_eq!(place, (2, Some(3), column, reason), "{}", reject.message);
    assert!(reject.message.contains(told), "{}", reject.message);
    assert!(
        reject.message.len() <= 400,
        "{} bytes of message",
        reject.message.len()
    );
    assert!(reject.text.len() <= 3_000);
    reject.clone()
}

/// A row like the first one, with `value` in `column`.
fn row_with(column: &str, value: &str) -> Vec<u8> {
    let row = FIRST.replace('1', "2");
    let cells = HEADER.split(',').zip(row.split(','));
    let cells: Vec<&str> = cells
        .map(|(name, cell)| if name == column { value } else { cell })
        .collect();
    cells.join(",").into_bytes()
}

#[test]
fn a_row_with_too_few_or_too_many_fields() {
    let told = "5 fields where the header has 14";
    let reject = check(b"2,Short,,,", Reason::FieldCount, None, told);
    assert_eq!(reject.text, "2,Short,,,");
    check(b"2", Reason::FieldCount, None, "1 fields");
    check(b"\"\"", Reason::FieldCount, None, "1 fields");
    let long = [FIRST, ",,"].concat();
    check(
        long.as_bytes(),
        Reason::FieldCount,
        None,
        "16 fields where the header has 14",
    );
    check(
        &b",".repeat(100_000),
        Reason::FieldCount,
        None,
        "100001 fields",
    );
}

#[test]
fn a_number_that_cannot_be_read() {
    for column in ["H", "albedo", "diameter", "GM", "e", "a", "q", "i"] {
        for value in ["2.O195", "1e999", "1,5", "--1", "0x10", "inf", "1_000", "١"] {
            let quoted = format!("\"{value}\"");
            let row = row_with(column, &quoted);
            check(&row, Reason::BadNumber, Some(column), "is not a number");
        }
    }
    let row = row_with("a", &"7x".repeat(10_000));
    assert!(
        check(&row, Reason::BadNumber, Some("a"), "7x")
            .message
            .len()
            < 100
    );
    let too_large = ["9223372036854775808", "99999999999999999999999"];
    for value in ["x", "1.5", "-1"].into_iter().chain(too_large) {
        let row = row_with("spkid", value);
        check(
            &row,
            Reason::BadNumber,
            Some("spkid"),
            "is not a whole number",
        );
    }
}

#[test]
fn a_number_outside_of_its_range() {
    for (column, value, told) in [
        ("e", "-.1", "-0.1 is below 0"),
        ("a", "0", "0 au is no length of an orbit"),
        ("a", "-1.4", "-1.4 au is no length of an orbit"),
        ("a", "1e-400", "0 au is no length"),
        ("q", "0", "0 is not above 0"),
        ("i", "-1", "is not 0° to 180°"),
        ("i", "180.1", "is not 0° to 180°"),
        ("diameter", "0", "0 is not above 0"),
        ("diameter", "-5", "-5 is not above 0"),
        ("albedo", "0", "0 is not above 0"),
        ("GM", "0", "0 is not above 0"),
        ("H", "1e300", "is no magnitude of a body"),
        ("H", "-1e300", "is no magnitude of a body"),
        ("H", "-51", "is no magnitude of a body"),
    ] {
        check(
            &row_with(column, value),
            Reason::OutOfRange,
            Some(column),
            told,
        );
    }
    check(
        &row_with("diameter", "1e200"),
        Reason::OutOfRange,
        None,
        "cannot be valued",
    );
    // Tiny and large, and still numbers.
    for (column, value) in [
        ("H", "-50"),
        ("H", "100"),
        ("diameter", "1e-100"),
        ("e", "1e300"),
        ("a", "1e300"),
    ] {
        let row = row_with(column, value);
        let table = [HEADER.as_bytes(), &row].join(&b'\n');
        let valued = value_or_reject(&table);
        for item in valued.items() {
            for (name, value) in item.as_object().unwrap() {
                assert!(!value.is_null(), "{column} {value}: {name}");
            }
        }
    }
}

#[track_caller]
fn value_or_reject(table: &[u8]) -> Valued {
    let valued = value(table);
    assert_eq!(valued.summary.counts.read, 1);
    valued
}

#[test]
fn a_text_that_cannot_be_taken() {
    let mut row = row_with("full_name", "2 Xxx");
    let at = row.iter().position(|byte| *byte == b'X').unwrap();
    row[at] = 0xff;
    let reject = check(
        &row,
        Reason::BadText,
        Some("full_name"),
        "\"2 \u{fffd}xx\" is not UTF-8",
    );
    assert!(reject.text.contains('\u{fffd}'));
    let long = [
        b"2,".to_vec(),
        b"\xff".repeat(100_000),
        b",,,,,,,,.2,1.4,,,".to_vec(),
    ]
    .concat();
    check(&long, Reason::BadText, Some("full_name"), "is not UTF-8");
    let in_number = [b"2,,,,,".to_vec(), b"\xff,,,,.2,1.4,,,".to_vec()].concat();
    check(&in_number, Reason::BadNumber, Some("H"), "is not a number");
    for (column, max_bytes) in [("full_name", 96), ("pdes", 64), ("condition_code", 16)] {
        let row = row_with(column, &"é".repeat(max_bytes));
        check(
            &row,
            Reason::TextTooLong,
            Some(column),
            "bytes where at most",
        );
    }
    check(
        &row_with("neo", "maybe"),
        Reason::Malformed,
        Some("neo"),
        "neither Y nor N",
    );
    check(
        &row_with("neo", &"maybe".repeat(10_000)),
        Reason::Malformed,
        Some("neo"),
        "neither Y nor N",
    );
    // What nobody reads may be anything.
    let mut row = row_with("note", "x");
    *row.last_mut().unwrap() = 0xff;
    let table = [HEADER.as_bytes(), &row].join(&b'\n');
    assert_eq!(value(&table).rejects, []);
}

#[test]
fn a_row_without_a_key() {
    for key in ["", " ", "()", " ( ) "] {
        let row = format!(",{key},,,,,,,,.2,1.4,,,");
        check(row.as_bytes(), Reason::NoKey, None, "are all empty");
    }
}

#[test]
fn an_unclosed_quote_costs_its_row_alone() {
    for row in [
        "2,\"Two,,,,,,,,.2,1.4,,,",
        "\"2,Two",
        "2,Two,,,,,,,,.2,1.4,,,\"",
        "\"",
    ] {
        check(row.as_bytes(), Reason::UnclosedQuote, None, "never closed");
    }
    // Far from the end of the file, and at it.
    let rows: String = (4..60_000)
        .map(|row| format!("{row},,,,,,,,,.2,1.4,,,\n"))
        .collect();
    for (before, behind) in [("", &rows[..]), (&rows[..], "")] {
        let table = format!("{HEADER}\n{FIRST}\n{before}2,\"Two\n{behind}");
        let valued = value(table.as_bytes());
        let row = 2 + before.lines().count() as u64;
        let [reject] = &valued.rejects[..] else {
            panic!("{:?}", valued.rejects)
        };
        assert_eq!((reject.row, reject.line), (row, Some(row + 1)));
        assert_eq!(reject.reason, Reason::UnclosedQuote);
        assert_eq!(valued.summary.counts.valued, 59_997);
    }
}

/// Each line closes the quote of the one before and leaves another one open, for longer than a row may be. At 1 MiB the
/// text of the second kind is not within quotes.
#[test]
fn quotes_that_are_never_closed_cost_a_line_each() {
    const NUM_BAD: usize = 250_000;
    for bad in ["x\",\"", "xx\",\"", "2,\"Two\",\"A898 PA,3"] {
        let table = [HEADER, FIRST, &vec![bad; NUM_BAD].join("\n"), LAST, ""].join("\n");
        let valued = value(table.as_bytes());
        assert_eq!(designations(&valued), ["1", "3"]);
        assert_eq!(valued.rejects.len(), NUM_BAD);
        for (row, reject) in (2..).zip(&valued.rejects) {
            assert_eq!((reject.row, reject.line), (row, Some(row + 1)));
            assert_eq!(reject.reason, Reason::UnclosedQuote);
            assert_eq!(reject.text, bad);
        }
    }
}

#[test]
fn a_quote_that_the_next_row_closes_makes_no_body_of_two() {
    let table = "pdes,full_name,e,a\n\
        \"1\",\"1 First (A)\",.1,1.1\n\
        \"2\",\"2 Second,.2,1.2\n\
        \"3\",\"3 Third (C)\",.3,1.3\n\
        \"4\",\"4 Fourth (D)\",.4,1.4\n";
    let valued = value(table.as_bytes());
    assert_eq!(designations(&valued), ["1", "4"]);
    let [reject] = &valued.rejects[..] else {
        panic!("{:?}", valued.rejects)
    };
    assert_eq!(
        (reject.row, reject.line, reject.reason),
        (2, Some(3), Reason::UnclosedQuote)
    );
    assert!(
        reject.text.contains("3 Third"),
        "what is lost is shown: {}",
        reject.text
    );
}

#[test]
fn lines_are_counted_with_blank_ones_and_quoted_line_ends() {
    let table = "# a comment, \"quoted\n\n\"pdes\",e,\"a\nb\",a\n\
        \n \t\r\n1,.1,,1.1\n\n\nbad\n2,.2,\"x\r\ny\n\nz\",1.2\n\"b\na\nd\"\n\n3,.3,,1.3\nbad\n\n\n";
    let valued = value(table.as_bytes());
    assert_eq!(designations(&valued), ["1", "2", "3"]);
    let places: Vec<_> = valued
        .rejects
        .iter()
        .map(|reject| (reject.row, reject.line))
        .collect();
    assert_eq!(places, [(2, Some(10)), (4, Some(15)), (6, Some(20))]);
}

#[test]
fn a_row_of_megabytes_is_passed_over() {
    const LENGTH: usize = 3 << 20;
    let told = "longer than any row";
    let plain = format!("2,{},.2,1.4", "x".repeat(LENGTH));
    let reject = check(plain.as_bytes(), Reason::RowTooLong, None, told);
    assert_eq!(reject.text.len(), 1_000);
    let quoted = format!("2,\"{}\",,,,,,,,.2,1.4,,,", "x".repeat(LENGTH));
    check(quoted.as_bytes(), Reason::RowTooLong, None, told);
    let unclosed = format!("2,\"{}", "x".repeat(LENGTH));
    check(unclosed.as_bytes(), Reason::RowTooLong, None, told);
    let doubled = format!("2,\"{}\",,,,,,,,.2,1.4,,,", "\"\"".repeat(LENGTH / 2));
    check(doubled.as_bytes(), Reason::RowTooLong, None, told);
    check(&b",".repeat(LENGTH), Reason::RowTooLong, None, told);
    check(&b"\xff".repeat(LENGTH), Reason::RowTooLong, None, told);
    // Just below and above the most that is read.
    let row_of = |length: usize| {
        let row = "2,,,,,,,,,.2,1.4,,,";
        [row, &" ".repeat(length - row.len())].concat().into_bytes()
    };
    let table =
        |row: &[u8]| [HEADER.as_bytes(), FIRST.as_bytes(), row, LAST.as_bytes()].join(&b'\n');
    assert_eq!(
        designations(&value(&table(&row_of((1 << 20) - 1)))),
        ["1", "2", "3"]
    );
    check(&row_of(1 << 20), Reason::RowTooLong, None, told);
    // At the end of the file, without a line end.
    let last = [HEADER.as_bytes(), FIRST.as_bytes(), plain.as_bytes()].join(&b'\n');
    let valued = value(&last);
    assert_eq!(
        (valued.rejects[0].row, valued.rejects[0].line),
        (2, Some(3))
    );
}

#[test]
fn lines_are_counted_through_a_row_of_megabytes() {
    let quoted = format!("2,\"{}\",{}", "a\nb\r\n".repeat(100), "x".repeat(3 << 20));
    let table = [HEADER, &quoted, "bad", LAST].join("\n");
    let valued = value(table.as_bytes());
    assert_eq!(designations(&valued), ["3"]);
    let places: Vec<_> = valued
        .rejects
        .iter()
        .map(|reject| (reject.reason, reject.line))
        .collect();
    assert_eq!(
        places,
        [
            (Reason::RowTooLong, Some(2)),
            (Reason::FieldCount, Some(203))
        ]
    );
}

#[test]
fn megabytes_of_spaces_between_rows_are_no_row() {
    let spaces = " ".repeat(3 << 20);
    let rows = [r#"["1","","0.1",1.1],"#, r#"["3",null,".3","1.3"]"#];
    for rows in [
        [&spaces, rows[0], &spaces, rows[1]].concat(),
        [rows[0], rows[1], &spaces].concat(),
    ] {
        let document = format!(r#"{{"fields":["pdes","full_name","e","a"],"data":[{rows}]}}"#);
        let valued = value(document.as_bytes());
        assert_eq!(designations(&valued), ["1", "3"]);
        assert_eq!(valued.rejects, []);
    }
}

/// Values a document with `row` between two good ones, and returns the reject that it is.
#[track_caller]
fn check_json(row: &[u8], reason: Reason, column: Option<&str>, told: &str) -> Reject {
    let document = [
        br#"{"fields":["pdes","full_name","e","a"],"data":[["1","","0.1",1.1],"#,
        row,
        br#",["3",null,".3","1.3"]],"count":"3"}"#,
    ]
    .concat();
    let valued = value(&document);
    assert_eq!(designations(&valued), ["1", "3"]);
    assert_eq!(valued.items()[1]["e"], 0.3);
    let [reject] = &valued.rejects[..] else {
        panic!("{:?}", valued.rejects)
    };
    let place = (
        reject.row,
        reject.line,
        reject.column.as_deref(),
        reject.reason,
    );
    assert_eq!(place, (2, None, column, reason), "{}", reject.message);
    assert!(reject.message.contains(told), "{}", reject.message);
    reject.clone()
}

#[test]
fn a_row_that_is_no_array_of_cells() {
    let told = "a row is not an array";
    for row in [
        r#"{"pdes":"2","e":[0.2],"a":{"au":1.2}}"#,
        "5",
        "null",
        "true",
        r#""x""#,
        r#""[2,\"]\",""#,
        r#"x "[" y"#,
    ] {
        let reject = check_json(row.as_bytes(), Reason::Malformed, None, told);
        assert_eq!(reject.text, row);
    }
    let told = "a cell is an array or an object";
    check_json(br#"["2",["a]"],".2","1.2"]"#, Reason::Malformed, None, told);
    check_json(
        br#"["2","","0.2",{"au":[1.2]}]"#,
        Reason::Malformed,
        None,
        told,
    );
    check_json(br#"[["2","",".2","1.2"]]"#, Reason::Malformed, None, told);
    let told = "cells are not separated by commas";
    check_json(br#"["2" "",".2","1.2"]"#, Reason::Malformed, None, told);
    check_json(br#"["2","",".2","1.2"}"#, Reason::Malformed, None, told);
    let told = "a cell is no string, number or null";
    check_json(br#"["2",,".2","1.2"]"#, Reason::Malformed, None, told);
    check_json(br#"["2","",".2","1.2",]"#, Reason::Malformed, None, told);
    check_json(br#"["2",'Two',".2","1.2"]"#, Reason::Malformed, None, told);
    for cell in [r"\x", r"\u12", r"\ud800", "\\u0041\t", r"\"] {
        let row = match cell {
            r"\" => r#"["2\q","",".2","1.2"]"#.to_owned(),
            cell => format!(r#"["2","{cell}",".2","1.2"]"#),
        };
        check_json(row.as_bytes(), Reason::Malformed, None, "wrong escape");
    }
    check_json(
        b"[]",
        Reason::FieldCount,
        None,
        "0 fields where the header has 4",
    );
    check_json(br#"["2"]"#, Reason::FieldCount, None, "1 fields");
    check_json(
        br#"["2","",".2","1.2",null]"#,
        Reason::FieldCount,
        None,
        "5 fields",
    );
}

#[test]
fn a_bad_cell_in_a_document() {
    check_json(
        br#"["2","","x","1.2"]"#,
        Reason::BadNumber,
        Some("e"),
        "\"x\"",
    );
    check_json(
        br#"["2","",true,"1.2"]"#,
        Reason::BadNumber,
        Some("e"),
        "\"true\"",
    );
    check_json(
        br#"["2","",-0.1,"1.2"]"#,
        Reason::OutOfRange,
        Some("e"),
        "below 0",
    );
    check_json(
        br#"["2","",1e999,"1.2"]"#,
        Reason::BadNumber,
        Some("e"),
        "1e999",
    );
    check_json(br#"["","",".2","1.2"]"#, Reason::NoKey, None, "empty");
    check_json(br#"[null,null,".2","1.2"]"#, Reason::NoKey, None, "empty");
    check_json(
        b"[\"2\",\"\xff\",\".2\",\"1.2\"]",
        Reason::BadText,
        Some("full_name"),
        "UTF-8",
    );
}

#[test]
fn a_row_of_megabytes_in_a_document_is_passed_over() {
    let long = "x".repeat(3 << 20);
    let told = "longer than any row";
    check_json(
        format!(r#"["2","{long}",".2","1.2"]"#).as_bytes(),
        Reason::RowTooLong,
        None,
        told,
    );
    let quotes = format!(r#"["2","{}",".2","1.2"]"#, r#"\"]["#.repeat(1 << 20));
    check_json(quotes.as_bytes(), Reason::RowTooLong, None, told);
    let nested = format!("[{}{}]", "[".repeat(1 << 20), "]".repeat(1 << 20));
    check_json(nested.as_bytes(), Reason::RowTooLong, None, told);
    let cells = format!("[{}0]", "0,".repeat(1 << 20));
    check_json(cells.as_bytes(), Reason::RowTooLong, None, told);
    let at_the_end = format!(
        r#"{{"fields":["pdes","e","a"],"data":[["1",".1","1.1"],["2","{long}"]],"count":"2"}}"#
    );
    let valued = value(at_the_end.as_bytes());
    assert_eq!(designations(&valued), ["1"]);
    assert_eq!(valued.rejects[0].reason, Reason::RowTooLong);
    assert_eq!(valued.summary.trailer.count, Some(2));
}
