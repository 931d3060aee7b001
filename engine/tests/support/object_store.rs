//! What every object store does, as tests: `conformance_tests!` makes a test of each for one store.
//!
//! One file past the usual length, because it is one contract, to be read from top to bottom.
#![allow(dead_code, reason = "every test uses a part of it")]
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not see that these functions are tests"
)]

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use engine::store::{
    Body, BodyError, Key, Object, ObjectStore, ReadOptions, Reader, StoreError, Writer, read_all,
    stream,
};
use futures::{StreamExt, TryStreamExt, stream as streams};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// No wait in these tests is longer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// A store to be tested, empty at first.
pub(crate) trait Fixture: Send + Sync {
    /// The store.
    fn store(&self) -> Arc<dyn ObjectStore>;
    /// The size around which it treats bodies differently.
    fn part_bytes(&self) -> usize;
    /// How many puts it holds that are not finished.
    fn num_unfinished(&self) -> usize;
}

/// Makes a test of each behaviour for the fixture that the expression makes.
#[macro_export]
macro_rules! conformance_tests {
    ($fixture:expr) => {
        conformance_tests!($fixture;
            objects_of_all_sizes_come_back_as_they_were
            an_object_appears_whole_or_not_at_all
            a_body_that_fails_leaves_the_old_object
            a_put_that_is_dropped_leaves_the_old_object
            of_several_publications_one_succeeds
            a_publication_spares_what_is_there
            puts_at_the_same_time_leave_one_whole_object
            a_list_is_in_order_and_below_its_prefix
            ranges_are_cut_at_the_ends
            an_object_replaced_between_ranges_is_an_error
            what_is_deleted_is_gone_and_may_be_deleted_again
            what_is_not_there_is_said_to_be_missing
            a_living_put_is_not_abandoned
            reading_goes_ahead_within_its_bound
            a_reader_reads_what_a_writer_wrote
            a_writer_that_is_dropped_leaves_nothing
            a_writer_learns_why_its_object_is_not_stored
            a_reader_hands_on_the_stores_error
            a_small_object_is_read_whole_within_its_limit
        );
    };
    ($fixture:expr; $($behaviour:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                let fixture = $fixture;
                let behaviour = object_store::$behaviour(&fixture);
                let done = tokio::time::timeout(object_store::TIMEOUT, behaviour).await;
                done.expect("it is done in time");
                fixture.store().settle().await.unwrap();
                assert_eq!(fixture.num_unfinished(), 0);
            }
        )+
    };
}

pub(crate) fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

/// Bytes of which no two stretches are alike; others with another seed.
pub(crate) fn content(num_bytes: usize, seed: u32) -> Bytes {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let mut bytes: Vec<u8> = (0..num_bytes.div_ceil(4))
        .flat_map(|_| next().to_le_bytes())
        .collect();
    bytes.truncate(num_bytes);
    bytes.into()
}

/// A body in pieces that fit no part.
pub(crate) fn body(bytes: &Bytes) -> Body {
    let bytes = bytes.clone();
    let step = 300_007;
    let pieces = (0..bytes.len()).step_by(step).map(move |start| {
        let end = bytes.len().min(start + step);
        Ok(bytes.slice(start..end))
    });
    streams::iter(pieces).boxed()
}

/// A body that the test feeds; it ends when the sender is dropped.
pub(crate) fn fed_body() -> (mpsc::Sender<Result<Bytes, BodyError>>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    let body = streams::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    (sender, body.boxed())
}

pub(crate) async fn read(
    store: &Arc<dyn ObjectStore>,
    object: &Object,
) -> Result<Vec<u8>, StoreError> {
    let options = ReadOptions {
        range_bytes: 1_000_003,
        max_ranges_in_flight: 3,
    };
    let ranges = stream(Arc::clone(store), object.clone(), options);
    let ranges: Vec<Bytes> = ranges.try_collect().await?;
    Ok(ranges.concat())
}

async fn assert_holds(store: &Arc<dyn ObjectStore>, key: &Key, expected: &Bytes) {
    let found = store.head(key).await.unwrap().expect("it is there");
    assert_eq!(found.bytes, expected.len() as u64);
    // No difference is printed: it would be megabytes.
    assert!(read(store, &found).await.unwrap() == *expected, "{key}");
}

