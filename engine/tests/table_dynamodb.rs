//! The table on DynamoDB, against two servers that speak its protocol: what every table and every ledger does, and what only
//! this one does.
#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/bodies.rs"]
mod bodies;
#[path = "support/emulator.rs"]
mod emulator;
#[path = "support/ledger.rs"]
mod ledger;
#[path = "support/tables.rs"]
mod tables;

use std::time::Duration;

use emulator::{Server, dynalite, ministack, unique};
use engine::control::{Control, Pointer, Previous, RunTable};
use engine::ledger::{DynamoLedger, Ledger, LedgerError};
use engine::table::dynamodb::BodiesTable;
use engine::table::{Bodies, Filter, Ranking, TableError};
use tables::{Stack, VALIDITY, options};

async fn table_on(server: &Server) -> BodiesTable {
    BodiesTable::new(&server.config().await, &unique("bodies"), options())
}

fn pointer(stack: &Stack, run: &str) -> Pointer {
    Pointer {
        run: run.to_owned(),
        table: stack.control.table_of(run).name().to_owned(),
        finished_at: "2026-09-25T02:00:00Z".to_owned(),
        items: 7,
        report: "{}".to_owned(),
        previous: None,
    }
}

async fn answers_all_questions(server: &Server) {
    let stack = Stack::on(server).await;
    stack
        .publish(bodies::RUN, &bodies::lines(true), bodies::REPORT)
        .await;
    let table = stack.control.table_of(bodies::RUN);
    let ledger = DynamoLedger::new(&table);
    ledger.open_page(0).await.unwrap();
    bodies::answers_all_questions(&stack.published()).await;
    table.delete().await.unwrap();
}

async fn keeps_a_ledger(server: &Server) {
    let table = table_on(server).await;
    table.create().await.unwrap();
    let ledger = DynamoLedger::new(&table);
    ledger::does_all_that_ledgers_do(&ledger).await;
    ledger.open_page(0).await.unwrap();
    table.delete().await.unwrap();
    for result in [
        ledger.mark(0, 1).await,
        ledger.open_page(0).await,
        ledger.read(1).await.map(drop),
    ] {
        assert!(matches!(result, Err(LedgerError::RunOver)), "{result:?}");
    }
    ledger.close(1).await.unwrap();
}

async fn is_made_and_deleted_however_often_it_is_asked(server: &Server) {
    let table = table_on(server).await;
    table.delete().await.unwrap();
    for _ in 0..2 {
        table.create().await.unwrap();
    }
    let line = r#"{"designation":"1","kind":"comet"}"#;
    assert_eq!(table.write([line, line]).await.unwrap(), 1);
    for _ in 0..2 {
        table.delete().await.unwrap();
    }
    let late = table.write([line]).await;
    assert!(matches!(late, Err(TableError::RunOver { .. })), "{late:?}");
    table.create().await.unwrap();
    table.delete().await.unwrap();
}

async fn is_not_taken_for_a_table_of_another_kind(server: &Server) {
    let table = table_on(server).await;
    let other = format!(
        r#"{{"TableName":"{}","BillingMode":"PAY_PER_REQUEST",
            "AttributeDefinitions":[{{"AttributeName":"designation","AttributeType":"S"}}],
            "KeySchema":[{{"AttributeName":"designation","KeyType":"HASH"}}]}}"#,
        table.name()
    );
    server.dynamodb("CreateTable", &other);
    let created = table.create().await;
    assert!(
        matches!(created, Err(TableError::OtherSchema { .. })),
        "{created:?}"
    );
}

