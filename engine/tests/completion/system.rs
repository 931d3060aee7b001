//! The system around the code: which steps there are from a state, what each does, and what must hold.
//!
//! One file past the usual length, as a step is read with what it does and with what must hold behind it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use engine::ledger::Done;
use engine::message::{Message, Packer};
use engine::messages::send_all;
use engine::stages::{
    Answered, DoneResult, Kind, Parsed, RunTables, Stack, StageError, answer_done, create_table,
    discard_table, publish_table, write_message,
};
use serde_json::json;
use tokio::sync::mpsc;

use super::world::{Answer, Fault, History, Ports, Protocol, World, advance};

/// When a run is late.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long a lock is good for; here until a step says otherwise.
const VALIDITY: Duration = Duration::from_secs(60);
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
    /// The state machine is stopped, and cleans nothing up.
    pub(crate) stops: u32,
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
    Creating,
    Sending,
    Waiting,
    Publishing,
    Published,
    Discarding,
    Discarded,
    /// By hand: what it had begun goes on to its end, and nothing follows.
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Work {
    Create(usize),
    Send(usize),
    Handle {
        message: (String, u32),
        is_late: bool,
    },
    Publish(usize),
    Discard(usize),
}

impl Work {
    /// The run whose step it is.
    fn run(&self) -> Option<usize> {
        match self {
            Work::Create(run) | Work::Send(run) | Work::Publish(run) | Work::Discard(run) => {
                Some(*run)
            }
            Work::Handle { .. } => None,
        }
    }
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
    /// Runs that found another one going on.
    refused: BTreeSet<usize>,
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
    Stop(usize),
    /// The lock of a run that was stopped.
    Expire,
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
            refused: BTreeSet::new(),
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
            let is_going_on = !matches!(phase, Phase::NotBegun) && !phase.is_end();
            if is_going_on && faults.stops > 0 {
                choices.push(Choice::Stop(run));
            }
        }
        choices
    }

    fn choices_without_faults(&self, state: &State) -> Vec<Choice> {
        let mut choices = Vec::new();
        for (run, phase) in state.phases.iter().enumerate() {
            let may_begin = self.at_once || (0..run).all(|before| state.is_over(before));
            if *phase == Phase::NotBegun && may_begin {
                choices.push(Choice::Begin(run));
            }
            // A lock is good for longer than any function goes on.
            if *phase == Phase::Stopped && !state.is_over(run) && !state.is_at_work(run) {
                choices.push(Choice::Expire);
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
            Choice::Begin(run) => {
                state.phases[*run] = Phase::Creating;
                state.begin_task(Work::Create(*run));
            }
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
            Choice::Stop(run) => {
                state.faults.stops -= 1;
                state.world.over.insert(name(*run));
                state.phases[*run] = Phase::Stopped;
            }
            Choice::Expire => {
                if let Some(lock) = &mut state.world.control.lock {
                    lock.expires_at = 0;
                }
            }
            Choice::GiveUp(run) => {
                state.faults.timeouts -= 1;
                state.world.over.insert(name(*run));
                state.discard(*run);
            }
        }
        self.react(&mut state);
        state.tasks.sort_unstable();
        state
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
                Some(Answer::Failed(_)) => state.discard(run),
                None => {}
            }
        }
    }

    fn advance(&self, state: &mut State, index: usize, fault: Option<Fault>) {
        let Task { work, mut history } = state.tasks.remove(index);
        let (world, protocol) = (&mut state.world, self.protocol);
        let ended = match &work {
            Work::Create(run) => advance(world, &mut history, protocol, fault, |ports| {
                create(ports, *run)
            }),
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
        match ended {
            None => state.tasks.push(Task { work, history }),
            Some(Ended::Done) => self.finish(state, work),
            Some(Ended::Again) => self.again(state, work),
            Some(Ended::Failed(kind)) => self.fail(state, &work, kind),
        }
    }

    /// What follows a task that did what it was to do.
    fn finish(&self, state: &mut State, work: Work) {
        match work {
            Work::Handle { .. } => state.world.looked_at.clear(),
            // Nobody hears of what was given up or stopped.
            other if !state.is_waited_for(&other) => {}
            Work::Create(run) => {
                state.phases[run] = Phase::Sending;
                state.begin_task(Work::Send(run));
            }
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
            Work::Publish(run) => state.phases[run] = Phase::Published,
            Work::Discard(run) => state.phases[run] = Phase::Discarded,
        }
    }

    /// What follows a task that failed for good: the state machine catches it.
    fn fail(&self, state: &mut State, work: &Work, kind: Kind) {
        match work {
            other if !state.is_waited_for(other) => {}
            Work::Create(run) => {
                assert_eq!(kind, Kind::RunInProgress, "run {run} is not made");
                state.refused.insert(*run);
                state.discard(*run);
            }
            Work::Publish(run) => state.discard(*run),
            other => panic!("{other:?} failed for good: {kind:?}"),
        }
    }

    /// What follows a task that failed or was killed: it is begun again, or its message comes again.
    fn again(&self, state: &mut State, work: Work) {
        let (body, num_received) = match work {
            Work::Handle { message, .. } => message,
            other if !state.is_waited_for(&other) => return,
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
            let is_current = state.world.published() == Some(&*name(run));
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
            let report = format!("runs/{}/report.json", name(run));
            if is_current && !state.world.objects.contains(&report) {
                return Err(format!("{} is published without its report", name(run)));
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
                Phase::Published | Phase::Stopped => true,
                Phase::Discarded => may_fail || state.refused.contains(&run),
                _ => false,
            };
            if !ended {
                return Err(format!("in the end {} is {phase:?}", name(run)));
            }
        }
        if !self.at_once && !state.refused.is_empty() {
            return Err(format!(
                "nothing was going on, and {:?} was refused",
                state.refused
            ));
        }
        // The next run cleans up behind one that was stopped.
        if state.phases.last() == Some(&Phase::Stopped) {
            return Ok(());
        }
        if let Some(run) = state.world.control.holder() {
            return Err(format!("in the end {run} has the lock"));
        }
        let leftovers = &state.world.control.leftovers;
        if self.protocol == Protocol::AsItIs && !leftovers.is_empty() {
            return Err(format!("in the end {leftovers:?} are left over"));
        }
        let tables: Vec<&str> = state.world.tables.keys().map(String::as_str).collect();
        let current: Vec<&str> = state.world.published().into_iter().collect();
        if self.protocol == Protocol::AsItIs && tables != current {
            return Err(format!(
                "in the end there are the tables {tables:?}, of which {current:?} is read"
            ));
        }
        Ok(())
    }
}

