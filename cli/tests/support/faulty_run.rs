//! A run under a plan of faults, and everything that must hold afterwards.

use std::collections::BTreeSet;
use std::fs::{File, FileTimes};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rusqlite::types::Value as Cell;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::fault_proxy::Proxy;
use super::fault_proxy::plan::Plan;
use super::misbehaving_server::{Answer, Server};
use super::plain::{
    self, Bodies, Files, bodies, catalogue_of, count, files_below, is_text, leftovers, whole_sets,
};
use super::s3_server::{ACCESS_KEY, BUCKET, S3Server, SECRET_KEY};
use super::support::{Folder, Ran};
use super::upstreams::{Upstreams, addressed_to_url, as_asked};

/// The most memory that a run may have: what it takes in the most is a fixed number of pieces, whatever its input.
const MAX_MEMORY_BYTES: u64 = 160 << 20;
/// Rows that the catalogue has more than at the time of the run before.
const NUM_NEW_ROWS: usize = 50;
/// An attempt is dead on S3 when it is older than this.
const A_DAY: Duration = Duration::from_secs(25 * 60 * 60);
const DATABASE: &str = "bodies.sqlite";

/// How a run ended that kept its promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Succeeded,
    Failed,
}

/// What every plan begins with: the upstreams, what a run without faults makes of them, and what one made of fewer
/// rows before.
pub(crate) struct World {
    catalogue: Vec<u8>,
    expected: Bodies,
    before: [Before; 2],
    upstreams: Server,
    /// Whatever a run asks servers for.
    asked: Vec<String>,
}

/// A store with one good run in it: the store's files, and the database.
struct Before {
    kind: Kind,
    files: Files,
    database: Vec<u8>,
    set: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    S3,
    Directory,
}

impl World {
    pub(crate) fn new(num_rows: usize) -> Self {
        let rows = num_rows.to_string();
        let args = ["generate", "--rows", &rows, "--format", "json"];
        let generated = Folder::new().done(&args).stdout.into_bytes();
        let playing = |catalogue: &[u8]| Upstreams {
            asteroids: vec![Answer::ok(catalogue).with_ranges("\"1\"")],
            // So that it always has what the plan may take away.
            nhats: vec![Answer::ok(nhats())],
            ..Upstreams::new()
        };
        let (old, new) = (
            as_asked(&generated, num_rows - NUM_NEW_ROWS),
            as_asked(&generated, num_rows),
        );
        let old_upstreams = playing(&old).start();
        let upstreams = playing(&new).start();
        let before = [Kind::S3, Kind::Directory].map(|kind| Before::new(kind, &old_upstreams));
        let place = Place::new(Kind::Directory);
        place.succeeds(&upstreams.url(""));
        let asked = asked_by_a_run(&before[0], &upstreams);
        World {
            asked,
            expected: bodies(&place.folder.path(DATABASE)),
            catalogue: new,
            before,
            upstreams,
        }
    }

    /// Whatever a run asks servers for.
    pub(crate) fn asked(&self) -> &[String] {
        &self.asked
    }

    pub(crate) fn catalogue(&self) -> &[u8] {
        &self.catalogue
    }

    /// The table of a run without faults.
    pub(crate) fn expected(&self) -> &Bodies {
        &self.expected
    }

    /// Runs under the plan of a seed.
    ///
    /// # Panics
    /// Where a promise is broken; what the plan did is printed then.
    pub(crate) fn survives(&self, seed: u64) -> Ended {
        let plan = Plan::new(seed, &self.asked);
        // Two in three keep their store on S3, and all where one thing is down.
        let is_on_disk = seed % 3 == 2 && !plan.has_one_down();
        self.survives_plan(plan, &self.before[usize::from(is_on_disk)])
    }

    /// Runs where one thing that a run asks for is down for good.
    pub(crate) fn survives_without(&self, what: &str) -> Ended {
        assert!(
            self.asked.iter().any(|asked| asked == what),
            "{:?}",
            self.asked
        );
        self.survives_plan(Plan::without(what), &self.before[0])
    }

    /// Runs under a plan, and repeats the run without it.
    fn survives_plan(&self, plan: Plan, before: &Before) -> Ended {
        let plan = Arc::new(plan);
        let place = Place::with(before);
        let upstreams = place.behind(&self.upstreams.url(""), &plan);
        let store = place.s3.as_ref().map(|s3| place.behind(&s3.url, &plan));
        let ran = place.run(
            &upstreams.url,
            store.as_ref().map(|proxy| proxy.url.as_str()),
        );
        let shown = Shown(format!("{plan} {:?}: {}", before.kind, ran.stderr));
        let ended = match ran.code {
            Some(0) => {
                self.is_done(&place);
                Ended::Succeeded
            }
            Some(1) => {
                assert!(ran.stderr.contains("error: "), "nobody is told why");
                assert!(plan.num_hits() > 0, "it failed by itself");
                let database = place.folder.read(DATABASE);
                assert!(database == before.database, "the database has changed");
                Ended::Failed
            }
            code => panic!("it ended with {code:?}"),
        };
        let files = place.files();
        whole_sets(&files);
        for (name, bytes) in &before.files {
            assert!(files.get(name) == Some(bytes), "{name} has changed");
        }
        self.can_be_repeated(&place, before);
        std::mem::forget(shown);
        ended
    }

