//! Async work waited for by the program, which itself is synchronous.

use std::future::Future;

use anyhow::Context;
use engine::pipeline::PipelineError;
use tokio::runtime::Runtime;

use crate::INTERRUPT;

/// Threads of async work, which moves bytes and computes nothing.
const NUM_THREADS: usize = 2;

/// Starts the threads that async work runs on.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(NUM_THREADS)
        .enable_all()
        .build()
        .context("the threads that wait for the network cannot be started")
}

/// Waits for `work`, or for Ctrl-C: then it is dropped.
pub(crate) fn wait_for<T, E: Into<anyhow::Error>>(
    runtime: &Runtime,
    work: impl Future<Output = Result<T, E>>,
) -> anyhow::Result<T> {
    runtime.block_on(async {
        tokio::select! {
            biased;
            () = INTERRUPT.cancelled() => Err(PipelineError::Cancelled.into()),
            result = work => result.map_err(Into::into),
        }
    })
}
