//! What a run has left, read without any of the engine's code: the database by SQL, documents as JSON, files as bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::support::Folder;

/// Every attribute of every body but the run that made it, by designation.
pub(crate) type Bodies = BTreeMap<String, BTreeMap<String, Cell>>;

/// The files below a folder by their names, with `/` between.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

fn open(database: &Path) -> Connection {
    Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database")
}

/// All bodies of a database.
pub(crate) fn bodies(database: &Path) -> Bodies {
    let connection = open(database);
    let mut select = connection
        .prepare("SELECT * FROM bodies")
        .expect("a table of bodies");
    let columns: Vec<String> = select.column_names().map(str::to_owned).collect();
    let mut rows = select.query([]).expect("rows");
    let mut bodies = Bodies::new();
    while let Some(row) = rows.next().expect("a row") {
        let cells = columns.iter().enumerate();
        let cells = cells.map(|(place, name)| (name.clone(), row.get(place).expect("a cell")));
        let mut body: BTreeMap<String, Cell> = cells.collect();
        body.remove("run").expect("a run made it");
        let Some(Cell::Text(key)) = body.get("designation").cloned() else {
            panic!("a body has no designation")
        };
        let former = bodies.insert(key, body);
        assert_eq!(former, None, "two bodies have one key");
    }
    bodies
}

/// The id of the run that made a database, and its report.
pub(crate) fn run(database: &Path) -> (String, Value) {
    let row = open(database).query_row("SELECT run_id, report FROM run", [], |row| {
        Ok((row.get(0)?, row.get::<_, String>(1)?))
    });
    let (id, report) = row.expect("one run made it");
    (id, serde_json::from_str(&report).expect("JSON"))
}

/// The runs that bodies say they were made by.
pub(crate) fn makers(database: &Path) -> Vec<String> {
    let connection = open(database);
    let mut select = connection
        .prepare("SELECT DISTINCT run FROM bodies")
        .expect("a table of bodies");
    let rows = select.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a run")).collect()
}

/// How many bodies meet a condition.
pub(crate) fn count(bodies: &Bodies, attribute: &str, is_met: impl Fn(&Cell) -> bool) -> u64 {
    let met = bodies.values().filter(|body| is_met(&body[attribute]));
    met.count() as u64
}

pub(crate) fn is_text(text: &str) -> impl Fn(&Cell) -> bool {
    move |cell| *cell == Cell::Text(text.to_owned())
}

/// A figure of a body.
pub(crate) fn figure(body: &BTreeMap<String, Cell>, name: &str) -> Option<f64> {
    match body[name] {
        Cell::Real(figure) => Some(figure),
        _ => None,
    }
}

/// What is below a folder of a store: `inputs/…`, `runs/…`, and what should not be there.
pub(crate) fn files_below(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below the folder");
                let bytes = std::fs::read(&path).expect("a file");
                files.insert(name.to_string_lossy().into_owned(), bytes);
            }
        }
    }
    files
}

/// The names of the sets that have a manifest, each of which must be whole: what the manifest lists is there with the
/// size and hash that it says, and nothing else is.
pub(crate) fn whole_sets(files: &Files) -> BTreeSet<String> {
    let mut sets = BTreeSet::new();
    for (name, bytes) in files {
        let Some(prefix) = name.strip_suffix("manifest.json") else {
            continue;
        };
        let manifest: Value = serde_json::from_slice(bytes).expect("a manifest is JSON");
        let set = manifest["set"].as_str().expect("a name");
        assert_eq!(prefix, format!("inputs/{set}/"));
        let mut expected = BTreeSet::from(["manifest.json".to_owned()]);
        for entry in ["asteroids", "delta_v", "nhats", "exoplanets", "masses"] {
            let entry = &manifest[entry];
            assert!(entry.is_object(), "{set}: {manifest}");
            let object = entry["object"].as_str().expect("an object").to_owned();
            let found = files.get(&format!("{prefix}{object}"));
            let found = found.unwrap_or_else(|| panic!("{set} lacks {object}"));
            assert_eq!(entry["bytes"], found.len(), "{set}: {object}");
            let hash = Sha256::digest(found);
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(entry["sha256"], hash, "{set}: {object}");
            expected.insert(object);
        }
        let there = files.keys().filter_map(|name| name.strip_prefix(prefix));
        let there: BTreeSet<String> = there.map(str::to_owned).collect();
        let unknown: Vec<&String> = there
            .difference(&expected)
            .filter(|name| *name != "begun")
            .collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{set}");
        sets.insert(set.to_owned());
    }
    sets
}

/// The content of a set's catalogue.
pub(crate) fn catalogue_of(files: &Files, set: &str) -> Vec<u8> {
    let compressed = &files[&format!("inputs/{set}/asteroids.json.zst")];
    zstd::stream::decode_all(&compressed[..]).expect("Zstandard frames")
}

/// Files that no run ends with: marks, temporary files, sets without a manifest.
pub(crate) fn leftovers(folder: &Folder, files: &Files) -> Vec<String> {
    let sets = whole_sets(files);
    let is_left = |name: &&String| {
        let mut parts = name.split('/');
        let is_in_half_a_set =
            parts.next() == Some("inputs") && !parts.next().is_some_and(|set| sets.contains(set));
        name.ends_with("/begun") || is_in_half_a_set || is_temporary(name)
    };
    let mut left: Vec<String> = files.keys().filter(is_left).cloned().collect();
    left.extend(folder.files().into_iter().filter(|name| is_temporary(name)));
    left
}

fn is_temporary(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or_default();
    [".new", ".tmp", "-journal", "-wal", ".part"]
        .iter()
        .any(|end| name.contains(end))
}
