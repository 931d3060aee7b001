//! The start-up that all functions share, and what happens around each invocation.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::{Instant, SystemTime};

use engine::aws::SdkConfig;
use futures::FutureExt;
use lambda_runtime::{Context, LambdaEvent, Runtime, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tracing::{Instrument, error, info, info_span};

use crate::failure::{Failure, Name};
use crate::invocation::Invocation;
use crate::settings::Settings;
use crate::{logs, metrics};

/// Threads of async work, which moves bytes and computes nothing. What computes has threads of its own, as many as
/// the environment has cores.
const NUM_THREADS: usize = 2;

/// A function: what Lambda starts once and then asks again and again.
pub trait Function: Sized + Send + Sync + 'static {
    /// What it is asked.
    type Event: DeserializeOwned + Send;
    /// What it answers.
    type Answer: Serialize + Send;

    /// Reads the settings and makes the clients, once for an environment.
    fn set_up(settings: &Settings, aws: &SdkConfig) -> impl Future<Output = Result<Self, Failure>>;

    /// The run that an event belongs to, where it is of one.
    fn run_of(event: &Self::Event) -> Option<&str>;

    /// Answers an event.
    fn handle(
        &self,
        event: Self::Event,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Self::Answer, Failure>>;
}

/// Serves `F` to Lambda until the environment ends.
///
/// A function that cannot be set up answers every event with the reason: Lambda would give another name to a
/// process that ends at once.
///
/// # Errors
/// Where the threads cannot be started or Lambda's interface cannot be reached.
pub fn serve<F: Function>() -> Result<(), lambda_runtime::Error> {
    logs::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(NUM_THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let aws = engine::aws::config_loader().load().await;
        let function = F::set_up(&Settings::of_process(), &aws).await;
        if let Err(failure) = &function {
            error!(reason = failure.message, "the function cannot be set up");
        }
        let function = &function;
        let answer = |event: LambdaEvent<Value>| answer(function, event);
        Runtime::new(service_fn(answer)).run().await
    })
}

/// Answers one event, in a span of its own, and prints what was counted.
async fn answer<F: Function>(
    function: &Result<F, Failure>,
    event: LambdaEvent<Value>,
) -> Result<F::Answer, Failure> {
    let LambdaEvent { payload, context } = event;
    let start = Instant::now();
    let event = serde_json::from_value::<F::Event>(payload)
        .map_err(|error| Failure::of(Name::EventInvalid, &error));
    let run = event
        .as_ref()
        .ok()
        .and_then(|event| F::run_of(event).map(str::to_owned));
    let span = info_span!("invocation", run, request_id = context.request_id);
    let invocation = Invocation::until(context.deadline);
    let work = async {
        let handled = match (function, event) {
            (Err(failure), _) => Err(failure.clone()),
            (_, Err(failure)) => Err(failure),
            (Ok(function), Ok(event)) => {
                // Stages are deeply nested: boxed, the compiler need not know how deeply.
                let work = function.handle(event, &invocation).boxed_local();
                invocation.hold_to_deadline(caught(work)).await
            }
        };
        invocation
            .metrics
            .add("Seconds", "Seconds", start.elapsed().as_secs_f64());
        match &handled {
            Ok(_) => info!(seconds = start.elapsed().as_secs_f64(), "done"),
            Err(failure) => {
                invocation.count("Failures", 1);
                error!(
                    name = failure.name.as_str(),
                    reason = failure.message,
                    "failed"
                );
            }
        }
        handled
    };
    let handled = work.instrument(span).await;
    print_metrics(&invocation, run, context);
    handled
}

/// A panic as a failure: it ends the invocation, not the environment.
async fn caught<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(handled) => handled,
        Err(panic) => {
            let said = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            let message = said.unwrap_or("a panic without words");
            Err(Failure::new(Name::INTERNAL, message))
        }
    }
}

fn print_metrics(invocation: &Invocation, run: Option<String>, context: Context) {
    let mut properties = Map::new();
    properties.insert("request_id".to_owned(), context.request_id.into());
    if let Some(run) = run {
        properties.insert("run".to_owned(), run.into());
    }
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    let function = &context.env_config.function_name;
    metrics::print(&invocation.metrics.line(function, now_ms, properties));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_failure_that_says_what_happened() {
        let panicking = async {
            assert_eq!(1 + 1, 3, "a wrong sum");
            Ok(())
        };
        let failure = caught(panicking).await.unwrap_err();
        assert_eq!(failure.name, Name::INTERNAL);
        assert!(failure.message.contains("a wrong sum"), "{failure}");
    }
}
