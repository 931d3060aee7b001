//! `--nhats`: JPL's table of round trips, from the option to what the commands show.

mod support;

use support::{Folder, data};

/// A document of the API's form, one row of which is bad. Its figures are made up.
const DOCUMENT: &[u8] = br#"{"signature":{"version":"1.3","source":"made up"},"count":"3","data":[
    {"des":"433","fullname":"433 Eros (A898 PA)","min_dv":{"dv":"9.250","dur":"354"}},
    {"des":"2006 RH120","fullname":"(2006 RH120)","min_dv":{"dv":"4.125","dur":"450"}},
    {"des":"99942","fullname":"99942 Apophis (2004 MN4)","min_dv":{"dv":"6.5","dur":null}}]}"#;

fn with_document() -> Folder {
    let folder = Folder::new();
    folder.write("nhats.json", DOCUMENT);
    folder
}

#[test]
fn value_joins_the_table_and_says_how_many_it_matched() {
    let folder = with_document();
    let catalogue = data("asteroids.json");
    let arguments = ["value", &catalogue, "--nhats", "nhats.json"];
    let ran = folder.done(&[&arguments[..], &["--rejects", "r.jsonl"]].concat());
    let listed: Vec<_> = ran
        .items()
        .into_iter()
        .filter(|item| item.get("nhats_dv_kms").is_some())
        .collect();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["designation"], "433");
    assert_eq!(
        (&listed[0]["nhats_dv_kms"], &listed[0]["nhats_days"]),
        (&9.25.into(), &354.0.into())
    );
    assert!(
        ran.stderr.contains("2 with an NHATS round trip"),
        "{}",
        ran.stderr
    );
    let reject: serde_json::Value = serde_json::from_slice(&folder.read("r.jsonl")).unwrap();
    assert_eq!(
        (&reject["input"], &reject["row"], &reject["column"]),
        (&"nhats".into(), &3.into(), &"min_dv.dur".into())
    );
    let shown = folder.done(&arguments).stderr;
    assert!(shown.contains("rejected: NHATS table, row 3"), "{shown}");
}

#[test]
fn the_database_knows_the_round_trip() {
    let folder = with_document();
    let catalogue = data("asteroids.json");
    let arguments = ["value", &catalogue, "--nhats", "nhats.json"];
    folder.done(&[&arguments[..], &["-o", "b.sqlite"]].concat());
    let database = ["--database", "b.sqlite"];
    let eros = folder.done(&[&["show", "Eros"][..], &database].concat());
    for line in ["nhats_dv_kms     9.25 km/s", "nhats_days       354 d"] {
        assert!(eros.stdout.contains(line), "{}", eros.stdout);
    }
    let eros = folder.done(&[&["explain", "Eros"][..], &database].concat());
    assert!(
        eros.stdout.contains("round trip") && eros.stdout.contains("9.250 km/s"),
        "{}",
        eros.stdout
    );
    let ceres = folder.done(&[&["explain", "Ceres"][..], &database].concat());
    assert!(!ceres.stdout.contains("round trip"), "{}", ceres.stdout);
}

#[test]
fn inspect_recognises_the_document() {
    let folder = with_document();
    let shown = folder.done(&["inspect", "nhats.json"]).stdout;
    for line in ["NHATS table (JPL)", "rows         2", "rejected     1"] {
        assert!(shown.contains(line), "{shown}");
    }
    let shown = folder.done(&["inspect", "nhats.json", "--json"]).items();
    assert_eq!(shown[0]["source"], "nhats-table");
}

#[test]
fn in_place_of_the_catalogue_it_is_told_by_its_option() {
    let folder = with_document();
    let ran = folder.run(&["value", "nhats.json"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("as --nhats"), "{}", ran.stderr);
}

#[test]
fn a_bad_document_is_a_clear_error_and_nothing_is_written() {
    let folder = Folder::new();
    let cut_off = &DOCUMENT[..DOCUMENT.len() / 2];
    let other_count = String::from_utf8_lossy(DOCUMENT).replace("\"3\"", "\"7000\"");
    for (bytes, told) in [
        (cut_off, "cannot be read"),
        (other_count.as_bytes(), "counts 7000 bodies and has 3"),
        (br#"{"message":"invalid value"}"#, "invalid value"),
        (b"<html>503 Service Unavailable", "503"),
        (b"", "empty"),
    ] {
        folder.write("bad.json", bytes);
        let catalogue = data("asteroids.json");
        let arguments = [
            "value",
            &catalogue,
            "--nhats",
            "bad.json",
            "-o",
            "items.ndjson",
        ];
        let ran = folder.run(&arguments);
        assert_eq!(ran.code, Some(1), "{told}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(told) && ran.stderr.contains("bad.json"),
            "{told}: {}",
            ran.stderr
        );
        assert_eq!(folder.files(), ["bad.json"]);
    }
}
