//! Lists objects, and aborts uploads that were left open.

use std::time::Duration;

use aws_sdk_s3::types::MultipartUpload;
use jiff::Timestamp;

use super::Bucket;
use super::error::Refusal;
use crate::store::{Key, Object, StoreError};

/// The objects whose keys begin with `prefix`, by key. What others keep there under names that are no keys is
/// left out.
pub(super) async fn objects(bucket: &Bucket, prefix: &str) -> Result<Vec<Object>, StoreError> {
    let mut pages = bucket
        .client
        .list_objects_v2()
        .bucket(&bucket.name)
        .prefix(format!("{}{prefix}", bucket.prefix))
        .into_paginator()
        .send();
    let mut objects = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| bucket.error(prefix, "listed", "s3:ListBucket", error))?;
        for found in page.contents.unwrap_or_default() {
            let full_key = found.key.as_deref().unwrap_or_default();
            let key = full_key.strip_prefix(&bucket.prefix).map(Key::new);
            if let Some(Ok(key)) = key {
                objects.push(bucket.object(key, found.size, found.e_tag, found.last_modified)?);
            }
        }
    }
    // Directory buckets list in no order.
    objects.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(objects)
}

/// Aborts uploads of keys that begin with `prefix` and were opened `min_age` ago or earlier. Returns how many.
pub(super) async fn abort_uploads(
    bucket: &Bucket,
    prefix: &str,
    min_age: Duration,
) -> Result<u64, StoreError> {
    let doing = "cleared of unfinished uploads";
    let newest = Timestamp::now()
        .checked_sub(min_age)
        .unwrap_or(Timestamp::MIN);
    let mut num_aborted = 0;
    for upload in open_uploads(bucket, prefix, doing).await? {
        let (Some(key), Some(id), Some(opened)) = (upload.key, upload.upload_id, upload.initiated)
        else {
            return Err(bucket.broken(prefix, doing, Refusal::Lacking("an upload's id")));
        };
        if opened.secs() <= newest.as_second() {
            let aborted = bucket.try_abort(&key, &id).await;
            aborted
                .map_err(|error| bucket.error(prefix, doing, "s3:AbortMultipartUpload", error))?;
            num_aborted += 1;
        }
    }
    Ok(num_aborted)
}

/// All uploads that are open below `prefix`.
async fn open_uploads(
    bucket: &Bucket,
    prefix: &str,
    doing: &'static str,
) -> Result<Vec<MultipartUpload>, StoreError> {
    let action = "s3:ListBucketMultipartUploads";
    let (mut key_marker, mut id_marker) = (None, None);
    let mut uploads = Vec::new();
    loop {
        let request = bucket
            .client
            .list_multipart_uploads()
            .bucket(&bucket.name)
            .prefix(format!("{}{prefix}", bucket.prefix))
            .set_key_marker(key_marker)
            .set_upload_id_marker(id_marker);
        let page = request.send().await;
        let page = page.map_err(|error| bucket.error(prefix, doing, action, error))?;
        uploads.extend(page.uploads.unwrap_or_default());
        if page.is_truncated != Some(true) {
            return Ok(uploads);
        }
        if page.next_key_marker.is_none() {
            return Err(bucket.broken(prefix, doing, Refusal::Lacking("a next page")));
        }
        (key_marker, id_marker) = (page.next_key_marker, page.next_upload_id_marker);
    }
}
