//! Input sets: published last, found by name or date, verified, pruned; dead attempts are swept up.
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not see that this serves tests only"
)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use engine::catalogue::Format;
use engine::inputs::{self, CatalogueEntry, Entry, Fault, InputsError, Manifest, SetName, Which};
use engine::store::{Directory, Key, ObjectStore};
use futures::StreamExt;
use jiff::Timestamp;

/// SHA-256 of the three bytes `abc` (FIPS 180-2, B.1).
const SHA256_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

struct Fixture {
    _folder: tempfile::TempDir,
    store: Arc<dyn ObjectStore>,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Directory::open(folder.path()).unwrap());
        Fixture {
            _folder: folder,
            store,
        }
    }

    async fn put(&self, key: &str, bytes: &'static [u8]) {
        let body = futures::stream::once(async { Ok(Bytes::from_static(bytes)) });
        let key = Key::new(key).unwrap();
        self.store.put(&key, body.boxed()).await.unwrap();
    }

    /// Publishes a set whose objects are all `abc`.
    async fn publish(&self, name: &str) -> Manifest {
        let entry = |object: &str| Entry {
            object: object.to_owned(),
            source: "https://example.org/".to_owned(),
            fetched_at: "2026-11-25T10:15:00Z".parse().unwrap(),
            etag: Some("\"v1\"".to_owned()),
            last_modified: None,
            bytes: 3,
            rows: 1,
            rejected: 0,
            sha256: SHA256_OF_ABC.to_owned(),
        };
        let manifest = Manifest {
            set: name.parse().unwrap(),
            made_by: "a test".to_owned(),
            asteroids: CatalogueEntry {
                entry: entry("asteroids.csv.zst"),
                format: Format::Csv,
                columns: vec!["pdes".to_owned()],
                count: None,
                content_bytes: 3,
                frames: Vec::new(),
            },
            delta_v: None,
            nhats: None,
            exoplanets: entry("exoplanets.json"),
            masses: entry("masses.json"),
            notes: vec!["no published delta-v".to_owned()],
        };
        for (_, entry) in manifest.entries() {
            self.put(&format!("inputs/{name}/{}", entry.object), b"abc")
                .await;
        }
        inputs::publish(&*self.store, &manifest).await.unwrap();
        manifest
    }

    async fn names(&self) -> Vec<String> {
        let names = inputs::names(&*self.store).await.unwrap();
        names.into_iter().map(String::from).collect()
    }

    async fn keys(&self) -> Vec<String> {
        let objects = self.store.list("").await.unwrap();
        objects
            .into_iter()
            .map(|object| object.key.into())
            .collect()
    }
}

fn name(text: &str) -> SetName {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_set_exists_once_its_manifest_does() {
    let fixture = Fixture::new();
    fixture
        .put("inputs/2026-11-25T101500Z/masses.json", b"abc")
        .await;
    assert!(fixture.names().await.is_empty());
    assert_eq!(inputs::latest(&*fixture.store).await.unwrap(), None);
    let published = fixture.publish("2026-11-25T101500Z").await;
    assert_eq!(fixture.names().await, ["2026-11-25T101500Z"]);
    assert_eq!(
        inputs::latest(&*fixture.store).await.unwrap(),
        Some(published.clone())
    );
    assert!(inputs::publish(&*fixture.store, &published).await.is_err());
}

#[tokio::test]
async fn a_set_is_found_by_its_name_or_its_date() {
    let fixture = Fixture::new();
    for set in [
        "2026-11-25T101500Z",
        "2026-11-25T181500Z",
        "2026-12-02T101500Z",
    ] {
        fixture.publish(set).await;
    }
    for (asked, found) in [
        ("2026-11-25T101500Z", "2026-11-25T101500Z"),
        ("2026-11-25", "2026-11-25T181500Z"),
        ("2026", "2026-12-02T101500Z"),
    ] {
        let manifest = inputs::find(&*fixture.store, &name(asked)).await.unwrap();
        assert_eq!(manifest.set, name(found), "{asked}");
    }
    // Another of the same second is another set.
    fixture.publish("2026-12-09T101500Z-2").await;
    for absent in ["2026-12-09T101500Z", "2025"] {
        let error = inputs::find(&*fixture.store, &name(absent))
            .await
            .unwrap_err();
        assert!(matches!(error, InputsError::NoSuchSet { .. }), "{error}");
    }
}

#[test]
fn a_name_leads_nowhere_else() {
    for bad in ["", "..", "../runs", "a/b", "a\\b", "/etc", ".hidden", "a b"] {
        assert!(bad.parse::<Which>().is_err(), "{bad:?}");
    }
    assert_eq!("fresh".parse(), Ok(Which::Fresh));
    assert_eq!("latest".parse(), Ok(Which::Latest));
    assert_eq!("2026-11-25".parse(), Ok(Which::Named(name("2026-11-25"))));
}

#[tokio::test]
async fn names_of_one_second_differ_even_where_all_ask_at_once() {
    let fixture = Fixture::new();
    let now: Timestamp = "2026-11-25T10:15:00.5Z".parse().unwrap();
    let ask = || inputs::reserve(&*fixture.store, inputs::PREFIX, now);
    let asked = futures::future::join_all((0..8).map(|_| ask())).await;
    let mut names: Vec<SetName> = asked.into_iter().map(Result::unwrap).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 8);
    assert_eq!(names[0], name("2026-11-25T101500Z"));
    // A name stays taken when it is released, by the objects that it was reserved for.
    fixture.publish("2026-11-25T101500Z").await;
    assert_eq!(ask().await.unwrap(), name("2026-11-25T101500Z-9"));
    assert!(
        !fixture
            .keys()
            .await
            .contains(&"inputs/2026-11-25T101500Z/begun".to_owned())
    );
}

