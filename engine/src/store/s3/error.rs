//! What S3 answers where it does not do what is asked, in words that say what to do.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::Bucket;
use crate::aws;
use crate::store::{BodyError, StoreError};

/// Why S3 cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("parts must have 5 MiB or more, and one or more must be in flight")]
    Options,
    #[error("there is no bucket {0}: create it, or correct the name")]
    NoSuchBucket(String),
    #[error("access is denied: the credentials in use need {action} on bucket {bucket}")]
    AccessDenied {
        action: &'static str,
        bucket: String,
    },
    #[error("the credentials are refused ({0}): they are wrong, expired, or the clock is")]
    BadCredentials(String),
    #[error("bucket {0} is in another region: set AWS_REGION to it")]
    OtherRegion(String),
    #[error(
        "{0} cannot be reached or breaks the connection: check the network, AWS_ENDPOINT_URL and AWS_REGION"
    )]
    Unreachable(String, #[source] BodyError),
    #[error("{0} did not answer in time")]
    TimedOut(String),
    #[error("S3 answers {status} {code}: {message}")]
    Answer {
        status: u16,
        code: String,
        message: String,
    },
    #[error("S3's answer lacks {0}")]
    Lacking(&'static str),
    #[error("S3's answer has {found} bytes, not {expected}")]
    Length { found: u64, expected: u64 },
    #[error("the connection broke")]
    Broken(#[source] BodyError),
    #[error(
        "uploads are left open, {}, and are billed until they are aborted, as a \
         lifecycle rule of the bucket can do", .0.join(", ")
    )]
    LeftOpen(Vec<String>),
    #[error(transparent)]
    Other(BodyError),
}

impl Bucket {
    /// What `error` means for an operation on `key`, which needs the permission `action`.
    pub(super) fn error<E>(
        &self,
        key: &str,
        doing: &'static str,
        action: &'static str,
        error: SdkError<E, HttpResponse>,
    ) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let is_retryable = aws::is_retryable(&error, |_| false);
        let refusal = self.refusal(action, error);
        StoreError::failed(self.url(key), doing, is_retryable, refusal)
    }

    /// An error of an operation on `key` that S3 itself did not notice.
    pub(super) fn broken(&self, key: &str, doing: &'static str, refusal: Refusal) -> StoreError {
        StoreError::failed(self.url(key), doing, true, refusal)
    }

    fn refusal<E>(&self, action: &'static str, error: SdkError<E, HttpResponse>) -> Refusal
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let server = || self.endpoint.clone().unwrap_or_else(|| "S3".to_owned());
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
        let status = answer.raw().status().as_u16();
        let code = answer.err().code().unwrap_or_default();
        match (code, status) {
            ("NoSuchBucket", _) => Refusal::NoSuchBucket(self.name.clone()),
            ("PermanentRedirect" | "AuthorizationHeaderMalformed", _) | (_, 301) => {
                Refusal::OtherRegion(self.name.clone())
            }
            (
                "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "ExpiredToken"
                | "InvalidToken"
                | "RequestTimeTooSkewed",
                _,
            ) => Refusal::BadCredentials(code.to_owned()),
            // The answer to a HEAD request has no body, and so no code.
            ("AccessDenied", _) | ("", 403) => Refusal::AccessDenied {
                action,
                bucket: self.name.clone(),
            },
            _ => Refusal::Answer {
                status,
                code: code.to_owned(),
                message: answer.err().message().unwrap_or_default().to_owned(),
            },
        }
    }
}

/// The code of S3's answer, or else its HTTP status.
pub(super) fn is_answer<E>(error: &SdkError<E, HttpResponse>, code: &str, status: u16) -> bool
where
    E: ProvideErrorMetadata,
{
    match error.code() {
        Some(found) => found == code,
        None => error
            .raw_response()
            .is_some_and(|raw| raw.status().as_u16() == status),
    }
}
