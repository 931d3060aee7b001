//! Keeping a small input: parsed, as JSON, with its origin.

use bytes::Bytes;
use futures::{StreamExt, stream};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Context, StageError};
use crate::inputs::{Entry, SetName, hexadecimal, key_of};
use crate::upstream::Origin;

/// The rows of a document.
pub(super) struct Rows {
    pub(super) read: u64,
    pub(super) rejected: u64,
}

/// Stores `document` as the object `name` of `set`.
pub(super) async fn keep(
    context: &Context,
    set: &SetName,
    name: &'static str,
    document: &impl Serialize,
    origin: Origin,
    rows: Rows,
) -> Result<Entry, StageError> {
    let json = serde_json::to_vec(document).map_err(|source| StageError::Document {
        from: origin.url.clone(),
        source: source.into(),
    })?;
    let entry = Entry {
        object: name.to_owned(),
        source: origin.url,
        fetched_at: origin.fetched_at,
        etag: origin.etag,
        last_modified: origin.last_modified,
        bytes: json.len() as u64,
        rows: rows.read,
        rejected: rows.rejected,
        sha256: hexadecimal(&Sha256::digest(&json)),
    };
    put_small(context, set, name, Bytes::from(json)).await?;
    Ok(entry)
}

/// Stores `bytes` as the object `name` of `set`.
pub(super) async fn put_small(
    context: &Context,
    set: &SetName,
    name: &'static str,
    bytes: Bytes,
) -> Result<(), StageError> {
    let body = stream::once(async { Ok(bytes) }).boxed();
    context.store.put(&key_of(set, name), body).await?;
    Ok(())
}
