//! The way from valuing to writing: batches in input order, one writer at a time, buffers that go round.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use super::{PipelineError, PipelineOptions, Work, Writer};

/// Works between their valuing and their next use.
///
/// The bound is in [`Queue::free_work`]: no more works exist than it makes at first.
pub(super) struct Queue<'s> {
    state: Mutex<State<'s>>,
    /// Signalled when there is a free work, or none will ever be.
    freed: Condvar,
}

struct State<'s> {
    free: Vec<Work>,
    num_unmade: usize,
    /// Valued, and not written yet.
    valued: BTreeMap<u64, Work>,
    next_seq: u64,
    /// Absent while a thread is writing.
    writer: Option<Writer<'s>>,
    stop: Option<Stop>,
}

/// Why nothing more is written.
enum Stop {
    Failed(PipelineError),
    Panicked(Box<dyn std::any::Any + Send>),
}

impl<'s> Queue<'s> {
    pub(super) fn new(writer: Writer<'s>, options: &PipelineOptions) -> Self {
        Queue {
            state: Mutex::new(State {
                free: Vec::new(),
                num_unmade: 2 * options.num_threads.get() + 2,
                valued: BTreeMap::new(),
                next_seq: 0,
                writer: Some(writer),
                stop: None,
            }),
            freed: Condvar::new(),
        }
    }

    /// Nothing is left half-changed where a thread panics with the lock.
    fn lock(&self) -> MutexGuard<'_, State<'s>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a work that is free, or returns `None` where nothing more can be written. Where all works
    /// wait to be written and no thread is at it, the caller writes.
    pub(super) fn free_work(&self) -> Option<Work> {
        let here = thread::current().id();
        let mut state = self.lock();
        loop {
            if state.stop.is_some() {
                return None;
            }
            if let Some(work) = state.free_work(here) {
                return Some(work);
            }
            state = match state.is_writable() {
                true => {
                    drop(state);
                    self.write_next();
                    self.lock()
                }
                false => self
                    .freed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Takes a valued work, or the panic that valuing it ended in.
    pub(super) fn add(&self, valued: std::thread::Result<Work>) {
        let mut state = self.lock();
        match valued {
            Ok(work) => {
                state.valued.insert(work.seq, work);
            }
            Err(panic) => {
                state.stop.get_or_insert(Stop::Panicked(panic));
                self.freed.notify_all();
            }
        }
    }

    /// Writes what is next in order, as long as there is any and no other thread is at it.
    pub(super) fn write_next(&self) {
        let mut state = self.lock();
        while let Some((mut work, mut writer)) = state.take_next() {
            drop(state);
            let written = catch_unwind(AssertUnwindSafe(|| writer.write(&mut work.batch)));
            state = self.lock();
            state.writer = Some(writer);
            state.next_seq += 1;
            let stop = match written {
                Ok(Ok(())) => {
                    state.free.push(work);
                    None
                }
                Ok(Err(error)) => Some(Stop::Failed(error)),
                Err(panic) => Some(Stop::Panicked(panic)),
            };
            // What came first is the reason.
            state.stop = state.stop.take().or(stop);
            self.freed.notify_all();
        }
    }

    /// The writer, once all threads are done.
    ///
    /// # Errors
    /// What writing failed with.
    ///
    /// # Panics
    /// Where valuing or writing has.
    pub(super) fn into_writer(self) -> Result<Writer<'s>, PipelineError> {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        match state.stop {
            Some(Stop::Failed(error)) => Err(error),
            Some(Stop::Panicked(panic)) => resume_unwind(panic),
            None => Ok(state.writer.expect("no thread is writing any more")),
        }
    }
}

impl<'s> State<'s> {
    /// A work that this thread read last, if there is one, or else any.
    fn free_work(&mut self, here: ThreadId) -> Option<Work> {
        let own = self.free.iter().rposition(|work| work.thread == Some(here));
        let mut work = match own {
            Some(own) => self.free.swap_remove(own),
            None if self.num_unmade > 0 => {
                self.num_unmade -= 1;
                Work::default()
            }
            None => self.free.pop()?,
        };
        work.thread = Some(here);
        Some(work)
    }

    /// The work that is next in order, and who writes it, where both are there.
    fn take_next(&mut self) -> Option<(Work, Writer<'s>)> {
        if !self.is_writable() {
            return None;
        }
        Some((self.valued.remove(&self.next_seq)?, self.writer.take()?))
    }

    fn is_writable(&self) -> bool {
        self.stop.is_none() && self.writer.is_some() && self.valued.contains_key(&self.next_seq)
    }
}