    /// The next run succeeds, and what the bad one could not tidy up is gone when it is a day old.
    fn can_be_repeated(&self, place: &Place, before: &Before) {
        let url = self.upstreams.url("");
        place.succeeds(&url);
        self.is_done(place);
        if !place.left().is_empty() && before.kind == Kind::S3 {
            place.grow_old();
            place.succeeds(&url);
            self.is_done(place);
        }
        assert_eq!(place.left(), Vec::<String>::new(), "left behind");
        let files = place.files();
        let sets = whole_sets(&files);
        assert!(sets.contains(&before.set), "the old set is gone");
        for (name, bytes) in &before.files {
            assert!(files.get(name) == Some(bytes), "{name} has changed");
        }
    }

    /// The database, its report and the set that it was made of are what they must be.
    fn is_done(&self, place: &Place) {
        let database = place.folder.path(DATABASE);
        let found = bodies(&database);
        if found != self.expected {
            let keys: BTreeSet<&String> = found.keys().chain(self.expected.keys()).collect();
            let other = keys
                .into_iter()
                .find(|key| found.get(*key) != self.expected.get(*key))
                .expect("they differ");
            panic!(
                "{other} is {:?}, not {:?}; {} bodies, not {}",
                found.get(other),
                self.expected.get(other),
                found.len(),
                self.expected.len()
            );
        }
        let (id, report) = plain::run(&database);
        assert_eq!(plain::makers(&database), [id.as_str()]);
        let files = place.files();
        let kept = &files[&format!("runs/{id}/report.json")];
        let kept: Value = serde_json::from_slice(kept).expect("JSON");
        assert_eq!(kept, report, "the report that is kept is another one");
        assert_eq!(report["run"], id);
        self.is_the_truth(&report, &files[&format!("runs/{id}/rejects.jsonl")]);
        let set = report["inputs"]["set"].as_str().expect("a set");
        assert!(whole_sets(&files).contains(set));
        assert!(
            catalogue_of(&files, set) == self.catalogue,
            "the catalogue that is kept is another one"
        );
    }

    fn is_the_truth(&self, report: &Value, rejects: &[u8]) {
        let rows = &report["rows"];
        let document: Value = serde_json::from_slice(&self.catalogue).expect("JSON");
        let num_rows = document["data"].as_array().expect("rows").len() as u64;
        let kind = |kind| count(&self.expected, "kind", is_text(kind));
        let planets = kind("exoplanet");
        let num_rejects = rejects.iter().filter(|byte| **byte == b'\n').count() as u64;
        let is_there = |cell: &Cell| *cell != Cell::Null;
        let expected = serde_json::json!({
            "read": num_rows + planets,
            "valued": self.expected.len(),
            "written": self.expected.len(),
            "rejected": num_rejects,
            "rejected_by_reason": rows["rejected_by_reason"],
            "kinds": {"asteroid": kind("asteroid"), "comet": kind("comet"), "exoplanet": planets},
            "merged": {
                "delta_v": count(&self.expected, "dv_source", is_text("benner")),
                "nhats": count(&self.expected, "nhats_dv_kms", is_there),
                "mass": rows["merged"]["mass"],
            },
        });
        assert_eq!(*rows, expected);
        let reasons = rows["rejected_by_reason"].as_object().expect("reasons");
        let by_reason: u64 = reasons.values().filter_map(Value::as_u64).sum();
        assert_eq!(by_reason, num_rejects);
        let peak = report["stages"]
            .as_array()
            .expect("stages")
            .iter()
            .filter_map(|stage| stage["peak_memory_bytes"].as_u64())
            .max();
        let peak = peak.expect("the system tells");
        assert!(peak < MAX_MEMORY_BYTES, "{peak} bytes of memory");
    }
}

/// What a run asks the upstreams and S3 for.
fn asked_by_a_run(before: &Before, upstreams: &Server) -> Vec<String> {
    let place = Place::with(before);
    let plan = Arc::new(Plan::quiet());
    let s3 = place.s3.as_ref().expect("a store on S3");
    let proxies = [&upstreams.url(""), &s3.url].map(|url| place.behind(url, &plan));
    let ran = place.run(&proxies[0].url, Some(&proxies[1].url));
    assert_eq!(ran.code, Some(0), "through a proxy: {}", ran.stderr);
    plan.asked()
}

