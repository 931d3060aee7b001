//! A folder with a good run in it, and what must still be so after a bad one.
#![allow(dead_code, reason = "every test uses a part of it")]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::misbehaving_server::{Answer, Server};
use super::support::Folder;
use super::upstreams::{Upstreams, catalogue, run_fresh, sets, succeeded};

/// The items of the database, without the run that made them.
pub(crate) fn bodies(folder: &Folder) -> Vec<Value> {
    let args = ["top", "--by", "dv", "--limit", "100000", "--json"];
    let mut items = folder.done(&args).items();
    for item in &mut items {
        let run = item.as_object_mut().expect("an item").remove("run");
        assert!(run.is_some());
    }
    items
}

/// The files below the folder that no run ends with.
pub(crate) fn leftovers(folder: &Folder) -> Vec<String> {
    let is_left = |file: &String| file.contains(".new") || file.contains(".tmp");
    folder.files().into_iter().filter(is_left).collect()
}

/// A folder with a good run in it, and what must still be so after a bad one.
pub(crate) struct Settled {
    pub(crate) folder: Folder,
    pub(crate) database: Vec<u8>,
    pub(crate) sets: Vec<Value>,
    pub(crate) files: Vec<String>,
}

impl Settled {
    pub(crate) fn new() -> Self {
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
    pub(crate) fn recovers(self, upstreams: Upstreams) -> Server {
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
    pub(crate) fn fails(self, upstreams: Upstreams, message: &str) -> Server {
        let server = upstreams.start();
        let ran = run_fresh(&self.folder, &server, &[]);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
        assert!(ran.stderr.contains("error: "), "{}", ran.stderr);
        self.is_unchanged();
        server
    }

    #[track_caller]
    pub(crate) fn is_unchanged(&self) {
        let database = self.folder.read("prospector-store/bodies.sqlite");
        assert!(database == self.database, "the database has changed");
        assert_eq!(sets(&self.folder), self.sets);
        assert_eq!(self.folder.files(), self.files);
    }
}

/// The upstreams, with these answers to the catalogue's query.
pub(crate) fn asteroids(answers: impl IntoIterator<Item = Answer>) -> Upstreams {
    Upstreams {
        asteroids: answers.into_iter().collect(),
        ..Upstreams::new()
    }
}

pub(crate) fn whole() -> Answer {
    Answer::ok(catalogue(usize::MAX))
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}
