//! Runs on fresh inputs as they should be, and what is done with input sets: every upstream is played by a server
//! on loopback.

#[path = "../../engine/tests/support/misbehaving_server.rs"]
mod misbehaving_server;
#[path = "support/settled.rs"]
mod settled;
mod support;
#[path = "support/upstreams.rs"]
mod upstreams;

use misbehaving_server::Answer;
use serde_json::Value;
use settled::{Settled, bodies, gzip};
use support::{Folder, data};
use upstreams::{
    DELTA_V, DELTA_V_COPY, EXOPLANETS, NHATS, SBDB, Upstreams, addressed_to, catalogue, recorded,
    run_fresh, run_fresh_with_input, sets, succeeded,
};

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
    // A pipe with a name can be read once only.
    let pipe = ["--asteroids", "/dev/stdin"];
    succeeded(run_fresh_with_input(&folder, &server, &pipe, &csv));
    let sets = sets(&folder);
    assert_eq!(sets.len(), 4);
    for set in &sets {
        assert_eq!(set["asteroids"]["rows"], 53);
        assert_eq!(set["asteroids"]["object"], "asteroids.csv.zst");
        assert_eq!(set["asteroids"]["sha256"], sets[0]["asteroids"]["sha256"]);
    }
    let is_catalogue = |request: &misbehaving_server::Recorded| request.path == SBDB;
    assert!(!server.requests().iter().any(is_catalogue));
}

#[test]
fn a_file_that_is_compressed_twice_is_refused() {
    let folder = Folder::new();
    let server = Upstreams::new().start();
    // Whatever there is in it.
    for content in [
        &recorded("asteroids-2020.csv")[..],
        br#"{"data":[["1"]]}"#,
        b"<html>",
    ] {
        folder.write("twice.gz", &gzip(&gzip(content)));
        let ran = run_fresh(&folder, &server, &["--asteroids", "twice.gz"]);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert!(ran.stderr.contains("compressed twice"), "{}", ran.stderr);
        assert_eq!(sets(&folder), Vec::<Value>::new());
    }
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

#[test]
fn a_frame_begins_at_every_place_of_a_catalogue_that_the_manifest_names() {
    let folder = Folder::new();
    folder.done(&["generate", "--rows", "25000", "--output", "sbdb.csv"]);
    let server = Upstreams::new().start();
    succeeded(run_fresh(&folder, &server, &["--asteroids", "sbdb.csv"]));
    let content = folder.read("sbdb.csv");
    let [set] = &sets(&folder)[..] else {
        panic!("one set")
    };
    let name = set["set"].as_str().expect("a name");
    let object = folder.read(&format!("prospector-store/inputs/{name}/asteroids.csv.zst"));
    let frames = set["asteroids"]["frames"].as_array().expect("frames");
    assert_eq!(frames.len(), content.len().div_ceil(4 << 20));
    assert!(frames.len() > 2);
    for frame in frames {
        let place = |name: &str| usize::try_from(frame[name].as_u64().unwrap()).unwrap();
        let from_here = zstd::decode_all(&object[place("offset")..]).expect("a frame begins here");
        assert!(from_here == content[place("content_offset")..]);
    }
}

#[test]
fn a_document_that_gives_its_rows_first_or_is_a_part_is_read_from_a_file() {
    let folder = Folder::new();
    let text = String::from_utf8(catalogue(100)).expect("UTF-8");
    // The keys of the reply come in alphabetical order here: its rows before its fields.
    assert!(text.find("\"data\"") < text.find("\"fields\""));
    folder.write(
        "sbdb.json",
        text.replace("\"count\":\"100\"", "\"count\":394")
            .as_bytes(),
    );
    let server = Upstreams::new().start();
    succeeded(run_fresh(&folder, &server, &["--asteroids", "sbdb.json"]));
    assert_eq!(sets(&folder)[0]["asteroids"]["rows"], 100);
    succeeded(folder.run(&["run", "--inputs", "latest"]));
}

#[test]
fn a_damaged_old_table_is_not_used_again() {
    let folder = Folder::new();
    succeeded(run_fresh(&folder, &Upstreams::new().start(), &[]));
    let name = sets(&folder)[0]["set"].as_str().expect("a name").to_owned();
    folder.write(
        &format!("prospector-store/inputs/{name}/delta-v.json"),
        b"{}",
    );
    let gone = Upstreams {
        delta_v_copy: vec![Answer::status(404, "gone")],
        ..Upstreams::new()
    };
    let ran = succeeded(run_fresh(&folder, &gone.start(), &[]));
    assert!(
        ran.stderr.contains("delta-v.json of input set"),
        "{}",
        ran.stderr
    );
    assert_eq!(sets(&folder)[1]["delta_v"], Value::Null);
}

#[test]
fn what_somebody_names_is_used_or_refused() {
    let folder = Folder::new();
    let server = Upstreams::new().start();
    let ran = run_fresh(&folder, &server, &["--delta-v", "mistyped.html"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("mistyped.html cannot be read"),
        "{}",
        ran.stderr
    );
    let ran = folder.run(&["run", "--inputs", "latest", "--asteroids", "sbdb.csv"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert_eq!(folder.files(), Vec::<String>::new());
}
