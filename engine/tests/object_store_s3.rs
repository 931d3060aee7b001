//! S3 as object store, against a server that speaks its protocol: what every store does, and what only S3 does.
#![cfg(feature = "aws")]

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::store::s3::MIN_PART_BYTES;
use engine::store::{ObjectStore, S3, S3Options, StoreError, StoreLocation};
use s3s::s3_error;

#[path = "support/object_store.rs"]
mod object_store;
#[path = "support/s3_client.rs"]
mod s3_client;
#[path = "support/s3_server.rs"]
mod s3_server;

use object_store::{Fixture, body, content, fed_body, key, read};
use s3_client::connect;
use s3_server::{BUCKET, S3Server};

fn options() -> S3Options {
    S3Options {
        part_bytes: MIN_PART_BYTES,
        max_parts_in_flight: 2,
        max_attempts: 4,
        retry_backoff: Duration::from_millis(2),
    }
}

struct InS3 {
    server: S3Server,
    store: Arc<S3>,
}

impl InS3 {
    async fn new() -> Self {
        let server = S3Server::start().await;
        let store = Arc::new(server.connect(BUCKET, "a/store", options()).await);
        InS3 { server, store }
    }
}

impl Fixture for InS3 {
    fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::<S3>::clone(&self.store)
    }

    fn part_bytes(&self) -> usize {
        MIN_PART_BYTES
    }

    fn num_unfinished(&self) -> usize {
        self.server.state.open_uploads().len()
    }
}

conformance_tests!(InS3::new().await);

