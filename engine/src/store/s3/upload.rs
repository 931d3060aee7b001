//! A multipart upload: parts side by side, and an abort whenever it does not come to its end.

use std::sync::Arc;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::abort_multipart_upload::AbortMultipartUploadError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::Bucket;
use super::config::{self, COMPLETION_TIMEOUT};
use super::error::{Refusal, is_answer};
use super::parts::{PartPlan, Parts};
use crate::store::{Key, Object, StoreError};

/// How often an abort is tried again, beyond the attempts of each request.
const MAX_ABORT_RETRIES: usize = 3;

/// An open upload. Dropped before it is completed, it is aborted in the background.
pub(super) struct Upload {
    bucket: Arc<Bucket>,
    key: Key,
    id: String,
    in_flight: JoinSet<Result<CompletedPart, StoreError>>,
    sent: Vec<CompletedPart>,
    num_bytes: u64,
    is_open: bool,
}

impl Upload {
    /// Opens an upload.
    ///
    /// # Cancel safety
    /// Dropped before it is done, it is aborted as soon as it is known.
    pub(super) async fn create(bucket: &Arc<Bucket>, key: &Key) -> Result<Upload, StoreError> {
        let (bucket, key) = (Arc::clone(bucket), key.clone());
        let tasks = bucket.tasks.clone();
        let created = tasks.spawn(async move {
            let request = bucket.client.create_multipart_upload();
            let request = request.bucket(&bucket.name).key(bucket.full_key(&key));
            let created = request
                .send()
                .await
                .map_err(|error| bucket.error(key.as_str(), "stored", "s3:PutObject", error))?;
            let lacking =
                || bucket.broken(key.as_str(), "stored", Refusal::Lacking("an upload id"));
            Ok(Upload {
                id: created.upload_id.ok_or_else(lacking)?,
                bucket,
                key,
                in_flight: JoinSet::new(),
                sent: Vec::new(),
                num_bytes: 0,
                is_open: true,
            })
        });
        finished(created.await)
    }

    /// Sends `first` and all the rest of the parts, and completes the upload.
    pub(super) async fn send_all(
        &mut self,
        first: Bytes,
        parts: &mut Parts,
    ) -> Result<Object, StoreError> {
        let plan = PartPlan::new(&self.bucket.options);
        let mut number = 1;
        self.send(number, first);
        loop {
            number += 1;
            // The next part is not even read before its turn, so that no more are held than are in flight.
            while self.in_flight.len() >= plan.max_in_flight(number) {
                self.receive().await?;
            }
            let part = loop {
                tokio::select! {
                    next = parts.next() => match next {
                        Ok(Some(part)) => break part,
                        Ok(None) => return self.complete().await,
                        Err(source) => {
                            return Err(StoreError::Body { key: self.key.clone(), source });
                        }
                    },
                    // A part that fails for good ends the upload, however slow the body is.
                    received = self.receive(), if !self.in_flight.is_empty() => received?,
                }
            };
            self.send(number, part);
        }
    }

    /// Ends the upload so that nothing of it remains.
    ///
    /// # Cancel safety
    /// Dropped before it is done, the abort goes on.
    pub(super) async fn abort(mut self) {
        if let Some(aborted) = self.begin_abort() {
            // Its only error is that the runtime ends.
            let _ = aborted.await;
        }
    }

    fn send(&mut self, number: usize, part: Bytes) {
        self.num_bytes += part.len() as u64;
        let bucket = Arc::clone(&self.bucket);
        let (key, id) = (self.key.clone(), self.id.clone());
        self.in_flight
            .spawn(async move { send_part(&bucket, &key, &id, number, part).await });
    }

    /// Waits for a part that is in flight.
    async fn receive(&mut self) -> Result<(), StoreError> {
        if let Some(sent) = self.in_flight.join_next().await {
            self.sent.push(finished(sent)?);
        }
        Ok(())
    }

