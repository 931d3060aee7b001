//! One invocation: its clock and its counts.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::failure::{Failure, Name};
use crate::metrics::Metrics;

/// The most time that is kept for stopping.
const MAX_MARGIN: Duration = Duration::from_secs(5);

/// What a function is told beside its event.
#[derive(Debug)]
pub struct Invocation {
    /// Cancelled shortly before the time is up: what is going on is to stop, and to leave nothing half-done.
    pub cancelled: CancellationToken,
    pub(crate) metrics: Metrics,
    /// The time until Lambda ends the process.
    remaining: Duration,
}

impl Invocation {
    /// One that Lambda ends at `deadline_ms`, in milliseconds since the Unix epoch.
    pub(crate) fn until(deadline_ms: u64) -> Self {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Invocation {
            cancelled: CancellationToken::new(),
            metrics: Metrics::default(),
            remaining: Duration::from_millis(deadline_ms).saturating_sub(now),
        }
    }

    /// Adds to the metric `name`.
    pub fn count(&self, name: &'static str, number: u64) {
        self.metrics.add(name, "Count", number as f64);
    }

    /// Waits for `work`, or until its time is up. Then the token is cancelled; what does not heed it is dropped half
    /// of the margin later.
    pub(crate) async fn hold_to_deadline<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let margin = MAX_MARGIN.min(self.remaining / 10);
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::time::sleep(self.remaining - margin) => self.cancelled.cancel(),
        }
        warn!(margin_secs = margin.as_secs_f64(), "time is up: stopping");
        let time = format!("not done within {:.0} s", self.remaining.as_secs_f64());
        let message = match tokio::time::timeout(margin / 2, work).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(failure)) => format!("{time}: {}", failure.message),
            Err(_) => time,
        };
        Err(Failure::new(Name::DEADLINE_EXCEEDED, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(remaining: Duration) -> Invocation {
        Invocation {
            remaining,
            ..Invocation::until(0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_told_to_stop_shortly_before_its_time_is_up() {
        let invocation = with(Duration::from_secs(900));
        let start = tokio::time::Instant::now();
        let work = async {
            invocation.cancelled.cancelled().await;
            Err::<(), _>(Failure::new(Name::INTERNAL, "stopped"))
        };
        let failure = invocation.hold_to_deadline(work).await.unwrap_err();
        assert_eq!(failure.name, Name::DEADLINE_EXCEEDED);
        assert_eq!(start.elapsed().as_secs(), 895);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_does_not_stop_is_dropped_before_lambda_would_end_it() {
        let invocation = with(Duration::from_secs(10));
        let start = tokio::time::Instant::now();
        let work = std::future::pending::<Result<(), Failure>>();
        let failure = invocation.hold_to_deadline(work).await.unwrap_err();
        assert_eq!(failure.name, Name::DEADLINE_EXCEEDED);
        assert_eq!(start.elapsed().as_millis(), 9_500);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_in_the_last_moment_is_done() {
        let invocation = with(Duration::from_secs(10));
        let work = async {
            invocation.cancelled.cancelled().await;
            Ok(7)
        };
        assert_eq!(invocation.hold_to_deadline(work).await, Ok(7));
    }
}
