//! Every item that real rows give stays within what one write unit of DynamoDB pays for.
#![cfg(feature = "aws")]
#![allow(clippy::print_stdout, reason = "a test says what it found")]
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not see that this serves tests only"
)]

mod support;

use engine::table::Ranking;
use engine::table::dynamodb::{item_bytes, read_item};
use proptest::prelude::*;
use support::{Job, data, recorded};

/// One write unit (Amazon DynamoDB Developer Guide, "DynamoDB provisioned capacity mode").
const MAX_BYTES: usize = 1024;

/// The largest item of a catalogue, each written as if it were among the best by every ranking.
fn largest(name: &str, bytes: &[u8]) -> usize {
    let job = Job {
        valuer: engine::body::Valuer {
            lookups: engine::body::Lookups::default(),
            // The longest that a run is called.
            run: Some("x".repeat(80)),
        },
        ..Job::default()
    };
    let valued = job
        .run(bytes)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let rankings = Ranking::ALL.map(|by| format!("\"{by}\"")).join(",");
    let lines = std::str::from_utf8(&valued.lines)
        .expect("lines are text")
        .lines();
    let sizes = lines.map(|line| {
        let line = format!("{},\"top\":[{rankings}]}}", &line[..line.len() - 1]);
        item_bytes(&read_item(&line).unwrap_or_else(|error| panic!("{line}: {error}")))
    });
    sizes.max().unwrap_or_default()
}

fn check(name: &str, bytes: &[u8]) {
    let largest = largest(name, bytes);
    println!("{name}: the largest item has {largest} bytes");
    assert!(
        (1..=MAX_BYTES).contains(&largest),
        "{name}: {largest} bytes"
    );
}

#[test]
fn items_of_our_own_catalogues_cost_one_write_unit() {
    for name in [
        "asteroids-2020.csv",
        "asteroids-2021.csv",
        "asteroids-handmade.csv",
        "asteroids.json",
    ] {
        check(name, &data(name));
    }
}

#[test]
fn items_of_the_real_catalogues_cost_one_write_unit() {
    let Some(folder) = recorded() else { return };
    let files = std::fs::read_dir(folder.join("sbdb")).expect("a folder of real catalogues");
    for file in files {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            check(
                &path.display().to_string(),
                &std::fs::read(&path).expect("a catalogue"),
            );
        }
    }
}

proptest! {
    /// Against the rule in plain words: names and texts by their bytes, numbers by two digits a byte and one more.
    #[test]
    fn an_item_is_as_large_as_its_parts(
        designation in "[0-9A-Za-z]{1,20}",
        class in "\\PC{0,20}",
        figure in any::<f64>().prop_filter("what DynamoDB holds", |figure| {
            *figure == 0.0 || (1e-129..1e125).contains(&figure.abs())
        }),
        is_near in any::<bool>(),
    ) {
        let class_json = serde_json::to_string(&class).unwrap();
        let line = format!(r#"{{"designation":"{designation}","class":{class_json},"neo":{is_near},"h":{figure:e}}}"#);
        let text = format!("{:e}", figure.abs());
        let (mantissa, _) = text.split_once('e').unwrap();
        let digits = mantissa.replace('.', "");
        let num_digits = digits.trim_matches('0').len().max(1);
        let number = num_digits.div_ceil(2) + 1 + usize::from(figure.is_sign_negative() && figure != 0.0);
        let texts = "designation".len() + designation.len() + "class".len() + class.len();
        let found = item_bytes(&read_item(&line).unwrap());
        let expected = texts + "neo".len() + 1 + "h".len() + number;
        prop_assert!(found.abs_diff(expected) <= usize::from(figure == 0.0), "{line}: {found}, not {expected}");
    }
}
