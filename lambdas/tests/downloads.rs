//! The functions that bring inputs, on a bucket and upstreams that are played on loopback.

#[path = "../../engine/tests/support/misbehaving_server.rs"]
mod misbehaving_server;
#[path = "../../engine/tests/support/s3_server.rs"]
mod s3_server;
mod support;

use misbehaving_server::{Answer as Said, Route, Server};
use serde_json::{Value, json};
use support::{Answer, Bucket, invoke, invoke_for, recorded};

const SET: &str = "2026-11-25T101500Z";
const ROUTES: [(&str, &str, &str); 4] = [
    ("/sbdb", "ASTEROIDS_URL", "asteroids.json"),
    ("/delta-v", "DELTA_V_URL", "delta-v.html"),
    ("/nhats", "NHATS_URL", ""),
    ("/planets", "EXOPLANETS_URL", "exoplanets.csv"),
];

/// A stack: its bucket, and the upstreams that its functions ask.
struct Stack {
    bucket: Bucket,
    upstreams: Server,
}

impl Stack {
    /// All upstreams answer as they should, but for what is given.
    fn start(answers: &[(&'static str, Said)]) -> Self {
        let route = |(path, _, file): &(&'static str, &str, &str)| {
            let given = answers.iter().find(|(given, _)| given == path);
            let answer = match (given, *file) {
                (Some((_, answer)), _) => answer.clone(),
                (None, "") => Said::ok(nhats()),
                (None, file) => Said::ok(recorded(file)),
            };
            Route::new(path, vec![answer])
        };
        Stack {
            bucket: Bucket::start(),
            upstreams: Server::start(ROUTES.iter().map(route)),
        }
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let addresses = ROUTES.map(|(path, variable, _)| (variable, self.upstreams.url(path)));
        let mut environment = self.bucket.environment();
        environment.extend(addresses);
        environment
    }

    fn download(&self, program: &str) -> Answer {
        let event = json!({"run": "try", "set": SET});
        invoke(program, &self.environment(), &event)
    }

    /// What the state machine gives the last of them: the answers of the others.
    fn asteroid_event(&self) -> Value {
        let [delta_v, exoplanets, masses] = [
            env!("CARGO_BIN_EXE_download-delta-v"),
            env!("CARGO_BIN_EXE_download-exoplanets"),
            env!("CARGO_BIN_EXE_calculate-masses"),
        ]
        .map(|program| self.download(program).result());
        json!({
            "run": "try", "set": SET,
            "delta_v": delta_v, "exoplanets": exoplanets, "masses": masses,
        })
    }

    fn get_latest_asteroids(&self, event: &Value) -> Answer {
        invoke(GET_LATEST_ASTEROIDS, &self.environment(), event)
    }

    fn has(&self, object: &str) -> bool {
        self.bucket
            .read(&format!("inputs/{SET}/{object}"))
            .is_some()
    }
}

const GET_LATEST_ASTEROIDS: &str = env!("CARGO_BIN_EXE_get-latest-asteroids");

/// A table in the form of the NHATS API. The figures are made up.
fn nhats() -> Vec<u8> {
    let row = json!({
        "des": "2000 SG344", "fullname": "(2000 SG344)", "orbit_id": "1", "h": "28.0", "n_via_traj": 3,
        "min_dv": {"dv": "3.5", "dur": 354}, "min_dur": {"dv": "11.9", "dur": 90},
    });
    json!({
        "signature": {"source": "NASA/JPL NHATS Data API", "version": "1.0"},
        "count": "1", "data": [row],
    })
    .to_string()
    .into_bytes()
}

#[test]
fn the_functions_bring_a_set_that_exists_when_all_is_there() {
    let stack = Stack::start(&[]);
    let event = stack.asteroid_event();
    assert!(stack.has("begun") && !stack.has("manifest.json"));
    let answer = stack.get_latest_asteroids(&event);
    let counts = answer
        .lines()
        .into_iter()
        .find(|line| line.get("_aws").is_some());
    let result = answer.result();
    assert_eq!(result["set"], SET);
    assert!(stack.has("manifest.json") && !stack.has("begun"));
    let manifest = stack.bucket.json(&format!("inputs/{SET}/manifest.json"));
    assert_eq!(manifest["asteroids"]["rows"], result["rows"]);
    assert_eq!(manifest["masses"], event["masses"]);
    assert_eq!(manifest["delta_v"], event["delta_v"]["entry"]);
    assert_eq!(manifest["nhats"]["rows"], 1);
    let counts = counts.expect("a line of counts");
    assert_eq!(counts["RowsRead"].as_f64(), result["rows"].as_f64());
    assert_eq!(counts["Function"], "get-latest-asteroids");
    assert_eq!(counts["run"], "try");
}

#[test]
fn a_retry_after_a_lost_answer_answers_the_same_and_asks_no_upstream() {
    let stack = Stack::start(&[]);
    let event = stack.asteroid_event();
    let first = stack.get_latest_asteroids(&event).result();
    let manifest = stack.bucket.json(&format!("inputs/{SET}/manifest.json"));
    let asked = stack.upstreams.requests().len();
    assert_eq!(stack.get_latest_asteroids(&event).result(), first);
    assert_eq!(stack.upstreams.requests().len(), asked);
    assert_eq!(
        stack.bucket.json(&format!("inputs/{SET}/manifest.json")),
        manifest
    );
}

#[test]
fn a_download_that_is_repeated_overwrites_what_was_there() {
    let stack = Stack::start(&[]);
    let program = env!("CARGO_BIN_EXE_download-exoplanets");
    let (first, second) = (
        stack.download(program).result(),
        stack.download(program).result(),
    );
    assert_eq!(first["sha256"], second["sha256"]);
    assert!(stack.has("exoplanets.json"));
}

#[test]
fn failures_have_the_names_that_the_state_machine_knows() {
    let page = "<html><body>Down for maintenance</body></html>";
    for (path, said, name) in [
        ("/planets", Said::status(404, ""), "Upstream.Refused"),
        ("/planets", Said::ok(page), "Input.Malformed"),
        ("/sbdb", Said::ok(page), "Input.Malformed"),
        ("/sbdb", Said::status(403, ""), "Upstream.Refused"),
    ] {
        let stack = Stack::start(&[(path, said)]);
        let answer = match path {
            "/sbdb" => stack.get_latest_asteroids(&stack.asteroid_event()),
            _ => stack.download(env!("CARGO_BIN_EXE_download-exoplanets")),
        };
        let (found, message) = answer.failure();
        assert_eq!(found, name, "{message}");
        assert!(!stack.has("manifest.json"));
    }
}

#[test]
fn a_catalogue_that_has_shrunk_is_refused() {
    let stack = Stack::start(&[]);
    let event = stack.asteroid_event();
    let mut environment = stack.environment();
    environment.push(("MIN_ROWS", "1000000".to_owned()));
    let answer = invoke(GET_LATEST_ASTEROIDS, &environment, &event);
    assert_eq!(answer.failure().0, "Input.Shrunk");
    assert!(!stack.has("asteroids.json.zst"));
}

#[test]
fn a_download_that_does_not_end_in_time_is_stopped_and_leaves_nothing() {
    let silent = Said::ok(recorded("asteroids.json")).stall_after(1_000);
    let stack = Stack::start(&[("/sbdb", silent)]);
    let event = stack.asteroid_event();
    let answer = invoke_for(GET_LATEST_ASTEROIDS, &stack.environment(), &event, 3.0);
    assert_eq!(answer.failure().0, "Run.DeadlineExceeded");
    assert!(!stack.has("asteroids.json.zst") && !stack.has("manifest.json"));
}
