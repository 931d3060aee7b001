//! The object store as a part of an S3 bucket.
//!
//! An object that fits one part is put by one request; a longer one by a multipart upload, whose parts are held
//! whole in memory, so that each can be checksummed and sent again. A put holds
//! [`S3Options::max_parts_in_flight`] × [`S3Options::part_bytes`], up to 39 GiB (see [`parts`]), and the piece of
//! the body that is being cut. An upload that fails or is dropped is aborted; [`ObjectStore::settle`] waits for
//! that.
//!
//! What a killed process leaves is billed until it is aborted: [`ObjectStore::remove_abandoned`] does so, and
//! buckets should have a lifecycle rule `AbortIncompleteMultipartUpload` as well.

mod config;
mod error;
mod get;
mod list;
mod parts;
mod put;
mod upload;

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use self::error::Refusal;
use super::{Body, Key, Object, ObjectStore, StoreError, StoreLocation};

/// The least that S3 takes as a part that is not the last (Amazon S3 User Guide, "Multipart upload limits").
pub const MIN_PART_BYTES: usize = 5 << 20;

/// How objects go to and come from S3.
#[derive(Debug, Clone)]
pub struct S3Options {
    /// The size of a part, at least [`MIN_PART_BYTES`].
    pub part_bytes: usize,
    /// Parts of one object that are held and sent at the same time, at least 1.
    pub max_parts_in_flight: usize,
    /// How often a request is tried, at least 1.
    pub max_attempts: u32,
    /// How long the first retry waits at most; each further one up to twice as long.
    pub retry_backoff: Duration,
}

impl Default for S3Options {
    fn default() -> Self {
        S3Options {
            part_bytes: 8 << 20,
            max_parts_in_flight: 4,
            max_attempts: 6,
            retry_backoff: Duration::from_secs(1),
        }
    }
}

/// A part of an S3 bucket that keeps objects.
#[derive(Debug)]
pub struct S3 {
    bucket: Arc<Bucket>,
}

/// What requests and the aborts in the background share.
#[derive(Debug)]
struct Bucket {
    client: Client,
    name: String,
    /// What is before every key, with a `/` at its end unless it is empty.
    prefix: String,
    /// Where requests go, if not to AWS.
    endpoint: Option<String>,
    options: S3Options,
    /// Puts that are going on, and aborts.
    tasks: TaskTracker,
    /// Aborts work on it, also when a put is dropped outside of any runtime.
    runtime: Handle,
    /// Uploads that could not be aborted, since `settle` was last called.
    left_open: Mutex<Vec<String>>,
}

impl S3 {
    /// Opens the store below `prefix` with the region and credentials of the usual AWS environment, at
    /// `endpoint_url` where one is named and not at AWS.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where there is no region or there are no credentials, or the options are out of
    /// bounds. Whether the bucket exists is found out by using it.
    ///
    /// # Panics
    /// If it is not called on a tokio runtime.
    pub async fn connect(
        bucket: &str,
        prefix: &str,
        options: S3Options,
        endpoint_url: Option<&str>,
    ) -> Result<Self, StoreError> {
        let location = StoreLocation::S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        let config = crate::aws::load(endpoint_url).await;
        let config =
            config.map_err(|error| StoreError::failed(location, "opened", false, error))?;
        S3::with_config(&config, bucket, prefix, options)
    }

    /// Opens the store below `prefix` with a configuration that others share, made with
    /// [`config_loader`](crate::aws::config_loader).
    ///
    /// # Errors
    /// [`StoreError::Failed`] where the options are out of bounds.
    ///
    /// # Panics
    /// If it is not called on a tokio runtime.
    pub fn with_config(
        config: &SdkConfig,
        bucket: &str,
        prefix: &str,
        options: S3Options,
    ) -> Result<Self, StoreError> {
        let prefix = prefix.trim_end_matches('/');
        let location = StoreLocation::S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        if options.part_bytes < MIN_PART_BYTES || options.max_parts_in_flight == 0 {
            return Err(StoreError::failed(
                location,
                "opened",
                false,
                Refusal::Options,
            ));
        }
        let (client, endpoint) = config::client(config, &options);
        let tasks = TaskTracker::new();
        tasks.close();
        let bucket = Bucket {
            client,
            name: bucket.to_owned(),
            prefix: if prefix.is_empty() {
                String::new()
            } else {
                format!("{prefix}/")
            },
            endpoint,
            options,
            tasks,
            runtime: Handle::current(),
            left_open: Mutex::default(),
        };
        Ok(S3 {
            bucket: Arc::new(bucket),
        })
    }
}

#[async_trait]
impl ObjectStore for S3 {
    fn location(&self) -> String {
        self.bucket.url("").trim_end_matches('/').to_owned()
    }

    async fn put(&self, key: &Key, body: Body) -> Result<Object, StoreError> {
        put::put(&self.bucket, key, body).await
    }

    async fn publish(&self, key: &Key, bytes: Bytes) -> Result<Object, StoreError> {
        put::publish(&self.bucket, key, bytes).await
    }

    async fn head(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        get::head(&self.bucket, key).await
    }

    async fn read_range(&self, object: &Object, range: Range<u64>) -> Result<Bytes, StoreError> {
        get::read_range(&self.bucket, object, range).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Object>, StoreError> {
        list::objects(&self.bucket, prefix).await
    }

    async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let bucket = &self.bucket;
        let request = bucket.client.delete_object().bucket(&bucket.name);
        match request.key(bucket.full_key(key)).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(bucket.error(key.as_str(), "deleted", "s3:DeleteObject", error)),
        }
    }

    async fn remove_abandoned(&self, prefix: &str, min_age: Duration) -> Result<u64, StoreError> {
        list::abort_uploads(&self.bucket, prefix, min_age).await
    }

    async fn settle(&self) -> Result<(), StoreError> {
        self.bucket.tasks.wait().await;
        let left_open = &mut *self.bucket.left_open();
        match std::mem::take(left_open) {
            uploads if uploads.is_empty() => Ok(()),
            uploads => Err(StoreError::failed(
                self.location(),
                "cleared of unfinished uploads",
                true,
                Refusal::LeftOpen(uploads),
            )),
        }
    }
}

impl Bucket {
    fn full_key(&self, key: &Key) -> String {
        format!("{}{key}", self.prefix)
    }

    /// What people call a key or prefix.
    fn url(&self, key: &str) -> String {
        format!("s3://{}/{}{key}", self.name, self.prefix)
    }

    fn left_open(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        // A list is whole whoever panicked.
        self.left_open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
