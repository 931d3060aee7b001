//! SQS as queue: what every queue does, against an emulator; what fails one by one, against a server that does so.
#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use engine::queue::{Queue, QueueError, Sqs, SqsOptions};
use engine::upstream::Retry;

#[path = "support/emulator.rs"]
mod emulator;
#[path = "support/queue.rs"]
mod queue_suite;
#[path = "support/sqs_server.rs"]
mod sqs_server;

use queue_suite::{TIMEOUT, VISIBILITY_TIMEOUT};
use sqs_server::{Fault, SqsServer};

/// A queue of its own of the emulator.
async fn emulated() -> Sqs {
    let config = emulator::ministack().config().await;
    let client = aws_sdk_sqs::Client::new(&config);
    let visibility = aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout;
    let created = client
        .create_queue()
        .queue_name(emulator::unique("messages"))
        .attributes(visibility, VISIBILITY_TIMEOUT.as_secs().to_string())
        .send()
        .await
        .unwrap();
    let url = created.queue_url().unwrap();
    Sqs::with_config(&config, url, SqsOptions::default())
}

queue_tests!(emulated().await);

#[tokio::test]
async fn a_queue_that_is_not_there_is_said_to_be_missing() {
    let config = emulator::ministack().config().await;
    let url = "http://127.0.0.1:1/000000000000/nowhere";
    let queue = Sqs::with_config(&config, url, SqsOptions::default());
    let error = queue.send(vec!["a".to_owned()]).await.unwrap_err();
    assert_eq!(
        told(&error),
        format!(
            "messages cannot be sent to {url}: there is no such queue: create it, or correct its address and AWS_REGION"
        )
    );
    assert!(!error.is_retryable());
}

/// An error with its causes.
fn told(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told += &format!(": {cause}");
        source = cause.source();
    }
    told
}

fn options() -> SqsOptions {
    SqsOptions {
        retry_backoff: Duration::from_millis(4),
        max_attempts: 4,
        ..SqsOptions::default()
    }
}

async fn queue_at(server: &SqsServer, options: SqsOptions) -> Sqs {
    let config = emulator::config(&server.url).await;
    Sqs::with_config(&config, &format!("{}/1/messages", server.url), options)
}

async fn send(
    server: &SqsServer,
    options: SqsOptions,
    bodies: &[String],
) -> Result<(), QueueError> {
    let queue = queue_at(server, options).await;
    let sending = queue.send(bodies.to_vec());
    tokio::time::timeout(TIMEOUT, sending)
        .await
        .expect("it is done in time")
}

fn bodies(num: usize, bytes: usize) -> Vec<String> {
    let body = |index| {
        let digits = format!("{index}");
        "0".repeat(bytes - digits.len().min(bytes)) + &digits
    };
    (0..num).map(body).collect()
}

#[tokio::test]
async fn calls_are_filled_as_far_as_the_limits_allow() {
    for (num, bytes, batch_bytes, expected) in [
        (25, 100, 256 << 10, &[10, 10, 5][..]),
        (10, 60 << 10, 256 << 10, &[4, 4, 2]),
        (20, 60 << 10, 1 << 20, &[10, 10]),
        (3, 128 << 10, 256 << 10, &[2, 1]),
    ] {
        let server = SqsServer::start(Vec::new()).await;
        let options = SqsOptions {
            batch_bytes,
            max_calls_in_flight: 1,
            ..options()
        };
        let bodies = bodies(num, bytes);
        send(&server, options, &bodies).await.unwrap();
        let calls = server.calls();
        let sizes: Vec<usize> = calls.iter().map(Vec::len).collect();
        assert_eq!(sizes, expected);
        assert!(calls.concat() == bodies, "each is sent once, in order");
    }
}

#[tokio::test]
async fn a_message_longer_than_a_call_is_an_error_before_anything_is_sent() {
    let server = SqsServer::start(Vec::new()).await;
    let long = vec!["a".to_owned(), "x".repeat((256 << 10) + 1)];
    let error = send(&server, options(), &long).await.unwrap_err();
    assert!(
        matches!(error, QueueError::TooLong { bytes: 262_145, .. }),
        "{error:?}"
    );
    assert!(!error.is_retryable());
    assert_eq!(server.calls().len(), 0);
}