#[tokio::test]
async fn a_copy_of_a_set_is_none() {
    let fixture = Fixture::new();
    fixture.publish("2026-11-25T101500Z").await;
    let original = Key::new("inputs/2026-11-25T101500Z/manifest.json").unwrap();
    let manifest = engine::store::read_all(&*fixture.store, &original, 1 << 20)
        .await
        .unwrap();
    for copy in ["backup", "2026-12-25T101500Z"] {
        let key = Key::new(format!("inputs/{copy}/manifest.json")).unwrap();
        fixture.store.publish(&key, manifest.clone()).await.unwrap();
    }
    assert_eq!(
        fixture.names().await,
        ["2026-11-25T101500Z", "2026-12-25T101500Z"]
    );
    let error = inputs::latest(&*fixture.store).await.unwrap_err();
    assert!(matches!(error, InputsError::OtherSet { .. }), "{error}");
}

#[tokio::test]
async fn verification_finds_what_has_changed() {
    let fixture = Fixture::new();
    let set = "2026-11-25T101500Z";
    let manifest = fixture.publish(set).await;
    let verify = async |entry: &Entry| {
        inputs::verify(&fixture.store, &manifest, entry, &())
            .await
            .unwrap()
    };
    assert_eq!(verify(&manifest.asteroids.entry).await, None);
    assert_eq!(
        &inputs::read(&*fixture.store, &manifest, &manifest.masses)
            .await
            .unwrap()[..],
        b"abc"
    );

    fixture
        .put(&format!("inputs/{set}/masses.json"), b"abd")
        .await;
    assert!(matches!(
        verify(&manifest.masses).await,
        Some(Fault::Sha256 { .. })
    ));
    let error = inputs::read(&*fixture.store, &manifest, &manifest.masses)
        .await
        .unwrap_err();
    assert!(matches!(error, InputsError::Damaged { .. }), "{error}");

    fixture
        .put(&format!("inputs/{set}/masses.json"), b"abcd")
        .await;
    let size = Fault::Size {
        expected: 3,
        found: 4,
    };
    assert_eq!(verify(&manifest.masses).await, Some(size));

    let key = Key::new(format!("inputs/{set}/masses.json")).unwrap();
    fixture.store.delete(&key).await.unwrap();
    assert_eq!(verify(&manifest.masses).await, Some(Fault::Missing));
    let elsewhere = Entry {
        object: "../../secret".to_owned(),
        ..manifest.masses.clone()
    };
    assert_eq!(verify(&elsewhere).await, Some(Fault::Missing));
}

#[tokio::test]
async fn pruning_keeps_the_latest_sets() {
    let fixture = Fixture::new();
    fixture
        .put("runs/2026-11-01T101500Z/report.json", b"abc")
        .await;
    for set in [
        "2026-11-11T101500Z",
        "2026-11-18T101500Z",
        "2026-11-25T101500Z",
    ] {
        fixture.publish(set).await;
    }
    assert!(inputs::prune(&*fixture.store, 3).await.unwrap().is_empty());
    let gone = inputs::prune(&*fixture.store, 1).await.unwrap();
    assert_eq!(
        gone,
        [name("2026-11-11T101500Z"), name("2026-11-18T101500Z")]
    );
    assert_eq!(fixture.names().await, ["2026-11-25T101500Z"]);
    let keys = fixture.keys().await;
    assert_eq!(keys.len(), 5, "{keys:?}");
    assert!(keys.contains(&"runs/2026-11-01T101500Z/report.json".to_owned()));
}

#[tokio::test]
async fn sweeping_takes_the_dead_and_leaves_the_living() {
    let fixture = Fixture::new();
    fixture.publish("2026-11-25T101500Z").await;
    let before = fixture.keys().await;
    fixture
        .put("inputs/2026-11-25T111500Z/masses.json", b"abc")
        .await;
    fixture.put("inputs/2026-11-25T111500Z/begun", b"").await;
    let day = Duration::from_secs(24 * 60 * 60);
    assert_eq!(inputs::sweep(&*fixture.store, day).await.unwrap(), 0);
    assert_eq!(
        inputs::sweep(&*fixture.store, Duration::ZERO)
            .await
            .unwrap(),
        2
    );
    assert_eq!(fixture.keys().await, before);

    // What nobody of ours began is somebody's own.
    fixture.put("inputs/mine/sbdb.csv", b"abc").await;
    fixture
        .put("inputs/2026-11-25T121500Z/masses.json", b"abc")
        .await;
    assert_eq!(
        inputs::sweep(&*fixture.store, Duration::ZERO)
            .await
            .unwrap(),
        0
    );
}
