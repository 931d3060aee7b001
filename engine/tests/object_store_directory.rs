//! A directory as object store: what every store does, and what only a directory does.
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not see that a fixture is a test's"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use engine::store::{BodyError, Directory, Key, ObjectStore, StoreError};
use futures::StreamExt;
use tokio::sync::mpsc;

#[path = "support/object_store.rs"]
mod object_store;

use object_store::{Fixture, body, content, fed_body, key};

struct InDirectory {
    directory: tempfile::TempDir,
    store: Arc<Directory>,
}

impl InDirectory {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // It is there only when something is put.
        let store = Directory::open(directory.path().join("a/store")).unwrap();
        InDirectory {
            directory,
            store: Arc::new(store),
        }
    }
}

impl Fixture for InDirectory {
    fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::<Directory>::clone(&self.store)
    }

    fn part_bytes(&self) -> usize {
        // What is written at once.
        1 << 18
    }

    fn num_unfinished(&self) -> usize {
        files(self.directory.path())
            .iter()
            .filter(|path| path.ends_with(".new"))
            .count()
    }
}

/// The paths of all files below `folder`.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path.to_str().unwrap().to_owned());
        }
    }
    found
}

conformance_tests!(InDirectory::new());

/// Sends ten pieces: fewer wait on the way, so that the file is there and locked when the last one is taken.
async fn under_way(sender: &mpsc::Sender<Result<Bytes, BodyError>>) {
    for _ in 0..10 {
        sender.send(Ok(content(1, 1))).await.unwrap();
    }
}

#[tokio::test]
async fn foreign_files_are_not_listed() {
    let fixture = InDirectory::new();
    let (store, root) = (fixture.store(), fixture.store.path().to_owned());
    store.put(&key("a/b"), body(&content(1, 1))).await.unwrap();
    fs::create_dir(root.join(".git")).unwrap();
    for foreign in [".git/config", "a/.b.new", "a/.hidden", "a/with space", "ä"] {
        fs::write(root.join(foreign), "x").unwrap();
    }
    let listed = store.list("").await.unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
}

#[tokio::test]
async fn folders_go_with_their_last_object() {
    let fixture = InDirectory::new();
    let (store, root) = (fixture.store(), fixture.store.path().to_owned());
    for text in ["a/b/c/d", "a/e"] {
        store.put(&key(text), body(&content(1, 1))).await.unwrap();
    }
    store.delete(&key("a/b/c/d")).await.unwrap();
    assert!(!root.join("a/b").exists());
    assert!(root.join("a/e").exists());
    store.delete(&key("a/e")).await.unwrap();
    assert!(!root.join("a").exists());
    assert!(root.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_goes_and_comes_fails_no_put() {
    let fixture = InDirectory::new();
    let work = |name: &'static str| {
        let store = fixture.store();
        tokio::spawn(async move {
            for _ in 0..100 {
                store.put(&key(name), body(&content(1, 1))).await.unwrap();
                store.delete(&key(name)).await.unwrap();
            }
        })
    };
    let (one, two) = (work("a/b/one"), work("a/b/two"));
    for task in [one, two] {
        let done = tokio::time::timeout(object_store::TIMEOUT, task).await;
        done.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_second_put_of_a_key_is_refused_meanwhile() {
    let fixture = InDirectory::new();
    let store = fixture.store();
    let (sender, fed) = fed_body();
    let first = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.put(&key("a"), fed).await }
    });
    under_way(&sender).await;
    let second = store.put(&key("a"), body(&content(5, 2))).await;
    assert!(second.unwrap_err().is_retryable());
    drop(sender);
    assert_eq!(first.await.unwrap().unwrap().bytes, 10);
}

#[tokio::test]
async fn a_key_is_no_folder_and_no_object_at_once() {
    let fixture = InDirectory::new();
    let store = fixture.store();
    store.put(&key("a/b"), body(&content(1, 1))).await.unwrap();
    for text in ["a", "a/b/c"] {
        for published in [false, true] {
            let result = match published {
                true => store.publish(&key(text), content(1, 1)).await,
                false => store.put(&key(text), body(&content(1, 1))).await,
            };
            assert!(
                matches!(result, Err(StoreError::Failed { .. })),
                "{result:?}"
            );
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn no_symbolic_link_leads_out() {
    use std::os::unix::fs::symlink;

    let fixture = InDirectory::new();
    let (store, root) = (fixture.store(), fixture.store.path().to_owned());
    store.put(&key("a/b"), body(&content(1, 1))).await.unwrap();
    let outside = fixture.directory.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("x"), "secret").unwrap();
    symlink(&outside, root.join("folder")).unwrap();
    symlink(outside.join("x"), root.join("file")).unwrap();
    assert_eq!(store.list("").await.unwrap().len(), 1);
    assert_eq!(store.list("folder/").await.unwrap(), []);
    for text in ["folder/x", "file", "folder/new"] {
        assert!(store.head(&key(text)).await.is_err(), "{text}");
        assert!(
            store.put(&key(text), body(&content(1, 1))).await.is_err(),
            "{text}"
        );
        assert!(
            store.publish(&key(text), content(1, 1)).await.is_err(),
            "{text}"
        );
        assert!(store.delete(&key(text)).await.is_err(), "{text}");
    }
    assert_eq!(files(&outside).len(), 1);
    assert_eq!(fs::read(outside.join("x")).unwrap(), b"secret");
}

#[test]
fn a_file_is_no_store() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(Directory::open(file.path()).is_err());
}

/// The variable that makes this test a process that puts until it is killed.
const VICTIM: &str = "PROSPECTOR_TEST_VICTIM";

/// Puts an object that never ends, if this is the process that is to be killed.
#[tokio::test]
async fn victim_that_puts_until_it_is_killed() {
    let Ok(path) = std::env::var(VICTIM) else {
        return;
    };
    let store = Directory::open(path).unwrap();
    let pieces = futures::stream::repeat_with(|| Ok(content(1000, 1))).take(1000);
    let under_way = futures::stream::once(async {
        println!("under way");
        Ok(content(1, 1))
    });
    let body = pieces.chain(under_way).chain(futures::stream::pending());
    let _ = store.put(&key("sets/1/dead"), body.boxed()).await;
}

#[tokio::test]
async fn what_a_killed_put_left_is_removed_and_a_living_one_spared() {
    let fixture = InDirectory::new();
    let store = fixture.store();
    let (sender, fed) = fed_body();
    let living = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.put(&key("sets/1/living"), fed).await }
    });
    under_way(&sender).await;
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "victim_that_puts_until_it_is_killed",
        ])
        .env(VICTIM, fixture.store.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(victim.stdout.take().unwrap());
    let mut lines = output.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("under way")));
    victim.kill().unwrap();
    victim.wait().unwrap();

    assert_eq!(fixture.num_unfinished(), 2);
    assert_eq!(store.list("").await.unwrap(), []);
    let hour = Duration::from_secs(3600);
    assert_eq!(store.remove_abandoned("sets/2", hour).await.unwrap(), 0);
    assert_eq!(store.remove_abandoned("sets/1/", hour).await.unwrap(), 1);
    assert_eq!(fixture.num_unfinished(), 1);
    drop(sender);
    living.await.unwrap().unwrap();
    let keys: Vec<Key> = store
        .list("")
        .await
        .unwrap()
        .into_iter()
        .map(|found| found.key)
        .collect();
    assert_eq!(keys, [key("sets/1/living")]);
}
