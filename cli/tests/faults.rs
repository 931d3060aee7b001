//! Runs through a proxy that does harm by a seeded plan: each ends in success with the exact table, or in a failure
//! that says so and leaves the old one. What came of it is looked at without the engine's code (`support/plain.rs`).
//!
//! `PROSPECTOR_FAULT_SEEDS=200` tries so many seeds, `PROSPECTOR_FAULT_SEED=7` only that one, and
//! `PROSPECTOR_FAULT_BODIES=10000` sets the size of the catalogue.
#![cfg(feature = "aws")]
#![allow(clippy::print_stdout, reason = "a test says what it did")]

#[path = "../../engine/tests/support/fault_proxy.rs"]
mod fault_proxy;
#[path = "support/faulty_run.rs"]
mod faulty_run;
#[path = "../../engine/tests/support/misbehaving_server.rs"]
mod misbehaving_server;
#[path = "support/plain.rs"]
mod plain;
#[path = "../../engine/tests/support/reference.rs"]
mod reference;
#[path = "../../engine/tests/support/s3_server.rs"]
mod s3_server;
mod support;
#[path = "support/upstreams.rs"]
mod upstreams;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use faulty_run::{Ended, World};
use plain::{Bodies, figure};
use reference::{DeltaV, evaluate};

/// Runs that are on their way at the same time: most of their time they wait to try something again.
const NUM_SIDE_BY_SIDE: usize = 10;

/// What every seed begins with.
static WORLD: LazyLock<World> =
    LazyLock::new(|| World::new(setting("PROSPECTOR_FAULT_BODIES").unwrap_or(2_000)));

fn setting(name: &str) -> Option<usize> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

#[test]
fn whatever_goes_wrong_a_run_ends_with_the_exact_table_or_says_that_it_failed_and_leaves_the_old_one()
 {
    let only = setting("PROSPECTOR_FAULT_SEED").map(|seed| seed as u64);
    let num_seeds = setting("PROSPECTOR_FAULT_SEEDS").unwrap_or(12) as u64;
    let (first, end) = only.map_or((0, num_seeds), |seed| (seed, seed + 1));
    let next = AtomicU64::new(first);
    let results: Mutex<Vec<(u64, Option<Ended>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..NUM_SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    // What went wrong is printed by whoever panics; the other seeds are tried all the same.
                    let ended = catch_unwind(AssertUnwindSafe(|| WORLD.survives(seed))).ok();
                    let mut results = results.lock().expect("nobody panics with it");
                    results.push((seed, ended));
                }
            });
        }
    });
    let results = results.into_inner().expect("nobody panics with it");
    let ended = |wanted: Ended| results.iter().filter(|(_, e)| *e == Some(wanted)).count();
    println!(
        "{} things that a run asks for; {} plans at {} bodies: {} runs succeeded, {} failed and said so",
        WORLD.asked().len(),
        results.len(),
        WORLD.expected().len(),
        ended(Ended::Succeeded),
        ended(Ended::Failed)
    );
    let broken: Vec<u64> = results
        .iter()
        .filter_map(|(seed, ended)| ended.is_none().then_some(*seed))
        .collect();
    assert_eq!(broken, Vec::<u64>::new(), "seeds that broke a promise");
}

/// Seed 154: the database was replaced first, and the run failed then.
#[test]
fn a_run_whose_rejected_rows_cannot_be_kept_fails_before_it_replaces_the_database() {
    let ended = WORLD.survives_without("PUT /bucket/runs/rejects.jsonl");
    assert_eq!(ended, Ended::Failed);
}

#[test]
fn a_run_whose_report_cannot_be_kept_fails_before_it_replaces_the_database() {
    let ended = WORLD.survives_without("PUT /bucket/runs/report.json");
    assert_eq!(ended, Ended::Failed);
}

#[test]
fn without_faults_the_table_is_what_a_second_plain_evaluation_of_the_inputs_gives() {
    let table = reference::read_json(WORLD.catalogue());
    let rows = reference::rows(&table);
    let bodies: &Bodies = WORLD.expected();
    let mut num_compared = 0;
    for row in &rows {
        let Some(body) = bodies.get(&reference::designation(row)) else {
            panic!("{row:?} is missing")
        };
        if body["mass_source"] == rusqlite::types::Value::Text("published".to_owned()) {
            continue;
        }
        // The reference's delta-v of its own is compared where no table has the body.
        let given = figure(body, "dv_kms").map_or(DeltaV::Unknown, DeltaV::Given);
        let expected = evaluate(row, given, None);
        for (name, figure_expected) in [
            ("price", expected.price),
            ("saved", expected.saved),
            ("closeness", expected.closeness),
            ("profit", expected.profit),
            ("score", expected.score),
        ] {
            let found = figure(body, name).expect("every body is valued");
            let is_close = found == figure_expected
                || ((found - figure_expected) / figure_expected).abs() < 1e-9;
            assert!(
                is_close,
                "{row:?}: {name} is {found}, not {figure_expected}"
            );
        }
        num_compared += 1;
    }
    let planets = plain::count(bodies, "kind", plain::is_text("exoplanet"));
    assert_eq!(rows.len() as u64 + planets, bodies.len() as u64);
    assert!(num_compared * 2 > rows.len(), "{num_compared}");
}
