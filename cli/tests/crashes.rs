//! A run that is killed, at each of the engine's named points and each time it comes there: what was there before is
//! whole and unchanged, or the new is there instead, whole; the next run succeeds and nothing is left behind.

#[path = "../../engine/tests/support/misbehaving_server.rs"]
mod misbehaving_server;
#[path = "support/settled.rs"]
mod settled;
mod support;
#[path = "support/upstreams.rs"]
mod upstreams;

use engine::crash::{POINTS, VARIABLE};
use misbehaving_server::{Answer, Server};
use serde_json::Value;
use settled::{asteroids, bodies, leftovers};
use support::Folder;
use upstreams::{Upstreams, catalogue, run_fresh, sets, succeeded};

/// More visits than any point has in a run.
const MAX_VISITS: u32 = 100;

/// What was there before: a run on a part of the catalogue.
struct Before {
    folder: Folder,
    database: Vec<u8>,
    bodies: Vec<Value>,
    sets: Vec<Value>,
}

impl Before {
    fn new() -> Self {
        let folder = Folder::new();
        let server = asteroids([Answer::ok(catalogue(300))]).start();
        succeeded(run_fresh(&folder, &server, &[]));
        Before {
            database: folder.read("prospector-store/bodies.sqlite"),
            bodies: bodies(&folder),
            sets: sets(&folder),
            folder,
        }
    }

    /// Kills a run at a point, looks at what is there, and repeats the run. Returns whether the run came there at all.
    fn survives(&self, point: &str, visit: u32, upstreams: &Server, expected: &[Value]) -> bool {
        let killed_there = vec![(VARIABLE, format!("{point}:{visit}"))];
        let folder = self.folder.copy(killed_there);
        let ran = run_fresh(&folder, upstreams, &[]);
        if ran.code == Some(0) {
            return false;
        }
        let at = format!("{point}, visit {visit}");
        assert_eq!(ran.code, None, "{at}: {}", ran.stderr);

        // From here on nothing is killed.
        let folder = folder.copy(Vec::new());
        let is_old = folder.read("prospector-store/bodies.sqlite") == self.database;
        let found = bodies(&folder);
        let whole = if is_old { &self.bodies[..] } else { expected };
        assert!(
            found == whole,
            "{at}: neither the old bodies nor the new ones"
        );
        let after = sets(&folder);
        assert_eq!(after[0], self.sets[0], "{at}: the old set");
        for set in &after {
            folder.done(&["inputs", "verify", set["set"].as_str().expect("a name")]);
        }

        succeeded(run_fresh(&folder, upstreams, &[]));
        assert!(bodies(&folder) == expected, "{at}: the repetition");
        assert_eq!(leftovers(&folder), Vec::<String>::new(), "{at}");
        let files = folder.files();
        let begun: Vec<&String> = files
            .iter()
            .filter(|file| file.ends_with("/begun"))
            .collect();
        assert_eq!(begun, Vec::<&String>::new(), "{at}");
        let in_sets = files
            .iter()
            .filter(|file| file.contains("/inputs/"))
            .count();
        assert_eq!(in_sets, 6 * sets(&folder).len(), "{at}: {files:?}");
        true
    }
}

#[test]
fn a_run_that_is_killed_anywhere_costs_nothing_and_can_be_repeated() {
    let before = Before::new();
    let upstreams = Upstreams::new().start();
    let whole = Folder::new();
    succeeded(run_fresh(&whole, &upstreams, &[]));
    let expected = bodies(&whole);
    let mut num_kills = 0;
    for point in POINTS {
        let kills = (1..MAX_VISITS)
            .take_while(|visit| before.survives(point, *visit, &upstreams, &expected));
        let kills = kills.count();
        println!("{point}: killed {kills} times");
        assert!(kills > 0, "no run comes to {point}");
        num_kills += kills;
    }
    println!("{num_kills} kills");
}
