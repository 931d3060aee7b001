//! Where a store is, as people write it: a path, or `s3://bucket/prefix`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use super::{Directory, ObjectStore, StoreError};

/// The longest prefix, bytes: with the longest key it fits what S3 takes.
const MAX_PREFIX_BYTES: usize = 500;

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// A directory.
    Directory(PathBuf),
    /// A part of an S3 bucket.
    S3 {
        /// The bucket.
        bucket: String,
        /// What all keys begin with, without a `/` at its end; may be empty.
        prefix: String,
    },
}

/// A text that is no store's location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no store: {reason}")]
pub struct BadLocation {
    text: String,
    reason: &'static str,
}

impl StoreLocation {
    /// Opens the store. For S3, the region and credentials come from the usual AWS environment, and requests go to
    /// `endpoint_url` where one is named.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where it cannot be used; an S3 location always fails without the cargo feature
    /// `aws`.
    #[cfg_attr(
        not(feature = "aws"),
        allow(unused_variables, reason = "only S3 has one")
    )]
    pub async fn open(
        &self,
        endpoint_url: Option<&str>,
    ) -> Result<Arc<dyn ObjectStore>, StoreError> {
        match self {
            StoreLocation::Directory(path) => Ok(Arc::new(Directory::open(path)?)),
            #[cfg(feature = "aws")]
            StoreLocation::S3 { bucket, prefix } => {
                let options = super::S3Options::default();
                Ok(Arc::new(
                    super::S3::connect(bucket, prefix, options, endpoint_url).await?,
                ))
            }
            #[cfg(not(feature = "aws"))]
            StoreLocation::S3 { .. } => Err(StoreError::failed(
                self,
                "opened",
                false,
                "this program was built without S3: build it with `cargo install --path cli --features aws`",
            )),
        }
    }
}

impl FromStr for StoreLocation {
    type Err = BadLocation;

    fn from_str(text: &str) -> Result<Self, BadLocation> {
        let bad = |reason| BadLocation {
            text: text.chars().take(200).collect(),
            reason,
        };
        let Some(rest) = text.strip_prefix("s3://") else {
            return match text {
                "" => Err(bad("a directory or s3://bucket/prefix is wanted")),
                _ if text.contains("://") => Err(bad("only s3://bucket/prefix is a URL of one")),
                path => Ok(StoreLocation::Directory(path.into())),
            };
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if bucket.is_empty() || !bucket.bytes().all(is_plain) {
            return Err(bad(
                "the bucket's name is missing or has other characters than S3 allows",
            ));
        }
        let is_segment = |segment: &str| {
            !matches!(segment, "" | "." | "..") && !segment.contains(char::is_control)
        };
        if !prefix.is_empty() && !prefix.split('/').all(is_segment) {
            return Err(bad(
                "the prefix has an empty part, '.', '..' or a control character",
            ));
        }
        if prefix.len() > MAX_PREFIX_BYTES {
            return Err(bad("the prefix is longer than 500 bytes"));
        }
        Ok(StoreLocation::S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreLocation::Directory(path) => path.display().fmt(f),
            StoreLocation::S3 { bucket, prefix } if prefix.is_empty() => {
                write!(f, "s3://{bucket}")
            }
            StoreLocation::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_or_a_bucket_is_understood() {
        let s3 = |bucket: &str, prefix: &str| StoreLocation::S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        for (text, expected) in [
            ("store", StoreLocation::Directory("store".into())),
            ("/a/s3:/b", StoreLocation::Directory("/a/s3:/b".into())),
            ("s3://bucket", s3("bucket", "")),
            ("s3://bucket/", s3("bucket", "")),
            ("s3://my.bucket/a/b c/", s3("my.bucket", "a/b c")),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for bad in [
            "",
            "s3://",
            "s3:///a",
            "s3://b/a//c",
            "s3://b/../c",
            "https://x/y",
        ] {
            assert!(bad.parse::<StoreLocation>().is_err(), "{bad:?}");
        }
        let text = "s3://bucket/a/b";
        assert_eq!(text.parse::<StoreLocation>().unwrap().to_string(), text);
    }

    #[cfg(not(feature = "aws"))]
    #[tokio::test]
    async fn without_s3_its_location_says_how_to_get_it() {
        let location: StoreLocation = "s3://bucket/a".parse().unwrap();
        let Err(StoreError::Failed { source, .. }) = location.open(None).await else {
            panic!("it opened");
        };
        assert!(source.to_string().contains("--features aws"), "{source}");
    }
}
