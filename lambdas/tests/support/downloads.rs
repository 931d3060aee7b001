//! A bucket and upstreams, and the functions that bring inputs.
#![allow(dead_code, reason = "every test uses a part of it")]

use serde_json::{Value, json};

use super::misbehaving_server::{Answer as Said, Route, Server};
use super::support::{Answer, Bucket, invoke, recorded};

pub(crate) const SET: &str = "2026-11-25T101500Z";
const ROUTES: [(&str, &str, &str); 4] = [
    ("/sbdb", "ASTEROIDS_URL", "asteroids.json"),
    ("/delta-v", "DELTA_V_URL", "delta-v.html"),
    ("/nhats", "NHATS_URL", ""),
    ("/planets", "EXOPLANETS_URL", "exoplanets.csv"),
];

/// A stack: its bucket, and the upstreams that its functions ask.
pub(crate) struct Downloads {
    pub(crate) bucket: Bucket,
    pub(crate) upstreams: Server,
}

impl Downloads {
    /// All upstreams answer as they should, but for what is given.
    pub(crate) fn start(answers: &[(&'static str, Said)]) -> Self {
        let route = |(path, _, file): &(&'static str, &str, &str)| {
            let given = answers.iter().find(|(given, _)| given == path);
            let answer = match (given, *file) {
                (Some((_, answer)), _) => answer.clone(),
                (None, "") => Said::ok(nhats()),
                (None, file) => Said::ok(recorded(file)),
            };
            Route::new(path, vec![answer])
        };
        Downloads {
            bucket: Bucket::start(),
            upstreams: Server::start(ROUTES.iter().map(route)),
        }
    }

    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let addresses = ROUTES.map(|(path, variable, _)| (variable, self.upstreams.url(path)));
        let mut environment = self.bucket.environment();
        environment.extend(addresses);
        environment
    }

    pub(crate) fn download(&self, program: &str) -> Answer {
        let event = json!({"run": "try", "set": SET});
        invoke(program, &self.environment(), &event)
    }

    /// What the state machine gives the last of them: the answers of the others.
    pub(crate) fn asteroid_event(&self) -> Value {
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

    pub(crate) fn get_latest_asteroids(&self, event: &Value) -> Answer {
        invoke(GET_LATEST_ASTEROIDS, &self.environment(), event)
    }

    pub(crate) fn has(&self, object: &str) -> bool {
        self.bucket
            .read(&format!("inputs/{SET}/{object}"))
            .is_some()
    }
}

pub(crate) const GET_LATEST_ASTEROIDS: &str = env!("CARGO_BIN_EXE_get-latest-asteroids");

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
