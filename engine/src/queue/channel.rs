//! The queue of one process: bounded, with the visibility timeout of the one on AWS.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::{Delivery, Queue, QueueError};

/// A queue in memory. A sender waits while as many messages as it may hold are sent and not acknowledged.
#[derive(Debug)]
pub struct Channel {
    state: Mutex<State>,
    /// One permit for each message that it could take.
    room: Semaphore,
    /// Signalled when a message is ready.
    arrived: Notify,
    visibility_timeout: Duration,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<String>,
    /// By their receipts' numbers.
    hidden: BTreeMap<u64, Hidden>,
    num_received: u64,
}

/// A message that was received, or waits until it may be.
#[derive(Debug)]
struct Hidden {
    body: String,
    until: Instant,
}

impl Channel {
    /// A queue that holds `max_messages`, of which one that is received and not acknowledged within
    /// `visibility_timeout` comes again.
    #[must_use]
    pub fn new(max_messages: usize, visibility_timeout: Duration) -> Self {
        Channel {
            state: Mutex::default(),
            room: Semaphore::new(max_messages),
            arrived: Notify::new(),
            visibility_timeout,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A message is in one place or the other whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is ready. Where nothing is: when the next hidden message will be.
    fn take(&self, max: usize) -> Result<Vec<Delivery>, Option<Instant>> {
        let now = Instant::now();
        let mut state = self.state();
        let State { ready, hidden, .. } = &mut *state;
        let seen_again = hidden.extract_if(.., |_, message| message.until <= now);
        ready.extend(seen_again.map(|(_, message)| message.body));
        if state.ready.is_empty() {
            return Err(state.hidden.values().map(|message| message.until).min());
        }
        let num_taken = max.min(state.ready.len());
        let bodies: Vec<String> = state.ready.drain(..num_taken).collect();
        let deliver = |body: String| {
            let number = state.num_received;
            state.num_received += 1;
            let hidden = Hidden {
                body: body.clone(),
                until: now + self.visibility_timeout,
            };
            state.hidden.insert(number, hidden);
            Delivery {
                body,
                receipt: number.to_string(),
            }
        };
        let deliveries = bodies.into_iter().map(deliver).collect();
        if !state.ready.is_empty() {
            // One signal wakes one receiver, and there may be another.
            self.arrived.notify_one();
        }
        Ok(deliveries)
    }
}

#[async_trait]
impl Queue for Channel {
    async fn send(&self, bodies: Vec<String>) -> Result<(), QueueError> {
        for body in bodies {
            let room = self.room.acquire().await;
            // It comes back with the acknowledgement.
            room.expect("the semaphore is never closed").forget();
            self.state().ready.push_back(body);
            self.arrived.notify_one();
        }
        Ok(())
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        let end = Instant::now() + wait;
        loop {
            let next = match self.take(max) {
                Ok(deliveries) => return Ok(deliveries),
                Err(next) => next,
            };
            if Instant::now() >= end {
                return Ok(Vec::new());
            }
            let wake = next.map_or(end, |next| next.min(end));
            tokio::select! {
                () = self.arrived.notified() => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    async fn ack(&self, receipt: &str) -> Result<(), QueueError> {
        let number = receipt.parse().ok();
        if number.is_some_and(|number| self.state().hidden.remove(&number).is_some()) {
            self.room.add_permits(1);
        }
        Ok(())
    }

    async fn return_after(&self, receipt: &str, delay: Duration) -> Result<(), QueueError> {
        let mut state = self.state();
        let number = receipt.parse().ok();
        if let Some(message) = number.and_then(|number: u64| state.hidden.get_mut(&number)) {
            message.until = Instant::now() + delay;
            // Whoever receives looks again when that is.
            self.arrived.notify_one();
        }
        Ok(())
    }
}
