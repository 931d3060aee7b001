//! Describes and reads objects.

use std::ops::Range;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::DateTime;
use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use jiff::Timestamp;

use super::Bucket;
use super::error::{Refusal, is_answer};
use crate::store::{Key, Object, StoreError};

pub(super) async fn head(bucket: &Bucket, key: &Key) -> Result<Option<Object>, StoreError> {
    let request = bucket.client.head_object().bucket(&bucket.name);
    match request.key(bucket.full_key(key)).send().await {
        Ok(found) => {
            let found = bucket.object(
                key.clone(),
                found.content_length,
                found.e_tag,
                found.last_modified,
            );
            Ok(Some(found?))
        }
        // The answer has no body that would tell a missing object from a missing bucket.
        Err(error) if is_answer(&error, "NotFound", 404) => Ok(None),
        Err(error) => {
            // Without the second one, S3 denies access to what is not there.
            let actions = "s3:GetObject and s3:ListBucket";
            Err(bucket.error(key.as_str(), "looked up", actions, error))
        }
    }
}

/// Reads a range. Where the connection breaks, what has come is kept and the rest is asked for.
pub(super) async fn read_range(
    bucket: &Bucket,
    object: &Object,
    range: Range<u64>,
) -> Result<Bytes, StoreError> {
    let range = object.clamp(range);
    let num_bytes = usize::try_from(range.end - range.start).map_err(|error| {
        StoreError::failed(bucket.url(object.key.as_str()), "read", false, error)
    })?;
    let mut bytes = Vec::with_capacity(num_bytes);
    let mut waits = ExponentialBuilder::new()
        .with_min_delay(bucket.options.retry_backoff)
        .with_jitter()
        .with_max_times(bucket.options.max_attempts as usize)
        .build();
    while bytes.len() < num_bytes {
        let rest = range.start + bytes.len() as u64..range.end;
        // The client has tried a request that fails often enough; a body that breaks is ours.
        let answer = ask(bucket, object, &rest).await?;
        if let Err(refusal) = read_some(answer, &rest, &mut bytes).await {
            match waits.next() {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(bucket.broken(object.key.as_str(), "read", refusal)),
            }
        }
    }
    Ok(bytes.into())
}

/// Asks for a range, which is not empty.
async fn ask(
    bucket: &Bucket,
    object: &Object,
    range: &Range<u64>,
) -> Result<GetObjectOutput, StoreError> {
    let key = &object.key;
    let request = bucket
        .client
        .get_object()
        .bucket(&bucket.name)
        .key(bucket.full_key(key))
        .range(format!("bytes={}-{}", range.start, range.end - 1))
        .if_match(&object.etag);
    match request.send().await {
        Ok(answer) => Ok(answer),
        Err(error) if is_answer(&error, "PreconditionFailed", 412) => {
            Err(StoreError::Replaced { key: key.clone() })
        }
        Err(error) if is_answer(&error, "NoSuchKey", 404) => {
            Err(StoreError::NotFound { key: key.clone() })
        }
        Err(error) => Err(bucket.error(key.as_str(), "read", "s3:GetObject", error)),
    }
}

/// Reads a range as far as one connection goes.
async fn read_some(
    answer: GetObjectOutput,
    range: &Range<u64>,
    bytes: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let expected = range.end - range.start;
    let found = answer.content_length.unwrap_or_default().cast_unsigned();
    if found != expected {
        return Err(Refusal::Length { found, expected });
    }
    let mut body = answer.body;
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece.map_err(|error| Refusal::Broken(Box::new(error)))?);
    }
    Ok(())
}

impl Bucket {
    /// The object that an answer describes.
    pub(super) fn object(
        &self,
        key: Key,
        bytes: Option<i64>,
        etag: Option<String>,
        modified: Option<DateTime>,
    ) -> Result<Object, StoreError> {
        let lacking = |what| self.broken(key.as_str(), "looked up", Refusal::Lacking(what));
        let bytes = bytes.and_then(|bytes| u64::try_from(bytes).ok());
        let modified = modified
            .and_then(|time| Timestamp::new(time.secs(), time.subsec_nanos().cast_signed()).ok());
        Ok(Object {
            bytes: bytes.ok_or_else(|| lacking("a size"))?,
            etag: etag.ok_or_else(|| lacking("an ETag"))?,
            modified: modified.ok_or_else(|| lacking("a time"))?,
            key,
        })
    }
}
