//! Every recorded catalogue, valued by the engine and by the independent reference.

mod support;

use std::path::Path;

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
