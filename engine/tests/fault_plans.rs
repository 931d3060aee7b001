//! S3, SQS and DynamoDB through a proxy that does harm by a seeded plan: what is said to be done is done, and what
//! failed has said so. The servers themselves are asked what came of it, not the proxy.
//!
//! `PROSPECTOR_FAULT_SEEDS` says how many seeds each test tries.
#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test says what it did")]

#[path = "support/emulator.rs"]
mod emulator;
#[path = "support/fault_proxy.rs"]
mod fault_proxy;
#[path = "support/s3_client.rs"]
#[allow(dead_code, reason = "every test uses a part of it")]
mod s3_client;
#[path = "support/s3_server.rs"]
mod s3_server;
#[path = "support/tables.rs"]
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use emulator::{config, ministack, unique};
use engine::control::RunTable;
use engine::ledger::{DynamoLedger, Ledger};
use engine::queue::{Queue, Sqs, SqsOptions};
use engine::store::s3::MIN_PART_BYTES;
use engine::store::{Key, ObjectStore, S3Options};
use engine::table::dynamodb::{BodiesTable, DynamoDbOptions};
use engine::upstream::Retry;
use fault_proxy::Proxy;
use fault_proxy::plan::Plan;
use futures::{StreamExt, stream};
use s3_client::connect;
use s3_server::{BUCKET, S3Server, SECRET_KEY};

fn seeds() -> std::ops::Range<u64> {
    let num_seeds = std::env::var("PROSPECTOR_FAULT_SEEDS").ok();
    0..num_seeds.map_or(8, |num_seeds| num_seeds.parse().unwrap())
}

/// Counts how the seeds ended; shows the plan of one that somebody panics over.
struct Seeds {
    name: &'static str,
    num_done: usize,
    num_failed: usize,
}

impl Seeds {
    fn new(name: &'static str) -> Self {
        Seeds {
            name,
            num_done: 0,
            num_failed: 0,
        }
    }

    fn ended(&mut self, is_done: bool) {
        self.num_done += usize::from(is_done);
        self.num_failed += usize::from(!is_done);
    }
}

impl Drop for Seeds {
    fn drop(&mut self) {
        println!(
            "{}: {} plans succeeded, {} failed and said so",
            self.name, self.num_done, self.num_failed
        );
    }
}

fn s3_options() -> S3Options {
    S3Options {
        part_bytes: MIN_PART_BYTES,
        max_parts_in_flight: 2,
        max_attempts: 4,
        retry_backoff: Duration::from_millis(4),
    }
}

