//! What every function does with an event that is not its own, and without its settings.

#[path = "../../engine/tests/support/s3_server.rs"]
mod s3_server;
mod support;

use serde_json::json;
use support::{Bucket, invoke};

/// The functions, each with a variable that it cannot do without, and an event of its own.
const DOWNLOADS: [&str; 3] = [
    env!("CARGO_BIN_EXE_download-delta-v"),
    env!("CARGO_BIN_EXE_download-exoplanets"),
    env!("CARGO_BIN_EXE_calculate-masses"),
];
const GET_LATEST_ASTEROIDS: &str = env!("CARGO_BIN_EXE_get-latest-asteroids");

#[test]
fn an_event_of_another_form_is_refused_with_what_is_wrong_with_it() {
    let bucket = Bucket::start();
    let set = "2026-11-25T101500Z";
    for program in DOWNLOADS.into_iter().chain([GET_LATEST_ASTEROIDS]) {
        for (event, said) in [
            (json!({"run": "a/b", "set": set}), "a/b"),
            (json!({"run": "try", "set": "latest"}), "latest"),
            (json!({"run": "try", "set": set, "more": 1}), "more"),
            (json!({"set": set}), "run"),
            (json!("try"), "try"),
        ] {
            let answer = invoke(program, &bucket.environment(), &event);
            let (name, message) = answer.failure();
            assert_eq!(name, "Event.Invalid", "{program}: {message}");
            assert!(message.contains(said), "{program}: {event}: {message}");
        }
    }
}

#[test]
fn a_setting_that_is_missing_or_unusable_is_named() {
    let bucket = Bucket::start();
    let event = json!({"run": "try", "set": "2026-11-25T101500Z"});
    for program in DOWNLOADS.into_iter().chain([GET_LATEST_ASTEROIDS]) {
        let answer = invoke(program, &[], &event);
        let (name, message) = answer.failure();
        assert_eq!(name, "Settings.Invalid", "{program}");
        assert!(message.contains("BUCKET"), "{program}: {message}");
    }
    for (program, variable) in [
        (DOWNLOADS[0], "DELTA_V_URL"),
        (DOWNLOADS[1], "EXOPLANETS_URL"),
        (GET_LATEST_ASTEROIDS, "ASTEROIDS_URL"),
        (GET_LATEST_ASTEROIDS, "NHATS_URL"),
    ] {
        let mut environment = bucket.environment();
        environment.push((variable, "file:///etc/passwd".to_owned()));
        let answer = invoke(program, &environment, &event);
        let (name, message) = answer.failure();
        assert_eq!(name, "Settings.Invalid", "{program}");
        assert!(message.contains(variable), "{program}: {message}");
    }
}
