//! Runs whose store is on S3, played by a server that speaks its protocol.
#![cfg(feature = "aws")]

#[path = "../../engine/tests/support/misbehaving_server.rs"]
mod misbehaving_server;
#[path = "../../engine/tests/support/s3_server.rs"]
mod s3_server;
mod support;
#[path = "support/upstreams.rs"]
mod upstreams;

use std::time::{Duration, Instant};

use misbehaving_server::{Answer, Route, Server};
use s3_server::{ACCESS_KEY, BUCKET, S3Server, SECRET_KEY};
use support::Folder;
use tokio::runtime::Runtime;
use upstreams::{Upstreams, addressed_to, catalogue, run_fresh, sets, succeeded};

/// A server at work, and what it runs on.
struct S3 {
    server: S3Server,
    _runtime: Runtime,
}

impl S3 {
    fn start() -> Self {
        let runtime = Runtime::new().expect("threads");
        S3 {
            server: runtime.block_on(S3Server::start()),
            _runtime: runtime,
        }
    }

    /// A folder whose runs keep their store here.
    fn folder(&self) -> Folder {
        Folder::with_environment(vec![
            ("PROSPECTOR_STORE", format!("s3://{BUCKET}/some/prefix")),
            ("AWS_ENDPOINT_URL", self.server.url.clone()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ])
    }

    /// The keys of all objects, sorted.
    fn keys(&self) -> Vec<String> {
        let root = self.server.directory.path().join(BUCKET);
        let mut keys = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder of the server") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let key = path.strip_prefix(&root).expect("below the root");
                    keys.push(key.to_string_lossy().into_owned());
                }
            }
        }
        keys.sort();
        keys
    }
}

#[test]
fn a_run_and_its_replay_are_the_same_on_s3_as_in_a_folder() {
    let s3 = S3::start();
    let (on_s3, on_disk) = (s3.folder(), Folder::new());
    let server = Upstreams::new().start();
    for folder in [&on_s3, &on_disk] {
        succeeded(run_fresh(folder, &server, &[]));
    }
    drop(server);
    assert_eq!(on_s3.files(), ["bodies.sqlite"]);
    let keys = s3.keys();
    assert_eq!(keys.len(), 8, "{keys:?}");
    assert!(
        keys.iter().all(|key| key.starts_with("some/prefix/")),
        "{keys:?}"
    );

    let replayed = [&on_s3, &on_disk].map(|folder| {
        succeeded(folder.run(&["run", "--inputs", "latest"]));
        folder.done(&["value", "--inputs", "latest"]).stdout
    });
    assert_eq!(replayed[0].lines().count(), 456);
    assert_eq!(replayed[0], replayed[1]);
    let hash = |folder| sets(folder)[0]["asteroids"]["sha256"].clone();
    assert_eq!(hash(&on_s3), hash(&on_disk));
    on_s3.done(&["inputs", "verify", "latest"]);
    on_s3.done(&["inputs", "prune", "--keep", "0"]);
    let keys = s3.keys();
    assert!(keys.iter().all(|key| key.contains("/runs/")), "{keys:?}");
}

#[test]
fn a_failed_run_leaves_no_object_and_no_upload() {
    let s3 = S3::start();
    let folder = s3.folder();
    succeeded(run_fresh(&folder, &Upstreams::new().start(), &[]));
    let (keys, database) = (s3.keys(), folder.read("bodies.sqlite"));
    let bad = |asteroids: Answer| Upstreams {
        asteroids: vec![asteroids],
        ..Upstreams::new()
    };
    for upstreams in [
        bad(Answer::ok(catalogue(usize::MAX)).cut_after(30_000)),
        bad(Answer::ok(catalogue(200))),
        bad(Answer::status(403, "no")),
    ] {
        let ran = run_fresh(&folder, &upstreams.start(), &[]);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert_eq!(s3.keys(), keys);
        assert!(folder.read("bodies.sqlite") == database);
        assert_eq!(s3.server.state.open_uploads(), Vec::<String>::new());
    }
}

#[test]
fn a_large_download_that_breaks_or_dies_in_the_middle_of_its_upload_is_not_visible() {
    let s3 = S3::start();
    let folder = s3.folder();
    // More than one part when it is compressed.
    folder.done(&["generate", "--rows", "120000", "--output", "sbdb.csv"]);
    let csv = folder.read("sbdb.csv");
    let most = csv.len() - 1_000;
    let server = Server::start([
        Route::new("/stalled.csv", [Answer::ok(&csv).stall_after(most)]),
        Route::new("/cut.csv", [Answer::ok(&csv).cut_after(most)]),
        Route::new("/good.csv", [Answer::ok(&csv)]),
    ]);
    let others = Upstreams::new().start();
    let run = |file: &str| run_fresh(&folder, &others, &["--asteroids", &server.url(file)]);

    let ran = run("/cut.csv");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        s3.server
            .state
            .num_parts
            .load(std::sync::atomic::Ordering::Relaxed)
            > 0
    );
    assert_eq!(s3.server.state.open_uploads(), Vec::<String>::new());
    assert_eq!(s3.keys(), Vec::<String>::new());

    let stalled = server.url("/stalled.csv");
    let addresses = addressed_to(&others);
    let mut args = vec!["run", "--asteroids", &stalled];
    args.extend(addresses.iter().map(String::as_str));
    let patience = args.iter().position(|arg| *arg == "--read-timeout");
    args[patience.expect("the option is there") + 1] = "600";
    let mut child = folder.start(&args);
    let deadline = Instant::now() + Duration::from_secs(120);
    while s3.server.state.open_uploads().is_empty() {
        assert!(Instant::now() < deadline, "the upload does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("the program is killed");
    child.wait().expect("the program ends");
    assert!(sets(&folder).is_empty());

    succeeded(run("/good.csv"));
    assert_eq!(sets(&folder).len(), 1);
    // What the dead run left open is aborted once it is a day old.
    assert_eq!(s3.server.state.open_uploads().len(), 1);
    s3.server
        .state
        .age_uploads(Duration::from_secs(25 * 60 * 60));
    folder.done(&["inputs", "prune", "--keep", "1"]);
    assert_eq!(s3.server.state.open_uploads(), Vec::<String>::new());
}
