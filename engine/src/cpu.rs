//! The one crossing from async code to computing.

use std::panic::resume_unwind;

/// Runs `work`, which computes for longer than an async thread may be kept (500 µs), on a thread of the
/// runtime's blocking pool.
///
/// # Panics
/// Where `work` panics, or the runtime is being shut down.
///
/// # Cancel safety
/// Dropped before its end, `work` runs to its end and its result is dropped.
pub(crate) async fn on_cpu<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => panic!("the runtime is being shut down: {error}"),
        },
    }
}
