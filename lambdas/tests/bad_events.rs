//! What every function does with an event that is not its own, and without its settings.

#[path = "../../engine/tests/support/s3_server.rs"]
mod s3_server;
mod support;

use serde_json::json;
use support::{Bucket, invoke};

const DOWNLOADS: [&str; 3] = [
    env!("CARGO_BIN_EXE_download-delta-v"),
    env!("CARGO_BIN_EXE_download-exoplanets"),
    env!("CARGO_BIN_EXE_calculate-masses"),
];
const GET_LATEST_ASTEROIDS: &str = env!("CARGO_BIN_EXE_get-latest-asteroids");
const CREATE_TABLE: &str = env!("CARGO_BIN_EXE_create-table");
const PARSE_HORIZON: &str = env!("CARGO_BIN_EXE_parse-horizon");
const WRITE_TO_DYNAMO: &str = env!("CARGO_BIN_EXE_write-to-dynamo");

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

#[test]
fn the_functions_of_a_run_refuse_and_name_the_same() {
    let bucket = Bucket::start();
    let mut environment = bucket.environment();
    for variable in [
        "CONTROL_TABLE",
        "DATA_QUEUE_URL",
        "DONE_QUEUE_URL",
        "DEAD_LETTER_QUEUE_URL",
    ] {
        environment.push((variable, "http://127.0.0.1:1/x".to_owned()));
    }
    for (program, event, said) in [
        (CREATE_TABLE, json!({"mode": "drop", "run": "try"}), "drop"),
        (CREATE_TABLE, json!({"mode": "create", "run": "a b"}), "a b"),
        (
            CREATE_TABLE,
            json!({"mode": "create", "run": "a", "more": 1}),
            "more",
        ),
        (
            PARSE_HORIZON,
            json!({"run": "try", "inputs": "fresh"}),
            "fresh",
        ),
        (PARSE_HORIZON, json!({"run": "try"}), "inputs"),
        (WRITE_TO_DYNAMO, json!({"run": "try"}), "Records"),
    ] {
        let answer = invoke(program, &environment, &event);
        let (name, message) = answer.failure();
        assert_eq!(name, "Event.Invalid", "{program}: {message}");
        assert!(message.contains(said), "{program}: {event}: {message}");
    }
    for (program, event, missing) in [
        (
            CREATE_TABLE,
            json!({"mode": "create", "run": "a"}),
            "CONTROL_TABLE",
        ),
        (
            PARSE_HORIZON,
            json!({"run": "a", "inputs": "latest"}),
            "DATA_QUEUE_URL",
        ),
        (
            WRITE_TO_DYNAMO,
            json!({"Records": []}),
            "DEAD_LETTER_QUEUE_URL",
        ),
    ] {
        let others: Vec<_> = environment
            .iter()
            .filter(|(variable, _)| *variable != missing)
            .cloned()
            .collect();
        let answer = invoke(program, &others, &event);
        let (name, message) = answer.failure();
        assert_eq!(name, "Settings.Invalid", "{program}: {message}");
        assert!(message.contains(missing), "{program}: {message}");
    }
}
