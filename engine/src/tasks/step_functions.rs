//! Tasks of AWS Step Functions.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::http::HttpResponse;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};

use super::{TaskError, Tasks};
use crate::stages::Kind;

/// The longest cause, characters (AWS Step Functions API Reference, `SendTaskFailure`).
const MAX_CAUSE_CHARS: usize = 32_768;
/// What Step Functions answers about a task that waits no more.
const OVER: [&str; 3] = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"];

/// Answers tasks of Step Functions.
#[derive(Debug, Clone)]
pub struct StepFunctions {
    client: Client,
}

impl StepFunctions {
    /// By settings made with [`config_loader`](crate::aws::config_loader).
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        StepFunctions {
            client: Client::new(config),
        }
    }
}

#[async_trait]
impl Tasks for StepFunctions {
    async fn succeed(&self, token: &str, output: &str) -> Result<(), TaskError> {
        let request = self.client.send_task_success().task_token(token);
        let answered = request.output(output).send().await;
        answered.map(drop).map_err(error)
    }

    async fn fail(&self, token: &str, kind: Kind, cause: &str) -> Result<(), TaskError> {
        let cause: String = cause.chars().take(MAX_CAUSE_CHARS).collect();
        let request = self.client.send_task_failure().task_token(token);
        let answered = request.error(kind.name()).cause(cause).send().await;
        answered.map(drop).map_err(error)
    }

    async fn beat(&self, token: &str) -> Result<(), TaskError> {
        let request = self.client.send_task_heartbeat().task_token(token);
        request.send().await.map(drop).map_err(error)
    }
}

fn error<E>(error: SdkError<E, HttpResponse>) -> TaskError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error.code() {
        Some(code) if OVER.contains(&code) => TaskError::Over,
        _ => TaskError::Failed(error.into()),
    }
}
