//! The sink that packs messages, against a plain reference: all items sorted, and the first few taken.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::exoplanets::Exoplanet;
use engine::generate::{Format, Options, generate};
use engine::ledger::{Ledger, LedgerError, Marks, MemoryLedger};
use engine::message::{MAX_BYTES, Message, Packed};
use engine::messages::{MessageSink, Packing, SendError, Sent, send_while};
use engine::pipeline::{PipelineError, Summary};
use engine::queue::{Channel, Delivery, Queue, QueueError};
use engine::reject::{Input, Reason, Reject};
use engine::sink::SinkError;
use engine::table::Ranking;
use serde_json::Value;
use tokio::sync::mpsc;

mod support;

use support::{Job, data};

const RUN: &str = "2026-11-25T101500Z";
const TIMEOUT: Duration = Duration::from_secs(60);

struct PackedRun {
    messages: Vec<Packed>,
    packing: Packing,
    summary: Summary,
}

/// Packs what `job` makes of `input`, with the best `limit` marked.
fn pack(job: &Job, input: &[u8], limit: usize) -> PackedRun {
    let (sender, mut receiver) = mpsc::channel(2);
    std::thread::scope(|scope| {
        let packing = scope.spawn(move || {
            let limit = NonZeroUsize::new(limit).expect("a limit");
            let mut sink = MessageSink::new(RUN, limit, sender);
            let (summary, _) = job.run_into(input, &mut sink).expect("a catalogue");
            (sink.finish().expect("there is a receiver"), summary)
        });
        let mut messages = Vec::new();
        while let Some(packed) = receiver.blocking_recv() {
            messages.push(packed);
        }
        let (packing, summary) = packing.join().expect("packing ends");
        PackedRun {
            messages,
            packing,
            summary,
        }
    })
}

/// The items of messages as they stand, after what every message keeps to is checked.
fn items(packed: &PackedRun) -> Vec<String> {
    let mut items = Vec::new();
    for (seq, packed) in packed.messages.iter().enumerate() {
        assert!(packed.body.len() <= MAX_BYTES);
        let message = Message::parse(&packed.body).expect("a message");
        assert_eq!((&*message.run, message.seq), (RUN, seq as u64));
        assert_eq!(packed.seq, seq as u64);
        assert_eq!(packed.num_items, message.items.len() as u64);
        items.extend(message.items.iter().map(|item| item.get().to_owned()));
    }
    assert_eq!(packed.packing.messages, packed.messages.len() as u64);
    assert_eq!(packed.packing.items, items.len() as u64);
    items
}

/// The names of the rankings that each body is among the best `limit` of, by its designation.
fn best(items: &[Value], limit: usize) -> HashMap<String, Vec<&'static str>> {
    let mut best: HashMap<String, Vec<&'static str>> = HashMap::new();
    let designation = |item: &Value| item["designation"].as_str().expect("a key").to_owned();
    for ranking in Ranking::ALL {
        for kind in ["asteroid", "comet", "exoplanet"] {
            let of_kind = items.iter().filter(|item| item["kind"] == kind);
            let figure = |item: &Value| item[ranking.attribute()].as_f64();
            let mut listed: Vec<(f64, String)> = of_kind
                .filter_map(|item| Some((figure(item)?, designation(item))))
                .collect();
            listed.sort_by(|a, b| {
                let by_figure = a.0.partial_cmp(&b.0).expect("a number");
                let by_figure = match ranking.is_descending() {
                    true => by_figure.reverse(),
                    false => by_figure,
                };
                by_figure.then_with(|| a.1.cmp(&b.1))
            });
            for (_, designation) in listed.into_iter().take(limit) {
                best.entry(designation).or_default().push(ranking.name());
            }
        }
    }
    best
}

/// Checks messages against the lines that `job` makes of the same `input`.
fn check(job: &Job, input: &[u8], limit: usize) -> PackedRun {
    let valued = job.run(input).expect("a catalogue");
    let mut seen = HashSet::new();
    let lines: Vec<&str> = std::str::from_utf8(&valued.lines)
        .expect("items are text")
        .lines()
        .filter(|line| {
            let item: Value = serde_json::from_str(line).expect("an item");
            seen.insert(item["designation"].as_str().expect("a key").to_owned())
        })
        .collect();
    let values: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).expect("an item"))
        .collect();
    let best = best(&values, limit);
    let expected: BTreeSet<String> = lines
        .iter()
        .zip(&values)
        .map(
            |(line, item)| match best.get(item["designation"].as_str().expect("a key")) {
                None => (*line).to_owned(),
                Some(rankings) => {
                    let rankings = serde_json::to_string(rankings).expect("names");
                    format!("{},\"top\":{rankings}}}", &line[..line.len() - 1])
                }
            },
        )
        .collect();
    let packed = pack(job, input, limit);
    let found = items(&packed);
    assert_eq!(found.len(), lines.len(), "each body is sent once");
    assert!(
        expected == found.into_iter().collect(),
        "the items are those of the reference"
    );
    let num_left_out = packed.packing.left_out.len() as u64;
    assert_eq!(
        packed.packing.items + num_left_out,
        packed.summary.counts.valued
    );
    packed
}

