//! When to try again: exponential backoff with jitter, and what the server itself asks for.

use std::error::Error;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// An error that knows whether trying again may help.
pub trait Retry: Error + 'static {
    /// Whether the same operation may succeed a little later.
    fn is_retryable(&self) -> bool;

    /// The least time to wait before that, where the other side names one.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// How often and after what delays an operation is tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    pub(super) max_attempts: u32,
    pub(super) first_delay: Duration,
    pub(super) max_delay: Duration,
    pub(super) max_retry_after: Duration,
}

/// The attempts at one operation.
#[derive(Debug)]
pub(super) struct Attempts {
    policy: Policy,
    num_failed: u32,
    delays: ExponentialBackoff,
}

impl Attempts {
    pub(super) fn new(policy: Policy) -> Self {
        Attempts {
            policy,
            num_failed: 0,
            delays: delays(policy),
        }
    }

    /// Begins to count afresh, because there was progress.
    pub(super) fn reset(&mut self) {
        if self.num_failed > 0 {
            *self = Self::new(self.policy);
        }
    }

    /// How many attempts have failed since the beginning, or since the last progress.
    pub(super) fn num_failed(&self) -> u32 {
        self.num_failed
    }

    /// The time to wait after an attempt that failed with `error`; none where it was the last.
    pub(super) fn next_delay(&mut self, error: &impl Retry) -> Option<Duration> {
        self.num_failed += 1;
        let retry_after = error.retry_after().unwrap_or_default();
        let may_go_on = error.is_retryable()
            && self.num_failed < self.policy.max_attempts
            && retry_after <= self.policy.max_retry_after;
        let delay = self.delays.next().filter(|_| may_go_on)?;
        Some(delay.max(retry_after))
    }
}

/// Delays of d/2 to d, for d from the first delay on, doubled up to the longest one. backon adds up to as much
/// again at random to each of its own delays, so those are halved.
fn delays(policy: Policy) -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(policy.first_delay / 2)
        .with_max_delay(policy.max_delay / 2)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed")]
    struct Failed {
        is_retryable: bool,
        retry_after: Option<Duration>,
    }

    impl Retry for Failed {
        fn is_retryable(&self) -> bool {
            self.is_retryable
        }

        fn retry_after(&self) -> Option<Duration> {
            self.retry_after
        }
    }

    const POLICY: Policy = Policy {
        max_attempts: 5,
        first_delay: Duration::from_secs(1),
        max_delay: Duration::from_secs(3),
        max_retry_after: Duration::from_secs(600),
    };

    const PASSING: Failed = Failed {
        is_retryable: true,
        retry_after: None,
    };

    fn after(seconds: u64) -> Failed {
        Failed {
            retry_after: Some(Duration::from_secs(seconds)),
            ..PASSING
        }
    }

    #[test]
    fn delays_double_up_to_the_longest_and_end_with_the_attempts() {
        let mut attempts = Attempts::new(POLICY);
        for longest in [1.0, 2.0, 3.0, 3.0] {
            let delay = attempts.next_delay(&PASSING).unwrap().as_secs_f32();
            assert!(
                delay >= longest / 2.0 && delay <= longest,
                "{delay} of {longest}"
            );
        }
        assert_eq!(attempts.next_delay(&PASSING), None);
        assert_eq!(attempts.num_failed(), 5);
    }

    #[test]
    fn progress_begins_the_count_and_the_delays_afresh() {
        let mut attempts = Attempts::new(POLICY);
        for _ in 0..20 {
            assert!(attempts.next_delay(&PASSING).unwrap() <= POLICY.first_delay);
            attempts.reset();
        }
    }

    #[test]
    fn the_server_says_how_long_to_wait() {
        let mut attempts = Attempts::new(POLICY);
        assert_eq!(
            attempts.next_delay(&after(600)),
            Some(Duration::from_secs(600))
        );
        assert!(attempts.next_delay(&after(0)).unwrap() >= POLICY.first_delay);
        assert_eq!(attempts.next_delay(&after(601)), None);
    }

    #[test]
    fn what_does_not_pass_is_not_tried_again() {
        let lasting = Failed {
            is_retryable: false,
            retry_after: None,
        };
        assert_eq!(Attempts::new(POLICY).next_delay(&lasting), None);
    }
}
