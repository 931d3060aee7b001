//! Runs on fresh inputs: every upstream is played by a server on loopback, which behaves as it should or does
//! not.

#[path = "../../engine/tests/support/misbehaving_server.rs"]
mod misbehaving_server;
mod support;
#[path = "support/upstreams.rs"]
mod upstreams;

use std::io::Write;
use std::process::Child;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use misbehaving_server::{Answer, Server};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use support::{Folder, data};
use upstreams::{
    DELTA_V, DELTA_V_COPY, EXOPLANETS, NHATS, SBDB, Upstreams, addressed_to, catalogue, recorded,
    run_fresh, sets, succeeded,
};

/// The items of the database, without the run that made them.
fn bodies(folder: &Folder) -> Vec<Value> {
    let args = ["top", "--by", "dv", "--limit", "100000", "--json"];
    let mut items = folder.done(&args).items();
    for item in &mut items {
        let run = item.as_object_mut().expect("an item").remove("run");
        assert!(run.is_some());
    }
    items
}

/// The files below the folder that no run ends with.
fn leftovers(folder: &Folder) -> Vec<String> {
    let is_left = |file: &String| file.contains(".new") || file.contains(".tmp");
    folder.files().into_iter().filter(is_left).collect()
}

#[test]
fn fresh_inputs_are_valued_kept_and_replayed_with_the_upstreams_gone() {
    let folder = Folder::new();
    let server = Upstreams::new().start();
    let ran = succeeded(run_fresh(&folder, &server, &[]));
    assert!(ran.stderr.contains("456 rows read"), "{}", ran.stderr);
    let requests = server.requests();
    let paths: Vec<&str> = requests.iter().map(|request| &request.path[..]).collect();
    for path in [SBDB, NHATS, DELTA_V, DELTA_V_COPY, EXOPLANETS] {
        assert_eq!(
            paths.iter().filter(|other| **other == path).count(),
            1,
            "{path}"
        );
    }
    assert_eq!(
        paths[paths.len() - 2..],
        [SBDB, NHATS],
        "JPL is asked for the catalogue first"
    );
    assert!(
        requests[0]
            .header("user-agent")
            .unwrap()
            .starts_with("prospector/")
    );
    drop(server);

    let [set] = &sets(&folder)[..] else {
        panic!("one set")
    };
    assert_eq!(set["asteroids"]["rows"], 394);
    assert_eq!(set["asteroids"]["count"], 394);
    assert_eq!(set["delta_v"]["rows"], 158);
    assert_eq!(set["nhats"]["rows"], 2);
    assert!(
        set["delta_v"]["source"]
            .as_str()
            .unwrap()
            .contains("/wayback/")
    );
    let fresh = bodies(&folder);
    succeeded(folder.run(&["run", "--inputs", "latest"]));
    assert_eq!(bodies(&folder), fresh);
    // A replay makes no set.
    assert_eq!(sets(&folder).len(), 1);

    // What was kept loses nothing: its items are, byte by byte, those of the files as they were served.
    folder.write("sbdb.json", &catalogue(usize::MAX));
    folder.write("nhats.json", &upstreams::nhats());
    let (delta_v, exoplanets) = (data("delta-v.html"), data("exoplanets.csv"));
    let files = [
        "value",
        "sbdb.json",
        "--delta-v",
        &delta_v,
        "--exoplanets",
        &exoplanets,
    ];
    let direct = folder.done(&[&files[..], &["--nhats", "nhats.json"]].concat());
    let replayed = folder.done(&["value", "--inputs", "latest"]);
    assert_eq!(direct.stdout, replayed.stdout);
    assert_eq!(direct.items().len(), 456);
    let by_date = &set["set"].as_str().unwrap()[..10];
    assert_eq!(
        folder.done(&["value", "--inputs", by_date]).stdout,
        direct.stdout
    );
}

/// A folder with a good run in it, and what must still be so after a bad one.
struct Settled {
    folder: Folder,
    database: Vec<u8>,
    sets: Vec<Value>,
    files: Vec<String>,
}

impl Settled {
    fn new() -> Self {
        let folder = Folder::new();
        succeeded(run_fresh(&folder, &Upstreams::new().start(), &[]));
        Settled {
            database: folder.read("prospector-store/bodies.sqlite"),
            sets: sets(&folder),
            files: folder.files(),
            folder,
        }
    }

