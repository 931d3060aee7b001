//! What SQS answers where it does not do what is asked, in words that say what to do.

use std::error::Error;

use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};

use crate::aws;
use crate::queue::QueueError;

/// Why SQS cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("there is no such queue: create it, or correct its address and AWS_REGION")]
    NoSuchQueue,
    #[error("access is denied: the credentials in use need {0} on the queue")]
    AccessDenied(&'static str),
    #[error("the credentials are refused ({0}): they are wrong, expired, or the clock is")]
    BadCredentials(String),
    #[error(
        "SQS cannot be reached or breaks the connection: check the network, AWS_ENDPOINT_URL and AWS_REGION"
    )]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    #[error("SQS did not answer in time")]
    TimedOut,
    #[error("SQS answers {status} {code}: {message}")]
    Answer {
        status: u16,
        code: String,
        message: String,
    },
    #[error("SQS refuses {num_entries} of the messages, the first with {code}: {message}")]
    Entries {
        num_entries: usize,
        code: String,
        message: String,
    },
    #[error("SQS answers for other messages than it was sent")]
    OtherEntries,
    #[error(transparent)]
    Other(Box<dyn Error + Send + Sync>),
}

impl Refusal {
    /// What it means for `queue`.
    pub(super) fn of(self, queue: &str, doing: &'static str, is_retryable: bool) -> QueueError {
        QueueError::Failed {
            queue: queue.to_owned(),
            doing,
            is_retryable,
            source: self.into(),
        }
    }
}

/// What `error` means for an operation on `queue`, which needs the permission `action`.
pub(super) fn refused<E>(
    queue: &str,
    doing: &'static str,
    action: &'static str,
    error: SdkError<E, HttpResponse>,
) -> QueueError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let is_retryable = aws::is_retryable(&error, is_throttled);
    refusal(action, error).of(queue, doing, is_retryable)
}

fn refusal<E>(action: &'static str, error: SdkError<E, HttpResponse>) -> Refusal
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let answer = match &error {
        SdkError::ServiceError(answer) => answer,
        SdkError::TimeoutError(_) => return Refusal::TimedOut,
        SdkError::DispatchFailure(failed) if failed.is_timeout() => return Refusal::TimedOut,
        SdkError::DispatchFailure(failed) if failed.is_io() => {
            return Refusal::Unreachable(error.into());
        }
        _ => return Refusal::Other(error.into()),
    };
    let code = answer.err().code().unwrap_or_default();
    match code {
        "QueueDoesNotExist" | "AWS.SimpleQueueService.NonExistentQueue" => Refusal::NoSuchQueue,
        "AccessDenied" | "AccessDeniedException" => Refusal::AccessDenied(action),
        "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "InvalidSecurity"
        | "MissingAuthenticationToken"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Refusal::BadCredentials(code.to_owned()),
        _ => Refusal::Answer {
            status: answer.raw().status().as_u16(),
            code: code.to_owned(),
            message: answer.err().message().unwrap_or_default().to_owned(),
        },
    }
}

/// Whether SQS says so of too many requests (Amazon SQS API Reference, "Common Errors" and "SendMessageBatch").
pub(super) fn is_throttled(code: &str) -> bool {
    matches!(
        code,
        "RequestThrottled" | "Throttling" | "ThrottlingException" | "KmsThrottled"
    ) || code.ends_with(".KmsThrottled")
}
