//! `prospector value`: outputs, failures, and that a failure costs nothing that was there before.

mod support;

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use support::{Folder, data};

#[test]
fn threads_and_the_way_in_change_no_byte() {
    let folder = Folder::new();
    let file = folder.done(&["value", &data("asteroids-2021.csv"), "--threads", "1"]);
    let many = folder.done(&["value", &data("asteroids-2021.csv"), "--threads", "7"]);
    assert_eq!(file.stdout, many.stdout);
    let bytes = std::fs::read(data("asteroids-2021.csv")).unwrap();
    let piped = folder.run_with_input(&["value", "-"], &bytes);
    assert_eq!(file.stdout, piped.stdout);
    let redirected = folder.run_from_file(&["value", "-"], &data("asteroids-2021.csv"));
    assert_eq!(file.stdout, redirected.stdout);
    folder.done(&[
        "value",
        &data("asteroids-2021.csv"),
        "--output",
        "items.ndjson",
    ]);
    assert_eq!(folder.read("items.ndjson"), file.stdout.as_bytes());
    assert_eq!(folder.files(), ["items.ndjson"], "no other file is left");
}

#[test]
fn csv_has_the_same_figures_under_a_header() {
    let folder = Folder::new();
    let items = folder.done(&["value", &data("asteroids.json")]).items();
    let csv = folder
        .done(&["value", &data("asteroids.json"), "--format", "csv"])
        .stdout;
    let mut lines = csv.lines();
    let header: Vec<_> = lines.next().unwrap().split(',').collect();
    let price = header.iter().position(|name| *name == "price").unwrap();
    for (line, item) in lines.zip(&items) {
        // Names with commas are quoted; the figures stand behind them.
        let from_end = header.len() - price;
        let figure: f64 = line.rsplit(',').nth(from_end - 1).unwrap().parse().unwrap();
        assert_eq!(figure, item["price"].as_f64().unwrap());
    }
    assert_eq!(csv.lines().count(), items.len() + 1);
}

#[test]
fn bad_rows_are_listed_and_counted_and_the_rest_is_valued() {
    let folder = Folder::new();
    let catalogue = data("asteroids-handmade.csv");
    let failed = folder.run(&[
        "value",
        &catalogue,
        "--output",
        "items.ndjson",
        "--rejects",
        "r.jsonl",
    ]);
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.contains("--max-rejects"), "{}", failed.stderr);
    assert_eq!(
        folder.files(),
        ["r.jsonl"],
        "the rejects are there to look at, the items are not"
    );

    let arguments = [
        "value",
        &catalogue,
        "--max-rejects",
        "20",
        "--rejects",
        "r.jsonl",
    ];
    let ran = folder.done(&arguments);
    assert_eq!(ran.items().len(), 25);
    let rejects = String::from_utf8(folder.read("r.jsonl")).unwrap();
    let rejects: Vec<serde_json::Value> = rejects
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let seen: Vec<_> = rejects
        .iter()
        .map(|reject| {
            (
                reject["line"].as_u64().unwrap(),
                reject["reason"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (7, "field-count"),
            (12, "bad-number"),
            (17, "no-key"),
            (25, "out-of-range")
        ]
    );
    assert_eq!(rejects[1]["column"], "a");
    assert!(rejects[1]["text"].as_str().unwrap().contains("Betulia"));
}

#[test]
fn the_table_rejects_a_second_row_of_one_key() {
    let folder = Folder::new();
    let catalogue = data("asteroids-handmade.csv");
    let arguments = [
        "value", &catalogue, "--format", "sqlite", "--output", "b.sqlite",
    ];
    let ran = folder.done(
        &[
            &arguments[..],
            &["--max-rejects", "20", "--rejects", "r.jsonl"],
        ]
        .concat(),
    );
    assert!(
        ran.stderr.contains("24 valued") && ran.stderr.contains("duplicate-key 1"),
        "{}",
        ran.stderr
    );
    let rejects = String::from_utf8(folder.read("r.jsonl")).unwrap();
    let duplicate: serde_json::Value =
        serde_json::from_str(rejects.lines().last().unwrap()).unwrap();
    assert_eq!(
        (duplicate["reason"].as_str(), duplicate["row"].as_u64()),
        (Some("duplicate-key"), Some(19))
    );
    let shown = folder
        .done(&["show", "433", "--json", "--database", "b.sqlite"])
        .items();
    assert_eq!(shown.len(), 1);
}

/// Inputs that are no catalogue, and a word of the error that says why.
fn bad_inputs() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let read = |name| std::fs::read(data(name)).expect("a recorded input");
    let json = read("asteroids.json");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&read("asteroids-2020.csv"))
        .expect("memory takes all");
    let mut gzip = gzip.finish().expect("memory takes all");
    gzip.truncate(gzip.len() / 2);
    vec![
        (
            "page.html",
            b"<!DOCTYPE html><title>503 Service Unavailable</title>".to_vec(),
            "503",
        ),
        ("empty.csv", Vec::new(), "empty"),
        ("truncated.json", json[..json.len() / 2].to_vec(), "cut off"),
        ("truncated.csv.gz", gzip, "cut off"),
        (
            "truncated.csv",
            read("asteroids-2020.csv")[..20_000].to_vec(),
            "cut off",
        ),
        (
            "no-key.csv",
            b"name,a,e,i\nEros,1.458,.2227,10.83\n".to_vec(),
            "no usable key",
        ),
        (
            "no-orbit.csv",
            b"pdes,name\n433,Eros\n".to_vec(),
            "no usable orbit",
        ),
        ("header-only.csv", b"pdes,a,e\n".to_vec(), "no row"),
        ("binary", b"\x7fELF\x02\x01\x01\0\0\0\0".to_vec(), "binary"),
        ("count.json", br#"{"count":7293}"#.to_vec(), "count"),
        (
            "error.json",
            br#"{"message":"unknown field: x"}"#.to_vec(),
            "unknown field",
        ),
    ]
}

