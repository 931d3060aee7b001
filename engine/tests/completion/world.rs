//! A small AWS: a queue, its dead letters, tables with their ledgers, the control table, reports and tasks that wait, as
//! values that can be copied and compared, and the tasks that work on them.
//!
//! A task runs the engine's own async code. Each call of a port is one operation, and what it answered is kept in the
//! task's history: a state is continued by running the code from its start, answering from the history, and doing
//! one more operation on the world. So every state is a plain value, and no code is simulated.
//!
//! One file past the usual length: the values, and the ports by which the engine's code reaches them, are one world.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use engine::control::{Control, ControlItem, RunTable};
use engine::ledger::{Ledger, LedgerError, Marks};
use engine::queue::{Delivery, Queue, QueueError};
use engine::stages::{Kind, RunTables};
use engine::store::{self, Key, Object, ObjectStore, StoreError};
use engine::table::{Bodies, Body, Filter, Ranking, RunRow, TableError};
use engine::tasks::{TaskError, Tasks};
use jiff::Timestamp;
use serde_json::value::RawValue;

/// A run's table: bodies, each with the run that wrote it, and pages of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Table {
    pub(crate) bodies: BTreeMap<String, String>,
    pub(crate) pages: BTreeMap<u64, BTreeMap<u64, u64>>,
}

/// How a waiting task was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Answer {
    Written(String),
    Failed(String),
}

/// What exists outside of any process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct World {
    pub(crate) tables: BTreeMap<String, Table>,
    /// Messages that can be received: their text, and how often they were.
    pub(crate) visible: BTreeMap<(String, u32), u32>,
    /// Messages that are hidden, being dead letters that somebody looks at.
    pub(crate) looked_at: BTreeSet<String>,
    pub(crate) dead: BTreeSet<String>,
    /// What was ever sent.
    pub(crate) sent: BTreeSet<String>,
    /// Tasks that were answered, by token. One that is not in it waits, unless it is over.
    pub(crate) answers: BTreeMap<String, Answer>,
    /// Tasks that nobody waits for any more.
    pub(crate) over: BTreeSet<String>,
    /// What the control table holds, without any times.
    pub(crate) control: ControlItem,
    /// The objects that are kept.
    pub(crate) objects: BTreeSet<String>,
}

impl World {
    /// The run that readers ask.
    pub(crate) fn published(&self) -> Option<&str> {
        self.control.pointer.as_ref().map(|pointer| &*pointer.run)
    }

    pub(crate) fn add(&mut self, body: &str, num_received: u32) {
        let copies = self.visible.entry((body.to_owned(), num_received));
        *copies.or_default() += 1;
        self.sent.insert(body.to_owned());
    }

    pub(crate) fn take(&mut self, message: &(String, u32)) {
        let copies = self.visible.get_mut(message).expect("it is visible");
        *copies -= 1;
        if *copies == 0 {
            self.visible.remove(message);
        }
    }
}

/// What went wrong with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// It was not done.
    NotDone,
    /// It was done, and its answer was lost.
    AnswerLost,
}

/// What an operation answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Reply {
    Done,
    Count(u64),
    Marks(BTreeMap<u64, u64>),
    Bodies(Vec<String>),
    Control(ControlItem),
    /// The table, the page or the task is gone, or the control item another one.
    Gone,
    Failed,
}

/// What a task has been answered so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct History {
    replies: Vec<Reply>,
    num_polls: usize,
}

/// How the ledger and the tables are: as they should be, or broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    AsItIs,
    /// A mark adds one to a counter, and the counter is what is read.
    CounterForSet,
    /// Messages do not tell their runs: they are taken for the one that is going on.
    NoRunId,
    /// The pointer is moved by whoever had the lock when it looked, with it or without.
    PointerWithoutLock,
    /// A message is marked and then written.
    MarkedBeforeWriting,
}

#[derive(Debug)]
struct Session {
    world: World,
    history: Vec<Reply>,
    next: usize,
    fault: Option<Fault>,
}

/// The ports, as one task sees them.
#[derive(Debug, Clone)]
pub(crate) struct Ports {
    session: Arc<Mutex<Session>>,
    protocol: Protocol,
}

