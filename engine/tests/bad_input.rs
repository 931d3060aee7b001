//! A file that is not what it claims to be is an error that says what it is and what to do.

mod support;

use std::io::Write;

use engine::catalogue::{CatalogueError, ReadOptions, find_fields};
use engine::compression::Compression;
use engine::pipeline::PipelineError;
use flate2::write::GzEncoder;
use support::{Job, Valued, data};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("memory takes all");
    encoder.include_checksum(true).expect("memory takes all");
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

#[track_caller]
fn error(input: &[u8]) -> CatalogueError {
    match Job::default().run(input) {
        Err(PipelineError::Catalogue(error)) => error,
        Err(error) => panic!("{error:?}"),
        Ok(valued) => panic!("read: {:?}", valued.summary),
    }
}

/// Checks what is told of an input, which is the same where the input is compressed.
#[track_caller]
fn check(input: &[u8], told: &str) -> CatalogueError {
    for compressed in [gzip(input), zstd(input)] {
        let error = error(&compressed).to_string();
        assert!(error.contains(told), "{error}");
    }
    let error = error(input);
    assert!(error.to_string().contains(told), "{error}");
    error
}

macro_rules! assert_error {
    ($error:expr, $variant:pat) => {
        let error = $error;
        assert!(matches!(error, $variant), "{error:?}");
    };
}

#[test]
fn a_page_is_refused_in_its_own_words() {
    let page = b"<!DOCTYPE html>\n<html><head><title>503 Service Unavailable</title></head></html>";
    assert_error!(
        check(page, "503 Service Unavailable"),
        CatalogueError::Page { .. }
    );
    let indented = [b"\xef\xbb\xbf \r\n", &page[..]].concat();
    assert_error!(check(&indented, "HTML"), CatalogueError::Page { .. });
    let xml = b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>";
    assert_error!(check(xml, "AccessDenied"), CatalogueError::Page { .. });
}

#[test]
fn an_empty_file_is_refused() {
    for input in [&b""[..], b"\n", b" \r\n\t ", b"\xef\xbb\xbf"] {
        assert_error!(check(input, "empty"), CatalogueError::Empty);
    }
    // Comments alone, more than the reader looks at at once.
    let comments = b"# pdes,e,a\n\n".repeat(20_000);
    assert_error!(check(&comments, "empty"), CatalogueError::Empty);
}

#[test]
fn what_is_no_text_is_refused_by_its_kind() {
    assert_error!(
        check(b"\x7fELF\x02\x01\x01\0\0\0", "binary"),
        CatalogueError::Binary
    );
    assert_error!(
        check(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
        CatalogueError::Binary
    );
    assert_error!(check(b"pdes,e,a\n\0\0\0", "binary"), CatalogueError::Binary);
    assert_error!(
        check(b"PK\x03\x04\x14\0", "unpack it first"),
        CatalogueError::Archive("zip")
    );
    assert_error!(
        check(b"BZh91AY&SY", "unpack it first"),
        CatalogueError::Archive("bzip2")
    );
    assert_error!(
        check(b"\xfd7zXZ\0\0", "unpack it first"),
        CatalogueError::Archive("xz")
    );
    let utf16 = |mark: u16, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let text = "pdes,e,a\r\n433,.2,1.4\r\n".encode_utf16();
        std::iter::once(mark)
            .filter(|mark| *mark != 0)
            .chain(text)
            .flat_map(bytes)
            .collect()
    };
    let told = "save it as CSV in UTF-8";
    assert_error!(
        check(&utf16(0xfeff, u16::to_le_bytes), told),
        CatalogueError::Utf16
    );
    assert_error!(
        check(&utf16(0xfeff, u16::to_be_bytes), told),
        CatalogueError::Utf16
    );
    assert_error!(
        check(&utf16(0, u16::to_le_bytes), "binary"),
        CatalogueError::Binary
    );
}

