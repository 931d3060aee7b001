//! Logs: one JSON object a line on standard output, each with the run and the request that it belongs to.

use std::error::Error;
use std::time::Duration;

use engine::observer::{Observer, chain};
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

/// Begins to log, at the level of `RUST_LOG`, else of `LOG_LEVEL`, else from `info` on.
pub(crate) fn start() {
    let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let level = variable("RUST_LOG").or_else(|| variable("LOG_LEVEL"));
    let filter = EnvFilter::builder().parse_lossy(level.as_deref().unwrap_or("info"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(filter)
        .init();
}

/// Logs what the engine's stages tell.
#[derive(Debug)]
pub(crate) struct Log;

impl Observer for Log {
    fn retrying(&self, what: &str, error: &(dyn Error + 'static), delay: Duration) {
        let (reason, delay_secs) = (chain(error), delay.as_secs_f64());
        warn!(what, reason, delay_secs, "trying again");
    }

    fn stage_done(&self, name: &'static str, elapsed: Duration) {
        info!(stage = name, seconds = elapsed.as_secs_f64(), "stage done");
    }

    fn note(&self, message: &str) {
        info!(note = message, "worth knowing");
    }
}