/// Prints what it holds if it is dropped, as it is where somebody panics.
struct Shown(String);

impl Drop for Shown {
    fn drop(&mut self) {
        println!("BROKEN by {}", self.0);
    }
}

impl Before {
    fn new(kind: Kind, upstreams: &Server) -> Self {
        let place = Place::new(kind);
        place.succeeds(&upstreams.url(""));
        let files = place.files();
        let sets: Vec<String> = whole_sets(&files).into_iter().collect();
        let [set] = &sets[..] else {
            panic!("{sets:?} are not one set")
        };
        Before {
            kind,
            database: place.folder.read(DATABASE),
            set: set.clone(),
            files,
        }
    }
}

/// Where a run takes place: its folder, and its store.
struct Place {
    folder: Folder,
    s3: Option<S3Server>,
    runtime: Runtime,
}

impl Place {
    fn new(kind: Kind) -> Self {
        let runtime = Runtime::new().expect("threads");
        let mut environment = vec![("PROSPECTOR_DATABASE", DATABASE.to_owned())];
        let s3 = (kind == Kind::S3).then(|| runtime.block_on(S3Server::start()));
        match &s3 {
            Some(_) => environment.extend([
                ("PROSPECTOR_STORE", format!("s3://{BUCKET}")),
                ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
                ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
                ("AWS_REGION", "us-east-1".to_owned()),
                ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ]),
            None => environment.push(("PROSPECTOR_STORE", "store".to_owned())),
        }
        Place {
            folder: Folder::with_environment(environment),
            s3,
            runtime,
        }
    }

    /// One where everything is as it was before.
    fn with(before: &Before) -> Self {
        let place = Place::new(before.kind);
        place.folder.write(DATABASE, &before.database);
        for (name, bytes) in &before.files {
            let path = place.store().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, bytes).expect("a file");
        }
        place
    }

    fn behind(&self, server: &str, plan: &Arc<Plan>) -> Proxy {
        self.runtime.block_on(Proxy::start(server, plan))
    }

    /// The folder that the store's objects are in.
    fn store(&self) -> PathBuf {
        match &self.s3 {
            Some(s3) => s3.directory.path().join(BUCKET),
            None => self.folder.path("store"),
        }
    }

    fn files(&self) -> Files {
        files_below(&self.store())
    }

    /// Runs on fresh inputs. The store, where it is on S3, is asked at `endpoint`.
    fn run(&self, upstreams: &str, endpoint: Option<&str>) -> Ran {
        let addresses = addressed_to_url(upstreams);
        let mut args = vec![
            "run",
            "--inputs",
            "fresh",
            "--min-rows",
            "100",
            "--threads",
            "2",
        ];
        args.extend(addresses.iter().map(String::as_str));
        if let Some(endpoint) = endpoint {
            args.extend(["--endpoint-url", endpoint]);
        }
        self.folder.run(&args)
    }

    /// Runs without faults.
    fn succeeds(&self, upstreams: &str) {
        let ran = self.run(upstreams, self.s3.as_ref().map(|s3| s3.url.as_str()));
        assert_eq!(ran.code, Some(0), "without faults: {}", ran.stderr);
    }

    /// What no run should leave: files, and uploads that are open.
    fn left(&self) -> Vec<String> {
        let mut left = leftovers(&self.folder, &self.files());
        if let Some(s3) = &self.s3 {
            left.extend(s3.state.open_uploads());
        }
        left
    }

    /// A day goes by in the store.
    fn grow_old(&self) {
        let then = SystemTime::now() - A_DAY;
        let times = FileTimes::new().set_modified(then);
        for name in self.files().keys() {
            let file = File::options().append(true).open(self.store().join(name));
            file.and_then(|file| file.set_times(times))
                .expect("a file of the server's");
        }
        if let Some(s3) = &self.s3 {
            s3.state.age_uploads(A_DAY);
        }
    }
}

/// A table in the form of the NHATS API, of two bodies that every generated catalogue has. The figures are made up.
fn nhats() -> Vec<u8> {
    let row = |des: &str, dv: &str| {
        serde_json::json!({
            "des": des, "fullname": des,
            "min_dv": {"dv": dv, "dur": 354}, "min_dur": {"dv": "11.9", "dur": 90},
        })
    };
    let document = serde_json::json!({
        "signature": {"source": "NASA/JPL NHATS Data API"},
        "count": "2",
        "data": [row("1", "3.5"), row("2", "6.2")],
    });
    document.to_string().into_bytes()
}
