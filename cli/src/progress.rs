//! Progress of downloads: a bar for each on a terminal, and a line for what people should know.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Mutex;
use std::time::Duration;

use engine::observer::{Observer, chain};
use engine::report::Stage;
use indicatif::{MultiProgress, ProgressBar};

use crate::input::progress_bar;
use crate::{output, text};

/// Shows what the engine's stages tell.
#[derive(Default)]
pub(crate) struct Progress {
    bars: MultiProgress,
    by_name: Mutex<HashMap<String, ProgressBar>>,
    stages: Mutex<Vec<Stage>>,
}

impl Progress {
    /// Takes the bars off the screen.
    pub(crate) fn clear(&self) {
        let bars = std::mem::take(&mut *lock(&self.by_name));
        for bar in bars.into_values() {
            bar.finish_and_clear();
        }
    }

    /// The stages that are done.
    pub(crate) fn take_stages(&self) -> Vec<Stage> {
        std::mem::take(&mut *lock(&self.stages))
    }

    /// Prints a line above the bars.
    fn line(&self, line: &str) {
        self.bars.suspend(|| output::note(line));
    }
}

impl Observer for Progress {
    fn received(&self, what: &str, num_bytes: u64, total: Option<u64>) {
        if let Some(bar) = lock(&self.by_name).get(what) {
            return bar.inc(num_bytes);
        }
        let bar = self.bars.add(progress_bar(total, what));
        bar.inc(num_bytes);
        lock(&self.by_name).insert(what.to_owned(), bar);
    }

    fn retrying(&self, _what: &str, error: &(dyn Error + 'static), delay: Duration) {
        let seconds = delay.as_secs_f64();
        let reason = text::harmless(&chain(error));
        self.line(&format!("{reason}; trying again in {seconds:.1} s"));
    }

    fn stage_done(&self, name: &'static str, elapsed: Duration) {
        lock(&self.stages).push(Stage::ended(name, elapsed));
    }

    fn note(&self, message: &str) {
        self.line(&format!("note: {}", text::harmless(message)));
    }
}

/// A panic while the bars were held has left nothing half-done in them.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