#[test]
fn a_column_set_without_key_or_orbit_is_refused_with_its_columns() {
    let keyless = check(b"name,e,a,q\nEros,.2,1.4,1\n", "pdes, full_name and spkid");
    assert!(
        keyless.to_string().contains("(columns: name, e, a, q)"),
        "{keyless}"
    );
    assert_error!(keyless, CatalogueError::NoKeyColumn { .. });
    for header in ["pdes,a,q", "pdes,e,ad", "pdes"] {
        let orbitless = check(format!("{header}\n1,1,1\n").as_bytes(), "one of a and q");
        assert_error!(orbitless, CatalogueError::NoOrbitColumns { .. });
    }
    let document = br#"{"fields":["name","e","a"],"data":[["Eros",".2","1.4"]]}"#;
    assert_error!(
        check(document, "no usable key"),
        CatalogueError::NoKeyColumn { .. }
    );
    // Any text is a column; a long one is not repeated.
    let text = format!("{}\n", "Lorem ipsum dolor sit amet. ".repeat(1_000));
    assert!(check(text.as_bytes(), "no usable key").to_string().len() < 600);
}

#[test]
fn a_header_that_cannot_be_read_is_refused() {
    let unclosed = b"pdes,\"e,a\n433,.2,1.4\n";
    assert_error!(check(unclosed, "never closed"), CatalogueError::Header(_));
    let overlong = format!("pdes,e,a,{}\n433,.2,1.4,0\n", "x".repeat(3 << 20));
    assert_error!(
        check(overlong.as_bytes(), "longer than any header"),
        CatalogueError::Header(_)
    );
}