    /// Runs against `upstreams`, which a run survives: the new set is as good as the old one.
    #[track_caller]
    fn recovers(self, upstreams: Upstreams) -> Server {
        let server = upstreams.start();
        succeeded(run_fresh(&self.folder, &server, &[]));
        let sets = sets(&self.folder);
        assert_eq!(sets.len(), 2);
        assert_eq!(
            sets[0]["asteroids"]["sha256"],
            sets[1]["asteroids"]["sha256"]
        );
        assert_eq!(
            sets[0]["exoplanets"]["sha256"],
            sets[1]["exoplanets"]["sha256"]
        );
        assert_eq!(leftovers(&self.folder), Vec::<String>::new());
        server
    }

    /// Runs against `upstreams`, which a run fails on with `message`: nothing has changed.
    #[track_caller]
    fn fails(self, upstreams: Upstreams, message: &str) -> Server {
        let server = upstreams.start();
        let ran = run_fresh(&self.folder, &server, &[]);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
        assert!(ran.stderr.contains("error: "), "{}", ran.stderr);
        self.is_unchanged();
        server
    }

    #[track_caller]
    fn is_unchanged(&self) {
        let database = self.folder.read("prospector-store/bodies.sqlite");
        assert!(database == self.database, "the database has changed");
        assert_eq!(sets(&self.folder), self.sets);
        assert_eq!(self.folder.files(), self.files);
    }
}

/// The upstreams, with these answers to the catalogue's query.
fn asteroids(answers: impl IntoIterator<Item = Answer>) -> Upstreams {
    Upstreams {
        asteroids: answers.into_iter().collect(),
        ..Upstreams::new()
    }
}