pub(crate) async fn objects_of_all_sizes_come_back_as_they_were(fixture: &dyn Fixture) {
    let (store, part) = (fixture.store(), fixture.part_bytes());
    for num_bytes in [0, 1, part - 1, part, part + 1, 2 * part, 3 * part + 17] {
        let key = key(&format!("sizes/{num_bytes}"));
        let bytes = content(num_bytes, 1);
        let stored = store.put(&key, body(&bytes)).await.unwrap();
        let found = store.head(&key).await.unwrap().unwrap();
        let listed = store.list(key.as_str()).await.unwrap();
        // Their times may differ: some have fractions of seconds, some are ours.
        let identity = |object: &Object| (object.key.clone(), object.bytes, object.etag.clone());
        assert_eq!(identity(&stored), identity(&found));
        let listed: Vec<_> = listed.iter().map(identity).collect();
        assert_eq!(listed, [identity(&stored)]);
        assert_holds(&store, &key, &bytes).await;
    }
}

pub(crate) async fn an_object_appears_whole_or_not_at_all(fixture: &dyn Fixture) {
    let (store, part) = (fixture.store(), fixture.part_bytes());
    let (old, new) = (content(100, 1), content(2 * part + 5, 2));
    for old in [None, Some(old)] {
        let key = key(if old.is_some() { "a/replaced" } else { "a/new" });
        if let Some(old) = &old {
            store.put(&key, body(old)).await.unwrap();
        }
        let (sender, fed) = fed_body();
        let putting = tokio::spawn({
            let (store, key) = (Arc::clone(&store), key.clone());
            async move { store.put(&key, fed).await }
        });
        let mut pieces = body(&new);
        while let Some(piece) = pieces.next().await {
            sender.send(Ok(piece.unwrap())).await.unwrap();
            let found = store.head(&key).await.unwrap();
            let bytes = old.as_ref().map(|old| old.len() as u64);
            assert_eq!(found.map(|found| found.bytes), bytes);
            assert_eq!(
                store.list("").await.unwrap().len(),
                usize::from(old.is_some())
            );
        }
        drop(sender);
        putting.await.unwrap().unwrap();
        assert_holds(&store, &key, &new).await;
        store.delete(&key).await.unwrap();
    }
}

/// Puts `good` and then an error.
fn broken_body(good: &Bytes) -> Body {
    let broken = streams::once(async { Err(BodyError::from("the source broke")) });
    body(good).chain(broken).boxed()
}

pub(crate) async fn a_body_that_fails_leaves_the_old_object(fixture: &dyn Fixture) {
    let (store, part) = (fixture.store(), fixture.part_bytes());
    let (key, old) = (key("a/b"), content(1000, 1));
    for num_bytes in [0, 1, part - 1, part, 3 * part] {
        let broken = store.put(&key, broken_body(&content(num_bytes, 2))).await;
        let Err(StoreError::Body { source, .. }) = broken else {
            panic!("{broken:?}");
        };
        assert_eq!(source.to_string(), "the source broke");
        assert_eq!(fixture.num_unfinished(), 0);
        assert_eq!(store.head(&key).await.unwrap(), None);
    }
    store.put(&key, body(&old)).await.unwrap();
    let broken = store.put(&key, broken_body(&content(2 * part, 2))).await;
    assert!(broken.is_err());
    assert_holds(&store, &key, &old).await;
}

pub(crate) async fn a_put_that_is_dropped_leaves_the_old_object(fixture: &dyn Fixture) {
    let (store, part) = (fixture.store(), fixture.part_bytes());
    let (key, old) = (key("a/b"), content(1000, 1));
    store.put(&key, body(&old)).await.unwrap();
    let new = content(3 * part, 2);
    let num_pieces = body(&new).count().await;
    for num_sent in [0, 1, num_pieces / 2, num_pieces - 1] {
        let (sender, fed) = fed_body();
        let putting = tokio::spawn({
            let (store, key) = (Arc::clone(&store), key.clone());
            async move { store.put(&key, fed).await }
        });
        let mut pieces = body(&new).take(num_sent);
        while let Some(piece) = pieces.next().await {
            sender.send(Ok(piece.unwrap())).await.unwrap();
        }
        putting.abort();
        assert!(putting.await.unwrap_err().is_cancelled());
        store.settle().await.unwrap();
        assert_eq!(fixture.num_unfinished(), 0);
        assert_holds(&store, &key, &old).await;
    }
}

