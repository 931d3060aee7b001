//! A run by way of messages: valued, sent, received in any order and more than once, written and answered, with the
//! queue, the ledger and the tables of one process.
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not see that this serves tests only"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use engine::ledger::{Done, Ledger, LedgerError, Marks, MemoryLedger};
use engine::message::Message;
use engine::queue::{Channel, Queue};
use engine::sources::Source;
use engine::stages::{
    Answered, AsteroidRequest, Context, DoneResult, HorizonRequest, InputRequest, Kind, MassSource,
    Outcome, Parsed, RunTables, StageError, answer_done, bring_inputs, parse_horizon,
    write_message,
};
use engine::store::{Directory, Key, read_all};
use engine::table::TableError;
use engine::tasks::{TaskError, Tasks};
use engine::upstream::{Client, ClientOptions};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

const RUN: &str = "weekly-1";
const HIDDEN: Duration = Duration::from_secs(600);
const SOON: Duration = Duration::from_millis(50);

fn recorded(name: &str) -> Source {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data");
    Source::File(data.join(name))
}

/// One run's table in memory.
#[derive(Clone, Default)]
struct Table {
    items: Arc<Mutex<BTreeMap<String, Value>>>,
    ledger: Arc<MemoryLedger>,
    is_gone: bool,
}

#[async_trait]
impl RunTables for Table {
    async fn write(&self, run: &str, items: &[&RawValue]) -> Result<u64, TableError> {
        assert_eq!(run, RUN);
        if self.is_gone {
            let table = run.to_owned();
            return Err(TableError::RunOver { table });
        }
        for item in items {
            let item: Value = serde_json::from_str(item.get()).unwrap();
            let designation = item["designation"].as_str().unwrap().to_owned();
            self.items.lock().unwrap().insert(designation, item);
        }
        Ok(items.len() as u64)
    }

    fn ledger(&self, _run: &str) -> Box<dyn Ledger> {
        Box::new(Shared(Arc::clone(&self.ledger)))
    }
}

/// A ledger that several hold.
struct Shared(Arc<MemoryLedger>);

#[async_trait]
impl Ledger for Shared {
    async fn open_page(&self, page: u64) -> Result<(), LedgerError> {
        self.0.open_page(page).await
    }

    async fn mark(&self, seq: u64, num_items: u64) -> Result<(), LedgerError> {
        self.0.mark(seq, num_items).await
    }

    async fn read(&self, num_messages: u64) -> Result<Marks, LedgerError> {
        self.0.read(num_messages).await
    }

    async fn close(&self, num_messages: u64) -> Result<(), LedgerError> {
        self.0.close(num_messages).await
    }
}

/// What a task was told; one that is over refuses everything.
#[derive(Default)]
struct Told {
    said: Mutex<Vec<String>>,
    is_over: bool,
}

impl Told {
    fn note(&self, said: String) -> Result<(), TaskError> {
        if self.is_over {
            return Err(TaskError::Over);
        }
        self.said.lock().unwrap().push(said);
        Ok(())
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }
}

#[async_trait]
impl Tasks for Told {
    async fn succeed(&self, token: &str, output: &str) -> Result<(), TaskError> {
        self.note(format!("{token} succeeded: {output}"))
    }

    async fn fail(&self, token: &str, kind: Kind, cause: &str) -> Result<(), TaskError> {
        self.note(format!("{token} failed: {}: {cause}", kind.name()))
    }

    async fn beat(&self, token: &str) -> Result<(), TaskError> {
        self.note(format!("{token} beat"))
    }
}

/// A store with one input set, made of the recorded files.
struct Inputs {
    _folder: tempfile::TempDir,
    context: Context,
}