impl Phase {
    fn is_end(self) -> bool {
        matches!(self, Phase::Published | Phase::Discarded | Phase::Stopped)
    }
}

impl State {
    /// Whether the next run finds nothing of this one going on.
    fn is_over(&self, run: usize) -> bool {
        let lock = self.world.control.lock.as_ref();
        let has_lock = lock.is_some_and(|lock| lock.run == name(run) && lock.expires_at > 0);
        self.phases[run].is_end()
            && (self.phases[run] != Phase::Stopped || !(has_lock || self.is_at_work(run)))
    }

    fn is_at_work(&self, run: usize) -> bool {
        let run_of = |task: &Task| task.work.run();
        self.tasks
            .iter()
            .filter_map(run_of)
            .any(|at_work| at_work == run)
    }

    /// Whether the state machine goes on when `work` has ended.
    fn is_waited_for(&self, work: &Work) -> bool {
        let phase = match work {
            Work::Create(_) => Phase::Creating,
            Work::Send(_) => Phase::Sending,
            Work::Publish(_) => Phase::Publishing,
            Work::Discard(_) => Phase::Discarding,
            Work::Handle { .. } => return false,
        };
        work.run().is_some_and(|run| self.phases[run] == phase)
    }

    /// The run failed, or is given up: the state machine has it discarded.
    fn discard(&mut self, run: usize) {
        self.phases[run] = Phase::Discarding;
        self.begin_task(Work::Discard(run));
    }

    fn begin_task(&mut self, work: Work) {
        self.tasks.push(Task {
            work,
            history: History::default(),
        });
    }
}

