//! The port of tasks that wait: a state machine stands still until whoever has a task's token answers.

#[cfg(feature = "aws")]
mod step_functions;

use std::error::Error;

use async_trait::async_trait;

use crate::stages::Kind;

#[cfg(feature = "aws")]
pub use step_functions::StepFunctions;

/// Answers tasks that wait.
#[async_trait]
pub trait Tasks: Send + Sync {
    /// Ends a task well, with `output`, which is JSON.
    ///
    /// # Errors
    /// [`TaskError`].
    async fn succeed(&self, token: &str, output: &str) -> Result<(), TaskError>;

    /// Ends a task badly, for a reason of this `kind`, which people read in `cause`.
    ///
    /// # Errors
    /// [`TaskError`].
    async fn fail(&self, token: &str, kind: Kind, cause: &str) -> Result<(), TaskError>;

    /// Says that a task is still being worked on.
    ///
    /// # Errors
    /// [`TaskError`].
    async fn beat(&self, token: &str) -> Result<(), TaskError>;
}

/// A task that could not be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// Nobody waits for an answer any more: it had one, its time is up, or its token is none.
    #[error("the task is over")]
    Over,
    /// The state machine's service fails.
    #[error("the task cannot be answered")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}
