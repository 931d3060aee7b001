//! Puts objects: small ones by one request, longer ones in parts.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use jiff::Timestamp;

use super::error::{Refusal, is_answer};
use super::parts::{PartPlan, Parts};
use super::upload::Upload;
use super::{Bucket, config};
use crate::store::{Body, Key, Object, StoreError};

/// How often a publication is tried that meets another one. Each round one of them succeeds, so that the
/// next sees its object.
const MAX_CONFLICTS: usize = 5;

/// The metadata by which a publication knows its own object.
const PUBLICATION: &str = "publication";

pub(super) async fn put(bucket: &Arc<Bucket>, key: &Key, body: Body) -> Result<Object, StoreError> {
    let _going_on = bucket.tasks.token();
    let body_error = |source| StoreError::Body {
        key: key.clone(),
        source,
    };
    let mut parts = Parts::new(body, PartPlan::new(&bucket.options));
    let first = parts.next().await.map_err(body_error)?.unwrap_or_default();
    if !parts.has_more().await.map_err(body_error)? {
        return put_whole(bucket, key, first).await;
    }
    let mut upload = Upload::create(bucket, key).await?;
    match upload.send_all(first, &mut parts).await {
        Ok(object) => Ok(object),
        Err(error) => {
            upload.abort().await;
            Err(error)
        }
    }
}

async fn put_whole(bucket: &Bucket, key: &Key, bytes: Bytes) -> Result<Object, StoreError> {
    let num_bytes = bytes.len();
    let request = request(bucket, key, bytes).customize();
    let sent = request.config_override(config::for_bytes(num_bytes)).send();
    match sent.await {
        Ok(stored) => bucket.stored(key, num_bytes as u64, stored.e_tag),
        Err(error) => Err(bucket.error(key.as_str(), "stored", "s3:PutObject", error)),
    }
}

/// Puts the object unless there is one.
///
/// Where the answer to a request is lost, the next attempt meets its own object: it is told from others' by
/// a random number in its metadata.
pub(super) async fn publish(
    bucket: &Bucket,
    key: &Key,
    bytes: Bytes,
) -> Result<Object, StoreError> {
    let publication = format!("{:016x}", RandomState::new().hash_one(key));
    let mut waits = ExponentialBuilder::new()
        .with_min_delay(bucket.options.retry_backoff / 4)
        .with_jitter()
        .with_max_times(MAX_CONFLICTS)
        .build();
    loop {
        let sent = request(bucket, key, bytes.clone())
            .if_none_match("*")
            .metadata(PUBLICATION, &publication)
            .send();
        let error = match sent.await {
            Ok(stored) => return bucket.stored(key, bytes.len() as u64, stored.e_tag),
            Err(error) => error,
        };
        if is_answer(&error, "PreconditionFailed", 412) {
            return published_by(bucket, key, &publication).await;
        }
        // Others are at it at the same time (Amazon S3 API Reference, `PutObject`: to be tried again).
        let is_conflict = is_answer(&error, "ConditionalRequestConflict", 409);
        match waits.next() {
            Some(wait) if is_conflict => tokio::time::sleep(wait).await,
            _ => return Err(bucket.error(key.as_str(), "stored", "s3:PutObject", error)),
        }
    }
}

/// The object at `key` if `publication` made it.
async fn published_by(bucket: &Bucket, key: &Key, publication: &str) -> Result<Object, StoreError> {
    let request = bucket.client.head_object().bucket(&bucket.name);
    let found = request.key(bucket.full_key(key)).send().await;
    let marked = |found: &aws_sdk_s3::operation::head_object::HeadObjectOutput| {
        let metadata = found.metadata()?;
        Some(metadata.get(PUBLICATION)? == publication)
    };
    match found {
        Ok(found) if marked(&found) == Some(true) => {
            let num_bytes = found.content_length.unwrap_or_default();
            bucket.stored(key, num_bytes.cast_unsigned(), found.e_tag)
        }
        // It was there, whoever may see or has deleted it.
        Ok(_) | Err(SdkError::ServiceError(_)) => {
            Err(StoreError::AlreadyExists { key: key.clone() })
        }
        Err(error) => Err(bucket.error(key.as_str(), "stored", "s3:GetObject", error)),
    }
}

fn request(bucket: &Bucket, key: &Key, bytes: Bytes) -> PutObjectFluentBuilder {
    bucket
        .client
        .put_object()
        .bucket(&bucket.name)
        .key(bucket.full_key(key))
        .body(ByteStream::from(bytes))
}

impl Bucket {
    /// The object that S3 has just stored.
    pub(super) fn stored(
        &self,
        key: &Key,
        bytes: u64,
        etag: Option<String>,
    ) -> Result<Object, StoreError> {
        let lacking = || self.broken(key.as_str(), "stored", Refusal::Lacking("an ETag"));
        Ok(Object {
            key: key.clone(),
            bytes,
            etag: etag.ok_or_else(lacking)?,
            modified: Timestamp::now(),
        })
    }
}
