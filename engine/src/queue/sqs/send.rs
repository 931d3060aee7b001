//! Sending: messages cut into calls, and the entries of a call that failed sent again.

use std::time::Duration;

use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use backon::{BackoffBuilder, ExponentialBuilder};
use futures::future::try_join_all;

use super::Sqs;
use super::error::{Refusal, is_throttled, refused};
use crate::queue::QueueError;

/// The most messages of a call (Amazon SQS API Reference, `SendMessageBatch`).
const MAX_ENTRIES: usize = 10;
/// The longest delay between two attempts at an entry.
const MAX_DELAY: Duration = Duration::from_secs(20);
const DOING: &str = "sent to";
/// IAM's name for it; there is none for the batch.
const ACTION: &str = "sqs:SendMessage";

/// Sends messages, all of them.
pub(super) async fn send(sqs: &Sqs, bodies: Vec<String>) -> Result<(), QueueError> {
    let calls = cut(sqs, bodies)?;
    try_join_all(calls.into_iter().map(|call| send_call(sqs, call))).await?;
    Ok(())
}

/// Cuts messages into calls, in order, each filled as far as the limits allow.
fn cut(sqs: &Sqs, bodies: Vec<String>) -> Result<Vec<Vec<String>>, QueueError> {
    let max_bytes = sqs.options.batch_bytes;
    let mut calls: Vec<Vec<String>> = Vec::new();
    let mut num_bytes = 0;
    for body in bodies {
        let bytes = body.len();
        if bytes > max_bytes {
            return Err(QueueError::TooLong {
                queue: sqs.url.clone(),
                bytes,
                max_bytes,
            });
        }
        match calls.last_mut() {
            Some(call) if call.len() < MAX_ENTRIES && num_bytes + bytes <= max_bytes => {
                call.push(body);
                num_bytes += bytes;
            }
            _ => {
                calls.push(vec![body]);
                num_bytes = bytes;
            }
        }
    }
    Ok(calls)
}

/// Sends what one call takes, as often as it takes until no entry fails.
async fn send_call(sqs: &Sqs, bodies: Vec<String>) -> Result<(), QueueError> {
    let entry = |(id, body): (usize, String)| {
        let entry = SendMessageBatchRequestEntry::builder().id(id.to_string());
        entry.message_body(body).build()
    };
    let entries: Result<Vec<_>, _> = bodies.into_iter().enumerate().map(entry).collect();
    let failed = |refusal: Refusal, is_retryable| refusal.of(&sqs.url, DOING, is_retryable);
    let mut entries = entries.map_err(|error| failed(Refusal::Other(error.into()), false))?;
    // Delays of d/2 to d, doubled: backon adds up to as much again at random to each of its own.
    let mut delays = ExponentialBuilder::new()
        .with_min_delay(sqs.options.retry_backoff / 2)
        .with_max_delay(MAX_DELAY / 2)
        .with_max_times(sqs.options.max_attempts.saturating_sub(1) as usize)
        .with_jitter()
        .build();
    loop {
        let faults = attempt(sqs, &entries).await?;
        let Some(first) = faults.first() else {
            return Ok(());
        };
        let is_lasting =
            |fault: &&BatchResultErrorEntry| fault.sender_fault && !is_throttled(&fault.code);
        let refusal = |fault: &BatchResultErrorEntry| Refusal::Entries {
            num_entries: faults.len(),
            code: fault.code.clone(),
            message: fault.message.clone().unwrap_or_default(),
        };
        if let Some(fault) = faults.iter().find(is_lasting) {
            return Err(failed(refusal(fault), false));
        }
        let Some(delay) = delays.next() else {
            return Err(failed(refusal(first), true));
        };
        entries.retain(|entry| faults.iter().any(|fault| fault.id == entry.id));
        if entries.len() != faults.len() {
            return Err(failed(Refusal::OtherEntries, false));
        }
        tokio::time::sleep(delay).await;
    }
}

/// Sends entries once, and returns what is wrong with those that were not taken.
async fn attempt(
    sqs: &Sqs,
    entries: &[SendMessageBatchRequestEntry],
) -> Result<Vec<BatchResultErrorEntry>, QueueError> {
    let permit = sqs.calls.acquire().await;
    let _permit = permit.expect("the semaphore is never closed");
    let request = sqs.client.send_message_batch().queue_url(&sqs.url);
    let answer = request.set_entries(Some(entries.to_vec())).send().await;
    let answer = answer.map_err(|error| refused(&sqs.url, DOING, ACTION, error))?;
    if answer.successful.len() + answer.failed.len() != entries.len() {
        return Err(Refusal::OtherEntries.of(&sqs.url, DOING, true));
    }
    Ok(answer.failed)
}
