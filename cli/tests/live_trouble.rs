//! Runs on fresh inputs from servers that misbehave, and runs that are killed or interrupted: they recover or fail
//! clearly, and nothing half-done is left.

#[path = "../../engine/tests/support/misbehaving_server.rs"]
mod misbehaving_server;
#[path = "support/settled.rs"]
mod settled;
mod support;
#[path = "support/upstreams.rs"]
mod upstreams;

use std::process::Child;
use std::time::{Duration, Instant};

use misbehaving_server::{Answer, Server};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use settled::{Settled, asteroids, gzip, leftovers, whole};
use support::Folder;
use upstreams::{
    NHATS, SBDB, Upstreams, addressed_to, catalogue, recorded, run_fresh, sets, succeeded,
};

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
    // Nor is the host that refused asked for something else.
    assert!(
        !server
            .requests()
            .iter()
            .any(|request| request.path == NHATS)
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