    async fn complete(&mut self) -> Result<Object, StoreError> {
        while !self.in_flight.is_empty() {
            self.receive().await?;
        }
        let (bucket, key) = (&self.bucket, &self.key);
        let mut parts = std::mem::take(&mut self.sent);
        parts.sort_by_key(|part| part.part_number);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts));
        let request = bucket
            .client
            .complete_multipart_upload()
            .bucket(&bucket.name)
            .key(bucket.full_key(key))
            .upload_id(&self.id)
            .multipart_upload(parts.build())
            .customize()
            .config_override(config::for_attempts_of(COMPLETION_TIMEOUT));
        match request.send().await {
            Ok(stored) => {
                self.is_open = false;
                bucket.stored(key, self.num_bytes, stored.e_tag)
            }
            Err(error) => Err(bucket.error(key.as_str(), "stored", "s3:PutObject", error)),
        }
    }

    /// Aborts the upload in the background, unless it is closed.
    fn begin_abort(&mut self) -> Option<JoinHandle<()>> {
        if !std::mem::replace(&mut self.is_open, false) {
            return None;
        }
        let bucket = Arc::clone(&self.bucket);
        let (key, id) = (bucket.full_key(&self.key), std::mem::take(&mut self.id));
        let mut in_flight = std::mem::take(&mut self.in_flight);
        let (tasks, runtime) = (bucket.tasks.clone(), bucket.runtime.clone());
        let abort = async move {
            // A part that arrives behind the abort would stay (Amazon S3 API Reference,
            // `AbortMultipartUpload`).
            in_flight.shutdown().await;
            bucket.abort(&key, &id).await;
        };
        Some(tasks.spawn_on(abort, &runtime))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // It goes on by itself; `settle` waits for it.
        let _ = self.begin_abort();
    }
}

impl Bucket {
    /// Aborts an upload, or else notes that it is left open.
    async fn abort(&self, full_key: &str, id: &str) {
        let retries = ExponentialBuilder::new()
            .with_min_delay(self.options.retry_backoff)
            .with_jitter()
            .with_max_times(MAX_ABORT_RETRIES);
        let aborted = (|| self.try_abort(full_key, id)).retry(retries).await;
        if aborted.is_err() {
            let name = format!("s3://{}/{full_key} ({id})", self.name);
            self.left_open().push(name);
        }
    }

    /// Aborts an upload; one that is gone is aborted already.
    pub(super) async fn try_abort(
        &self,
        full_key: &str,
        id: &str,
    ) -> Result<(), SdkError<AbortMultipartUploadError>> {
        let request = self.client.abort_multipart_upload().bucket(&self.name);
        match request.key(full_key).upload_id(id).send().await {
            Err(error) if !is_answer(&error, "NoSuchUpload", 404) => Err(error),
            _ => Ok(()),
        }
    }
}

async fn send_part(
    bucket: &Bucket,
    key: &Key,
    id: &str,
    number: usize,
    part: Bytes,
) -> Result<CompletedPart, StoreError> {
    let number = i32::try_from(number).expect("there are 10,000 parts at most");
    let settings = config::for_bytes(part.len());
    let sent = bucket
        .client
        .upload_part()
        .bucket(&bucket.name)
        .key(bucket.full_key(key))
        .upload_id(id)
        .part_number(number)
        .body(ByteStream::from(part))
        .customize()
        .config_override(settings)
        .send()
        .await;
    let sent = sent.map_err(|error| bucket.error(key.as_str(), "stored", "s3:PutObject", error))?;
    Ok(CompletedPart::builder()
        .part_number(number)
        .set_e_tag(sent.e_tag)
        .set_checksum_crc32(sent.checksum_crc32)
        .set_checksum_crc32_c(sent.checksum_crc32_c)
        .set_checksum_crc64_nvme(sent.checksum_crc64_nvme)
        .set_checksum_sha1(sent.checksum_sha1)
        .set_checksum_sha256(sent.checksum_sha256)
        .build())
}

/// The task's value; its panic goes on here.
fn finished<T>(joined: Result<T, JoinError>) -> T {
    joined.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
}