/// How a task ended.
#[derive(Debug, Clone, Copy)]
enum Ended {
    Done,
    /// It is to be begun again.
    Again,
    /// Repeating it does not help.
    Failed(Kind),
}

impl Ended {
    fn of(is_done: bool) -> Self {
        match is_done {
            true => Ended::Done,
            false => Ended::Again,
        }
    }

    /// The failures that the state machine repeats a step for (statemachine/asteroids.asl.json).
    fn of_stage(result: Result<(), StageError>) -> Self {
        match result.map_err(|error| error.kind()) {
            Ok(()) => Ended::Done,
            Err(Kind::TableFailed | Kind::StoreFailed) => Ended::Again,
            Err(kind) => Ended::Failed(kind),
        }
    }
}

/// parse-horizon: sends what it has packed.
async fn send(ports: Ports, run: usize, num_messages: u64) -> Ended {
    let (sender, receiver) = mpsc::channel(16);
    let mut packer = Packer::new(&name(run));
    for seq in 0..num_messages {
        let item = format!(r#"{{"designation":"body-{seq}","run":"{}"}}"#, name(run));
        assert_eq!(packer.add(&item).unwrap(), None);
        sender.try_send(packer.flush().unwrap()).unwrap();
    }
    drop(sender);
    let ledger = RunTables::ledger(&ports, &name(run));
    Ended::of(send_all(receiver, &ports, &*ledger).await.is_ok())
}

/// write-to-dynamo: answers a delivery; whether it is done with.
async fn handle(ports: Ports, body: &str, is_late: bool) -> Ended {
    if let Ok(message) = Message::parse(body) {
        if ports.protocol() == Protocol::MarkedBeforeWriting {
            let ledger = RunTables::ledger(&ports, &message.run);
            let marked = ledger.mark(message.seq, message.items.len() as u64).await;
            let items = &message.items;
            return Ended::of(marked.is_ok() && ports.write(&message.run, items).await.is_ok());
        }
        return Ended::of(write_message(&ports, &message).await.is_ok());
    }
    let done: Done = serde_json::from_str(body).unwrap();
    let elapsed = if is_late { DEADLINE } else { Duration::ZERO };
    let answered = answer_done(&ports, &ports, &ports, &done, elapsed).await;
    Ended::of(!matches!(answered, Ok(Answered::Waiting(_)) | Err(_)))
}

/// The stack that create-table works on.
fn stack(ports: &Ports) -> Stack {
    Stack {
        name: "bodies".to_owned(),
        control: Arc::new(ports.clone()),
        readers: Arc::new(ports.clone()),
        store: Arc::new(ports.clone()),
    }
}

/// create-table, when a run begins.
async fn create(ports: Ports, run: usize) -> Ended {
    let created = create_table(&stack(&ports), &name(run), VALIDITY).await;
    Ended::of_stage(created.map(drop))
}

/// create-table, when a run is written.
async fn publish(ports: Ports, run: usize, num_messages: u64) -> Ended {
    let written = DoneResult {
        messages: num_messages,
        written: num_messages,
    };
    let published = publish_table(&stack(&ports), &name(run), parsed(num_messages), written).await;
    Ended::of_stage(published.map(drop))
}

/// create-table, when a run has failed.
async fn discard(ports: Ports, run: usize) -> Ended {
    Ended::of_stage(discard_table(&stack(&ports), &name(run)).await)
}

/// What parse-horizon says of messages with an item each.
fn parsed(num_messages: u64) -> Parsed {
    let parsed = json!({
        "set": "2026-11-25T101500Z",
        "messages": num_messages,
        "items": num_messages,
        "report": {
            "inputs": {},
            "rows": {
                "read": num_messages,
                "valued": num_messages,
                "rejected": 0,
                "rejected_by_reason": {},
                "kinds": { "asteroid": num_messages, "comet": 0, "exoplanet": 0 },
                "merged": { "delta_v": 0, "nhats": 0, "mass": 0 },
            },
            "bytes": { "read": 0, "written": 0 },
            "stages": [],
        },
    });
    serde_json::from_value(parsed).unwrap()
}
