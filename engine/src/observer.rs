//! What the outside world is told while a stage is at work: a screen shows it, a log keeps it.

use std::error::Error;
use std::time::Duration;

/// Is told what happens. Every method does nothing unless it is written.
pub trait Observer: Send + Sync {
    /// `num_bytes` more of `what` have arrived, of `total` where the length is known.
    fn received(&self, what: &str, num_bytes: u64, total: Option<u64>) {
        let _ = (what, num_bytes, total);
    }

    /// `what` failed and is tried again after `delay`.
    fn retrying(&self, what: &str, error: &(dyn Error + 'static), delay: Duration) {
        let _ = (what, error, delay);
    }

    /// The stage `name` is done, `elapsed` after it began.
    fn stage_done(&self, name: &'static str, elapsed: Duration) {
        let _ = (name, elapsed);
    }

    /// Something that is no failure and that people should know, such as an older table that is used instead.
    fn note(&self, message: &str) {
        let _ = message;
    }
}

/// Tells nobody.
impl Observer for () {}

/// An error and what caused it, in one line.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