fn whole() -> Answer {
    Answer::ok(catalogue(usize::MAX))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

#[test]
fn a_slow_start_is_waited_for() {
    Settled::new().recovers(asteroids([whole().slow_start(Duration::from_millis(700))]));
}

#[test]
fn a_body_that_comes_byte_by_byte_is_taken() {
    let upstreams = Upstreams {
        exoplanets: vec![Answer::ok(recorded("exoplanets.csv")).one_byte_at_a_time()],
        ..Upstreams::new()
    };
    Settled::new().recovers(upstreams);
}

#[test]
fn a_compressed_body_is_taken() {
    let body = Answer::ok(gzip(&catalogue(usize::MAX))).header("Content-Encoding", "gzip");
    Settled::new().recovers(asteroids([body]));
}

#[test]
fn a_reset_in_the_middle_is_taken_up_where_the_server_allows_it() {
    let body = || whole().with_ranges("\"v1\"");
    let server = Settled::new().recovers(asteroids([body().reset_after(20_000), body()]));
    let is_resumed = |request: &misbehaving_server::Recorded| request.header("range").is_some();
    assert!(server.requests().iter().any(is_resumed));
}

#[test]
fn a_reset_in_the_middle_begins_again_where_the_server_has_no_ranges() {
    Settled::new().recovers(asteroids([whole().reset_after(20_000), whole()]));
}

#[test]
fn a_truncated_body_begins_again() {
    Settled::new().recovers(asteroids([whole().cut_after(30_000), whole()]));
}

#[test]
fn a_document_that_is_cut_off_without_a_word_begins_again() {
    let body = || whole().until_close();
    Settled::new().recovers(asteroids([body().cut_after(30_000), body()]));
}

#[test]
fn a_body_that_is_always_truncated_is_an_error() {
    Settled::new().fails(
        asteroids([whole().cut_after(30_000)]),
        "broke after 30000 bytes",
    );
}

#[test]
fn a_stalled_body_begins_again() {
    Settled::new().recovers(asteroids([whole().stall_after(10_000), whole()]));
}

#[test]
fn a_server_that_is_silent_for_ever_is_an_error() {
    let settled = Settled::new();
    let server = asteroids([Answer::silence()]).start();
    let ran = run_fresh(&settled.folder, &server, &["--connect-timeout", "0.2"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing arrived"), "{}", ran.stderr);
    settled.is_unchanged();
}

#[test]
fn an_error_of_the_server_that_passes_is_passed_over() {
    Settled::new().recovers(asteroids([Answer::status(500, "oops"), whole()]));
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    let busy = Answer::status(429, "busy").header("Retry-After", "1");
    Settled::new().recovers(asteroids([busy, whole()]));
}

#[test]
fn a_server_that_stays_broken_is_an_error() {
    let server = Settled::new().fails(asteroids([Answer::status(503, "down")]), "503");
    let of_catalogue = |request: &misbehaving_server::Recorded| request.path == SBDB;
    assert_eq!(
        server.requests().into_iter().filter(of_catalogue).count(),
        3
    );
}

#[test]
fn a_refusal_is_not_tried_again_and_says_that_the_address_may_be_blocked() {
    let server = Settled::new().fails(asteroids([Answer::status(403, "no")]), "blocked");
    let of_catalogue = |request: &misbehaving_server::Recorded| request.path == SBDB;
    assert_eq!(
        server.requests().into_iter().filter(of_catalogue).count(),
        1
    );
}

#[test]
fn an_unknown_field_is_told_in_the_words_of_the_api() {
    let reply = Answer::status(
        400,
        r#"{"message":"one or more invalid fields","code":"400"}"#,
    );
    Settled::new().fails(asteroids([reply]), "one or more invalid fields");
}

#[test]
fn a_page_in_place_of_the_catalogue_is_an_error() {
    let page = Answer::ok("<!DOCTYPE html><html><body>Under maintenance</body></html>");
    Settled::new().fails(asteroids([page]), "Under maintenance");
}

#[test]
fn a_page_in_place_of_the_planets_is_an_error() {
    let votable = "<?xml version=\"1.0\"?><VOTABLE><INFO name=\"QUERY_STATUS\" value=\"ERROR\">\
        ORA-00904: invalid identifier</INFO></VOTABLE>";
    let upstreams = Upstreams {
        exoplanets: vec![Answer::ok(votable)],
        ..Upstreams::new()
    };
    Settled::new().fails(upstreams, "ORA-00904");
}

#[test]
fn a_wrong_count_is_an_error() {
    let text = String::from_utf8(catalogue(usize::MAX)).expect("UTF-8");
    let body = text.replace(r#""count":"394""#, r#""count":"395""#);
    assert_ne!(body, text);
    Settled::new().fails(
        asteroids([Answer::ok(body)]),
        "has 394 rows and says that it has 395",
    );
}

#[test]
fn fewer_rows_than_last_time_are_an_error_unless_allowed() {
    let settled = Settled::new();
    // 0.5 % of 394 rows are 1.97.
    let server = asteroids([Answer::ok(catalogue(392))]).start();
    let ran = run_fresh(&settled.folder, &server, &[]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("fewer than the 394"), "{}", ran.stderr);
    settled.is_unchanged();
    succeeded(run_fresh(&settled.folder, &server, &["--max-shrink", "1"]));
    let server = asteroids([Answer::ok(catalogue(391))]).start();
    succeeded(run_fresh(&settled.folder, &server, &[]));
}

#[test]
fn too_few_rows_are_an_error() {
    Settled::new().fails(
        asteroids([Answer::ok(catalogue(99))]),
        "the 100 that are the least",
    );
}

#[test]
fn other_columns_than_those_asked_for_are_an_error() {
    let text = String::from_utf8(catalogue(usize::MAX)).expect("UTF-8");
    let body = text.replacen("\"albedo\"", "\"albido\"", 1);
    assert_ne!(body, text);
    Settled::new().fails(
        asteroids([Answer::ok(body)]),
        "not those that were asked for",
    );
}

#[test]
fn columns_of_unknown_types_are_an_error() {
    let mut document: Value = serde_json::from_slice(&catalogue(usize::MAX)).expect("JSON");
    for row in document["data"].as_array_mut().expect("data") {
        row[3] = serde_json::json!({"value": 1});
    }
    let body = Answer::ok(document.to_string());
    Settled::new().fails(asteroids([body]), "394 of 394 rows were rejected");
}

#[test]
fn gzip_that_lies_is_an_error() {
    let body = whole().header("Content-Encoding", "gzip");
    Settled::new().fails(
        asteroids([body]),
        "says that the body is gzip, and it is not",
    );
}

#[test]
fn a_redirect_to_elsewhere_is_not_followed() {
    let elsewhere = Upstreams::new().start();
    let redirect = Answer::redirect(&elsewhere.url(SBDB));
    Settled::new().fails(
        asteroids([redirect]),
        "redirects to other servers are not followed",
    );
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_decompression_bomb_is_an_error() {
    let comment = [b"# ".as_slice(), &[b'x'; 998]].concat();
    let bomb = gzip(&comment.repeat(160 << 10));
    assert!(bomb.len() < 2 << 20);
    let upstreams = Upstreams {
        exoplanets: vec![Answer::ok(bomb).header("Content-Encoding", "gzip")],
        ..Upstreams::new()
    };
    Settled::new().fails(upstreams, "larger than the limit of 67108864 bytes");
}

/// A fresh run that hangs in the middle of the catalogue's download.
fn hanging(folder: &Folder) -> (Child, Server) {
    let server = asteroids([whole().stall_after(50_000)]).start();
    let addresses = addressed_to(&server);
    let mut args = vec!["run", "--min-rows", "100"];
    args.extend(addresses.iter().map(String::as_str));
    // Longer than the test.
    let patience = args.iter().position(|arg| *arg == "--read-timeout");
    args[patience.expect("the option is there") + 1] = "600";
    let child = folder.start(&args);
    let deadline = Instant::now() + Duration::from_secs(60);
    let is_downloading = || server.requests().iter().any(|request| request.path == SBDB);
    while !is_downloading() || leftovers(folder).is_empty() {
        assert!(Instant::now() < deadline, "the download does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    (child, server)
}

#[test]
fn nothing_of_a_run_that_was_killed_is_visible_and_the_next_one_works() {
    let settled = Settled::new();
    let (mut child, server) = hanging(&settled.folder);
    child.kill().expect("the program is killed");
    child.wait().expect("the program ends");
    drop(server);
    assert_eq!(sets(&settled.folder), settled.sets);
    succeeded(settled.folder.run(&["run", "--inputs", "latest"]));

    succeeded(run_fresh(&settled.folder, &Upstreams::new().start(), &[]));
    assert_eq!(sets(&settled.folder).len(), 2);
    assert_eq!(leftovers(&settled.folder), Vec::<String>::new());
    let files = settled.folder.files();
    let in_sets = files.iter().filter(|file| file.contains("/inputs/"));
    assert_eq!(in_sets.count(), 2 * 6, "{files:?}");
}

#[test]
fn an_interrupted_download_leaves_nothing() {
    let settled = Settled::new();
    let (child, _server) = hanging(&settled.folder);
    let pid = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(pid), Signal::SIGINT).expect("the program is interrupted");
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(130));
    settled.is_unchanged();
}

#[test]
fn two_runs_at_once_are_refused() {
    let settled = Settled::new();
    let (mut child, _server) = hanging(&settled.folder);
    let second = settled.folder.run(&["run", "--inputs", "latest"]);
    assert_eq!(second.code, Some(1), "{}", second.stderr);
    assert!(
        second.stderr.contains("another run is at work"),
        "{}",
        second.stderr
    );
    child.kill().expect("the program is killed");
    child.wait().expect("the program ends");
}

#[test]
fn a_file_is_a_source_too_however_it_is_compressed() {
    let folder = Folder::new();
    let csv = recorded("asteroids-2020.csv");
    folder.write("plain.csv", &csv);
    folder.write(
        "packed.csv.gz",
        &[gzip(&csv[..5_000]), gzip(&csv[5_000..])].concat(),
    );
    let zstd = [&csv[..5_000], &csv[5_000..]].map(|part| zstd::encode_all(part, 1).unwrap());
    folder.write("packed.csv.zst", &zstd.concat());
    let server = Upstreams::new().start();
    for file in ["plain.csv", "packed.csv.gz", "packed.csv.zst"] {
        succeeded(run_fresh(&folder, &server, &["--asteroids", file]));
    }
    let sets = sets(&folder);
    for set in &sets {
        assert_eq!(set["asteroids"]["rows"], 53);
        assert_eq!(set["asteroids"]["object"], "asteroids.csv.zst");
        assert_eq!(set["asteroids"]["sha256"], sets[0]["asteroids"]["sha256"]);
    }
    let is_catalogue = |request: &misbehaving_server::Recorded| request.path == SBDB;
    assert!(!server.requests().iter().any(is_catalogue));
}

#[test]
fn a_delta_v_table_that_is_gone_is_replaced_by_the_last_one_or_computed() {
    let gone = || Upstreams {
        delta_v_copy: vec![Answer::status(404, "gone")],
        nhats: vec![Answer::ok("<html>no</html>")],
        ..Upstreams::new()
    };
    let folder = Folder::new();
    let ran = succeeded(run_fresh(&folder, &gone().start(), &[]));
    assert!(
        ran.stderr.contains("every value is computed"),
        "{}",
        ran.stderr
    );
    let [set] = &sets(&folder)[..] else {
        panic!("one set")
    };
    assert_eq!(
        (&set["delta_v"], &set["nhats"]),
        (&Value::Null, &Value::Null)
    );
    let listed = folder.done(&["inputs"]).stdout;
    assert!(listed.contains("every value is computed"), "{listed}");
    assert!(
        bodies(&folder)
            .iter()
            .all(|body| body["dv_source"] != "benner")
    );

    succeeded(run_fresh(&folder, &Upstreams::new().start(), &[]));
    let ran = succeeded(run_fresh(&folder, &gone().start(), &[]));
    assert!(
        ran.stderr.contains("delta-v.json is that of input set"),
        "{}",
        ran.stderr
    );
    let sets = sets(&folder);
    assert_eq!(sets[1]["delta_v"], sets[2]["delta_v"]);
    assert_eq!(sets[1]["nhats"], sets[2]["nhats"]);
    assert!(
        bodies(&folder)
            .iter()
            .any(|body| body["dv_source"] == "benner")
    );
}

#[test]
fn another_table_than_benners_is_not_taken_for_it() {
    let text = String::from_utf8(recorded("delta-v.html")).expect("UTF-8");
    // The inclinations' last digits are rubbed out, as if the columns had moved.
    let moved: Vec<String> = text
        .lines()
        .map(|line| line.replace(" 0.", " 0.9"))
        .collect();
    let upstreams = Upstreams {
        delta_v_copy: vec![Answer::ok(moved.join("\n"))],
        ..Upstreams::new()
    };
    let folder = Folder::new();
    let ran = succeeded(run_fresh(&folder, &upstreams.start(), &[]));
    assert!(ran.stderr.contains("it is another table"), "{}", ran.stderr);
}

#[test]
fn sets_are_listed_verified_and_pruned() {
    let settled = Settled::new();
    let folder = &settled.folder;
    succeeded(run_fresh(folder, &Upstreams::new().start(), &[]));
    let listed = folder.done(&["inputs"]).stdout;
    assert!(
        listed.contains("394 rows") && listed.contains("/jpl/sbdb_query.api"),
        "{listed}"
    );
    let names: Vec<String> = sets(folder)
        .iter()
        .map(|set| set["set"].as_str().expect("a name").to_owned())
        .collect();
    let verified = folder.done(&["inputs", "verify", "latest"]).stdout;
    assert_eq!(
        verified.matches("as it was downloaded").count(),
        5,
        "{verified}"
    );

    let object = format!("prospector-store/inputs/{}/asteroids.json.zst", names[1]);
    let mut bytes = folder.read(&object);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    folder.write(&object, &bytes);
    let ran = folder.run(&["inputs", "verify", &names[1]]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("has the SHA-256"), "{}", ran.stdout);
    let before = folder.read("prospector-store/bodies.sqlite");
    let ran = folder.run(&["run", "--inputs", "latest"]);
    assert_eq!(
        ran.code,
        Some(1),
        "a damaged catalogue is not valued: {}",
        ran.stderr
    );
    assert!(folder.read("prospector-store/bodies.sqlite") == before);

    let pruned = folder.done(&["inputs", "prune", "--keep", "1"]).stdout;
    assert_eq!(pruned, format!("deleted {}\n", names[0]));
    assert_eq!(sets(folder).len(), 1);
    let missing = folder.run(&["value", "--inputs", &names[0]]);
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.stderr.contains("there is no input set"),
        "{}",
        missing.stderr
    );
}

#[test]
fn samples_of_the_live_sources_are_recorded_as_they_are() {
    let folder = Folder::new();
    let server = Upstreams::new().start();
    let addresses = addressed_to(&server);
    let mut args = vec!["record", "--to", "samples"];
    args.extend(addresses.iter().map(String::as_str));
    let ran = folder.done(&args);
    assert!(ran.stdout.contains("asteroids.json"), "{}", ran.stdout);
    assert_eq!(folder.read("samples/asteroids.json"), catalogue(usize::MAX));
    assert_eq!(
        folder.read("samples/delta-v.html"),
        recorded("delta-v.html")
    );
    assert_eq!(
        folder.read("samples/exoplanets.csv"),
        recorded("exoplanets.csv")
    );
    assert_eq!(folder.read("samples/nhats.json"), upstreams::nhats());
    let origins: Value = serde_json::from_slice(&folder.read("samples/origin.json")).unwrap();
    assert_eq!(origins.as_array().map(Vec::len), Some(4));
    assert!(origins[0]["url"].as_str().unwrap().contains("limit=200"));
    assert_eq!(folder.files().len(), 5);
}