impl Inputs {
    async fn recorded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let context = Context {
            store: Arc::new(Directory::open(folder.path()).unwrap()),
            client: Client::new(
                ClientOptions {
                    max_attempts: 1,
                    ..ClientOptions::default()
                },
                Arc::new(()),
            )
            .unwrap(),
            observer: Arc::new(()),
            cancelled: CancellationToken::new(),
        };
        let request = InputRequest {
            delta_v: vec![recorded("delta-v.html")],
            exoplanets: recorded("exoplanets.csv"),
            masses: MassSource::BuiltIn,
            asteroids: AsteroidRequest {
                catalogue: recorded("asteroids.json"),
                // No table of NHATS is recorded; a set can do without one that no server gives.
                nhats: "http://127.0.0.1:1/nhats".into(),
                min_rows: 1,
                max_shrink_percent: 100.0,
                max_rejects_percent: 1.0,
            },
        };
        bring_inputs(&context, &request).await.unwrap();
        Inputs {
            _folder: folder,
            context,
        }
    }

    async fn parse(&self, queue: &Channel, table: &Table) -> Result<Parsed, StageError> {
        let request = HorizonRequest {
            run: RUN.to_owned(),
            inputs: None,
            max_rejects_percent: 1.0,
        };
        parse_horizon(&self.context, request, queue, &*table.ledger).await
    }
}

async fn received(queue: &Channel) -> Vec<String> {
    let mut bodies = Vec::new();
    loop {
        let deliveries = queue.receive(10, SOON).await.unwrap();
        if deliveries.is_empty() {
            return bodies;
        }
        for delivery in deliveries {
            queue.ack(&delivery.receipt).await.unwrap();
            bodies.push(delivery.body);
        }
    }
}

fn done(parsed: &Parsed) -> Done {
    Done {
        run: RUN.to_owned(),
        task_token: "token".to_owned(),
        messages: parsed.messages,
        items: parsed.items,
        deadline_seconds: 60,
    }
}

async fn write(table: &Table, body: &str) -> Outcome {
    let message = Message::parse(body).unwrap();
    write_message(table, &message).await.unwrap()
}

