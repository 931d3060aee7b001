//! The upstreams, played by a server on loopback with the project's recorded bodies at the real paths.
#![allow(dead_code, reason = "every test uses a part of it")]

use engine::catalogue::COLUMN_NAMES;
use serde_json::{Value, json};

use super::misbehaving_server::{Answer, Route, Server};
use super::support::{Folder, Ran, data};

pub(crate) const SBDB: &str = "/jpl/sbdb_query.api";
pub(crate) const NHATS: &str = "/jpl/nhats.api";
pub(crate) const DELTA_V: &str = "/echo/~lance/delta_v/delta_v.rendezvous.html";
pub(crate) const DELTA_V_COPY: &str = "/wayback/web/20210202035814/\
    https://echo.jpl.nasa.gov/~lance/delta_v/delta_v.rendezvous.html";
pub(crate) const EXOPLANETS: &str = "/archive/TAP/sync";

/// What each upstream answers; at first, what it should.
pub(crate) struct Upstreams {
    pub(crate) asteroids: Vec<Answer>,
    pub(crate) nhats: Vec<Answer>,
    pub(crate) delta_v: Vec<Answer>,
    pub(crate) delta_v_copy: Vec<Answer>,
    pub(crate) exoplanets: Vec<Answer>,
}

impl Upstreams {
    pub(crate) fn new() -> Self {
        Upstreams {
            asteroids: vec![Answer::ok(catalogue(usize::MAX))],
            nhats: vec![Answer::ok(nhats())],
            // As it is since 2021: only the Internet Archive has it.
            delta_v: vec![Answer::status(404, "<html>Not Found</html>")],
            delta_v_copy: vec![Answer::ok(recorded("delta-v.html"))],
            exoplanets: vec![Answer::ok(recorded("exoplanets.csv"))],
        }
    }

    pub(crate) fn start(self) -> Server {
        Server::start([
            Route::new(SBDB, self.asteroids),
            Route::new(NHATS, self.nhats),
            Route::new(DELTA_V, self.delta_v),
            Route::new(DELTA_V_COPY, self.delta_v_copy),
            Route::new(EXOPLANETS, self.exoplanets),
        ])
    }
}

/// The arguments of a fresh run against `server`.
pub(crate) fn addressed_to(server: &Server) -> Vec<String> {
    addressed_to_url(&server.url(""))
}

/// The arguments of a fresh run against the server at `url`.
pub(crate) fn addressed_to_url(url: &str) -> Vec<String> {
    [
        "--jpl-api",
        &format!("{url}/jpl"),
        "--jpl-echo",
        &format!("{url}/echo"),
        "--wayback",
        &format!("{url}/wayback"),
        "--exoplanet-archive",
        &format!("{url}/archive"),
        "--read-timeout",
        "2",
        "--attempts",
        "3",
        "--retry-delay",
        "0.02",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Runs on fresh inputs from `server`.
pub(crate) fn run_fresh(folder: &Folder, server: &Server, more: &[&str]) -> Ran {
    run_fresh_with_input(folder, server, more, b"")
}

/// The same with `input` on standard input.
pub(crate) fn run_fresh_with_input(
    folder: &Folder,
    server: &Server,
    more: &[&str],
    input: &[u8],
) -> Ran {
    let addresses = addressed_to(server);
    let mut args = vec!["run", "--inputs", "fresh"];
    args.extend(addresses.iter().map(String::as_str));
    args.extend(more);
    if !more.contains(&"--asteroids") {
        args.extend(["--min-rows", "100"]);
    }
    folder.run_with_input(&args, input)
}

#[track_caller]
pub(crate) fn succeeded(ran: Ran) -> Ran {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran
}

/// The manifests of the sets that are there.
pub(crate) fn sets(folder: &Folder) -> Vec<Value> {
    folder.done(&["inputs", "--json"]).items()
}

/// One of the project's recorded inputs.
pub(crate) fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(data(name)).expect("a recorded input")
}

/// The recorded catalogue as the API answers our query: its first `num_rows` rows, in the columns that we ask for.
pub(crate) fn catalogue(num_rows: usize) -> Vec<u8> {
    as_asked(&recorded("asteroids.json"), num_rows)
}

/// The first `num_rows` rows of a document of JPL's, in the columns that we ask for.
pub(crate) fn as_asked(document: &[u8], num_rows: usize) -> Vec<u8> {
    let document: Value = serde_json::from_slice(document).expect("JSON");
    let fields = document["fields"].as_array().expect("fields");
    let places: Vec<Option<usize>> = COLUMN_NAMES
        .iter()
        .map(|name| fields.iter().position(|field| field == name))
        .collect();
    let rows: Vec<Value> = document["data"]
        .as_array()
        .expect("data")
        .iter()
        .take(num_rows)
        .map(|row| {
            let cell = |place: &Option<usize>| place.map_or(Value::Null, |at| row[at].clone());
            places.iter().map(cell).collect()
        })
        .collect();
    serde_json::to_vec(&json!({
        "signature": document["signature"],
        "fields": COLUMN_NAMES,
        "count": rows.len().to_string(),
        "data": rows,
    }))
    .expect("JSON")
}

/// A table in the form of the NHATS API. The figures are made up.
pub(crate) fn nhats() -> Vec<u8> {
    let row = |des: &str, dv: &str, dur: u32| {
        json!({
            "des": des, "fullname": des, "orbit_id": "1", "h": "28.0", "n_via_traj": 3,
            "min_dv": {"dv": dv, "dur": dur}, "min_dur": {"dv": "11.9", "dur": 90},
        })
    };
    serde_json::to_vec(&json!({
        "signature": {"source": "NASA/JPL NHATS Data API", "version": "1.0"},
        "count": "2",
        "data": [row("2000 SG344", "3.5", 354), row("99942", "6.2", 370)],
    }))
    .expect("JSON")
}
