//! The object store: where inputs, reports and rejects are kept.
//!
//! [`ObjectStore`] is the port; a directory and S3 are its adapters, and one conformance suite
//! (`engine/tests/support/object_store.rs`) says in tests what every adapter does. What the objects mean is for
//! others: the module of input sets.
//!
//! An object appears whole or not at all: what is being put is visible to nobody until the last byte of
//! its body is stored. Memory is bounded by the adapter's options, never by the object's size.

pub mod directory;
mod key;
mod location;
pub mod read;
#[cfg(feature = "aws")]
pub mod s3;
mod writer;

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use jiff::Timestamp;

pub use directory::Directory;
pub use key::{BadKey, Key};
pub use location::{BadLocation, StoreLocation};
pub use read::{ReadOptions, Reader, read_all, stream};
#[cfg(feature = "aws")]
pub use s3::{S3, S3Options};
pub use writer::Writer;

/// An error of whoever makes a body. A store hands it back as it is, in [`StoreError::Body`].
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The bytes of an object to be put, in pieces of any size. An error in it means that the object is not to be.
pub type Body = BoxStream<'static, Result<Bytes, BodyError>>;

/// What a store says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is called.
    pub key: Key,
    /// Its size, bytes.
    pub bytes: u64,
    /// Changes whenever the object is replaced; means nothing else.
    pub etag: String,
    /// When it was stored, to the second: by the store's clock, or by ours where we stored it just now.
    pub modified: Timestamp,
}

impl Object {
    /// The part of `range` that the object has.
    fn clamp(&self, range: Range<u64>) -> Range<u64> {
        let end = range.end.min(self.bytes);
        range.start.min(end)..end
    }
}

/// A place for objects.
#[async_trait]
pub trait ObjectStore: fmt::Debug + Send + Sync {
    /// What people call the store: a path, or `s3://bucket/prefix`.
    fn location(&self) -> String;

    /// Stores `body` as the object `key`, in place of an older one.
    ///
    /// # Errors
    /// [`StoreError::Body`] where the body ends in an error, [`StoreError::Failed`] where the store fails.
    /// Nothing of the new object remains then, and an older one is as it was.
    ///
    /// # Cancel safety
    /// Dropped before it is done, nothing of the new object remains, or all of it where it was about to
    /// appear. What is half-written is removed in the background: see [`settle`](Self::settle).
    async fn put(&self, key: &Key, body: Body) -> Result<Object, StoreError>;

    /// Stores a small object unless there is one of that name: of several who try at once, one succeeds.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`], [`StoreError::Failed`].
    async fn publish(&self, key: &Key, bytes: Bytes) -> Result<Object, StoreError>;

    /// Describes an object, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn head(&self, key: &Key) -> Result<Option<Object>, StoreError>;

    /// Reads a part of an object, all of it in memory; what lies behind the object's end is left out. A connection that breaks is taken up again where it
    /// broke.
    ///
    /// # Errors
    /// [`StoreError::Replaced`] where the object is no longer the one that `object` describes,
    /// [`StoreError::NotFound`] where it is gone, [`StoreError::Failed`].
    async fn read_range(&self, object: &Object, range: Range<u64>) -> Result<Bytes, StoreError>;

    /// Lists the objects whose keys begin with `prefix`, by key.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn list(&self, prefix: &str) -> Result<Vec<Object>, StoreError>;

    /// Deletes an object; one that is not there is deleted already.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn delete(&self, key: &Key) -> Result<(), StoreError>;

    /// Removes what puts below `prefix` left half-written because their process died, and returns how many
    /// there were. Where the store cannot tell the dead from the living, only those older than `min_age`.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn remove_abandoned(&self, prefix: &str, min_age: Duration) -> Result<u64, StoreError>;

    /// Waits until no put is going on and what failed or dropped ones left half-written is removed. To be
    /// called before the runtime ends.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where something could not be removed since the last call: it stays
    /// until [`remove_abandoned`](Self::remove_abandoned).
    async fn settle(&self) -> Result<(), StoreError>;
}

/// What a store does not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The body to be put ended in an error.
    #[error("{key} is not stored")]
    Body {
        /// The object.
        key: Key,
        /// The body's error.
        #[source]
        source: BodyError,
    },
    /// There is an object of that name already.
    #[error("{key} exists already")]
    AlreadyExists {
        /// The object.
        key: Key,
    },
    /// There is no such object.
    #[error("there is no {key}")]
    NotFound {
        /// The object.
        key: Key,
    },
    /// The object was replaced while it was read.
    #[error("{key} was replaced while it was read")]
    Replaced {
        /// The object.
        key: Key,
    },
    /// The store itself failed.
    #[error("{what} cannot be {doing}")]
    Failed {
        /// The object or prefix, for people.
        what: String,
        /// What was being done, such as `read`.
        doing: &'static str,
        /// Whether the same call may succeed later.
        is_retryable: bool,
        /// Why.
        #[source]
        source: BodyError,
    },
}

impl StoreError {
    /// The store says that it is done and has not taken the whole body.
    pub(crate) fn not_taken(key: &Key) -> Self {
        Self::failed(key, "stored", false, "the store stopped before the end")
    }

    pub(crate) fn failed(
        what: impl fmt::Display,
        doing: &'static str,
        is_retryable: bool,
        source: impl Into<BodyError>,
    ) -> Self {
        StoreError::Failed {
            what: what.to_string(),
            doing,
            is_retryable,
            source: source.into(),
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Failed {
                is_retryable: true,
                ..
            }
        )
    }
}