#[test]
fn a_bad_input_is_a_clear_error_and_the_last_good_result_stays() {
    let folder = Folder::new();
    let good = data("asteroids.json");
    folder.done(&[
        "value",
        &good,
        "--format",
        "sqlite",
        "--output",
        "bodies.sqlite",
    ]);
    folder.done(&["value", &good, "--output", "items.ndjson"]);
    let (database, items) = (folder.read("bodies.sqlite"), folder.read("items.ndjson"));
    for (name, bytes, word) in bad_inputs() {
        folder.write(name, &bytes);
        for arguments in [
            [
                "value",
                name,
                "--format",
                "sqlite",
                "--output",
                "bodies.sqlite",
            ],
            [
                "value",
                name,
                "--format",
                "ndjson",
                "--output",
                "items.ndjson",
            ],
        ] {
            let ran = folder.run(&arguments);
            assert_eq!(ran.code, Some(1), "{name}: {}", ran.stderr);
            assert!(
                ran.stderr.contains(word) && ran.stderr.contains(name),
                "{name}: {}",
                ran.stderr
            );
            assert_eq!(ran.stdout, "");
        }
        std::fs::remove_file(folder.path(name)).unwrap();
        assert!(
            folder.read("bodies.sqlite") == database,
            "{name}: the database is as it was"
        );
        assert!(
            folder.read("items.ndjson") == items,
            "{name}: the items are as they were"
        );
        assert_eq!(
            folder.files(),
            ["bodies.sqlite", "items.ndjson"],
            "{name}: nothing is left over"
        );
    }
}