impl Ports {
    /// Does one operation, or repeats what it answered before.
    async fn operate(&self, operation: impl FnOnce(&mut World) -> Reply) -> Reply {
        let mut has_yielded = false;
        poll_fn(|context| {
            if has_yielded {
                return Poll::Ready(());
            }
            has_yielded = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        let mut session = self.session.lock().unwrap();
        let next = session.next;
        session.next += 1;
        if let Some(reply) = session.history.get(next) {
            return reply.clone();
        }
        let reply = match session.fault.take() {
            Some(Fault::NotDone) => Reply::Failed,
            Some(Fault::AnswerLost) => {
                operation(&mut session.world);
                Reply::Failed
            }
            None => operation(&mut session.world),
        };
        session.history.push(reply.clone());
        reply
    }

    /// The table of the run that a message names.
    fn table<'w>(&self, world: &'w mut World, run: &str) -> Option<&'w mut Table> {
        match self.protocol {
            Protocol::NoRunId => world.tables.get_mut(world.control.holder()?),
            _ => world.tables.get_mut(run),
        }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }
}

/// Continues a task by one operation, which goes wrong by `fault`. Returns its result where that ended it.
pub(crate) fn advance<'f, T, F: Future<Output = T> + 'f>(
    world: &mut World,
    history: &mut History,
    protocol: Protocol,
    fault: Option<Fault>,
    task: impl FnOnce(Ports) -> F,
) -> Option<T> {
    let session = Session {
        world: std::mem::take(world),
        history: std::mem::take(&mut history.replies),
        next: 0,
        fault,
    };
    let session = Arc::new(Mutex::new(session));
    let ports = Ports {
        session: Arc::clone(&session),
        protocol,
    };
    let mut context = Context::from_waker(Waker::noop());
    let result = {
        let mut task = pin!(task(ports));
        let mut result = None;
        // The first poll comes as far as the first operation.
        for _ in 0..history.num_polls + 2 {
            if let Poll::Ready(value) = task.as_mut().poll(&mut context) {
                result = Some(value);
                break;
            }
        }
        result
    };
    history.num_polls += 1;
    let mut session = session.lock().unwrap();
    *world = std::mem::take(&mut session.world);
    history.replies = std::mem::take(&mut session.history);
    result
}

fn table_error(reply: &Reply) -> TableError {
    let table = "bodies".to_owned();
    match reply {
        Reply::Gone => TableError::RunOver { table },
        _ => TableError::Failed {
            table,
            doing: "written",
            is_retryable: true,
            source: "a fault".into(),
        },
    }
}

fn ledger_error(reply: &Reply) -> LedgerError {
    match reply {
        Reply::Gone => LedgerError::RunOver,
        _ => LedgerError::Failed {
            doing: "used",
            is_retryable: true,
            source: "a fault".into(),
        },
    }
}

fn queue_error() -> QueueError {
    QueueError::Failed {
        queue: "data".to_owned(),
        doing: "used",
        is_retryable: true,
        source: "a fault".into(),
    }
}

#[async_trait]
impl RunTables for Ports {
    async fn write(&self, run: &str, items: &[&RawValue]) -> Result<u64, TableError> {
        let reply = self.operate(|world| {
            let Some(table) = self.table(world, run) else {
                return Reply::Gone;
            };
            for item in items {
                let item: serde_json::Value = serde_json::from_str(item.get()).unwrap();
                let designation = item["designation"].as_str().unwrap().to_owned();
                table.bodies.insert(designation, item["run"].to_string());
            }
            Reply::Count(items.len() as u64)
        });
        match reply.await {
            Reply::Count(count) => Ok(count),
            other => Err(table_error(&other)),
        }
    }

    fn ledger(&self, run: &str) -> Box<dyn Ledger> {
        Box::new(RunLedger {
            ports: self.clone(),
            run: run.to_owned(),
        })
    }
}

/// The ledger of a run.
pub(crate) struct RunLedger {
    ports: Ports,
    run: String,
}

#[async_trait]
impl Ledger for RunLedger {
    async fn open_page(&self, page: u64) -> Result<(), LedgerError> {
        let reply = self
            .ports
            .operate(|world| match self.ports.table(world, &self.run) {
                Some(table) => {
                    table.pages.entry(page).or_default();
                    Reply::Done
                }
                None => Reply::Gone,
            });
        match reply.await {
            Reply::Done => Ok(()),
            other => Err(ledger_error(&other)),
        }
    }

    async fn mark(&self, seq: u64, num_items: u64) -> Result<(), LedgerError> {
        let counts = self.ports.protocol == Protocol::CounterForSet;
        let reply = self.ports.operate(|world| {
            let table = self.ports.table(world, &self.run);
            let page = table.and_then(|table| table.pages.get_mut(&engine::ledger::page_of(seq)));
            let Some(page) = page else { return Reply::Gone };
            let place = if counts { page.len() as u64 } else { seq };
            page.insert(place, num_items);
            Reply::Done
        });
        match reply.await {
            Reply::Done => Ok(()),
            other => Err(ledger_error(&other)),
        }
    }

