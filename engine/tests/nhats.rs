//! NHATS as a lookup: items have the round trip that it lists, and nothing else of them changes.

mod support;

use engine::inspect::{Source, inspect_table};
use engine::item::ATTRIBUTES;
use engine::nhats::NhatsTable;
use support::Job;

/// A document of the API's form. Its figures are made up.
const DOCUMENT: &[u8] = br#"{"signature":{"version":"1.3","source":"made up"},"count":3,"data":[
    {"des":"433","fullname":"433 Eros (A898 PA)","min_dv":{"dv":"9.250","dur":"354"}},
    {"des":"2006 RH120","fullname":"(2006 RH120)","min_dv":{"dv":"4.125","dur":"450"}},
    {"des":"99942","fullname":"99942 Apophis (2004 MN4)","min_dv":{"dv":"6.5","dur":"344"}}]}"#;

/// Eros is known by its number; (2004 MN4) is Apophis before it had one; Ceres is not listed.
const CATALOGUE: &[u8] = b"full_name,e,a,i\n433 Eros (A898 PA),.2229,1.458,10.83\n\
    (2004 MN4),.191,.922,3.34\n1 Ceres,.08,2.77,10.6\n(2006 RH120),.035,.998,1.09\n";

fn with_table() -> Job {
    let mut job = Job::default();
    job.valuer.lookups.nhats = NhatsTable::parse(DOCUMENT).expect("a table of round trips");
    job
}

#[test]
fn a_listed_body_has_the_round_trip_of_least_delta_v() {
    let valued = with_table().run(CATALOGUE).unwrap();
    let found: Vec<_> = valued
        .items()
        .iter()
        .map(|item| (item["nhats_dv_kms"].as_f64(), item["nhats_days"].as_f64()))
        .collect();
    let expected = [
        (Some(9.25), Some(354.0)),
        (Some(6.5), Some(344.0)),
        (None, None),
        (Some(4.125), Some(450.0)),
    ];
    assert_eq!(found, expected);
    assert_eq!(valued.summary.counts.matched_nhats, 3);
    assert_eq!(valued.summary.counts.matched_delta_v, 0);
}

#[test]
fn the_round_trip_changes_nothing_else_of_an_item() {
    let with = with_table().run(CATALOGUE).unwrap();
    let without = Job::default().run(CATALOGUE).unwrap();
    let mut items = with.items();
    for item in &mut items {
        let item = item.as_object_mut().unwrap();
        item.remove("nhats_dv_kms");
        item.remove("nhats_days");
    }
    assert_eq!(items, without.items());
    assert_eq!(without.summary.counts.matched_nhats, 0);
}

#[test]
fn the_attributes_stand_behind_the_delta_v() {
    let names: Vec<_> = ATTRIBUTES.iter().map(|attribute| attribute.name).collect();
    let place = names.iter().position(|name| *name == "dv_source").unwrap();
    assert_eq!(names[place + 1..place + 3], ["nhats_dv_kms", "nhats_days"]);
    let lines = with_table().run(CATALOGUE).unwrap().lines;
    let lines = String::from_utf8(lines).unwrap();
    let written = r#""dv_source":"computed","nhats_dv_kms":9.25,"nhats_days":354.0,"a":1.458,"#;
    assert!(lines.contains(written), "{lines}");
}

#[test]
fn inspection_recognises_either_document() {
    let own = serde_json::to_vec(&NhatsTable::parse(DOCUMENT).unwrap()).unwrap();
    for document in [DOCUMENT, &own] {
        let inspection = inspect_table(document, "x").unwrap();
        assert_eq!(inspection.format, "JSON document");
        let Source::NhatsTable { summary, rejects } = inspection.source else {
            panic!("{:?}", inspection.source)
        };
        assert_eq!((summary.rows, rejects.len()), (3, 0));
    }
    let delta_v = engine::delta_v::DeltaVTable::parse(&support::data("delta-v-2012.txt")).unwrap();
    let document = serde_json::json!({ "rows": delta_v.rows }).to_string();
    let inspection = inspect_table(document.as_bytes(), "x").unwrap();
    assert!(matches!(inspection.source, Source::DeltaVTable { .. }));
}
