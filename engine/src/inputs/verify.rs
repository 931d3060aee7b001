//! Verification: whether a set's objects are still those that its manifest names.

use std::fmt::Write;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, pin_mut};
use sha2::{Digest, Sha256};

use super::{Entry, InputsError, Manifest};
use crate::cpu::on_cpu;
use crate::observer::Observer;
use crate::store::{Object, ObjectStore, ReadOptions, stream};

/// What is wrong with an object of a set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is gone.
    #[error("is not there")]
    Missing,
    /// It has another size.
    #[error("has {found} bytes where the manifest says {expected}")]
    Size {
        /// What the manifest says.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// It has another content.
    #[error("has the SHA-256 {found} where the manifest says {expected}")]
    Sha256 {
        /// What the manifest says.
        expected: String,
        /// What is there.
        found: String,
    },
}

/// The object that an `entry` of a `manifest` names.
///
/// # Errors
/// [`InputsError::Damaged`] where it is missing or of another size, [`InputsError::Store`].
pub async fn object(
    store: &dyn ObjectStore,
    manifest: &Manifest,
    entry: &Entry,
) -> Result<Object, InputsError> {
    find(store, manifest, entry)
        .await?
        .map_err(|fault| damaged(manifest, entry, fault))
}

/// Reads a small object whole, which is as its `entry` in `manifest` says.
///
/// # Errors
/// [`InputsError::Damaged`] where it is not, [`InputsError::Store`].
pub async fn read(
    store: &dyn ObjectStore,
    manifest: &Manifest,
    entry: &Entry,
) -> Result<Bytes, InputsError> {
    let object = object(store, manifest, entry).await?;
    let bytes = store.read_range(&object, 0..object.bytes).await?;
    match compare(entry, &Sha256::digest(&bytes)) {
        Some(fault) => Err(damaged(manifest, entry, fault)),
        None => Ok(bytes),
    }
}

/// Reads an object of the set of `manifest` and compares it with its `entry` there.
///
/// # Errors
/// [`InputsError::Store`] where it cannot be read.
pub async fn verify(
    store: &Arc<dyn ObjectStore>,
    manifest: &Manifest,
    entry: &Entry,
    observer: &dyn Observer,
) -> Result<Option<Fault>, InputsError> {
    let object = match find(&**store, manifest, entry).await? {
        Ok(object) => object,
        Err(fault) => return Ok(Some(fault)),
    };
    let mut hash = Sha256::new();
    let bytes = stream(Arc::clone(store), object, ReadOptions::default());
    pin_mut!(bytes);
    while let Some(bytes) = bytes.next().await {
        let bytes = bytes?;
        observer.received(&entry.object, bytes.len() as u64, Some(entry.bytes));
        hash = on_cpu(move || hash.chain_update(&bytes)).await;
    }
    Ok(compare(entry, &hash.finalize()))
}

/// Finds the object of an entry, if it is there and has its size.
async fn find(
    store: &dyn ObjectStore,
    manifest: &Manifest,
    entry: &Entry,
) -> Result<Result<Object, Fault>, InputsError> {
    // A manifest that names something else than an object names nothing that is there.
    let Ok(key) = manifest.set.key(&entry.object) else {
        return Ok(Err(Fault::Missing));
    };
    Ok(match store.head(&key).await? {
        None => Err(Fault::Missing),
        Some(object) if object.bytes != entry.bytes => Err(Fault::Size {
            expected: entry.bytes,
            found: object.bytes,
        }),
        Some(object) => Ok(object),
    })
}

fn compare(entry: &Entry, hash: &[u8]) -> Option<Fault> {
    let found = hexadecimal(hash);
    (found != entry.sha256).then(|| Fault::Sha256 {
        expected: entry.sha256.clone(),
        found,
    })
}

fn damaged(manifest: &Manifest, entry: &Entry, fault: Fault) -> InputsError {
    InputsError::Damaged {
        set: manifest.set.clone(),
        object: entry.object.clone(),
        fault,
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