/// Three parts, the last one short, other bytes for each seed.
fn content(seed: u64) -> Bytes {
    let num_bytes = 2 * MIN_PART_BYTES + 1_000;
    let bytes = (0..num_bytes as u64).map(|place| (place.wrapping_mul(seed + 7) >> 3) as u8);
    bytes.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_in_parts_is_whole_or_not_there_and_no_upload_stays_open_unsaid() {
    let mut seeds_tried = Seeds::new("an object in parts");
    for seed in seeds() {
        let server = S3Server::start().await;
        let plan = Arc::new(Plan::new(
            seed,
            &[
                "PUT /bucket/catalogue partNumber&uploadId",
                "POST /bucket/catalogue uploadId",
            ]
            .map(str::to_owned),
        ));
        let proxy = Proxy::start(&server.url, &plan).await;
        let store = connect(&proxy.url, SECRET_KEY, BUCKET, "", s3_options()).await;
        let key = Key::new("catalogue").unwrap();
        let content = content(seed);
        let body = stream::iter([Ok(content.clone())]).boxed();
        let put = store.put(&key, body).await;
        let settled = store.settle().await;
        let path = server.directory.path().join(BUCKET).join("catalogue");
        let stored = std::fs::read(path).ok();
        match &put {
            Ok(object) => {
                assert_eq!(object.bytes, content.len() as u64, "{plan}");
                assert!(stored.as_deref() == Some(&content[..]), "{plan}");
                let read = store.read_range(object, 0..object.bytes).await;
                assert!(read.is_err() || read.unwrap() == content, "{plan}");
            }
            // A completion whose every answer was lost may have been one.
            Err(_) => assert!(stored.is_none_or(|stored| stored == content), "{plan}"),
        }
        let is_open = !server.state.open_uploads().is_empty();
        assert!(!is_open || settled.is_err(), "{plan}: an upload is open");
        seeds_tried.ended(put.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_publish_one_name_at_most_one_is_told_that_it_did_and_its_object_is_there() {
    let mut seeds_tried = Seeds::new("publications");
    for seed in seeds() {
        let server = S3Server::start().await;
        let plan = Arc::new(Plan::new(
            seed,
            &["PUT /bucket/manifest"].map(str::to_owned),
        ));
        let proxy = Proxy::start(&server.url, &plan).await;
        let store = connect(&proxy.url, SECRET_KEY, BUCKET, "", s3_options()).await;
        let key = Key::new("manifest").unwrap();
        let texts = [&b"mine"[..], b"yours"].map(Bytes::from_static);
        let [mine, yours] = texts
            .each_ref()
            .map(|text| store.publish(&key, text.clone()));
        let (mine, yours) = tokio::join!(mine, yours);
        let stored = std::fs::read(server.directory.path().join(BUCKET).join("manifest")).ok();
        match (&mine, &yours) {
            (Ok(_), Ok(_)) => panic!("{plan}: both were told that they published"),
            (Ok(_), _) => assert_eq!(stored.as_deref(), Some(&b"mine"[..]), "{plan}"),
            (_, Ok(_)) => assert_eq!(stored.as_deref(), Some(&b"yours"[..]), "{plan}"),
            _ => {}
        }
        seeds_tried.ended(mine.is_ok() || yours.is_ok());
    }
}

/// A queue of its own of the emulator.
async fn new_queue() -> String {
    let client = aws_sdk_sqs::Client::new(&ministack().config().await);
    let visibility = aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout;
    let create = client.create_queue().queue_name(unique("messages"));
    // What an answer that got lost had comes again soon.
    let created = create.attributes(visibility, "2").send().await.unwrap();
    created.queue_url().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_that_was_sent_arrives_and_no_other_does() {
    let mut seeds_tried = Seeds::new("messages");
    for seed in seeds() {
        let url = new_queue().await;
        let plan = Arc::new(Plan::new(seed, &["SendMessageBatch"].map(str::to_owned)));
        let proxy = Proxy::start(&ministack().url, &plan).await;
        let options = SqsOptions {
            max_attempts: 6,
            retry_backoff: Duration::from_millis(4),
            ..SqsOptions::default()
        };
        let queue = Sqs::with_config(&config(&proxy.url).await, &url, options);
        let bodies: BTreeSet<String> = (0..40).map(|number| format!("message {number}")).collect();
        let sent = queue.send(bodies.iter().cloned().collect()).await;
        // Whoever receives is told of what failed, and asks again.
        let mut received = BTreeSet::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut num_empty = 0;
        while num_empty < 5 && received.len() < bodies.len() && Instant::now() < deadline {
            let Ok(deliveries) = queue.receive(10, Duration::from_secs(1)).await else {
                continue;
            };
            num_empty = if deliveries.is_empty() {
                num_empty + 1
            } else {
                0
            };
            for delivery in deliveries {
                received.insert(delivery.body);
                // One that is not acknowledged comes again: that is all.
                let _ = queue.ack(&delivery.receipt).await;
            }
        }
        match &sent {
            Ok(()) => assert_eq!(received, bodies, "{plan}"),
            Err(error) => assert!(error.is_retryable(), "{plan}: {error}"),
        }
        assert!(received.is_subset(&bodies), "{plan}");
        seeds_tried.ended(sent.is_ok());
    }
}

/// The items of a table by their keys, by a client of its own.
async fn scan(name: &str) -> BTreeMap<String, String> {
    let client = aws_sdk_dynamodb::Client::new(&ministack().config().await);
    let mut pages = client.scan().table_name(name).into_paginator().send();
    let mut items = BTreeMap::new();
    while let Some(page) = pages.next().await {
        for item in page.unwrap().items.unwrap_or_default() {
            let key = item["designation"].as_s().unwrap().clone();
            let height = item.get("h").and_then(|h| h.as_n().ok().cloned());
            items.insert(key, height.unwrap_or_default());
        }
    }
    items
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_that_are_said_to_be_written_are_there_and_marks_that_are_said_to_be_made_are_read() {
    let mut seeds_tried = Seeds::new("items");
    for seed in seeds() {
        let name = unique("bodies");
        let options = DynamoDbOptions {
            max_attempts: 3,
            max_patience: Duration::from_secs(2),
            ..tables::options()
        };
        let direct = BodiesTable::new(&ministack().config().await, &name, options.clone());
        direct.create().await.unwrap();
        let ledger = DynamoLedger::new(&direct);
        ledger.open_page(0).await.unwrap();
        let plan = Arc::new(Plan::new(
            seed,
            &["BatchWriteItem", "UpdateItem"].map(str::to_owned),
        ));
        let proxy = Proxy::start(&ministack().url, &plan).await;
        let table = BodiesTable::new(&config(&proxy.url).await, &name, options);
        let lines: Vec<String> = (0..300)
            .map(|number| format!(r#"{{"designation":"{number}","kind":"comet","h":{number}}}"#))
            .collect();
        let expected: BTreeMap<String, String> = (0..300)
            .map(|number| (number.to_string(), number.to_string()))
            .collect();
        let written = table.write(lines.iter().map(String::as_str)).await;
        let marked = match &written {
            Ok(_) => DynamoLedger::new(&table).mark(0, 300).await,
            Err(_) => Ok(()),
        };
        let mut found = scan(&name).await;
        found.retain(|key, _| !key.starts_with(' '));
        match &written {
            Ok(num_items) => {
                assert_eq!(*num_items, 300, "{plan}");
                assert!(found == expected, "{plan}: {}", found.len());
            }
            Err(error) => assert!(error.is_retryable(), "{plan}: {error}"),
        }
        if written.is_ok() && marked.is_ok() {
            let marks = ledger.read(1).await.unwrap();
            assert_eq!(marks, BTreeMap::from([(0, 300)]), "{plan}");
        }
        seeds_tried.ended(written.is_ok() && marked.is_ok());
    }
}
