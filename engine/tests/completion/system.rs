//! The system around the code: which steps there are from a state, what each does, and what must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use engine::ledger::Done;
use engine::message::{Message, Packer};
use engine::messages::send_all;
use engine::stages::{Answered, RunTables, answer_done, write_message};
use tokio::sync::mpsc;

use super::world::{Answer, Fault, History, Ports, Protocol, Table, World, advance};

/// When a run is late.
const DEADLINE: Duration = Duration::from_secs(60);
/// More steps than any run needs once nothing goes wrong.
const MAX_STEPS_TO_THE_END: usize = 1_000;

/// How often what may go wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Faults {
    /// A process dies between two operations.
    pub(crate) crashes: u32,
    /// A message is delivered again, perhaps long after it was acknowledged.
    pub(crate) duplicates: u32,
    /// An operation fails, or its answer is lost.
    pub(crate) failures: u32,
    /// The writers' time is up.
    pub(crate) deadlines: u32,
    /// The state machine waits no longer.
    pub(crate) timeouts: u32,
}

/// What is explored.
#[derive(Debug, Clone)]
pub(crate) struct System {
    pub(crate) protocol: Protocol,
    /// The messages of each run.
    pub(crate) num_messages: Vec<u64>,
    /// Whether a run may try to begin before the one before it has ended.
    pub(crate) at_once: bool,
    /// Deliveries of each queue that are worked on side by side.
    pub(crate) num_handlers: usize,
    /// A message that was received so often and not acknowledged is a dead letter.
    pub(crate) max_receives: u32,
    pub(crate) faults: Faults,
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let System {
            num_messages,
            num_handlers,
            max_receives,
            faults,
            ..
        } = self;
        write!(
            f,
            "messages {num_messages:?}, {num_handlers} handlers, {max_receives} receives, {faults:?}"
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Phase {
    NotBegun,
    Sending,
    Waiting,
    Publishing,
    Published,
    Discarding,
    Discarded,
    /// Another run was going on.
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Work {
    Send(usize),
    Handle {
        message: (String, u32),
        is_late: bool,
    },
    Publish(usize),
    Discard(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Task {
    work: Work,
    history: History,
}

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    world: World,
    phases: Vec<Phase>,
    late: BTreeSet<usize>,
    /// In an order of their own, so that states that differ in it alone are one.
    tasks: Vec<Task>,
    faults: Faults,
}

/// A step, with what people are shown of it.
#[derive(Debug, Clone)]
#[allow(
    dead_code,
    reason = "the descriptions are read where a violation is printed"
)]
pub(crate) enum Choice {
    Begin(usize),
    Advance(usize, Option<Fault>, String),
    Kill(usize, String),
    Deliver((String, u32)),
    Duplicate(String),
    Late(usize),
    GiveUp(usize),
}

fn name(run: usize) -> String {
    format!("run-{run}")
}

impl System {
    pub(crate) fn start(&self) -> State {
        State {
            world: World::default(),
            phases: vec![Phase::NotBegun; self.num_messages.len()],
            late: BTreeSet::new(),
            tasks: Vec::new(),
            faults: self.faults.clone(),
        }
    }

    /// The steps that there are.
    pub(crate) fn choices(&self, state: &State) -> Vec<Choice> {
        let mut choices = self.choices_without_faults(state);
        let faults = &state.faults;
        for (index, task) in state.tasks.iter().enumerate() {
            if faults.failures > 0 {
                for fault in [Fault::NotDone, Fault::AnswerLost] {
                    choices.push(Choice::Advance(
                        index,
                        Some(fault),
                        format!("{:?}", task.work),
                    ));
                }
            }
            if faults.crashes > 0 {
                choices.push(Choice::Kill(index, format!("{:?}", task.work)));
            }
        }
        if faults.duplicates > 0 {
            choices.extend(state.world.sent.iter().cloned().map(Choice::Duplicate));
        }
        for (run, phase) in state.phases.iter().enumerate() {
            if *phase == Phase::Waiting && faults.deadlines > 0 && !state.late.contains(&run) {
                choices.push(Choice::Late(run));
            }
            if matches!(phase, Phase::Waiting | Phase::Publishing) && faults.timeouts > 0 {
                choices.push(Choice::GiveUp(run));
            }
        }
        choices
    }

    fn choices_without_faults(&self, state: &State) -> Vec<Choice> {
        let mut choices = Vec::new();
        for (run, phase) in state.phases.iter().enumerate() {
            let ended = |phase: &Phase| {
                matches!(phase, Phase::Published | Phase::Discarded | Phase::Refused)
            };
            if *phase == Phase::NotBegun && (self.at_once || state.phases[..run].iter().all(ended))
            {
                choices.push(Choice::Begin(run));
            }
        }
        for (index, task) in state.tasks.iter().enumerate() {
            choices.push(Choice::Advance(index, None, format!("{:?}", task.work)));
        }
        // Each of the two queues has handlers of its own.
        let is_data = |(body, _): &(String, u32)| Message::parse(body).is_ok();
        let num_busy = |of_data: bool| {
            let is_busy = |task: &&Task| matches!(&task.work, Work::Handle { message, .. } if is_data(message) == of_data);
            state.tasks.iter().filter(is_busy).count()
        };
        let has_room = [false, true].map(|of_data| num_busy(of_data) < self.num_handlers);
        let visible = state.world.visible.keys();
        let can_begin = visible.filter(|message| has_room[usize::from(is_data(message))]);
        choices.extend(can_begin.cloned().map(Choice::Deliver));
        choices
    }

    /// The state that a step leads to.
    pub(crate) fn step(&self, mut state: State, choice: &Choice) -> State {
        match choice {
            Choice::Begin(run) => self.begin(&mut state, *run),
            Choice::Advance(index, fault, _) => {
                state.faults.failures -= u32::from(fault.is_some());
                self.advance(&mut state, *index, *fault);
            }
            Choice::Kill(index, _) => {
                state.faults.crashes -= 1;
                let task = state.tasks.remove(*index);
                self.again(&mut state, task.work);
            }
            Choice::Deliver(message) => {
                state.world.take(message);
                let run = Message::parse(&message.0).map(|message| message.run.into_owned());
                let run =
                    run.unwrap_or_else(|_| serde_json::from_str::<Done>(&message.0).unwrap().run);
                let is_late = state.late.iter().any(|late| name(*late) == run);
                state.begin_task(Work::Handle {
                    message: message.clone(),
                    is_late,
                });
            }
            Choice::Duplicate(body) => {
                state.faults.duplicates -= 1;
                state.world.add(body, 0);
            }
            Choice::Late(run) => {
                state.faults.deadlines -= 1;
                state.late.insert(*run);
            }
            Choice::GiveUp(run) => {
                state.faults.timeouts -= 1;
                state.world.over.insert(name(*run));
                state.phases[*run] = Phase::Discarding;
                state.begin_task(Work::Discard(*run));
            }
        }
        self.react(&mut state);
        state.tasks.sort_unstable();
        state
    }

    fn begin(&self, state: &mut State, run: usize) {
        // The lock is taken by a conditional write. It outlives every process of its run.
        if state.world.lock.is_some() {
            state.phases[run] = Phase::Refused;
            return;
        }
        state.world.lock = Some(name(run));
        state.phases[run] = Phase::Sending;
        state.world.tables.insert(name(run), Table::default());
        state.begin_task(Work::Send(run));
    }

    /// What the state machine does when its task is answered.
    fn react(&self, state: &mut State) {
        for run in 0..state.phases.len() {
            if state.phases[run] != Phase::Waiting {
                continue;
            }
            match state.world.answers.get(&name(run)) {
                Some(Answer::Written(_)) => {
                    state.phases[run] = Phase::Publishing;
                    state.begin_task(Work::Publish(run));
                }
                Some(Answer::Failed(_)) => {
                    state.phases[run] = Phase::Discarding;
                    state.begin_task(Work::Discard(run));
                }
                None => {}
            }
        }
    }

    fn advance(&self, state: &mut State, index: usize, fault: Option<Fault>) {
        let Task { work, mut history } = state.tasks.remove(index);
        let (world, protocol) = (&mut state.world, self.protocol);
        let done = match &work {
            Work::Send(run) => {
                let num_messages = self.num_messages[*run];
                advance(world, &mut history, protocol, fault, |ports| {
                    send(ports, *run, num_messages)
                })
            }
            Work::Handle { message, is_late } => {
                advance(world, &mut history, protocol, fault, |ports| {
                    handle(ports, &message.0, *is_late)
                })
            }
            Work::Publish(run) => {
                let num_messages = self.num_messages[*run];
                advance(world, &mut history, protocol, fault, |ports| {
                    publish(ports, *run, num_messages)
                })
            }
            Work::Discard(run) => advance(world, &mut history, protocol, fault, |ports| {
                discard(ports, *run)
            }),
        };
        match done {
            None => state.tasks.push(Task { work, history }),
            Some(true) => self.finish(state, work),
            Some(false) => self.again(state, work),
        }
    }

    /// What follows a task that did what it was to do.
    fn finish(&self, state: &mut State, work: Work) {
        match work {
            Work::Send(run) => {
                state.phases[run] = Phase::Waiting;
                let done = Done {
                    run: name(run),
                    task_token: name(run),
                    messages: self.num_messages[run],
                    items: self.num_messages[run],
                    deadline_seconds: DEADLINE.as_secs(),
                };
                state.world.add(&serde_json::to_string(&done).unwrap(), 0);
            }
            Work::Handle { .. } => state.world.looked_at.clear(),
            // Where the state machine gave it up, nobody hears of it.
            Work::Publish(run) if state.phases[run] == Phase::Publishing => {
                state.phases[run] = Phase::Published;
            }
            Work::Publish(_) => {}
            Work::Discard(run) => state.phases[run] = Phase::Discarded,
        }
    }

    /// What follows a task that failed or was killed: it is begun again, or its message comes again.
    fn again(&self, state: &mut State, work: Work) {
        let (body, num_received) = match work {
            Work::Handle { message, .. } => message,
            // Nobody repeats what was given up.
            Work::Publish(run) if state.phases[run] != Phase::Publishing => return,
            other => return state.begin_task(other),
        };
        // What it had hidden is seen again after a while.
        state.world.looked_at.clear();
        if Message::parse(&body).is_err() {
            // The message that asks whether a run is written comes as often as it takes.
            state.world.add(&body, 0);
        } else if num_received + 1 < self.max_receives {
            state.world.add(&body, num_received + 1);
        } else {
            state.world.dead.insert(body);
        }
    }

    /// The bodies that a run's table has when it is written.
    fn expected(&self, run: usize) -> BTreeMap<String, String> {
        (0..self.num_messages[run])
            .map(|seq| (format!("body-{seq}"), format!("{:?}", name(run))))
            .collect()
    }

    /// What holds in every state.
    pub(crate) fn check(&self, state: &State) -> Result<(), String> {
        let may_fail = !state.world.dead.is_empty() || !state.late.is_empty();
        for (run, phase) in state.phases.iter().enumerate() {
            let table = state.world.tables.get(&name(run));
            let is_current = state.world.pointer == Some(name(run));
            let is_announced = *phase == Phase::Publishing || is_current;
            if is_announced && table.map(|table| &table.bodies) != Some(&self.expected(run)) {
                return Err(format!(
                    "{} is written, it is said, and its table is {table:?}",
                    name(run)
                ));
            }
            if let Some(Answer::Written(output)) = state.world.answers.get(&name(run)) {
                let num_messages = self.num_messages[run];
                let truth = format!("{{\"messages\":{num_messages},\"written\":{num_messages}}}");
                if *output != truth {
                    return Err(format!("{}: {output} is announced", name(run)));
                }
            }
            if let (Some(Answer::Failed(cause)), false) =
                (state.world.answers.get(&name(run)), may_fail)
            {
                return Err(format!(
                    "{} is said to have failed without a reason: {cause}",
                    name(run)
                ));
            }
            let has_pages = table.is_some_and(|table| !table.pages.is_empty());
            if is_current && *phase == Phase::Published && has_pages {
                return Err(format!(
                    "{} is over, and its ledger is not empty",
                    name(run)
                ));
            }
        }
        Ok(())
    }

    /// What holds once nothing goes wrong any more: every run ends, with success unless there was a reason, and
    /// nothing is left behind.
    pub(crate) fn check_end(&self, mut state: State) -> Result<(), String> {
        let was_unlucky = self.faults.timeouts > state.faults.timeouts;
        for turn in 0.. {
            let choices = self.choices_without_faults(&state);
            if choices.is_empty() {
                break;
            }
            if turn == MAX_STEPS_TO_THE_END {
                return Err(format!("the run does not come to its end: {state:?}"));
            }
            // Everyone has its turn.
            state = self.step(state, &choices[turn % choices.len()]);
            self.check(&state)?;
        }
        let may_fail = was_unlucky || !state.late.is_empty() || !state.world.dead.is_empty();
        for (run, phase) in state.phases.iter().enumerate() {
            let ended = match phase {
                Phase::Published => true,
                Phase::Discarded => may_fail,
                Phase::Refused => self.at_once,
                _ => false,
            };
            if !ended {
                return Err(format!("in the end {} is {phase:?}", name(run)));
            }
        }
        if let Some(run) = &state.world.lock {
            return Err(format!("in the end {run} has the lock"));
        }
        let tables: Vec<&String> = state.world.tables.keys().collect();
        let current: Vec<&String> = state.world.pointer.iter().collect();
        if self.protocol == Protocol::AsItIs && tables != current {
            return Err(format!(
                "in the end there are the tables {tables:?}, of which {current:?} is read"
            ));
        }
        Ok(())
    }
}

impl State {
    fn begin_task(&mut self, work: Work) {
        self.tasks.push(Task {
            work,
            history: History::default(),
        });
    }
}

/// parse-horizon: sends what it has packed.
async fn send(ports: Ports, run: usize, num_messages: u64) -> bool {
    let (sender, receiver) = mpsc::channel(16);
    let mut packer = Packer::new(&name(run));
    for seq in 0..num_messages {
        let item = format!(r#"{{"designation":"body-{seq}","run":"{}"}}"#, name(run));
        assert_eq!(packer.add(&item).unwrap(), None);
        sender.try_send(packer.flush().unwrap()).unwrap();
    }
    drop(sender);
    let ledger = ports.ledger(&name(run));
    send_all(receiver, &ports, &*ledger).await.is_ok()
}

/// write-to-dynamo: answers a delivery; whether it is done with.
async fn handle(ports: Ports, body: &str, is_late: bool) -> bool {
    if let Ok(message) = Message::parse(body) {
        if ports.protocol() == Protocol::MarkedBeforeWriting {
            let ledger = ports.ledger(&message.run);
            let marked = ledger.mark(message.seq, message.items.len() as u64).await;
            return marked.is_ok()
                && RunTables::write(&ports, &message.run, &message.items)
                    .await
                    .is_ok();
        }
        return write_message(&ports, &message).await.is_ok();
    }
    let done: Done = serde_json::from_str(body).unwrap();
    let elapsed = if is_late { DEADLINE } else { Duration::ZERO };
    let answered = answer_done(&ports, &ports, &ports, &done, elapsed).await;
    !matches!(answered, Ok(Answered::Waiting(_)) | Err(_))
}

/// create-table, when a run is written: closes the ledger, moves the pointer, deletes the table that it left.
async fn publish(ports: Ports, run: usize, num_messages: u64) -> bool {
    if ports.ledger(&name(run)).close(num_messages).await.is_err() {
        return false;
    }
    let may_lack_lock = ports.protocol() == Protocol::PointerWithoutLock;
    // One conditional write: who moves the pointer has the lock.
    let pointed = ports.try_change(|world| {
        let has_lock = may_lack_lock || world.lock == Some(name(run));
        if has_lock && world.pointer != Some(name(run)) {
            world.previous = world.pointer.replace(name(run));
        }
        has_lock || world.pointer == Some(name(run))
    });
    pointed.await && delete_previous(&ports, run).await && release(&ports, run).await
}

async fn delete_previous(ports: &Ports, run: usize) -> bool {
    let deleted = ports.change(|world| {
        if world.pointer == Some(name(run))
            && let Some(previous) = &world.previous
        {
            world.tables.remove(previous);
        }
    });
    deleted.await
}

async fn release(ports: &Ports, run: usize) -> bool {
    let release = ports.change(|world| {
        world.lock.take_if(|holder| *holder == name(run));
    });
    release.await
}

/// create-table, when a run has failed: gives the lock back, and deletes its table, or, where that is the one that is
/// read already, the one before it.
async fn discard(ports: Ports, run: usize) -> bool {
    if !release(&ports, run).await || !delete_previous(&ports, run).await {
        return false;
    }
    let deleted = ports.change(|world| {
        if world.pointer != Some(name(run)) {
            world.tables.remove(&name(run));
        }
    });
    deleted.await
}
