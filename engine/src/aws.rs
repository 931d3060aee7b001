//! What the adapters for AWS share: where their settings come from.

pub use aws_config::SdkConfig;
use aws_config::{BehaviorVersion, ConfigLoader};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// Loads the settings of the usual AWS environment: its variables, its files, the roles of the machine. They
/// include `AWS_ENDPOINT_URL`, and `AWS_REQUEST_CHECKSUM_CALCULATION=when_required` for servers that do not
/// know S3's newer checksums.
#[must_use]
pub fn config_loader() -> ConfigLoader {
    let tls = Provider::Rustls(CryptoMode::Ring);
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(Builder::new().tls_provider(tls).build_https())
}