pub(crate) async fn of_several_publications_one_succeeds(fixture: &dyn Fixture) {
    let store = fixture.store();
    for round in 0..5 {
        let key = key(&format!("sets/{round}/manifest.json"));
        let tries = (0..8).map(|seed| {
            let (store, key) = (Arc::clone(&store), key.clone());
            tokio::spawn(async move {
                let bytes = content(1000, seed);
                (store.publish(&key, bytes.clone()).await, bytes)
            })
        });
        let mut winners = Vec::new();
        for tried in futures::future::join_all(tries).await {
            match tried.unwrap() {
                (Ok(object), bytes) => winners.push((object, bytes)),
                (Err(StoreError::AlreadyExists { key: there }), _) => assert_eq!(there, key),
                (Err(error), _) => panic!("{error:?}"),
            }
        }
        let [(object, bytes)] = &*winners else {
            panic!("{} succeeded", winners.len());
        };
        assert_eq!(object.bytes, 1000);
        assert_holds(&store, &key, bytes).await;
    }
    assert_eq!(store.list("").await.unwrap().len(), 5);
}

pub(crate) async fn a_publication_spares_what_is_there(fixture: &dyn Fixture) {
    let store = fixture.store();
    let (key, old) = (key("a"), content(10, 1));
    store.put(&key, body(&old)).await.unwrap();
    let error = store.publish(&key, content(10, 2)).await.unwrap_err();
    assert!(
        matches!(error, StoreError::AlreadyExists { .. }),
        "{error:?}"
    );
    assert_holds(&store, &key, &old).await;
    store.delete(&key).await.unwrap();
    store.publish(&key, content(10, 2)).await.unwrap();
    assert_holds(&store, &key, &content(10, 2)).await;
}

pub(crate) async fn puts_at_the_same_time_leave_one_whole_object(fixture: &dyn Fixture) {
    let (store, part) = (fixture.store(), fixture.part_bytes());
    let key = key("a/b");
    let bodies = [content(part + 1, 1), content(2 * part, 2)];
    let puts = bodies.iter().map(|bytes| store.put(&key, body(bytes)));
    let results = futures::future::join_all(puts).await;
    // A store may refuse the second, but not for good.
    let refusals = results.iter().filter_map(|result| result.as_ref().err());
    assert!(
        refusals.clone().all(StoreError::is_retryable),
        "{results:?}"
    );
    assert!(refusals.count() < 2, "{results:?}");
    let found = store.head(&key).await.unwrap().unwrap();
    let bytes = read(&store, &found).await.unwrap();
    assert!(bodies.contains(&bytes.into()));
}

pub(crate) async fn a_list_is_in_order_and_below_its_prefix(fixture: &dyn Fixture) {
    let store = fixture.store();
    let keys = ["a.b", "a/1", "a/10/x", "a/2", "a0", "b/a/c/d", "b/a-c", "z"];
    for text in keys.iter().rev() {
        store.put(&key(text), body(&content(3, 1))).await.unwrap();
    }
    for (prefix, expected) in [
        ("", &keys[..]),
        ("a", &["a.b", "a/1", "a/10/x", "a/2", "a0"]),
        ("a/", &["a/1", "a/10/x", "a/2"]),
        ("a/1", &["a/1", "a/10/x"]),
        ("b/a", &["b/a-c", "b/a/c/d"]),
        ("c", &[]),
        ("a/1/", &[]),
        ("../", &[]),
        ("/", &[]),
    ] {
        let found = store.list(prefix).await.unwrap();
        let found: Vec<&str> = found.iter().map(|object| object.key.as_str()).collect();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{prefix:?}");
    }
}

