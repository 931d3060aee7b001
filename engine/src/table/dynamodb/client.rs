//! The DynamoDB client: its retries and timeouts.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;

use super::DynamoDbOptions;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one attempt at a request may take. DynamoDB answers in milliseconds; a batch of 25 in tens of them.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// The client, and where it sends requests if not to AWS.
pub(super) fn client(config: &SdkConfig, options: &DynamoDbOptions) -> (Client, Option<String>) {
    let own_endpoint = std::env::var("AWS_ENDPOINT_URL_DYNAMODB").ok();
    let endpoint = own_endpoint.or_else(|| config.endpoint_url().map(str::to_owned));
    let retries = RetryConfig::standard()
        .with_max_attempts(options.max_attempts)
        .with_initial_backoff(options.retry_backoff);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        // Attempts that fail do so sooner, as a rule.
        .operation_timeout(ATTEMPT_TIMEOUT * 4)
        .build();
    let config = aws_sdk_dynamodb::config::Builder::from(config)
        .retry_config(retries)
        .timeout_config(timeouts)
        .build();
    (Client::from_conf(config), endpoint)
}