/// The error and all that it says.
fn chain(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[tokio::test]
async fn what_fits_a_part_goes_by_one_request() {
    let fixture = InS3::new().await;
    let store = fixture.store();
    for (num_bytes, num_parts) in [(0, 0), (MIN_PART_BYTES, 0), (MIN_PART_BYTES + 1, 2)] {
        let bytes = content(num_bytes, 1);
        store.put(&key("a"), body(&bytes)).await.unwrap();
        let sent = fixture.server.state.num_parts.load(Ordering::SeqCst);
        assert_eq!(sent, num_parts, "{num_bytes}");
    }
}

#[tokio::test]
async fn parts_are_sent_side_by_side_within_their_bound() {
    let fixture = InS3::new().await;
    fixture.server.state.faults().part_delay = Duration::from_millis(20);
    let bytes = content(6 * MIN_PART_BYTES, 1);
    fixture.store().put(&key("a"), body(&bytes)).await.unwrap();
    let peak = fixture
        .server
        .state
        .peak_parts_in_flight
        .load(Ordering::SeqCst);
    assert_eq!(peak, 2);
}

#[tokio::test]
async fn a_part_that_fails_twice_is_sent_again() {
    let fixture = InS3::new().await;
    let store = fixture.store();
    fixture.server.state.faults().parts = [(1, 2), (3, 2)].into();
    let bytes = content(2 * MIN_PART_BYTES + 10, 1);
    let object = store.put(&key("a"), body(&bytes)).await.unwrap();
    assert!(read(&store, &object).await.unwrap() == bytes);
}

#[tokio::test]
async fn a_part_that_fails_for_good_aborts_the_upload() {
    let fixture = InS3::new().await;
    let store = fixture.store();
    fixture.server.state.faults().parts = [(2, usize::MAX)].into();
    let bytes = content(4 * MIN_PART_BYTES, 1);
    let error = store.put(&key("a"), body(&bytes)).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(chain(&error).contains("503 SlowDown"), "{}", chain(&error));
    assert_eq!(fixture.num_unfinished(), 0);
    assert_eq!(store.list("").await.unwrap(), []);
}

#[tokio::test]
async fn a_part_that_fails_ends_a_put_whose_body_stands_still() {
    let fixture = InS3::new().await;
    fixture.server.state.faults().parts = [(1, usize::MAX)].into();
    let (sender, fed) = fed_body();
    let store = fixture.store();
    let putting = tokio::spawn(async move { store.put(&key("a"), fed).await });
    let bytes = content(MIN_PART_BYTES + 1, 1);
    sender.send(Ok(bytes)).await.unwrap();
    let done = tokio::time::timeout(object_store::TIMEOUT, putting).await;
    assert!(done.unwrap().unwrap().is_err());
    assert_eq!(fixture.num_unfinished(), 0);
}

#[tokio::test]
async fn a_completion_that_fails_for_good_aborts_the_upload() {
    let fixture = InS3::new().await;
    let store = fixture.store();
    let bytes = content(MIN_PART_BYTES + 1, 1);
    fixture.server.state.faults().completions = 1;
    store.put(&key("a"), body(&bytes)).await.unwrap();
    fixture.server.state.faults().completions = usize::MAX;
    store.put(&key("b"), body(&bytes)).await.unwrap_err();
    assert_eq!(fixture.num_unfinished(), 0);
    assert_eq!(store.list("").await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_abort_that_fails_is_tried_again_and_then_told() {
    let fixture = InS3::new().await;
    let store = fixture.store();
    let bytes = content(2 * MIN_PART_BYTES, 1);
    fixture.server.state.faults().parts = [(1, usize::MAX)].into();
    fixture.server.state.faults().aborts = 7;
    store.put(&key("a"), body(&bytes)).await.unwrap_err();
    store.settle().await.unwrap();
    assert_eq!(fixture.num_unfinished(), 0);

    fixture.server.state.faults().aborts = usize::MAX;
    store.put(&key("a"), body(&bytes)).await.unwrap_err();
    let error = store.settle().await.unwrap_err();
    assert!(chain(&error).contains("a/store/a"), "{}", chain(&error));
    assert_eq!(fixture.num_unfinished(), 1);
    // It is told once.
    store.settle().await.unwrap();
}

#[tokio::test]
async fn a_body_that_breaks_is_taken_up_where_it_broke() {
    let fixture = InS3::new().await;
    let store = fixture.store();
    let bytes = content(1 << 20, 1);
    let object = store.put(&key("a"), body(&bytes)).await.unwrap();
    fixture.server.state.faults().gets = 3;
    let found = store.read_range(&object, 10..1 << 20).await.unwrap();
    assert!(found == bytes.slice(10..));
    assert_eq!(fixture.server.state.num_gets.load(Ordering::SeqCst), 4);

    fixture.server.state.faults().gets = usize::MAX;
    let error = store.read_range(&object, 0..1 << 20).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    // The last answer may break before its body or in it.
    let text = chain(&error);
    let says = [
        "the connection broke",
        "breaks the connection",
        "connection closed",
    ];
    assert!(says.iter().any(|said| text.contains(said)), "{text}");
}

/// Attempts at a request are not multiplied by those at a body. Found by a fault plan.
#[tokio::test]
async fn a_read_that_is_refused_is_asked_for_as_often_as_any_request() {
    let fixture = InS3::new().await;
    let store = fixture.store();
    let object = store.put(&key("a"), body(&content(10, 1))).await.unwrap();
    fixture.server.state.faults().all = Some(|| s3_error!(SlowDown));
    let error = store.read_range(&object, 0..10).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    let num_gets = fixture.server.state.num_gets.load(Ordering::SeqCst);
    assert_eq!(num_gets, options().max_attempts as usize);
}

#[tokio::test]
async fn an_object_that_is_replaced_while_a_body_is_broken_is_an_error() {
    let fixture = InS3::new().await;
    let store = fixture.store();
    let object = store
        .put(&key("a"), body(&content(1 << 20, 1)))
        .await
        .unwrap();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    fixture.server.state.faults().gets = 1;
    fixture.server.state.faults().gate = Some(Arc::clone(&gate));
    let reading = store.read_range(&object, 0..1 << 20);
    let replacing = async {
        while fixture.server.state.num_gets.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let newer = content(1 << 20, 2);
        store.put(&key("a"), body(&newer)).await.unwrap();
        gate.add_permits(1);
    };
    let both = async { futures::join!(reading, replacing) };
    let done = tokio::time::timeout(object_store::TIMEOUT, both).await;
    let (read, ()) = done.unwrap();
    let error = read.unwrap_err();
    assert!(matches!(error, StoreError::Replaced { .. }), "{error:?}");
    assert_eq!(fixture.server.state.num_gets.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_publication_whose_answer_is_lost_knows_its_own_object() {
    let fixture = InS3::new().await;
    let store = fixture.store();
    fixture.server.state.faults().puts = 1;
    let object = store.publish(&key("a"), content(10, 1)).await.unwrap();
    assert_eq!(
        store.head(&key("a")).await.unwrap().unwrap().etag,
        object.etag
    );
    let again = store.publish(&key("a"), content(10, 1)).await.unwrap_err();
    assert!(
        matches!(again, StoreError::AlreadyExists { .. }),
        "{again:?}"
    );
}

#[tokio::test]
async fn uploads_are_aborted_when_they_are_old() {
    let fixture = InS3::new().await;
    let store = fixture.store();
    let other = fixture.server.connect(BUCKET, "other", options()).await;
    fixture.server.state.faults().aborts = usize::MAX;
    fixture.server.state.faults().completions = usize::MAX;
    let bytes = content(MIN_PART_BYTES + 1, 1);
    for text in ["sets/1/a", "sets/1/b", "sets/1/b", "sets/2/a"] {
        store.put(&key(text), body(&bytes)).await.unwrap_err();
    }
    other.put(&key("sets/1/a"), body(&bytes)).await.unwrap_err();
    assert!(store.settle().await.is_err());
    fixture.server.state.faults().aborts = 0;

    let hour = Duration::from_secs(3600);
    assert_eq!(store.remove_abandoned("", hour).await.unwrap(), 0);
    fixture.server.state.age_uploads(2 * hour);
    assert_eq!(store.remove_abandoned("sets/1/", hour).await.unwrap(), 3);
    let left = ["a/store/sets/2/a", "other/sets/1/a"];
    assert_eq!(fixture.server.state.open_uploads(), left);
}

#[tokio::test]
async fn stores_with_other_prefixes_are_apart() {
    let server = S3Server::start().await;
    let one = server.connect(BUCKET, "one", options()).await;
    let all = server.connect(BUCKET, "", options()).await;
    one.put(&key("a"), body(&content(1, 1))).await.unwrap();
    assert_eq!(one.location(), "s3://bucket/one");
    assert_eq!(all.location(), "s3://bucket");
    assert_eq!(all.list("").await.unwrap()[0].key, key("one/a"));
    let two = server.connect(BUCKET, "on", options()).await;
    assert_eq!(two.list("").await.unwrap(), []);
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let server = S3Server::start().await;
    let put = async |store: S3| {
        let result = store.put(&key("a"), body(&content(1, 1))).await;
        chain(&result.unwrap_err())
    };
    let text = put(server.connect("nobucket", "", options()).await).await;
    assert!(text.contains("there is no bucket nobucket"), "{text}");

    let text = put(connect(&server.url, "wrong", BUCKET, "", options()).await).await;
    assert!(
        text.contains("credentials are refused (SignatureDoesNotMatch)"),
        "{text}"
    );

    server.state.faults().all = Some(|| s3_error!(AccessDenied));
    let text = put(server.connect(BUCKET, "", options()).await).await;
    assert!(
        text.contains("need s3:PutObject on bucket bucket"),
        "{text}"
    );
    let store = server.connect(BUCKET, "", options()).await;
    let text = chain(&store.head(&key("a")).await.unwrap_err());
    assert!(
        text.contains("need s3:GetObject and s3:ListBucket on bucket bucket"),
        "{text}"
    );

    let url = server.url.clone();
    drop(server);
    let text = put(connect(&url, "secret", BUCKET, "", options()).await).await;
    assert!(
        text.contains(&format!("{url} cannot be reached or")),
        "{text}"
    );
}

#[tokio::test]
async fn a_server_that_is_silent_is_given_up() {
    // Connections are accepted by the system and never answered.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let store = connect(&url, "secret", BUCKET, "", options()).await;
    tokio::time::pause();
    let error = store.head(&key("a")).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(
        chain(&error).contains("did not answer in time"),
        "{}",
        chain(&error)
    );
}

/// The variable that makes the next test a process that opens a store and prints what it hears.
const OPENER: &str = "PROSPECTOR_TEST_OPENER";

#[tokio::test]
async fn opener_that_prints_what_it_hears() {
    let Ok(location) = std::env::var(OPENER) else {
        return;
    };
    let location: StoreLocation = location.parse().unwrap();
    match location.open(None).await {
        Ok(store) => println!("opened {}", store.location()),
        Err(error) => println!("{}", chain(&error)),
    }
}

#[test]
fn what_the_environment_lacks_is_said() {
    let region = ("AWS_REGION", "us-east-1");
    let id = ("AWS_ACCESS_KEY_ID", "access");
    let secret = ("AWS_SECRET_ACCESS_KEY", "secret");
    for (variables, expected) in [
        (&[id, secret][..], "no AWS region is set"),
        (&[region], "no AWS credentials were found"),
        (&[region, id, secret], "opened s3://bucket/prefix"),
    ] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "opener_that_prints_what_it_hears"])
            .env_clear()
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env(OPENER, "s3://bucket/prefix/")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(expected), "{said}");
    }
}