#[test]
fn a_document_with_its_rows_first_is_read_from_a_file_and_refused_from_a_pipe() {
    let folder = Folder::new();
    let json = std::fs::read(data("asteroids.json")).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let turned = format!(
        r#"{{"data":{},"fields":{}}}"#,
        document["data"], document["fields"]
    );
    folder.write("turned.json", turned.as_bytes());
    let straight = folder.done(&["value", &data("asteroids.json")]);
    assert_eq!(
        folder.done(&["value", "turned.json"]).stdout,
        straight.stdout
    );
    // A pipe may have a name, too.
    for pipe in ["-", "/dev/stdin"] {
        let piped = folder.run_with_input(&["value", pipe], turned.as_bytes());
        assert_eq!(piped.code, Some(1), "{pipe}");
        assert!(
            piped.stderr.contains("read it from a file"),
            "{pipe}: {}",
            piped.stderr
        );
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = Folder::new();
    for arguments in [
        &["value"][..],
        &["value", "x", "--format", "sqlite"],
        &["value", "x", "--max-rejects", "200"],
        &["value", "x", "--threads", "0"],
        &["value", "x", "--threads", "100000"],
        &["top", "--by", "beauty"],
        &["top"],
        &["run", "--recorded", "--inputs", "latest"],
        &["nonsense"],
        &[],
    ] {
        assert_eq!(folder.run(arguments).code, Some(2), "{arguments:?}");
    }
}

#[test]
fn outputs_that_would_destroy_something_are_refused() {
    let folder = Folder::new();
    folder.write("a.csv", &std::fs::read(data("asteroids-2021.csv")).unwrap());
    for arguments in [
        &["value", "a.csv", "-o", "x", "--rejects", "x"][..],
        &["value", "a.csv", "-o", "a.csv"],
        &["value", "a.csv", "-o", "./a.csv"],
        &["value", "a.csv", "--rejects", "a.csv"],
        &["value", "a.csv", "--rejects", "-"],
    ] {
        assert_eq!(folder.run(arguments).code, Some(2), "{arguments:?}");
    }
    for arguments in [
        &["value", "a.csv", "-o", "no-such/x"][..],
        &["value", "a.csv", "-o", "no-such/x.sqlite"],
        &["generate", "--rows", "1", "-o", "no-such/x"],
    ] {
        let ran = folder.run(arguments);
        assert_eq!(ran.code, Some(1), "{arguments:?}");
        assert!(ran.stderr.contains("no folder no-such"), "{}", ran.stderr);
    }
    assert_eq!(folder.files(), ["a.csv"]);
}

#[test]
fn a_list_of_rejects_stays_where_the_next_run_cannot_begin() {
    let folder = Folder::new();
    folder.write("r.jsonl", b"of an earlier run");
    folder.write("page.csv", b"<html>503");
    assert_eq!(
        folder
            .run(&["value", "page.csv", "--rejects", "r.jsonl"])
            .code,
        Some(1)
    );
    assert_eq!(folder.read("r.jsonl"), b"of an earlier run");
    folder.done(&["value", &data("asteroids.json"), "--rejects", "r.jsonl"]);
    assert_eq!(folder.read("r.jsonl"), b"", "no row was rejected");
    assert_eq!(folder.files(), ["page.csv", "r.jsonl"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_is_replaced_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    folder.write("private.ndjson", b"");
    let path = folder.path("private.ndjson");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    folder.done(&["value", &data("asteroids.json"), "-o", "private.ndjson"]);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_name_of_the_output_shows_its_format() {
    let folder = Folder::new();
    let catalogue = data("asteroids-2021.csv");
    folder.done(&["value", &catalogue, "-o", "b.sqlite"]);
    folder.done(&["show", "Eros", "--database", "b.sqlite"]);
    folder.done(&["value", &catalogue, "-o", "b.csv"]);
    assert!(folder.read("b.csv").starts_with(b"designation,spkid,"));
    folder.done(&["value", &catalogue, "-o", "c.csv", "--format", "ndjson"]);
    assert!(folder.read("c.csv").starts_with(b"{\"designation\":"));
}

#[test]
fn another_table_in_place_of_the_catalogue_is_told_by_its_option() {
    let folder = Folder::new();
    for (name, option) in [
        ("delta-v.html", "--delta-v"),
        ("delta-v-2012.txt", "--delta-v"),
        ("exoplanets.csv", "--exoplanets"),
        ("koi.csv", "--exoplanets"),
        ("mass-estimates.txt", "--masses"),
    ] {
        let ran = folder.run(&["value", &data(name)]);
        assert_eq!(ran.code, Some(1));
        assert!(ran.stderr.contains(option), "{name}: {}", ran.stderr);
    }
}

/// Nobody writes into a FIFO a second time: whoever opened it again would wait for ever.
#[test]
fn a_fifo_is_opened_once() {
    let folder = Folder::new();
    let table = std::fs::read(data("delta-v.html")).unwrap();
    for command in ["value", "inspect"] {
        for (bytes, message) in [
            (&table[..], "page of HTML"),
            (
                br#"{"data":[["1"]],"fields":["pdes"]}"#,
                "read it from a file",
            ),
        ] {
            let fifo = folder.path("fifo");
            let made = std::process::Command::new("mkfifo").arg(&fifo).status();
            assert!(made.expect("coreutils").success());
            let mut child = folder.start(&[command, "fifo"]);
            let writing = {
                let (fifo, bytes) = (fifo.clone(), bytes.to_vec());
                std::thread::spawn(move || std::fs::write(fifo, bytes))
            };
            let begun = Instant::now();
            while child.try_wait().unwrap().is_none() {
                if begun.elapsed() > Duration::from_secs(20) {
                    child.kill().unwrap();
                    panic!("{command} waits for more");
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            // One that gave up early does not take all of it.
            let _ = writing.join().unwrap();
            let ran = child.wait_with_output().unwrap();
            let stderr = String::from_utf8_lossy(&ran.stderr);
            assert_eq!(ran.status.code(), Some(1), "{command}: {stderr}");
            assert!(stderr.contains(message), "{command}: {stderr}");
            std::fs::remove_file(fifo).unwrap();
        }
    }
}

#[test]
fn a_folder_on_standard_input_is_named_as_one() {
    let folder = Folder::new();
    let ran = folder.run_from_file(&["value", "-"], "/");
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("is a folder"), "{}", ran.stderr);
}

#[test]
fn a_replay_without_input_sets_says_how_to_get_one() {
    let folder = Folder::new();
    for (arguments, message) in [
        (
            ["run", "--inputs", "latest"],
            "`--inputs fresh` downloads one",
        ),
        (
            ["value", "--inputs", "latest"],
            "`--inputs fresh` downloads one",
        ),
        (
            ["run", "--inputs", "2026-11-25"],
            "`prospector inputs` lists",
        ),
        (
            ["value", "--inputs", "fresh"],
            "downloaded by `prospector run`",
        ),
    ] {
        let ran = folder.run(&arguments);
        assert_eq!(ran.code, Some(1));
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
    }
    let ran = folder.run(&["run", "--inputs", "../elsewhere"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert_eq!(folder.files(), Vec::<String>::new());
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let folder = Folder::new();
    let mut child = folder.start(&["generate", "--rows", "100000"]);
    let mut some = [0; 1_000];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[cfg(unix)]
#[test]
fn ctrl_c_cleans_up_and_keeps_the_last_result() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let folder = Folder::new();
    folder.done(&[
        "value",
        &data("asteroids.json"),
        "--format",
        "sqlite",
        "--output",
        "b.sqlite",
    ]);
    let before = folder.read("b.sqlite");
    let arguments = ["value", "-", "--format", "sqlite", "--output", "b.sqlite"];
    let mut child = folder.start(&arguments);
    let mut stdin = child.stdin.take().unwrap();
    let header = std::fs::read(data("asteroids-2020.csv")).unwrap();
    stdin.write_all(&header).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !folder.path("b.sqlite.new").exists() {
        // The new database is begun once the header is read, which needs a whole first chunk.
        stdin
            .write_all(&header[header.iter().position(|byte| *byte == b'\n').unwrap() + 1..])
            .unwrap();
        assert!(Instant::now() < deadline, "the program never began");
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert_eq!(folder.files(), ["b.sqlite"], "{stderr}");
    assert!(folder.read("b.sqlite") == before);
}
