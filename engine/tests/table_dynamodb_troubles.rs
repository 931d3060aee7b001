//! A DynamoDB that throttles, leaves items unprocessed, fails and refuses, and how often it is asked: a proxy before the
//! emulator does so, and counts.
#![cfg(feature = "aws")]

#[path = "support/emulator.rs"]
mod emulator;
#[path = "support/tables.rs"]
mod tables;
#[path = "support/throttling_proxy.rs"]
mod throttling_proxy;

use std::time::Duration;

use emulator::{config, ministack, unique};
use engine::control::{Control, ControlItem, RunTable};
use engine::ledger::{DynamoLedger, Ledger};
use engine::table::dynamodb::{BodiesTable, DynamoControl, DynamoDbOptions, PublishedTable};
use engine::table::{Bodies, Filter, Ranking, TableError};
use engine::upstream::Retry;
use throttling_proxy::{Proxy, Trouble};

fn options() -> DynamoDbOptions {
    DynamoDbOptions {
        max_attempts: 2,
        ..tables::options()
    }
}

fn lines(num_lines: usize) -> Vec<String> {
    (0..num_lines)
        .map(|number| format!(r#"{{"designation":"{number}","kind":"comet","h":{number}}}"#))
        .collect()
}

/// All items of a table, by a client of its own.
async fn count(name: &str) -> usize {
    let client = aws_sdk_dynamodb::Client::new(&ministack().config().await);
    let answer = client.scan().table_name(name).send().await;
    answer.expect("an answer").items().len()
}

#[tokio::test]
async fn all_items_arrive_through_throttles_and_unprocessed_items() {
    let name = unique("bodies");
    let direct = BodiesTable::new(&ministack().config().await, &name, options());
    direct.create().await.unwrap();
    let proxy = Proxy::start(&ministack().url, |number| match number % 4 {
        0 => Trouble::Throttled,
        1 | 2 => Trouble::HalfDone,
        _ => Trouble::Failed,
    })
    .await;
    let table = BodiesTable::new(&config(&proxy.url).await, &name, options());
    let lines = lines(500);
    let written = table.write(lines.iter().map(String::as_str)).await.unwrap();
    assert_eq!(written, 500);
    assert_eq!(count(&name).await, 500);
    assert!(proxy.num_requests() > 40, "{}", proxy.num_requests());
    assert!(proxy.max_items() <= 25);
}

#[tokio::test]
async fn patience_ends() {
    let name = unique("bodies");
    let direct = BodiesTable::new(&ministack().config().await, &name, options());
    direct.create().await.unwrap();
    let options = DynamoDbOptions {
        max_patience: Duration::from_millis(200),
        ..options()
    };
    let proxy = Proxy::start(&ministack().url, |_| Trouble::NothingDone).await;
    let table = BodiesTable::new(&config(&proxy.url).await, &name, options.clone());
    let error = table
        .write(lines(30).iter().map(String::as_str))
        .await
        .unwrap_err();
    assert!(error.is_retryable(), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("items were left unprocessed"), "{cause}");

    let proxy = Proxy::start(&ministack().url, |_| Trouble::Throttled).await;
    let table = BodiesTable::new(&config(&proxy.url).await, &name, options);
    let error = table
        .write(lines(30).iter().map(String::as_str))
        .await
        .unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(count(&name).await, 0);
}

#[tokio::test]
async fn a_denial_names_the_permission_and_is_not_tried_again() {
    let proxy = Proxy::start(&ministack().url, |_| Trouble::Denied).await;
    let config = config(&proxy.url).await;
    let table = BodiesTable::new(&config, "stack.run", options());
    let control = DynamoControl::new(&config, "stack", options());
    let cause = |error: TableError| {
        assert!(!error.is_retryable(), "{error}");
        std::error::Error::source(&error).unwrap().to_string()
    };
    let need = |action: &str, table: &str| {
        format!("access is denied: the credentials in use need {action} on table {table}")
    };
    let line = r#"{"designation":"1"}"#;
    let error = table.write([line]).await.unwrap_err();
    assert_eq!(cause(error), need("dynamodb:BatchWriteItem", "stack.run"));
    let error = table.create().await.unwrap_err();
    assert_eq!(cause(error), need("dynamodb:DescribeTable", "stack.run"));
    let error = control.acquire("run", tables::VALIDITY).await.unwrap_err();
    assert_eq!(cause(error), need("dynamodb:GetItem", "stack"));
    let item = ControlItem::default();
    let error = control.replace(&item, &item).await.unwrap_err();
    assert_eq!(cause(error), need("dynamodb:UpdateItem", "stack"));
    let error = DynamoLedger::new(&table).mark(0, 1).await.unwrap_err();
    assert!(!error.is_retryable());
    assert_eq!(proxy.num_requests(), 5);
}

#[tokio::test]
async fn many_that_are_level_are_read_in_few_requests() {
    let stack = tables::Stack::on(ministack()).await;
    // Some 40 in each of eight parts, and all have to be looked at: the first by designation may be in any.
    let level: Vec<String> = (0..320)
        .map(|number| {
            format!(r#"{{"designation":"{number}","kind":"asteroid","price":0,"top":["price"]}}"#)
        })
        .collect();
    stack.publish("run", &level, "{}").await;
    let proxy = Proxy::start(&ministack().url, |_| Trouble::None).await;
    let readers = PublishedTable::new(&config(&proxy.url).await, &stack.name, options());
    let best = readers.top(Ranking::Price, &Filter::default(), 2).await;
    let best = best.unwrap();
    let designations: Vec<_> = best.iter().map(|body| body.text("designation")).collect();
    assert_eq!(designations, [Some("0"), Some("1")]);
    // The pointer, two pages of each part, and the bodies.
    assert!(proxy.num_requests() <= 18, "{}", proxy.num_requests());
}

#[tokio::test]
async fn a_control_table_that_is_not_there_is_named() {
    let control = DynamoControl::new(&ministack().config().await, "nobodys", options());
    let error = control.read().await.unwrap_err();
    assert_eq!(error.to_string(), "the table nobodys cannot be read");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("there is no such table"), "{cause}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_worth_another_try() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let control = DynamoControl::new(&config(&url).await, "stack", options());
    let error = control.read().await.unwrap_err();
    assert!(error.is_retryable());
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with(&url), "{cause}");
}