    async fn read(&self, num_messages: u64) -> Result<Marks, LedgerError> {
        let reply = self.ports.operate(|world| {
            let Some(table) = self.ports.table(world, &self.run) else {
                return Reply::Gone;
            };
            let mut marks = BTreeMap::new();
            for page in 0..engine::ledger::num_pages(num_messages) {
                match table.pages.get(&page) {
                    Some(page) => marks.extend(page),
                    None => return Reply::Gone,
                }
            }
            Reply::Marks(marks)
        });
        match reply.await {
            Reply::Marks(marks) => Ok(marks),
            other => Err(ledger_error(&other)),
        }
    }

    async fn close(&self, _: u64) -> Result<(), LedgerError> {
        let reply = self.ports.operate(|world| {
            if let Some(table) = self.ports.table(world, &self.run) {
                table.pages.clear();
            }
            Reply::Done
        });
        match reply.await {
            Reply::Done => Ok(()),
            other => Err(ledger_error(&other)),
        }
    }
}

/// The data queue to a sender, the dead letters to whoever asks whether a run is written.
#[async_trait]
impl Queue for Ports {
    async fn send(&self, bodies: Vec<String>) -> Result<(), QueueError> {
        // Each of them may be the last that goes out.
        for body in bodies {
            let reply = self.operate(|world| {
                world.add(&body, 0);
                Reply::Done
            });
            if reply.await != Reply::Done {
                return Err(queue_error());
            }
        }
        Ok(())
    }

    async fn receive(&self, _: usize, _: Duration) -> Result<Vec<Delivery>, QueueError> {
        let reply = self.operate(|world| {
            let letters: Vec<String> = world.dead.difference(&world.looked_at).cloned().collect();
            world.looked_at.extend(letters.iter().cloned());
            Reply::Bodies(letters)
        });
        match reply.await {
            Reply::Bodies(bodies) => Ok(bodies
                .into_iter()
                .map(|body| Delivery {
                    receipt: body.clone(),
                    body,
                })
                .collect()),
            _ => Err(queue_error()),
        }
    }

    async fn ack(&self, _: &str) -> Result<(), QueueError> {
        unreachable!("the mapping acknowledges, and dead letters stay")
    }

    async fn return_after(&self, receipt: &str, _: Duration) -> Result<(), QueueError> {
        let reply = self.operate(|world| {
            world.looked_at.remove(receipt);
            Reply::Done
        });
        match reply.await {
            Reply::Done => Ok(()),
            _ => Err(queue_error()),
        }
    }
}

impl Ports {
    async fn answer(&self, token: &str, answer: Option<Answer>) -> Result<(), TaskError> {
        let reply = self.operate(|world| {
            if world.answers.contains_key(token) || world.over.contains(token) {
                return Reply::Gone;
            }
            if let Some(answer) = answer {
                world.answers.insert(token.to_owned(), answer);
            }
            Reply::Done
        });
        match reply.await {
            Reply::Done => Ok(()),
            Reply::Gone => Err(TaskError::Over),
            _ => Err(TaskError::Failed("a fault".into())),
        }
    }
}

#[async_trait]
impl Tasks for Ports {
    async fn succeed(&self, token: &str, output: &str) -> Result<(), TaskError> {
        self.answer(token, Some(Answer::Written(output.to_owned())))
            .await
    }

    async fn fail(&self, token: &str, _: Kind, cause: &str) -> Result<(), TaskError> {
        self.answer(token, Some(Answer::Failed(cause.to_owned())))
            .await
    }

    async fn beat(&self, token: &str) -> Result<(), TaskError> {
        self.answer(token, None).await
    }
}

/// The control table is called like the stack, and a run's table like the run.
#[async_trait]
impl Control for Ports {
    fn name(&self) -> &str {
        "bodies"
    }

    fn run_table(&self, run: &str) -> Box<dyn RunTable> {
        Box::new(OneTable {
            ports: self.clone(),
            run: run.to_owned(),
        })
    }

    async fn read(&self) -> Result<ControlItem, TableError> {
        match self
            .operate(|world| Reply::Control(world.control.clone()))
            .await
        {
            Reply::Control(item) => Ok(item),
            other => Err(table_error(&other)),
        }
    }

