//! Every recorded catalogue, valued by the engine and by the independent reference.

mod support;

use std::path::Path;

use engine::asterank::{self, Orbit};
use engine::delta_v::DeltaVTable;
use engine::masses;
use support::reference::{self, DeltaV, Evaluation};
use support::{Job, Valued, data, recorded};

/// Every result within 1e-12 of the definition, relative (asterank-model).
const TOLERANCE: f64 = 1e-12;

fn recorded_catalogues(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder.join("sbdb"))
        .expect("the folder of real files has catalogues")
        .map(|entry| entry.expect("a folder's entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "csv"))
        .collect();
    files.sort();
    let read = |path: std::path::PathBuf| (path.display().to_string(), std::fs::read(&path));
    files
        .into_iter()
        .map(read)
        .map(|(name, bytes)| (name, bytes.expect("a real file")))
        .collect()
}

#[track_caller]
fn assert_close(what: &str, actual: Option<f64>, expected: f64) {
    let actual = actual.unwrap_or_else(|| panic!("{what} is missing"));
    let is_close = actual == expected || ((actual - expected) / expected).abs() <= TOLERANCE;
    assert!(is_close, "{what} is {actual:e}, not {expected:e}");
}

fn assert_equal(name: &str, valued: &Valued, rows: &[reference::Row]) {
    let items = valued.items();
    let rejected: Vec<u64> = valued.rejects.iter().map(|reject| reject.row).collect();
    let accepted = (1..).zip(rows).filter(|(row, _)| !rejected.contains(row));
    assert_eq!(
        rows.len(),
        items.len() + rejected.len(),
        "{name}: rows in and out"
    );
    for ((number, row), item) in accepted.zip(&items) {
        let figure = |name: &str| item[name].as_f64();
        // The two evaluations may differ in the last digits of a computed delta-v; the model is compared
        // from one and the same.
        let given = figure("dv_kms").map_or(DeltaV::Unknown, DeltaV::Given);
        let expected: Evaluation = reference::evaluate(row, given, None);
        let what = |field: &str| format!("{name}: row {number}, {}: {field}", expected.designation);
        assert_eq!(
            item["designation"],
            expected.designation.as_str(),
            "{name}: row {number}"
        );
        assert_eq!(item["spec"], expected.spec.as_str(), "{}", what("spec"));
        assert_close(&what("price"), figure("price"), expected.price);
        assert_close(&what("saved"), figure("saved"), expected.saved);
        assert_close(&what("closeness"), figure("closeness"), expected.closeness);
        assert_close(&what("profit"), figure("profit"), expected.profit);
        assert_close(&what("score"), figure("score"), expected.score);
        let computed = reference::evaluate(row, DeltaV::FromOrbit, None).dv_kms;
        match (figure("dv_kms"), computed) {
            (Some(actual), Some(expected)) => {
                assert!(
                    (actual - expected).abs() < 1e-9 * expected,
                    "{}",
                    what("dv_kms")
                );
            }
            (actual, expected) => assert_eq!(actual, expected, "{}", what("dv_kms")),
        }
        if expected.spec != "comet" {
            assert_close(&what("mass_kg"), figure("mass_kg"), expected.mass_kg);
        }
        assert_eq!(
            figure("diameter_km").is_some(),
            expected.diameter_km.is_some()
        );
        if let Some(diameter) = expected.diameter_km {
            assert_close(&what("diameter_km"), figure("diameter_km"), diameter);
        }
    }
}

#[test]
fn every_valued_row_of_the_real_catalogues_equals_the_reference() {
    let Some(folder) = recorded() else { return };
    for (name, bytes) in recorded_catalogues(&folder) {
        let valued = Job::default()
            .run(&bytes[..])
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let rows = reference::rows(&reference::read_csv(&bytes));
        assert_equal(&name, &valued, &rows);
        let counts = valued.summary.counts;
        println!(
            "{name}: {} rows, {} valued, rejects {:?}",
            counts.read, counts.valued, valued.rejects
        );
    }
}

#[test]
fn every_valued_row_of_our_own_catalogues_equals_the_reference() {
    for name in [
        "asteroids-2020.csv",
        "asteroids-2021.csv",
        "asteroids-handmade.csv",
    ] {
        let bytes = data(name);
        let valued = Job::default()
            .run(&bytes[..])
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let rows = reference::rows(&reference::read_csv(&bytes));
        assert_equal(name, &valued, &rows);
    }
    let bytes = data("asteroids.json");
    let valued = Job::default().run(&bytes[..]).expect("our own catalogue");
    assert_equal(
        "asteroids.json",
        &valued,
        &reference::rows(&reference::read_json(&bytes)),
    );
    assert_eq!(valued.rejects, []);
}

#[test]
fn a_comet_with_a_spectral_type_is_valued_by_its_type_whatever_is_known_of_its_mass() {
    let bytes = b"pdes,full_name,class,spec_B,GM,H,q,e,i\n\
        999P,999P/New,HTC,S,,5,17.8,0.967,162\n\
        998P,998P/New,JFc,M,,,1.5,0.5,10\n\
        997P,997P/New,JFc,M,1e-6,,1.5,0.5,10\n\
        996P,996P/New,JFc,,1e-6,5,1.5,0.5,10\n";
    let valued = Job::default().run(&bytes[..]).unwrap();
    assert_equal(
        "comets",
        &valued,
        &reference::rows(&reference::read_csv(bytes)),
    );
    let items = valued.items();
    assert!(items.iter().all(|item| item["kind"] == "comet"));
    assert!(items[1]["price"].as_f64() > Some(0.0));
    assert_eq!(items[3]["price"], -1.0);
}

/// The columns that a row of Asterank's has and the engine reads, but for the inclination: without it there
/// is no delta-v, as there was none in 2019.
const ASTERANK_COLUMNS: [&str; 12] = [
    "full_name",
    "spkid",
    "class",
    "spec_B",
    "GM",
    "H",
    "diameter",
    "albedo",
    "a",
    "e",
    "q",
    "ad",
];

#[test]
fn the_ten_rows_that_asterank_valued_come_out_of_the_engine() {
    let Some(folder) = recorded() else { return };
    let bytes = std::fs::read(folder.join("asterank/ten-valued-rows-2019.json")).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let rows = document["rows"].as_array().unwrap();
    let cells = |row: &serde_json::Value| {
        ASTERANK_COLUMNS.map(|name| row[name].as_str().unwrap().to_owned())
    };
    let lines: Vec<String> = rows.iter().map(|row| cells(row).join(",")).collect();
    let csv = format!("{}\n{}\n", ASTERANK_COLUMNS.join(","), lines.join("\n"));
    let valued = Job::default().run(csv.as_bytes()).unwrap();
    assert_eq!((valued.rejects.len(), rows.len()), (0, 10));
    for (row, item) in rows.iter().zip(valued.items()) {
        for name in ["price", "saved", "closeness", "profit", "score"] {
            let recorded: f64 = row[name].as_str().unwrap().parse().unwrap();
            assert_close(
                &format!("{name} of {}", row["full_name"]),
                item[name].as_f64(),
                recorded,
            );
        }
    }
}

#[test]
fn the_printed_closeness_comes_out_of_the_engine() {
    let Some(folder) = recorded() else { return };
    let bytes = std::fs::read(folder.join("asterank/closeness-12-rows.json")).unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(rows.len(), 12);
    for row in rows {
        let figure = |name: &str| row[name].as_str().unwrap().parse::<f64>().unwrap();
        let orbit = Orbit {
            a: Some(figure("a")),
            e: None,
            q: Some(figure("q")),
            ad: Some(figure("ad")),
        };
        let computed = asterank::closeness(&orbit, figure("dv"));
        // The inputs are printed to six decimals like the result: 1e-5 is what that can make of it.
        let difference = (computed - figure("closeness")).abs();
        assert!(
            difference < 1e-5,
            "{}: {computed} differs by {difference:e}",
            row["id"]
        );
    }
}

#[test]
fn published_figures_are_merged_and_valued_like_the_reference_does() {
    let table = DeltaVTable::parse(&data("delta-v.html")).unwrap();
    let mut job = Job::default();
    job.valuer.lookups.masses = masses::builtin().clone();
    job.valuer.lookups.delta_v = table.clone();
    let bytes = data("asteroids.json");
    let valued = job.run(&bytes[..]).unwrap();
    let rows = reference::rows(&reference::read_json(&bytes));
    let (mut num_published, mut num_listed) = (0, 0);
    for (row, item) in rows.iter().zip(valued.items()) {
        let number = row["pdes"].parse().ok();
        let published = match item["mass_source"].as_str() {
            Some("published") => {
                num_published += 1;
                let provisional = row["full_name"].rsplit_once('(').map(|(_, rest)| rest);
                let provisional = provisional.map_or("", |rest| rest.trim_end_matches(')'));
                let names = [row["pdes"].as_str(), provisional];
                let found = masses::builtin().find(number, &names, Some(&row["name"]));
                Some(
                    found
                        .expect("the list has a mass that the item names")
                        .mass_kg,
                )
            }
            _ => None,
        };
        if item["dv_source"] == "benner" {
            num_listed += 1;
            let listed = table
                .rows
                .iter()
                .find(|listed| match (number, listed.number) {
                    (Some(number), Some(listed)) => number == listed,
                    _ => listed.designation.as_ref().is_some_and(|name| {
                        *name == row["pdes"] || row["full_name"].contains(&format!("({name})"))
                    }),
                });
            let listed =
                listed.unwrap_or_else(|| panic!("{} is not in the table", row["full_name"]));
            assert_eq!(
                item["dv_kms"].as_f64(),
                Some(listed.dv_kms),
                "{}",
                row["full_name"]
            );
        }
        let given = item["dv_kms"]
            .as_f64()
            .map_or(DeltaV::Unknown, DeltaV::Given);
        let expected = reference::evaluate(row, given, published);
        let what = |name: &str| format!("{}: {name}", row["full_name"]);
        assert_close(&what("price"), item["price"].as_f64(), expected.price);
        assert_close(&what("saved"), item["saved"].as_f64(), expected.saved);
        assert_close(&what("profit"), item["profit"].as_f64(), expected.profit);
        assert_close(&what("score"), item["score"].as_f64(), expected.score);
    }
    assert_eq!(num_listed, valued.summary.counts.matched_delta_v);
    assert!(
        num_listed > 140 && num_published > 20,
        "{num_listed} listed, {num_published} published"
    );
}