async fn lets_one_run_at_a_time_publish(server: &Server) {
    let stack = Stack::on(server).await;
    let control = &stack.control;
    assert!(matches!(
        control.published().await,
        Err(TableError::Unpublished { .. })
    ));
    assert!(matches!(
        stack.published().run().await,
        Err(TableError::Unpublished { .. })
    ));
    control.acquire("one", VALIDITY).await.unwrap();
    control.acquire("one", VALIDITY).await.unwrap();
    let refused = control.acquire("two", VALIDITY).await.unwrap_err();
    assert!(
        refused.to_string().contains("run one is at work"),
        "{refused}"
    );
    control.release("two").await.unwrap();
    control.acquire("two", VALIDITY).await.unwrap_err();
    let early = control.publish(&pointer(&stack, "two")).await;
    assert!(
        matches!(early, Err(TableError::RunOver { .. })),
        "{early:?}"
    );

    let first = control.publish(&pointer(&stack, "one")).await.unwrap();
    assert_eq!(first, pointer(&stack, "one"));
    control.release("one").await.unwrap();
    control.release("one").await.unwrap();
    // Its answer was lost: it is asked again.
    assert_eq!(
        control.publish(&pointer(&stack, "one")).await.unwrap(),
        first
    );
    assert_eq!(control.published().await.unwrap(), first);

    control.acquire("two", VALIDITY).await.unwrap();
    let second = control.publish(&pointer(&stack, "two")).await.unwrap();
    let previous = Previous {
        run: "one".to_owned(),
        table: first.table,
        items: 7,
    };
    assert_eq!(second.previous, Some(previous));
    assert_eq!(control.published().await.unwrap(), second);
    assert_eq!(
        control.publish(&pointer(&stack, "two")).await.unwrap(),
        second
    );
    let late = control.publish(&pointer(&stack, "one")).await;
    assert!(matches!(late, Err(TableError::RunOver { .. })), "{late:?}");
    control.release("two").await.unwrap();
    let again = control.acquire("two", VALIDITY).await.unwrap_err();
    assert!(
        matches!(again, TableError::RunOver { .. }),
        "a name that is published is not taken again: {again}"
    );
}

/// Whoever was given up and goes on nevertheless comes too late.
async fn a_discarded_run_cannot_be_published(server: &Server) {
    let stack = Stack::on(server).await;
    stack.control.acquire("slow", VALIDITY).await.unwrap();
    stack.control.discard("slow").await.unwrap();
    let late = stack.control.publish(&pointer(&stack, "slow")).await;
    assert!(matches!(late, Err(TableError::RunOver { .. })), "{late:?}");
}

/// A run whose end was cut off behind the pointer's move leaves the old table; who discards it ends that.
async fn discarding_a_published_run_ends_its_end(server: &Server) {
    let stack = Stack::on(server).await;
    let line = r#"{"designation":"1","kind":"comet"}"#.to_owned();
    stack.publish("old", &[line], "{}").await;
    let line = r#"{"designation":"2","kind":"comet"}"#.to_owned();
    stack.publish("new", &[line], "{}").await;
    let old = stack.control.table_of("old");
    old.create().await.unwrap();
    stack.control.discard("new").await.unwrap();
    let line = r#"{"designation":"3","kind":"comet"}"#;
    assert!(matches!(
        old.write([line]).await,
        Err(TableError::RunOver { .. })
    ));
    assert_eq!(stack.published().find("2").await.unwrap().len(), 1);
}

async fn gives_a_lock_that_expired_to_the_next_run(server: &Server) {
    let stack = Stack::on(server).await;
    let control = &stack.control;
    control.acquire("one", Duration::ZERO).await.unwrap();
    control.table_of("one").create().await.unwrap();
    control.acquire("two", VALIDITY).await.unwrap();
    let late = control.publish(&pointer(&stack, "one")).await;
    assert!(matches!(late, Err(TableError::RunOver { .. })), "{late:?}");
    control.release("one").await.unwrap();
    // Whoever took the lock may die before it has swept up, and the next one, too.
    control.acquire("two", Duration::ZERO).await.unwrap();
    control.acquire("three", VALIDITY).await.unwrap();
    let leftovers = control.read().await.unwrap().leftovers;
    assert_eq!(leftovers, ["one", "two"].map(str::to_owned).into());
    control.sweep().await.unwrap();
    let line = r#"{"designation":"1","kind":"comet"}"#;
    let late = control.table_of("one").write([line]).await;
    assert!(matches!(late, Err(TableError::RunOver { .. })), "{late:?}");
    control.publish(&pointer(&stack, "three")).await.unwrap();
    assert!(control.read().await.unwrap().leftovers.is_empty());
}

