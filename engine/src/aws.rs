//! What the adapters for AWS share: where their settings come from, and which of their failures may pass. Whoever passes settings on needs no crate of AWS's.

use aws_config::{BehaviorVersion, ConfigLoader};
pub use aws_config::{Region, SdkConfig};
pub use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::config::ProvideCredentials;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::store::BodyError;

/// Loads the settings of the usual AWS environment: its variables, its files, the roles of the machine. They
/// include `AWS_ENDPOINT_URL`, and `AWS_REQUEST_CHECKSUM_CALCULATION=when_required` for servers that do not
/// know S3's newer checksums.
#[must_use]
pub fn config_loader() -> ConfigLoader {
    let tls = Provider::Rustls(CryptoMode::Ring);
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(Builder::new().tls_provider(tls).build_https())
}

/// An environment that does not say how to use AWS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AwsError {
    /// No region.
    #[error("no AWS region is set: set AWS_REGION, or `region` in the AWS profile")]
    NoRegion,
    /// No credentials.
    #[error(
        "no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or use a \
         machine that has a role"
    )]
    NoCredentials(#[source] BodyError),
}

/// Loads the settings, with requests going to `endpoint_url` where one is named, and says what is missing before
/// anything is asked.
///
/// # Errors
/// [`AwsError`] where there is no region or there are no credentials.
pub async fn load(endpoint_url: Option<&str>) -> Result<SdkConfig, AwsError> {
    let mut loader = config_loader();
    if let Some(url) = endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let config = loader.load().await;
    if config.region().is_none() {
        return Err(AwsError::NoRegion);
    }
    if let Some(credentials) = config.credentials_provider() {
        let provided = credentials.provide_credentials().await;
        provided.map_err(|error| AwsError::NoCredentials(error.into()))?;
    }
    Ok(config)
}

/// Whether a request that failed may succeed a little later: the connection broke, the time was up, the service failed, or
/// there were too many requests, which each service says by codes of its own, `is_throttle`.
pub(crate) fn is_retryable<E>(
    error: &SdkError<E, HttpResponse>,
    is_throttle: impl Fn(&str) -> bool,
) -> bool
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        // Of what is none of these the SDK names a kind only where it would try again itself, as it does where a
        // connection closes before the answer.
        SdkError::DispatchFailure(failed) => {
            failed.is_io() || failed.is_timeout() || failed.as_other().is_some()
        }
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            let code = answer.err().code().unwrap_or_default();
            status >= 500 || status == 429 || is_throttle(code)
        }
        _ => false,
    }
}