#[tokio::test]
async fn entries_that_fail_are_sent_again_and_no_others() {
    let faults = vec![
        Fault::Entries(vec![1, 4], "InternalError"),
        Fault::Entries(vec![1], "ServiceUnavailable"),
    ];
    let server = SqsServer::start(faults).await;
    let bodies = bodies(6, 1);
    send(&server, options(), &bodies).await.unwrap();
    assert_eq!(
        server.calls(),
        [&["0", "1", "2", "3", "4", "5"][..], &["1", "4"], &["4"]]
    );
    assert_eq!(server.stored(), bodies.iter().cloned().collect());
}

#[tokio::test]
async fn a_call_that_fails_whole_is_sent_again() {
    let faults = vec![Fault::Unavailable, Fault::Throttled, Fault::Unavailable];
    let server = SqsServer::start(faults).await;
    send(&server, options(), &bodies(3, 1)).await.unwrap();
    assert_eq!(server.calls().len(), 4);
    assert_eq!(server.stored().len(), 3);
}

#[tokio::test]
async fn a_call_whose_answer_is_lost_is_sent_again() {
    let server = SqsServer::start(vec![Fault::LostAnswer]).await;
    send(&server, options(), &bodies(3, 1)).await.unwrap();
    assert_eq!(
        server.calls(),
        [["0", "1", "2"], ["0", "1", "2"]],
        "at least once"
    );
}

#[tokio::test]
async fn an_entry_that_is_the_senders_fault_is_an_error() {
    let server = SqsServer::start(vec![Fault::SenderFault(2)]).await;
    let error = send(&server, options(), &bodies(5, 1)).await.unwrap_err();
    assert!(!error.is_retryable());
    let expected =
        "SQS refuses 1 of the messages, the first with InvalidMessageContents: it has a NUL";
    assert!(told(&error).ends_with(expected), "{}", told(&error));
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn what_never_succeeds_ends_with_the_attempts() {
    let entries = || Fault::Entries(vec![0], "InternalError");
    let server = SqsServer::start((0..9).map(|_| entries()).collect()).await;
    let error = send(&server, options(), &bodies(2, 1)).await.unwrap_err();
    assert!(error.is_retryable());
    assert!(told(&error).contains("InternalError"), "{}", told(&error));
    assert_eq!(server.calls().len(), 4);

    let server = SqsServer::start((0..9).map(|_| Fault::Unavailable).collect()).await;
    let error = send(&server, options(), &bodies(2, 1)).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!(server.calls().len(), 4);
}

#[tokio::test]
async fn the_permission_that_lacks_is_named() {
    let server = SqsServer::start(vec![Fault::Denied]).await;
    let error = send(&server, options(), &bodies(1, 1)).await.unwrap_err();
    assert!(!error.is_retryable());
    let expected = "access is denied: the credentials in use need sqs:SendMessage on the queue";
    assert!(told(&error).ends_with(expected), "{}", told(&error));
}

#[tokio::test]
async fn no_more_calls_are_in_flight_than_allowed() {
    for max_calls_in_flight in [1, 3] {
        let server = SqsServer::start(Vec::new()).await;
        let options = SqsOptions {
            max_calls_in_flight,
            ..options()
        };
        let bodies = bodies(120, 1);
        let queue = queue_at(&server, options).await;
        let halves = bodies.split_at(60);
        let (first, second) =
            tokio::join!(queue.send(halves.0.to_vec()), queue.send(halves.1.to_vec()));
        first.unwrap();
        second.unwrap();
        assert_eq!(server.peak_calls_in_flight(), max_calls_in_flight);
        assert_eq!(server.stored().len(), 120);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_to_try_again() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let config = emulator::config(&url).await;
    let queue = Sqs::with_config(&config, &format!("{url}/1/messages"), options());
    let error = queue.receive(1, Duration::ZERO).await.unwrap_err();
    assert!(error.is_retryable());
    assert!(
        told(&error).contains("SQS cannot be reached"),
        "{}",
        told(&error)
    );
}
