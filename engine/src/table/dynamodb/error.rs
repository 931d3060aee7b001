//! What DynamoDB answers where it does not do what is asked, in words that say what to do.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use super::Connection;
use crate::aws;
use crate::store::BodyError;

/// There is no table of that name.
pub(super) const NO_TABLE: &str = "ResourceNotFoundException";
/// The table is there already, or is being made or deleted.
pub(super) const TABLE_IN_USE: &str = "ResourceInUseException";
/// An item is not what a write needs it to be.
pub(crate) const CONDITION_FAILED: &str = "ConditionalCheckFailedException";

/// What is to be tried again a little later though its status says that the client is wrong (Amazon DynamoDB
/// Developer Guide, "Error handling with DynamoDB").
const THROTTLES: [&str; 4] = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    // So many tables are made or deleted at the same time.
    "LimitExceededException",
];

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("access is denied: the credentials in use need {action} on table {table}")]
    AccessDenied { action: &'static str, table: String },
    #[error("the credentials are refused ({0}): they are wrong, expired, or the clock is")]
    BadCredentials(String),
    #[error(
        "{0} cannot be reached or breaks the connection: check the network, AWS_ENDPOINT_URL and AWS_REGION"
    )]
    Unreachable(String, #[source] BodyError),
    #[error("{0} did not answer in time")]
    TimedOut(String),
    #[error("DynamoDB answers {status} {code}: {message}")]
    Answer {
        status: u16,
        code: String,
        message: String,
    },
    #[error("{num_left} items were left unprocessed for {seconds} s")]
    Unprocessed { num_left: usize, seconds: u64 },
    #[error("it is not {wanted} after {seconds} s")]
    Slow { wanted: &'static str, seconds: u64 },
    #[error("its {item} item lacks {attribute}, or it is of another type")]
    Damaged {
        item: &'static str,
        attribute: &'static str,
    },
    #[error("there is no such table: deploy the stack, or correct its name")]
    NoControlTable,
    #[error(transparent)]
    Other(BodyError),
}

impl Connection {
    pub(super) fn refusal<E>(
        &self,
        action: &'static str,
        error: SdkError<E, HttpResponse>,
    ) -> Refusal
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let server = || {
            let endpoint = self.endpoint.clone();
            endpoint.unwrap_or_else(|| "DynamoDB".to_owned())
        };
        let answer = match &error {
            SdkError::ServiceError(answer) => answer,
            SdkError::TimeoutError(_) => return Refusal::TimedOut(server()),
            SdkError::DispatchFailure(failed) if failed.is_timeout() => {
                return Refusal::TimedOut(server());
            }
            SdkError::DispatchFailure(failed) if failed.is_io() => {
                return Refusal::Unreachable(server(), error.into());
            }
            _ => return Refusal::Other(error.into()),
        };
        let code = answer.err().code().unwrap_or_default().to_owned();
        match code.as_str() {
            "AccessDeniedException" => Refusal::AccessDenied {
                action,
                table: self.table.clone(),
            },
            "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "ExpiredTokenException"
            | "IncompleteSignatureException"
            | "MissingAuthenticationTokenException" => Refusal::BadCredentials(code),
            _ => Refusal::Answer {
                status: answer.raw().status().as_u16(),
                code,
                message: answer.err().message().unwrap_or_default().to_owned(),
            },
        }
    }
}

/// Whether the same request may succeed later.
pub(super) fn is_retryable<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: ProvideErrorMetadata,
{
    aws::is_retryable(error, |code| THROTTLES.contains(&code))
}