pub(crate) async fn ranges_are_cut_at_the_ends(fixture: &dyn Fixture) {
    let store = fixture.store();
    let bytes = content(1000, 1);
    let object = store.put(&key("a"), body(&bytes)).await.unwrap();
    let slice = |range: Range<usize>| bytes.slice(range);
    for (range, expected) in [
        (0..1000, slice(0..1000)),
        (0..1, slice(0..1)),
        (999..1000, slice(999..1000)),
        (10..20, slice(10..20)),
        (990..2000, slice(990..1000)),
        (5..5, Bytes::new()),
        (1000..1001, Bytes::new()),
        (5000..u64::MAX, Bytes::new()),
    ] {
        let found = store.read_range(&object, range.clone()).await.unwrap();
        assert_eq!(found, expected, "{range:?}");
    }
}

pub(crate) async fn an_object_replaced_between_ranges_is_an_error(fixture: &dyn Fixture) {
    let store = fixture.store();
    let key = key("a/b");
    let object = store.put(&key, body(&content(1000, 1))).await.unwrap();
    let options = ReadOptions {
        range_bytes: 100,
        max_ranges_in_flight: 2,
    };
    let mut ranges = std::pin::pin!(stream(Arc::clone(&store), object.clone(), options));
    ranges.next().await.unwrap().unwrap();
    let newer = store.put(&key, body(&content(1000, 2))).await.unwrap();
    assert_ne!(newer.etag, object.etag);
    let rest: Result<Vec<Bytes>, StoreError> = ranges.try_collect().await;
    let error = rest.unwrap_err();
    assert!(matches!(error, StoreError::Replaced { .. }), "{error:?}");
    store.delete(&key).await.unwrap();
    let error = store.read_range(&object, 0..1).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error:?}");
}

pub(crate) async fn what_is_deleted_is_gone_and_may_be_deleted_again(fixture: &dyn Fixture) {
    let store = fixture.store();
    let keys = [key("a/b/c"), key("a/b/d")];
    for key in &keys {
        store.put(key, body(&content(10, 1))).await.unwrap();
    }
    store.delete(&keys[0]).await.unwrap();
    store.delete(&keys[0]).await.unwrap();
    assert_eq!(store.head(&keys[0]).await.unwrap(), None);
    assert_eq!(store.list("a").await.unwrap().len(), 1);
    store.delete(&keys[1]).await.unwrap();
    assert_eq!(store.list("").await.unwrap(), []);
    // Neither is something that never was, nor what an object is not the folder of.
    store.delete(&key("never")).await.unwrap();
    store.put(&keys[0], body(&content(10, 1))).await.unwrap();
    store.delete(&key("a/b/c/d")).await.unwrap();
    assert_holds(&store, &keys[0], &content(10, 1)).await;
}

pub(crate) async fn what_is_not_there_is_said_to_be_missing(fixture: &dyn Fixture) {
    let store = fixture.store();
    assert_eq!(store.list("").await.unwrap(), []);
    assert_eq!(store.head(&key("a/b")).await.unwrap(), None);
    let error = read_all(&*store, &key("a/b"), 10).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error:?}");
    store.put(&key("a/b"), body(&content(1, 1))).await.unwrap();
    assert_eq!(store.head(&key("a")).await.unwrap(), None);
    assert_eq!(store.head(&key("a/b/c")).await.unwrap(), None);
}

pub(crate) async fn a_living_put_is_not_abandoned(fixture: &dyn Fixture) {
    let (store, part) = (fixture.store(), fixture.part_bytes());
    let (key, bytes) = (key("a/b"), content(2 * part, 1));
    let (sender, fed) = fed_body();
    let putting = tokio::spawn({
        let (store, key) = (Arc::clone(&store), key.clone());
        async move { store.put(&key, fed).await }
    });
    sender.send(Ok(bytes.slice(..part + 1))).await.unwrap();
    // The next one is taken when the put is under way.
    sender
        .send(Ok(bytes.slice(part + 1..part + 2)))
        .await
        .unwrap();
    sender.send(Ok(bytes.slice(part + 2..))).await.unwrap();
    let hour = Duration::from_secs(3600);
    assert_eq!(store.remove_abandoned("", hour).await.unwrap(), 0);
    drop(sender);
    putting.await.unwrap().unwrap();
    assert_holds(&store, &key, &bytes).await;
}