    async fn replace(&self, seen: &ControlItem, new: &ControlItem) -> Result<bool, TableError> {
        let reply = self.operate(|world| {
            let moves_pointer = seen.pointer != new.pointer;
            if self.protocol == Protocol::PointerWithoutLock && moves_pointer {
                world.control.pointer = without_times(new).pointer;
                return Reply::Done;
            }
            if world.control != *seen {
                return Reply::Gone;
            }
            world.control = without_times(new);
            Reply::Done
        });
        match reply.await {
            Reply::Done => Ok(true),
            Reply::Gone => Ok(false),
            other => Err(table_error(&other)),
        }
    }
}

/// The item without what depends on when it was made: no lock expires unless a step makes it.
fn without_times(item: &ControlItem) -> ControlItem {
    let mut item = item.clone();
    if let Some(pointer) = &mut item.pointer {
        pointer.finished_at.clear();
    }
    if let Some(lock) = &mut item.lock {
        lock.expires_at = u64::MAX;
    }
    item
}

/// The table of a run.
struct OneTable {
    ports: Ports,
    run: String,
}

#[async_trait]
impl RunTable for OneTable {
    fn name(&self) -> &str {
        &self.run
    }

    async fn create(&self) -> Result<(), TableError> {
        let made = self.ports.operate(|world| {
            world.tables.entry(self.run.clone()).or_default();
            Reply::Done
        });
        done(&made.await)
    }

    async fn delete(&self) -> Result<(), TableError> {
        let deleted = self.ports.operate(|world| {
            world.tables.remove(&self.run);
            Reply::Done
        });
        done(&deleted.await)
    }

    async fn begin_deletion(&self) -> Result<(), TableError> {
        self.delete().await
    }

    fn ledger(&self) -> Box<dyn Ledger> {
        RunTables::ledger(&self.ports, &self.run)
    }
}

fn done(reply: &Reply) -> Result<(), TableError> {
    match reply {
        Reply::Done => Ok(()),
        other => Err(table_error(other)),
    }
}

/// What readers ask: the table that the pointer names.
#[async_trait]
impl Bodies for Ports {
    async fn top(&self, _: Ranking, _: &Filter, _: u32) -> Result<Vec<Body>, TableError> {
        let found = self.operate(|world| {
            let published = world.published().unwrap_or_default();
            match world.tables.contains_key(published) {
                true => Reply::Done,
                false => Reply::Gone,
            }
        });
        done(&found.await).map(|()| Vec::new())
    }

    async fn find(&self, _: &str) -> Result<Vec<Body>, TableError> {
        unreachable!("no stage asks for a body")
    }

    async fn search(&self, _: &str, _: u32) -> Result<Vec<Body>, TableError> {
        unreachable!("no stage searches")
    }

    async fn run(&self) -> Result<RunRow, TableError> {
        unreachable!("no stage asks for the run")
    }
}

/// Where reports are kept.
#[async_trait]
impl ObjectStore for Ports {
    fn location(&self) -> String {
        "store".to_owned()
    }

    async fn put(&self, key: &Key, _: store::Body) -> Result<Object, StoreError> {
        let kept = self.operate(|world| {
            world.objects.insert(key.to_string());
            Reply::Done
        });
        match kept.await {
            Reply::Done => Ok(Object {
                key: key.clone(),
                bytes: 0,
                etag: String::new(),
                modified: Timestamp::UNIX_EPOCH,
            }),
            _ => Err(StoreError::Failed {
                what: key.to_string(),
                doing: "stored",
                is_retryable: true,
                source: "a fault".into(),
            }),
        }
    }

    async fn publish(&self, _: &Key, _: Bytes) -> Result<Object, StoreError> {
        unreachable!("reports are put")
    }

    async fn head(&self, _: &Key) -> Result<Option<Object>, StoreError> {
        unreachable!("reports are put")
    }

    async fn read_range(&self, _: &Object, _: Range<u64>) -> Result<Bytes, StoreError> {
        unreachable!("reports are put")
    }

    async fn list(&self, _: &str) -> Result<Vec<Object>, StoreError> {
        unreachable!("reports are put")
    }

    async fn delete(&self, _: &Key) -> Result<(), StoreError> {
        unreachable!("reports are put")
    }

    async fn remove_abandoned(&self, _: &str, _: Duration) -> Result<u64, StoreError> {
        unreachable!("reports are put")
    }

    async fn settle(&self) -> Result<(), StoreError> {
        unreachable!("reports are put")
    }
}