fn queue() -> Channel {
    Channel::new(1_000, HIDDEN)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_delivered_twice_and_in_any_order_is_written_once_and_answered() {
    let inputs = Inputs::recorded().await;
    let (messages, dead, table) = (queue(), queue(), Table::default());
    let parsed = inputs.parse(&messages, &table).await.unwrap();
    assert_eq!(parsed.report.rows.valued, parsed.items);
    let bodies = received(&messages).await;
    assert_eq!(bodies.len() as u64, parsed.messages);
    assert!(
        parsed.messages > 1,
        "more than one message is to be told apart"
    );
    let told = Told::default();
    for body in bodies.iter().rev().chain(&bodies) {
        let answered = answer_done(&table, &dead, &told, &done(&parsed), SOON).await;
        assert!(matches!(
            answered.unwrap(),
            Answered::Waiting(_) | Answered::Written(_)
        ));
        assert!(matches!(write(&table, body).await, Outcome::Written(_)));
    }
    let answered = answer_done(&table, &dead, &told, &done(&parsed), SOON).await;
    let result = DoneResult {
        messages: parsed.messages,
        written: parsed.items,
    };
    assert_eq!(answered.unwrap(), Answered::Written(result));
    let output = serde_json::to_string(&result).unwrap();
    assert_eq!(
        told.said().last().unwrap(),
        &format!("token succeeded: {output}")
    );
    assert_eq!(told.said()[0], "token beat");
    assert_eq!(table.items.lock().unwrap().len() as u64, parsed.items);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_parsed_again_sends_the_same_messages() {
    let inputs = Inputs::recorded().await;
    let table = Table::default();
    let (first, second) = (queue(), queue());
    let parsed = inputs.parse(&first, &table).await.unwrap();
    let again = inputs.parse(&second, &table).await.unwrap();
    let sorted = |mut bodies: Vec<String>| {
        bodies.sort();
        bodies
    };
    assert_eq!(
        sorted(received(&first).await),
        sorted(received(&second).await)
    );
    assert_eq!(
        (parsed.messages, parsed.items),
        (again.messages, again.items)
    );
    let rejects = Key::new(format!("runs/{RUN}/rejects.jsonl")).unwrap();
    let rejects = read_all(&*inputs.context.store, &rejects, 1 << 20)
        .await
        .unwrap();
    let num_rejects = rejects.iter().filter(|byte| **byte == b'\n').count() as u64;
    // Those of the lookups are in the list and not among the catalogue's rows.
    assert!(num_rejects >= parsed.report.rows.rejected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_ends_and_sends_no_more() {
    let inputs = Inputs::recorded().await;
    // Nobody acknowledges: the sender stands still from the second message on, until it is stopped.
    let (full, table) = (Channel::new(1, HIDDEN), Table::default());
    let stopping = async {
        let held = full.receive(10, HIDDEN).await.unwrap();
        inputs.context.cancelled.cancel();
        held.len()
    };
    let work = async { tokio::join!(inputs.parse(&full, &table), stopping) };
    let (parsed, num_held) = tokio::time::timeout(Duration::from_secs(30), work)
        .await
        .unwrap();
    assert_eq!(parsed.unwrap_err().kind(), Kind::Stopped);
    assert_eq!(num_held, 1);
    assert!(received(&full).await.is_empty(), "no more than it held");
}

#[tokio::test]
async fn a_message_of_a_run_that_is_over_changes_nothing() {
    let body = format!(r#"{{"run":"{RUN}","seq":0,"items":[{{"designation":"433"}}]}}"#);
    let table = Table::default();
    assert_eq!(
        write(&table, &body).await,
        Outcome::Stale,
        "its page is closed"
    );
    let gone = Table {
        is_gone: true,
        ..Table::default()
    };
    assert_eq!(write(&gone, &body).await, Outcome::Stale);
}

/// Asks about a run of two messages with one item each, of which those in `written` are written.
async fn ask(written: &[u64], dead: &[&str], elapsed: u64, told: &Told) -> Answered {
    let table = Table::default();
    table.ledger.open_page(0).await.unwrap();
    for seq in written {
        table.ledger.mark(*seq, 1).await.unwrap();
    }
    let letters = queue();
    let bodies = dead.iter().map(|body| (*body).to_owned()).collect();
    letters.send(bodies).await.unwrap();
    let done = Done {
        run: RUN.to_owned(),
        task_token: "token".to_owned(),
        messages: 2,
        items: 2,
        deadline_seconds: 60,
    };
    let elapsed = Duration::from_secs(elapsed);
    let answered = answer_done(&table, &letters, told, &done, elapsed).await;
    assert_eq!(
        received(&letters).await.len(),
        dead.len(),
        "they stay there"
    );
    answered.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_run_that_will_not_be_written_fails_with_what_is_missing() {
    let dead = r#"{"run":"weekly-1","seq":1,"items":[]}"#;
    let of_another = r#"{"run":"weekly-0","seq":1,"items":[]}"#;
    let told = Told::default();
    for (written, dead, elapsed) in [
        (&[0][..], &[of_another, "no message", dead][..], 1),
        (&[0], &[of_another], 60),
        (&[0], &[of_another], 59),
        (&[0, 1], &[dead], 61),
    ] {
        ask(written, dead, elapsed, &told).await;
    }
    assert_eq!(
        told.said(),
        [
            "token failed: Messages.Dead: 1 of 2 messages are in the dead-letter queue: 1",
            "token failed: Run.DeadlineExceeded: after 60 s 1 of 2 messages are not written: 1",
            "token beat",
            r#"token succeeded: {"messages":2,"written":2}"#,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_again_about_a_task_that_is_over() {
    let over = Told {
        is_over: true,
        ..Told::default()
    };
    assert_eq!(ask(&[0], &[], 1, &over).await, Answered::Stale);
    assert_eq!(ask(&[0, 1], &[], 1, &over).await, Answered::Stale);
}