/// A store that counts the ranges that it is asked for.
#[derive(Debug)]
struct Counted {
    store: Arc<dyn ObjectStore>,
    num_begun: AtomicUsize,
    num_in_flight: AtomicUsize,
    peak_in_flight: AtomicUsize,
    /// All that may be in flight meet here.
    meeting: tokio::sync::Barrier,
}

#[async_trait]
impl ObjectStore for Counted {
    fn location(&self) -> String {
        self.store.location()
    }
    async fn put(&self, key: &Key, body: Body) -> Result<Object, StoreError> {
        self.store.put(key, body).await
    }
    async fn publish(&self, key: &Key, bytes: Bytes) -> Result<Object, StoreError> {
        self.store.publish(key, bytes).await
    }
    async fn head(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        self.store.head(key).await
    }
    async fn read_range(&self, object: &Object, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.num_begun.fetch_add(1, Ordering::SeqCst);
        let num_in_flight = self.num_in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak_in_flight
            .fetch_max(num_in_flight, Ordering::SeqCst);
        self.meeting.wait().await;
        let result = self.store.read_range(object, range).await;
        self.num_in_flight.fetch_sub(1, Ordering::SeqCst);
        result
    }
    async fn list(&self, prefix: &str) -> Result<Vec<Object>, StoreError> {
        self.store.list(prefix).await
    }
    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.store.delete(key).await
    }
    async fn remove_abandoned(&self, prefix: &str, min_age: Duration) -> Result<u64, StoreError> {
        self.store.remove_abandoned(prefix, min_age).await
    }
    async fn settle(&self) -> Result<(), StoreError> {
        self.store.settle().await
    }
}

pub(crate) async fn reading_goes_ahead_within_its_bound(fixture: &dyn Fixture) {
    let bytes = content(12_000, 1);
    let object = fixture.store().put(&key("a"), body(&bytes)).await.unwrap();
    let counted = Arc::new(Counted {
        store: fixture.store(),
        num_begun: AtomicUsize::new(0),
        num_in_flight: AtomicUsize::new(0),
        peak_in_flight: AtomicUsize::new(0),
        meeting: tokio::sync::Barrier::new(3),
    });
    let options = ReadOptions {
        range_bytes: 1000,
        max_ranges_in_flight: 3,
    };
    let ranges = stream(
        Arc::clone(&counted) as Arc<dyn ObjectStore>,
        object,
        options,
    );
    let mut ranges = std::pin::pin!(ranges);
    let mut found = Vec::new();
    for num_taken in 1..=12 {
        // Were fewer in flight, nobody would come through the barrier.
        found.extend(ranges.next().await.unwrap().unwrap());
        assert!(counted.num_begun.load(Ordering::SeqCst) < num_taken + 3);
    }
    assert!(ranges.next().await.is_none());
    assert_eq!(found, bytes);
    assert_eq!(counted.peak_in_flight.load(Ordering::SeqCst), 3);
}

/// Does blocking work, as the engine's core would.
async fn blocking<T: Send + 'static>(work: impl FnOnce(&Handle) -> T + Send + 'static) -> T {
    let runtime = Handle::current();
    let done = tokio::task::spawn_blocking(move || work(&runtime));
    done.await.unwrap()
}

pub(crate) async fn a_reader_reads_what_a_writer_wrote(fixture: &dyn Fixture) {
    use std::io::{Read, Write};

    let (store, part) = (fixture.store(), fixture.part_bytes());
    for num_bytes in [0, 1, 2 * part + 3] {
        let (store, bytes) = (Arc::clone(&store), content(num_bytes, 1));
        blocking(move |runtime| {
            let mut writer = Writer::new(runtime, Arc::clone(&store), key("a/b"));
            for piece in bytes.chunks(100_003) {
                writer.write_all(piece).unwrap();
            }
            let object = writer.finish().unwrap();
            assert_eq!(object.bytes, num_bytes as u64);
            let options = ReadOptions {
                range_bytes: 1 << 20,
                max_ranges_in_flight: 2,
            };
            let mut found = Vec::new();
            let mut reader = Reader::new(runtime, store, object, options);
            reader.read_to_end(&mut found).unwrap();
            assert!(found == bytes);
        })
        .await;
    }
}

