//! The S3 client: its retries and timeouts.
//!
//! Stalled-stream protection stays as the SDK has it: whole parts are sent from memory and bodies are read as
//! fast as they come, so that a stall is the network's.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;

use super::S3Options;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one attempt at a request may take that moves no more than a page of text.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a completion may take: S3 needs minutes for many parts (Amazon S3 API Reference,
/// `CompleteMultipartUpload`).
pub(super) const COMPLETION_TIMEOUT: Duration = Duration::from_secs(600);
/// The slowest network on which a part still arrives in time, bytes a second.
const MIN_BYTES_PER_SEC: u64 = 64 << 10;

/// The client, and where it sends requests if not to AWS.
pub(super) fn client(config: &SdkConfig, options: &S3Options) -> (Client, Option<String>) {
    let own_endpoint = std::env::var("AWS_ENDPOINT_URL_S3").ok();
    let endpoint = own_endpoint.or_else(|| config.endpoint_url().map(str::to_owned));
    let retries = RetryConfig::standard()
        .with_max_attempts(options.max_attempts)
        .with_initial_backoff(options.retry_backoff);
    let config = aws_sdk_s3::config::Builder::from(config)
        // The names of buckets do not resolve below another host's.
        .force_path_style(endpoint.is_some())
        .retry_config(retries)
        .timeout_config(timeouts(ATTEMPT_TIMEOUT));
    (Client::from_conf(config.build()), endpoint)
}

/// The settings of a request that moves `num_bytes`.
pub(super) fn for_bytes(num_bytes: usize) -> aws_sdk_s3::config::Builder {
    let moving = Duration::from_secs(num_bytes as u64 / MIN_BYTES_PER_SEC);
    for_attempts_of(ATTEMPT_TIMEOUT + moving)
}

/// The settings of a request of which one attempt may take as long as `attempt`.
pub(super) fn for_attempts_of(attempt: Duration) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::Config::builder().timeout_config(timeouts(attempt))
}

fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(attempt)
        // Attempts that fail do so sooner, as a rule: twice one attempt is patience enough.
        .operation_timeout(attempt * 2 + ATTEMPT_TIMEOUT)
        .build()
}
