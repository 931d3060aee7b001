//! A client of the S3 server on loopback.

use engine::aws::config_loader;
use engine::store::{S3, S3Options};

use crate::s3_server::{ACCESS_KEY, S3Server, SECRET_KEY};

impl S3Server {
    /// A client of the server with its credentials.
    pub(crate) async fn connect(&self, bucket: &str, prefix: &str, options: S3Options) -> S3 {
        connect(&self.url, SECRET_KEY, bucket, prefix, options).await
    }
}

/// A client with nothing of this machine's AWS environment.
pub(crate) async fn connect(
    url: &str,
    secret_key: &str,
    bucket: &str,
    prefix: &str,
    options: S3Options,
) -> S3 {
    use aws_sdk_s3::config::{Credentials, Region};

    let credentials = Credentials::new(ACCESS_KEY, secret_key, None, None, "test");
    let config = config_loader()
        .region(Region::from_static("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(url)
        .load()
        .await;
    S3::with_config(&config, bucket, prefix, options).expect("a client")
}