async fn discards_a_run_but_never_the_published_table(server: &Server) {
    let stack = Stack::on(server).await;
    let line = r#"{"designation":"1","kind":"comet"}"#.to_owned();
    stack.publish("good", &[line], "{}").await;
    let failed = stack.control.table_of("failed");
    stack.control.acquire("failed", VALIDITY).await.unwrap();
    failed.create().await.unwrap();
    for _ in 0..2 {
        stack.control.discard("failed").await.unwrap();
    }
    let line = r#"{"designation":"2","kind":"comet"}"#;
    assert!(matches!(
        failed.write([line]).await,
        Err(TableError::RunOver { .. })
    ));
    stack.control.acquire("next", VALIDITY).await.unwrap();
    stack.control.discard("good").await.unwrap();
    assert_eq!(stack.published().find("1").await.unwrap().len(), 1);
    stack.control.acquire("other", VALIDITY).await.unwrap_err();
}

async fn readers_follow_the_pointer(server: &Server) {
    let stack = Stack::on(server).await;
    let table = stack.published();
    let line = |price: u32| {
        format!(r#"{{"designation":"1","kind":"comet","price":{price},"top":["price"]}}"#)
    };
    for (run, price) in [("one", 1), ("two", 2)] {
        let published = stack.publish(run, &[line(price)], "{}").await;
        if let Some(previous) = published.previous {
            stack
                .control
                .table_of(&previous.run)
                .delete()
                .await
                .unwrap();
        }
        let filter = Filter {
            kind: Some("comet".to_owned()),
            ..Filter::default()
        };
        let found = table.top(Ranking::Price, &filter, 5).await.unwrap();
        assert_eq!(found[0].figure("price"), Some(f64::from(price)));
        assert_eq!(table.run().await.unwrap().run_id, run);
    }
    stack.control.table_of("two").delete().await.unwrap();
    let gone = table.find("1").await;
    assert!(matches!(gone, Err(TableError::RunOver { .. })), "{gone:?}");
}

async fn names_the_line_that_is_no_item_and_writes_none(server: &Server) {
    let stack = Stack::on(server).await;
    let fine = r#"{"designation":"1","kind":"comet"}"#;
    stack.publish("one", &[], "{}").await;
    let table = stack.control.table_of("one");
    let error = table
        .write([fine, r#"{"designation":"2","h":x}"#])
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 2 is not an item: no number at byte 23"
    );
    assert!(!error.is_retryable());
    assert_eq!(stack.published().find("1").await.unwrap(), []);
    let last = r#"{"designation":"1","kind":"comet","h":2}"#;
    assert_eq!(table.write([fine, last]).await.unwrap(), 1);
    assert_eq!(
        stack.published().find("1").await.unwrap()[0].figure("h"),
        Some(2.0)
    );
}

/// Makes each of these behaviours a test on both servers.
macro_rules! on_both_servers {
    ($($behaviour:ident)*) => {
        mod on_ministack {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(super::ministack()).await;
            })*
        }
        mod on_dynalite {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(super::dynalite()).await;
            })*
        }
    };
}

on_both_servers! {
    answers_all_questions
    keeps_a_ledger
    is_made_and_deleted_however_often_it_is_asked
    is_not_taken_for_a_table_of_another_kind
    lets_one_run_at_a_time_publish
    gives_a_lock_that_expired_to_the_next_run
    a_discarded_run_cannot_be_published
    discarding_a_published_run_ends_its_end
    discards_a_run_but_never_the_published_table
    readers_follow_the_pointer
    names_the_line_that_is_no_item_and_writes_none
}