fn generated(format: Format, rows: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let options = Options {
        rows,
        seed: 7,
        format,
    };
    generate(&options, &mut bytes).expect("memory takes a catalogue");
    bytes
}

fn planets() -> Vec<Exoplanet> {
    let planet = |index: u32| Exoplanet {
        designation: format!("Kepler-{} b", index % 40),
        name: None,
        a: Some(0.05),
        e: None,
        i: None,
        w: None,
        per: Some(f64::from(index)),
        mass_kg: Some(1e25),
        is_mass_from_radius: false,
    };
    (0..50).map(planet).collect()
}

#[test]
fn recorded_catalogues_are_packed_as_the_reference_says() {
    for name in ["asteroids.json", "asteroids-2020.csv", "asteroids-2021.csv"] {
        for limit in [1, 3, 50] {
            check(&Job::default(), &data(name), limit);
        }
    }
}

#[test]
fn generated_catalogues_are_packed_as_the_reference_says() {
    let job = Job {
        planets: planets(),
        ..Job::default()
    };
    for (format, limit) in [(Format::Json, 10), (Format::Csv, 200), (Format::Csv, 5_000)] {
        check(&job, &generated(format, 4_000), limit);
    }
}

#[test]
fn one_thread_and_two_give_the_same_bytes() {
    let input = generated(Format::Json, 6_000);
    let of = |num_threads| {
        let job = Job {
            num_threads,
            planets: planets(),
            ..Job::default()
        };
        pack(&job, &input, 100).messages
    };
    let one = of(1);
    assert!(one.len() > 10);
    assert!(one == of(2));
    assert!(one == of(1), "and so does a repetition");
}

/// A catalogue with the columns that a valuation needs, and a row for each designation and semi-major axis.
fn catalogue(rows: &[(&str, &str)]) -> Vec<u8> {
    let mut csv = String::from("pdes,full_name,class,H,diameter,e,a,i,moid\n");
    for (designation, a) in rows {
        csv += &format!("{designation},{designation} Some Name,MBA,15.5,,0.1,{a},5.0,0.5\n");
    }
    csv.into_bytes()
}

#[test]
fn of_equal_figures_the_first_designation_is_listed() {
    let rows: Vec<String> = (0..60)
        .map(|row| format!("{}", row * 37 % 60 + 1))
        .collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|row| (row.as_str(), "2.5")).collect();
    let packed = check(&Job::default(), &catalogue(&rows), 4);
    let listed: Vec<String> = items(&packed)
        .iter()
        .map(|item| serde_json::from_str::<Value>(item).expect("an item"))
        .filter(|item| item.get("top").is_some())
        .map(|item| item["designation"].as_str().expect("a key").to_owned())
        .collect();
    assert_eq!(
        BTreeSet::from_iter(listed),
        ["1", "10", "11", "12"].map(str::to_owned).into()
    );
}

#[test]
fn a_duplicate_is_rejected_as_by_the_database() {
    let packed = check(
        &Job::default(),
        &catalogue(&[("433", "1.5"), ("1", "2.7"), ("433", "1.6"), ("433", "1.7")]),
        2,
    );
    let reject = |row| Reject {
        input: Input::Asteroids,
        row,
        line: None,
        column: None,
        reason: Reason::DuplicateKey,
        message: "designation 433 is already that of row 1".to_owned(),
        text: "433 Some Name".to_owned(),
    };
    let found: Vec<&Reject> = packed
        .packing
        .left_out
        .iter()
        .map(|left| &left.reject)
        .collect();
    assert_eq!(found, [&reject(3), &reject(4)]);
    let mut summary = packed.summary;
    for left_out in &packed.packing.left_out {
        summary.leave_out(left_out.kind.as_deref(), left_out.reject.reason);
    }
    assert_eq!(
        (
            summary.counts.read,
            summary.counts.valued,
            summary.counts.asteroids
        ),
        (4, 2, 2)
    );
    assert_eq!(
        summary.rejected,
        BTreeMap::from([(Reason::DuplicateKey, 2)])
    );
}

#[test]
fn what_dynamodb_does_not_hold_is_rejected_and_keeps_its_designation() {
    let input = catalogue(&[
        ("1", "1e-131"),
        ("1", "2.7"),
        ("2", "1e-400"),
        ("3", "1e-130"),
    ]);
    let packed = pack(&Job::default(), &input, 2);
    let left_out = packed.packing.left_out.iter();
    let found: Vec<(u64, Reason)> = left_out
        .map(|left| (left.reject.row, left.reject.reason))
        .collect();
    // As in the database on one machine, where the first row is kept, the second one has no key of its own.
    let first_two = [(1, Reason::OutOfRange), (2, Reason::DuplicateKey)];
    assert_eq!(found[..2], first_two, "{found:?}");
    for item in items(&packed) {
        let item: Value = serde_json::from_str(&item).expect("an item");
        for (name, value) in item.as_object().expect("an object") {
            let magnitude = value.as_f64().unwrap_or(0.0).abs();
            assert!(
                magnitude == 0.0 || (1e-130..1e126).contains(&magnitude),
                "{name} {value}"
            );
        }
    }
}

