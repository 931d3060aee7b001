//! The queue on Amazon SQS: a standard queue, at least once, in no order.
//!
//! Messages go out in calls of `SendMessageBatch`, each filled as far as the limits allow. A call that fails
//! whole is tried again by the SDK. One that succeeds may still have failed for some of its entries: those are
//! sent again, after growing delays with jitter, unless SQS says that they are the sender's fault. The bound is
//! [`SqsOptions::max_calls_in_flight`] over all who send by one [`Sqs`].

mod error;
mod send;

use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::Client;
use tokio::sync::Semaphore;

use self::error::refused;
use super::{Delivery, Queue, QueueError};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one attempt may take: a megabyte on a slow network, or the longest wait for a message.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(40);
/// The most messages of one receipt, and the longest wait for them (Amazon SQS API Reference, `ReceiveMessage`).
const MAX_RECEIVED: usize = 10;
const MAX_WAIT: Duration = Duration::from_secs(20);
/// The longest time that a message is hidden (Amazon SQS API Reference, `ChangeMessageVisibility`).
const MAX_HIDDEN: Duration = Duration::from_secs(12 * 60 * 60);

/// How messages go to SQS.
#[derive(Debug, Clone)]
pub struct SqsOptions {
    /// The most bytes of the messages of a call, up to 1 MiB. AWS takes that much since August 2025 and took
    /// 256 KiB before, which some other servers still keep to.
    pub batch_bytes: usize,
    /// Calls that are in flight at the same time, at least 1.
    pub max_calls_in_flight: usize,
    /// How often a call, and an entry of one, is tried, at least 1.
    pub max_attempts: u32,
    /// How long the first retry waits at most; each further one up to twice as long.
    pub retry_backoff: Duration,
}

impl Default for SqsOptions {
    fn default() -> Self {
        SqsOptions {
            batch_bytes: 256 << 10,
            max_calls_in_flight: 8,
            max_attempts: 8,
            retry_backoff: Duration::from_millis(200),
        }
    }
}

/// A queue on Amazon SQS.
#[derive(Debug)]
pub struct Sqs {
    client: Client,
    url: String,
    options: SqsOptions,
    /// One permit for each call that may be in flight.
    calls: Semaphore,
}

impl Sqs {
    /// Opens the queue at `url` with a configuration that others share, made with
    /// [`config_loader`](crate::aws::config_loader). Whether it exists is found out by using it.
    #[must_use]
    pub fn with_config(config: &SdkConfig, url: &str, options: SqsOptions) -> Self {
        let retries = RetryConfig::standard()
            .with_max_attempts(options.max_attempts)
            .with_initial_backoff(options.retry_backoff);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            // Attempts that fail do so sooner, as a rule.
            .operation_timeout(ATTEMPT_TIMEOUT * 3)
            .build();
        let config = aws_sdk_sqs::config::Builder::from(config)
            .retry_config(retries)
            .timeout_config(timeouts);
        Sqs {
            client: Client::from_conf(config.build()),
            url: url.to_owned(),
            calls: Semaphore::new(options.max_calls_in_flight),
            options,
        }
    }
}

#[async_trait]
impl Queue for Sqs {
    async fn send(&self, bodies: Vec<String>) -> Result<(), QueueError> {
        send::send(self, bodies).await
    }

    async fn receive(&self, max: usize, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        let request = self.client.receive_message().queue_url(&self.url);
        let request = request
            .max_number_of_messages(max.clamp(1, MAX_RECEIVED) as i32)
            .wait_time_seconds(wait.min(MAX_WAIT).as_secs() as i32);
        let answer = request
            .send()
            .await
            .map_err(|error| refused(&self.url, "received from", "sqs:ReceiveMessage", error))?;
        let messages = answer.messages.unwrap_or_default().into_iter();
        let delivery = |message: aws_sdk_sqs::types::Message| Delivery {
            body: message.body.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
        };
        Ok(messages.map(delivery).collect())
    }

    async fn ack(&self, receipt: &str) -> Result<(), QueueError> {
        let request = self.client.delete_message().queue_url(&self.url);
        match request.receipt_handle(receipt).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(refused(
                &self.url,
                "acknowledged at",
                "sqs:DeleteMessage",
                error,
            )),
        }
    }

    async fn return_after(&self, receipt: &str, delay: Duration) -> Result<(), QueueError> {
        let request = self.client.change_message_visibility().queue_url(&self.url);
        let request = request
            .receipt_handle(receipt)
            .visibility_timeout(delay.min(MAX_HIDDEN).as_secs() as i32);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(refused(
                &self.url,
                "returned to",
                "sqs:ChangeMessageVisibility",
                error,
            )),
        }
    }
}