#[test]
fn a_header_of_too_many_columns_is_refused() {
    let csv = |num_columns: usize| {
        let (names, cells) = (",x".repeat(num_columns - 3), ",1".repeat(num_columns - 3));
        format!("pdes,e,a{names}\n433,.2,1.4{cells}\n")
    };
    let json = |num_columns: usize| {
        let (names, cells) = (
            r#","x""#.repeat(num_columns - 3),
            ",1".repeat(num_columns - 3),
        );
        let fields = format!(r#""fields":["pdes","e","a"{names}]"#);
        (fields, format!(r#""data":[["433",".2","1.4"{cells}]]"#))
    };
    let told = "the header has 1001 columns";
    assert_eq!(
        Job::default()
            .run(csv(1_000).as_bytes())
            .unwrap()
            .items()
            .len(),
        1
    );
    assert_error!(
        check(csv(1_001).as_bytes(), told),
        CatalogueError::TooManyColumns { num_columns: 1_001 }
    );
    let (fields, rows) = json(1_000);
    let document = format!("{{{fields},{rows}}}");
    assert_eq!(
        Job::default()
            .run(document.as_bytes())
            .unwrap()
            .items()
            .len(),
        1
    );
    let (fields, rows) = json(1_001);
    let document = format!("{{{fields},{rows}}}");
    assert_error!(
        check(document.as_bytes(), told),
        CatalogueError::TooManyColumns { num_columns: 1_001 }
    );
    // Behind the rows, too, where a document was read with the fields that it was asked for.
    let asked = Job {
        read: ReadOptions {
            fields: Some(["pdes", "e", "a"].map(str::to_owned).to_vec()),
            ..ReadOptions::default()
        },
        ..Job::default()
    };
    let document = format!(r#"{{"data":[["433",".2","1.4"]],{fields}}}"#);
    let error = asked.run(document.as_bytes()).unwrap_err();
    assert!(error.to_string().contains(told), "{error}");
}

#[test]
fn a_duplicate_column_is_refused_and_an_unknown_one_ignored() {
    assert_error!(
        check(b"pdes,e,a,e\n1,1,1,1\n", "column e"),
        CatalogueError::DuplicateColumn(_)
    );
    let document = br#"{"fields":["pdes","e","a","a"],"data":[["1",".1","1","1"]]}"#;
    assert_error!(
        check(document, "column a"),
        CatalogueError::DuplicateColumn(_)
    );
    let unknown = b"x,pdes,,e,x,a,\xe9\n1,433,,.2,5,1.4,\xff\n";
    let valued = Job::default().run(&unknown[..]).unwrap();
    assert_eq!(valued.items()[0]["designation"], "433");
}

#[test]
fn a_header_without_rows_is_refused() {
    for input in [
        &b"pdes,e,a"[..],
        b"pdes,e,a\r\n",
        b"# of 2026\npdes,e,a\n\n \n",
        br#"{"fields":["pdes","e","a"],"data":[]}"#,
        br#"{"fields":["pdes","e","a"],"data":[ , ]}"#,
    ] {
        assert_error!(
            check(input, "no row below the header"),
            CatalogueError::NoRows
        );
    }
}

#[test]
fn a_document_without_rows_is_refused_with_what_it_says() {
    for count in ["7293", "\"7293\""] {
        let document = format!(r#"{{"signature":{{"version":"1.0"}},"count":{count}}}"#);
        let error = check(document.as_bytes(), "ask the API for fields");
        assert_error!(error, CatalogueError::CountOnly { count: 7_293 });
    }
    let reply = br#"{"code":"400","message":"one or more query parameter was not recognized"}"#;
    assert_error!(
        check(reply, "parameter was not recognized"),
        CatalogueError::ErrorReply(_)
    );
    for document in [
        &br#"{"signature":{}}"#[..],
        br#"{"fields":["pdes","e","a"]}"#,
        br#"{"data":"none"}"#,
        br#"{"x":{"data":[[1]]}}"#,
        br#"[{"full_name":"433 Eros","e":0.2}]"#,
        br#"[]"#,
        br#"{]"#,
    ] {
        assert_error!(check(document, "no array \"data\""), CatalogueError::NoData);
    }
}

#[test]
fn what_stands_around_the_rows_is_checked() {
    let row = r#"["433",".2","1.4"]"#;
    for document in [
        format!(r#"{{"fields":["pdes","e","a"],"data":[{row}],"count":1}} {{}}"#),
        format!(r#"{{"fields":["pdes","e","a"],"data":[{row}}},"count":1}}"#),
        format!(r#"{{"fields":["pdes","e","a"],"data":[{row}],"fields":["pdes","e","a"]}}"#),
        format!(r#"{{"fields":["pdes","e","a"] "data":[{row}]}}"#),
        format!(r#"{{"fields":"pdes,e,a","data":[{row}]}}"#),
        // The rows of a second array would be passed over.
        format!(r#"{{"fields":["pdes","e","a"],"data":[{row}],"data":[{row}]}}"#),
    ] {
        let error = check(document.as_bytes(), "malformed around its rows");
        assert_error!(error, CatalogueError::MalformedDocument(_));
    }
}

#[test]
fn a_document_cut_off_anywhere_is_refused() {
    let document = data("asteroids.json");
    let head = document
        .windows(9)
        .position(|window| window == b"\"data\":[[")
        .unwrap();
    // All of the head, two rows, the tail; and every so often between.
    let row = document
        .windows(3)
        .skip(head)
        .position(|window| window == b"],[")
        .unwrap();
    let ends = (0..head + 2 * row)
        .chain((0..document.len()).step_by(997))
        .chain(document.len() - 60..document.len());
    for end in ends {
        match Job::default().run(&document[..end]) {
            Err(PipelineError::Catalogue(error)) => match error {
                CatalogueError::Empty => assert_eq!(end, 0),
                CatalogueError::TruncatedDocument { .. } => {
                    assert!(error.to_string().contains("download it again"), "{error}");
                }
                error => panic!("cut at {end}: {error:?}"),
            },
            other => panic!("cut at {end}: {other:?}"),
        }
    }
    assert!(Job::default().run(&document[..]).is_ok());
}

#[test]
fn a_compressed_stream_cut_off_anywhere_is_refused() {
    let table = data("asteroids-handmade.csv");
    let whole_rows = table[..1_200]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap();
    let table = &table[..=whole_rows];
    let document =
        br#"{"fields":["pdes","e","a"],"data":[["433",".2","1.4"],["1",".1","2.7"]],"count":2}"#;
    for (compressed, compression) in [
        (gzip(table), Compression::Gzip),
        (zstd(table), Compression::Zstd),
        (gzip(document), Compression::Gzip),
        (zstd(document), Compression::Zstd),
        (
            [gzip(&document[..40]), gzip(&document[40..])].concat(),
            Compression::Gzip,
        ),
    ] {
        assert!(Job::default().run(&compressed[..]).is_ok());
        for end in 0..compressed.len() {
            match error(&compressed[..end]) {
                CatalogueError::CutOff(cut) => assert_eq!(cut, compression),
                // The end of a member is no end of the document.
                CatalogueError::TruncatedDocument { .. } => assert!(end > 40),
                // The marks are two and four bytes long.
                error => assert!(end < 4, "cut at {end}: {error:?}"),
            }
        }
        let told = error(&compressed[..compressed.len() - 1]).to_string();
        assert_eq!(
            told,
            format!(
                "the {} stream is cut off: download it again",
                compression.name()
            )
        );
    }
}

#[test]
fn a_damaged_stream_is_refused() {
    let table = data("asteroids-2021.csv");
    for compressed in [gzip(&table), zstd(&table)] {
        for at in (20..compressed.len()).step_by(61) {
            let mut damaged = compressed.clone();
            damaged[at] ^= 0x10;
            let told = error(&damaged);
            assert!(
                matches!(
                    told,
                    CatalogueError::Damaged { .. } | CatalogueError::CutOff(_)
                ),
                "byte {at}: {told:?}"
            );
            assert!(told.to_string().contains("download it again"), "{told}");
        }
    }
    let behind = [&gzip(&table)[..], b"<html>Gateway Timeout</html>"].concat();
    assert_error!(error(&behind), CatalogueError::Damaged { .. });
}

#[test]
fn what_the_input_fails_with_is_told() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    // Many chunks, so that several threads are at it.
    let rows = b"433,.2,1.4\n".repeat(100_000);
    for start in [
        &b""[..],
        b"pdes,e,a\n",
        b"pdes,e,a\n433,.2,1.4\n",
        &gzip(b"pdes,e,a\n")[..15],
        &[b"pdes,e,a\n", &rows[..]].concat(),
    ] {
        for (num_threads, is_waited_for) in [(1, false), (2, false), (2, true), (4, false)] {
            let job = Job {
                num_threads,
                read: ReadOptions {
                    is_waited_for,
                    ..ReadOptions::default()
                },
                ..Job::default()
            };
            let result = job.run(std::io::Read::chain(start, Broken));
            let is_told = matches!(
                &result,
                Err(PipelineError::Catalogue(CatalogueError::Read(error)))
                    if error.kind() == std::io::ErrorKind::ConnectionReset
            );
            assert!(is_told, "{num_threads} threads: {:?}", result.err());
        }
    }
}

const ROWS_FIRST: &str =
    r#"{"data":[["1.4","433",".2"],["2.7","1",".07"]],"count":"2","fields":["a","pdes","e"]}"#;

fn read_with(document: &str, fields: &[&str]) -> Result<Valued, PipelineError> {
    let fields = fields.iter().map(|name| (*name).to_owned()).collect();
    let job = Job {
        read: ReadOptions {
            fields: Some(fields),
            ..ReadOptions::default()
        },
        ..Job::default()
    };
    job.run(document.as_bytes())
}

#[test]
fn a_document_with_its_rows_first_is_read_with_its_fields() {
    let told = check(ROWS_FIRST.as_bytes(), "read it from a file");
    assert_error!(told, CatalogueError::FieldsBehindData);
    let fields = find_fields(ROWS_FIRST.as_bytes()).unwrap();
    assert_eq!(fields, ["a", "pdes", "e"]);
    assert_eq!(
        find_fields(&gzip(ROWS_FIRST.as_bytes())[..]).unwrap(),
        fields
    );
    let valued = read_with(ROWS_FIRST, &["a", "pdes", "e"]).unwrap();
    let fields_first =
        r#"{"fields":["a","pdes","e"],"data":[["1.4","433",".2"],["2.7","1",".07"]],"count":2}"#;
    let expected = Job::default().run(fields_first.as_bytes()).unwrap();
    assert_eq!(valued.lines, expected.lines);
    assert_eq!(valued.items().len(), 2);
    assert_eq!(valued.summary.trailer, expected.summary.trailer);
}

#[test]
fn fields_other_than_those_asked_for_are_refused() {
    for document in [ROWS_FIRST, &ROWS_FIRST.replace("433", "434")] {
        let error = read_with(document, &["e", "pdes", "a"]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("asked: e, pdes, a; got: a, pdes, e"),
            "{error}"
        );
    }
    let fields_first = r#"{"fields":["a","pdes","e"],"data":[["1.4","433",".2"]]}"#;
    let error = read_with(fields_first, &["a", "pdes"]).unwrap_err();
    assert!(matches!(
        error,
        PipelineError::Catalogue(CatalogueError::OtherFields { .. })
    ));
}

#[test]
fn fields_are_found_wherever_they_are_and_nowhere_else() {
    assert_eq!(find_fields(&data("asteroids.json")[..]).unwrap().len(), 33);
    assert_eq!(
        find_fields(&b"pdes,e,a\n433,.2,1.4\n"[..]).unwrap(),
        ["pdes", "e", "a"]
    );
    // Those that are tried to get past the rows are not the document's.
    let probe = r#"{"data":[[1,2,3]],"fields":["spkid","e","a"]}"#;
    assert_eq!(find_fields(probe.as_bytes()).unwrap(), ["spkid", "e", "a"]);
    let unnamed = br#"{"data":[["433",".2","1.4"]],"count":1}"#;
    assert_error!(
        find_fields(&unnamed[..]).unwrap_err(),
        CatalogueError::NoFields
    );
    assert!(read_with(std::str::from_utf8(unnamed).unwrap(), &["pdes", "e", "a"]).is_ok());
    assert_error!(find_fields(&b""[..]).unwrap_err(), CatalogueError::Empty);
    assert_error!(
        find_fields(&ROWS_FIRST.as_bytes()[..60]).unwrap_err(),
        CatalogueError::TruncatedDocument { .. }
    );
}

#[test]
fn more_rejects_than_the_limit_are_an_error_and_as_many_are_not() {
    let run = |num_rows: u32, num_bad: u32, max_rejects_percent: f64| {
        let rows: String = (1..=num_rows)
            .map(|row| format!("{row},{},1.4\n", if row <= num_bad { "x" } else { ".2" }))
            .collect();
        let job = Job {
            max_rejects_percent,
            ..Job::default()
        };
        job.run(format!("pdes,e,a\n{rows}").as_bytes())
    };
    for (num_rows, num_bad, max_percent) in [
        (200, 1, 0.5),
        // 10,000 × 0.69 / 100 is a little below 69 in doubles.
        (10_000, 69, 0.69),
        (1_000, 1, 0.1),
        (11_000, 77, 0.7),
        (3, 0, 0.0),
        (3, 3, 100.0),
    ] {
        let valued = run(num_rows, num_bad, max_percent).unwrap();
        assert_eq!(valued.rejects.len(), num_bad as usize);
        if num_bad < num_rows {
            let error = run(num_rows, num_bad + 1, max_percent).unwrap_err();
            let told = format!(
                "{} of {num_rows} rows were rejected, more than {max_percent} %",
                num_bad + 1
            );
            assert_eq!(error.to_string(), told);
        }
    }
}