pub(crate) async fn a_writer_that_is_dropped_leaves_nothing(fixture: &dyn Fixture) {
    use std::io::Write;

    let (store, part) = (fixture.store(), fixture.part_bytes());
    for num_bytes in [0, 1, 2 * part] {
        let in_blocking = Arc::clone(&store);
        blocking(move |runtime| {
            let mut writer = Writer::new(runtime, in_blocking, key("a/b"));
            writer.write_all(&content(num_bytes, 1)).unwrap();
            drop(writer);
        })
        .await;
        store.settle().await.unwrap();
        assert_eq!(fixture.num_unfinished(), 0);
        assert_eq!(store.list("").await.unwrap(), []);
    }
}

/// A store that nothing can be put into.
#[derive(Debug)]
struct Full(Arc<dyn ObjectStore>);

#[async_trait]
impl ObjectStore for Full {
    fn location(&self) -> String {
        self.0.location()
    }
    async fn put(&self, key: &Key, _: Body) -> Result<Object, StoreError> {
        Err(StoreError::NotFound { key: key.clone() })
    }
    async fn publish(&self, key: &Key, bytes: Bytes) -> Result<Object, StoreError> {
        self.0.publish(key, bytes).await
    }
    async fn head(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        self.0.head(key).await
    }
    async fn read_range(&self, object: &Object, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.0.read_range(object, range).await
    }
    async fn list(&self, prefix: &str) -> Result<Vec<Object>, StoreError> {
        self.0.list(prefix).await
    }
    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.0.delete(key).await
    }
    async fn remove_abandoned(&self, prefix: &str, min_age: Duration) -> Result<u64, StoreError> {
        self.0.remove_abandoned(prefix, min_age).await
    }
    async fn settle(&self) -> Result<(), StoreError> {
        self.0.settle().await
    }
}

pub(crate) async fn a_writer_learns_why_its_object_is_not_stored(fixture: &dyn Fixture) {
    use std::io::Write;

    let store: Arc<dyn ObjectStore> = Arc::new(Full(fixture.store()));
    blocking(move |runtime| {
        let short = Writer::new(runtime, Arc::clone(&store), key("a"));
        let error = short.finish().unwrap_err();
        assert!(matches!(error, StoreError::NotFound { .. }), "{error:?}");
        let mut long = Writer::new(runtime, store, key("a"));
        let error = long.write_all(&content(10_000_000, 1)).unwrap_err();
        let source = error.get_ref().and_then(|source| source.downcast_ref());
        assert!(
            matches!(source, Some(StoreError::NotFound { .. })),
            "{error:?}"
        );
    })
    .await;
}

pub(crate) async fn a_reader_hands_on_the_stores_error(fixture: &dyn Fixture) {
    use std::io::Read;

    let store = fixture.store();
    let object = store.put(&key("a"), body(&content(10, 1))).await.unwrap();
    store.put(&key("a"), body(&content(10, 2))).await.unwrap();
    blocking(move |runtime| {
        let mut reader = Reader::new(runtime, store, object, ReadOptions::default());
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        let source = error.get_ref().and_then(|source| source.downcast_ref());
        assert!(
            matches!(source, Some(StoreError::Replaced { .. })),
            "{error:?}"
        );
    })
    .await;
}

pub(crate) async fn a_small_object_is_read_whole_within_its_limit(fixture: &dyn Fixture) {
    let (store, bytes) = (fixture.store(), content(1000, 1));
    store.publish(&key("a"), bytes.clone()).await.unwrap();
    assert_eq!(read_all(&*store, &key("a"), 1000).await.unwrap(), bytes);
    let error = read_all(&*store, &key("a"), 999).await.unwrap_err();
    assert!(matches!(error, StoreError::Failed { .. }), "{error:?}");
}