/// What a run ends with.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error(transparent)]
    Sink(#[from] SinkError),
}

async fn run(
    queue: &dyn Queue,
    ledger: &dyn Ledger,
    rows: u64,
) -> Result<(Packing, Sent), RunError> {
    let input = generated(Format::Csv, rows);
    let work = move |messages| {
        let limit = NonZeroUsize::new(10).expect("a limit");
        let mut sink = MessageSink::new(RUN, limit, messages);
        Job::default().run_into(&input[..], &mut sink)?;
        Ok(sink.finish()?)
    };
    let run = send_while(queue, ledger, work);
    tokio::time::timeout(TIMEOUT, run)
        .await
        .expect("it ends in time")
}

/// A queue that checks that the page of each message is open, and fails from a number of messages on.
struct Checking {
    inner: Channel,
    ledger: Arc<MemoryLedger>,
    max_seq: u64,
}

#[async_trait]
impl Queue for Checking {
    async fn send(&self, bodies: Vec<String>) -> Result<(), QueueError> {
        for body in &bodies {
            let seq = Message::parse(body).expect("a message").seq;
            if seq > self.max_seq {
                return Err(QueueError::Failed {
                    queue: "the queue".to_owned(),
                    doing: "sent to",
                    is_retryable: true,
                    source: "it is full".into(),
                });
            }
            self.ledger.mark(seq, 1).await.expect("its page is open");
        }
        self.inner.send(bodies).await
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        self.inner.receive(max, wait).await
    }

    async fn ack(&self, receipt: &str) -> Result<(), QueueError> {
        self.inner.ack(receipt).await
    }

    async fn return_after(&self, receipt: &str, delay: Duration) -> Result<(), QueueError> {
        self.inner.return_after(receipt, delay).await
    }
}

fn checking(max_seq: u64) -> Checking {
    Checking {
        inner: Channel::new(10_000, TIMEOUT),
        ledger: Arc::default(),
        max_seq,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_is_sent_and_its_page_is_open_before() {
    let queue = checking(u64::MAX);
    let (packing, sent) = run(&queue, &*queue.ledger, 15_000)
        .await
        .expect("it is sent");
    assert!(
        packing.messages > 100,
        "there is a second page: {}",
        packing.messages
    );
    assert_eq!(sent.messages, packing.messages);
    let marks = queue
        .ledger
        .read(packing.messages)
        .await
        .expect("the pages");
    let expected: Marks = (0..packing.messages).map(|seq| (seq, 1)).collect();
    assert_eq!(marks, expected);
    let (mut bytes, mut num_items) = (0, 0);
    loop {
        let deliveries = queue.receive(10, Duration::ZERO).await.expect("deliveries");
        if deliveries.is_empty() {
            break;
        }
        for delivery in deliveries {
            bytes += delivery.body.len() as u64;
            num_items += Message::parse(&delivery.body)
                .expect("a message")
                .items
                .len() as u64;
        }
    }
    assert_eq!((bytes, num_items), (sent.bytes, packing.items));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_queue_fails_ends_with_the_queues_error() {
    let queue = checking(5);
    let error = run(&queue, &*queue.ledger, 15_000)
        .await
        .expect_err("the queue fails");
    let RunError::Send(SendError::Queue(error)) = error else {
        panic!("{error:?}");
    };
    assert_eq!(error.to_string(), "messages cannot be sent to the queue");
}

/// A ledger of a run that is over.
struct Over;

#[async_trait]
impl Ledger for Over {
    async fn open_page(&self, _: u64) -> Result<(), LedgerError> {
        Err(LedgerError::RunOver)
    }

    async fn mark(&self, _: u64, _: u64) -> Result<(), LedgerError> {
        Err(LedgerError::RunOver)
    }

    async fn read(&self, _: u64) -> Result<Marks, LedgerError> {
        Err(LedgerError::RunOver)
    }

    async fn close(&self, _: u64) -> Result<(), LedgerError> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_where_the_ledger_cannot_be_opened() {
    let queue = Channel::new(10, TIMEOUT);
    let error = run(&queue, &Over, 5_000)
        .await
        .expect_err("the run is over");
    assert!(
        matches!(
            error,
            RunError::Send(SendError::Ledger(LedgerError::RunOver))
        ),
        "{error:?}"
    );
    assert_eq!(
        queue.receive(10, Duration::ZERO).await.expect("an answer"),
        []
    );
}
