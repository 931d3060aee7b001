//! The best bodies of each kind and ranking so far, held back until it is known whether they stay.
//!
//! Each kind and ranking has a heap of its best, the worst of them on top, and a body is held once for all the
//! heaps that it is in. What matters is that most bodies are in none: seven comparisons of whole numbers say so.

use std::collections::BinaryHeap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::table::Ranking;

const NUM_RANKINGS: usize = Ranking::ALL.len();
const KINDS: [&str; 3] = ["asteroid", "comet", "exoplanet"];

// Each ranking has its bit in `Held::rankings`.
const _: () = assert!(NUM_RANKINGS <= 8);

/// In place of a figure that a body does not have; no figure is as bad.
const NONE: u64 = u64::MAX;

/// Where a body stands: how bad its figure is for each ranking.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    kind: Option<usize>,
    badness: [u64; NUM_RANKINGS],
}

impl Default for Place {
    fn default() -> Self {
        Place {
            kind: None,
            badness: [NONE; NUM_RANKINGS],
        }
    }
}

impl Place {
    pub(super) fn set_kind(&mut self, kind: Option<&str>) {
        self.kind = KINDS.iter().position(|known| Some(*known) == kind);
    }

    /// Sets the figure, which is finite, of the ranking at a place in [`Ranking::ALL`].
    pub(super) fn set(&mut self, ranking: usize, figure: f64) {
        // Negative zero is zero, as in a table.
        let bits = (figure + 0.0).to_bits();
        let ascending = match bits >> 63 {
            0 => bits | 1 << 63,
            _ => !bits,
        };
        self.badness[ranking] = match Ranking::ALL[ranking].is_descending() {
            true => !ascending,
            false => ascending,
        };
    }
}

/// A body that is held back.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) row: u64,
    pub(super) line: String,
    /// A bit for each ranking that it is among the best of.
    pub(super) rankings: u8,
}

/// A body in a heap. The greatest is the worst: by its figure, then by its designation.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    badness: u64,
    designation: Arc<str>,
    held: usize,
}

/// The best bodies of each kind and ranking.
#[derive(Debug)]
pub(super) struct Ranked {
    limit: usize,
    /// By kind and ranking.
    best: [[BinaryHeap<Entry>; NUM_RANKINGS]; KINDS.len()],
    /// The worst of each, or [`NONE`] while there is room.
    worst: [[u64; NUM_RANKINGS]; KINDS.len()],
    held: Vec<Held>,
    free: Vec<usize>,
}

impl Ranked {
    pub(super) fn new(limit: NonZeroUsize) -> Self {
        Ranked {
            limit: limit.get(),
            best: Default::default(),
            worst: [[NONE; NUM_RANKINGS]; KINDS.len()],
            held: Vec::new(),
            free: Vec::new(),
        }
    }

    /// The rankings, a bit for each, that a body is among the best of so far.
    #[inline]
    pub(super) fn rankings(&self, place: &Place, designation: &str) -> u8 {
        let Some(kind) = place.kind else {
            return 0;
        };
        let mut rankings = 0;
        for ranking in 0..NUM_RANKINGS {
            let (badness, worst) = (place.badness[ranking], self.worst[kind][ranking]);
            let is_better = badness < worst
                || (badness == worst
                    && badness != NONE
                    && self.best[kind][ranking]
                        .peek()
                        .is_some_and(|worst| *designation < *worst.designation));
            rankings |= u8::from(is_better) << ranking;
        }
        rankings
    }

    /// Holds a body back for `rankings`, each of which it is then to [`enter`](Self::enter).
    pub(super) fn hold(&mut self, row: u64, line: &str, rankings: u8) -> usize {
        let held = self.free.pop().unwrap_or_else(|| {
            self.held.push(Held {
                row: 0,
                line: String::new(),
                rankings: 0,
            });
            self.held.len() - 1
        });
        let body = &mut self.held[held];
        body.row = row;
        body.line.clear();
        body.line.push_str(line);
        body.rankings = rankings;
        held
    }

    /// Enters a held body into a ranking. Returns the line of the body that this displaces from its last one.
    pub(super) fn enter(
        &mut self,
        held: usize,
        ranking: usize,
        place: &Place,
        designation: &str,
    ) -> Option<&str> {
        let kind = place.kind?;
        let best = &mut self.best[kind][ranking];
        let entry = Entry {
            badness: place.badness[ranking],
            designation: designation.into(),
            held,
        };
        let mut displaced = None;
        if best.len() < self.limit {
            best.push(entry);
        } else if let Some(mut worst) = best.peek_mut() {
            displaced = Some(std::mem::replace(&mut *worst, entry).held);
        }
        if best.len() == self.limit
            && let Some(worst) = best.peek()
        {
            self.worst[kind][ranking] = worst.badness;
        }
        let displaced = displaced?;
        let body = &mut self.held[displaced];
        body.rankings &= !(1 << ranking);
        if body.rankings != 0 {
            return None;
        }
        self.free.push(displaced);
        Some(&self.held[displaced].line)
    }

    /// All bodies that are among the best of a ranking, in the order of their rows.
    pub(super) fn take_all(&mut self) -> Vec<Held> {
        let mut held = std::mem::take(&mut self.held);
        held.retain(|body| body.rankings != 0);
        held.sort_unstable_by_key(|body| body.row);
        held
    }
}
