//! What goes wrong, decided by a seed: the same seed gives the same plan.
//!
//! A decision rests on what is asked for and how often it has been asked for, not on when the request came: requests
//! that go side by side do not change each other's fate. Only where the budget runs out does their order count.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The request waits.
    Delay,
    /// The server is asked too much, in the protocol's own words.
    Throttle,
    /// Status 500.
    Error,
    /// Status 503.
    Unavailable,
    /// The connection is reset before the server has the request.
    Reset,
    /// The connection is reset in the middle of the answer's body.
    Truncate,
    /// The server acts, and nobody learns it.
    DropAnswer,
    /// One half of a batch is done, and the other one given back.
    HalfDone,
    /// The messages of a batch are sent twice.
    SendTwice,
    /// Every message that is received comes twice.
    Duplicate,
    /// The messages that are received come in the opposite order.
    Reorder,
}

impl Fault {
    const ALL: [Fault; 11] = [
        Fault::Delay,
        Fault::Throttle,
        Fault::Error,
        Fault::Unavailable,
        Fault::Reset,
        Fault::Truncate,
        Fault::DropAnswer,
        Fault::HalfDone,
        Fault::SendTwice,
        Fault::Duplicate,
        Fault::Reorder,
    ];

    /// Whether a request can go wrong in this way.
    fn fits(self, action: &str) -> bool {
        match self {
            Fault::HalfDone => ["BatchWriteItem", "SendMessageBatch"].contains(&action),
            Fault::SendTwice => action == "SendMessageBatch",
            Fault::Duplicate | Fault::Reorder => action == "ReceiveMessage",
            _ => true,
        }
    }
}

/// How much goes wrong: requests in a thousand, and how many at most. Most of it can be survived.
const MEASURES: [(u64, usize); 7] = [
    (30, 4),
    (60, 8),
    (60, 8),
    (120, 12),
    (120, 20),
    (250, 20),
    (400, 60),
];

/// In one plan of so many, one thing is down for good.
const ONE_IS_DOWN_IN: u64 = 5;

/// A plan at work: what it has done so far is part of it.
pub(crate) struct Plan {
    seed: u64,
    rate: u64,
    budget: usize,
    faults: Vec<Fault>,
    /// What is down for good.
    down: Option<String>,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// How often each thing was asked for.
    asked: HashMap<String, u64>,
    num_faults: usize,
    /// Faults by what they hit.
    hits: BTreeMap<(String, Fault), usize>,
}

impl Plan {
    /// The plan of a seed. One seed in five has one of `asked` down for good, each in its turn, so that nothing that a
    /// run needs is left to chance.
    pub(crate) fn new(seed: u64, asked: &[String]) -> Self {
        let mut random = Random(seed);
        let (rate, budget) = MEASURES[random.below(MEASURES.len() as u64) as usize];
        let mut faults: Vec<Fault> = Fault::ALL.to_vec();
        faults.retain(|_| random.below(3) > 0);
        let is_down = seed % ONE_IS_DOWN_IN == ONE_IS_DOWN_IN - 1 && !asked.is_empty();
        let place = (seed / ONE_IS_DOWN_IN) as usize % asked.len().max(1);
        let (rate, budget) = if is_down { (0, 0) } else { (rate, budget) };
        Plan {
            seed,
            rate,
            budget,
            faults,
            down: is_down.then(|| asked[place].clone()),
            progress: Mutex::default(),
        }
    }

    /// A plan by which nothing goes wrong.
    pub(crate) fn quiet() -> Self {
        Plan {
            seed: 0,
            rate: 0,
            budget: 0,
            faults: Vec::new(),
            down: None,
            progress: Mutex::default(),
        }
    }

    /// A plan by which one thing is down for good.
    pub(crate) fn without(what: &str) -> Self {
        Plan {
            down: Some(what.to_owned()),
            ..Plan::quiet()
        }
    }

    /// What was asked for, sorted.
    pub(crate) fn asked(&self) -> Vec<String> {
        let progress = self.progress.lock().expect("nobody panics with it");
        let mut asked: Vec<String> = progress.asked.keys().cloned().collect();
        asked.sort_unstable();
        asked
    }

    /// Whether one thing is down for good.
    pub(crate) fn has_one_down(&self) -> bool {
        self.down.is_some()
    }

    /// What happens to a request for `what` with this `action`, and a random number for how it happens.
    pub(crate) fn next(&self, what: &str, action: &str) -> Option<(Fault, u64)> {
        let mut progress = self.progress.lock().expect("nobody panics with it");
        let asked = progress.asked.entry(what.to_owned()).or_default();
        let number = *asked;
        *asked += 1;
        let is_down = self.down.as_deref() == Some(what);
        let mut random = Random::of(self.seed, what, number);
        let is_hit = random.below(1000) < self.rate && progress.num_faults < self.budget;
        let fault = if is_down {
            Fault::Unavailable
        } else if is_hit {
            let fitting = self.faults.iter().filter(|fault| fault.fits(action));
            let fitting: Vec<Fault> = fitting.copied().collect();
            let place = random.below(fitting.len().max(1) as u64);
            *fitting.get(place as usize)?
        } else {
            return None;
        };
        progress.num_faults += usize::from(!is_down);
        *progress.hits.entry((what.to_owned(), fault)).or_default() += 1;
        Some((fault, random.next()))
    }

    /// How many requests went wrong.
    pub(crate) fn num_hits(&self) -> usize {
        let progress = self.progress.lock().expect("nobody panics with it");
        progress.hits.values().sum()
    }
}

impl fmt::Display for Plan {
    /// The seed, and what it has done.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}:", self.seed)?;
        let progress = self.progress.lock().expect("nobody panics with it");
        for ((what, fault), times) in &progress.hits {
            write!(f, " {fault:?} of {what} ×{times};")?;
        }
        Ok(())
    }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
pub(crate) struct Random(u64);

impl Random {
    fn of(seed: u64, what: &str, number: u64) -> Self {
        // FNV-1a.
        let hash = what.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut random = Random(seed ^ hash);
        Random(random.next() ^ number)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// How long a request waits that is delayed.
pub(crate) fn delay(random: u64) -> Duration {
    Duration::from_millis(5 + random % 300)
}
