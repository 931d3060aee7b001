//! Runs' tables on the servers of [`emulator`](crate::emulator).
#![allow(dead_code, reason = "every test uses a part of it")]

use std::time::Duration;

use engine::aws::SdkConfig;
use engine::control::{Control, Pointer, RunTable};
use engine::table::dynamodb::{DynamoControl, DynamoDbOptions, PublishedTable};

use crate::emulator::{Server, unique};

pub(crate) const VALIDITY: Duration = Duration::from_secs(600);

/// Short delays, and patience for a busy machine.
pub(crate) fn options() -> DynamoDbOptions {
    DynamoDbOptions {
        retry_backoff: Duration::from_millis(5),
        max_patience: Duration::from_secs(30),
        max_table_wait: Duration::from_secs(60),
        ..DynamoDbOptions::default()
    }
}

/// A control table of its own.
pub(crate) struct Stack {
    pub(crate) config: SdkConfig,
    pub(crate) name: String,
    pub(crate) control: DynamoControl,
}

impl Stack {
    pub(crate) async fn on(server: &Server) -> Self {
        let config = server.config().await;
        let name = unique("stack");
        create_control_table(server, &name);
        let control = DynamoControl::new(&config, &name, options());
        Stack {
            config,
            name,
            control,
        }
    }

    /// Makes and publishes a run's table of these lines.
    pub(crate) async fn publish(&self, run: &str, lines: &[String], report: &str) -> Pointer {
        let table = self.control.table_of(run);
        self.control.acquire(run, VALIDITY).await.expect("a lock");
        table.create().await.expect("a table");
        let lines = lines.iter().map(String::as_str);
        let items = table.write(lines).await.expect("items");
        let pointer = Pointer {
            run: run.to_owned(),
            table: table.name().to_owned(),
            finished_at: "2026-09-25T02:00:00Z".to_owned(),
            items,
            report: report.to_owned(),
            previous: None,
        };
        let published = self.control.publish(&pointer).await.expect("a pointer");
        self.control.release(run).await.expect("no lock");
        published
    }

    pub(crate) fn published(&self) -> PublishedTable {
        PublishedTable::new(&self.config, &self.name, options())
    }
}

/// Makes what the stack's template makes.
fn create_control_table(server: &Server, name: &str) {
    let table = format!(
        r#"{{"TableName":"{name}","BillingMode":"PAY_PER_REQUEST",
            "AttributeDefinitions":[{{"AttributeName":"id","AttributeType":"S"}}],
            "KeySchema":[{{"AttributeName":"id","KeyType":"HASH"}}]}}"#
    );
    server.dynamodb("CreateTable", &table);
    let described = format!(r#"{{"TableName":"{name}"}}"#);
    for _ in 0..600 {
        if server
            .dynamodb("DescribeTable", &described)
            .contains("\"ACTIVE\"")
        {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the control table is not made");
}
