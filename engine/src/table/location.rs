//! Where a table is: a file, or `dynamodb:NAME`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use super::{Bodies, SharedTable, Table, TableError};

const SCHEME: &str = "dynamodb:";

/// Where a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableLocation {
    /// A SQLite file.
    File(PathBuf),
    /// What is published to a control table in DynamoDB, which is called like its stack.
    DynamoDb(String),
}

/// A text that is no table's location on AWS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no table: dynamodb:NAME is wanted, NAME being the stack's")]
pub struct BadTable(String);

impl TableLocation {
    /// Opens the table for questions. For DynamoDB, the region and credentials come from the usual AWS environment, and
    /// requests go to `endpoint_url` where one is named.
    ///
    /// # Errors
    /// What [`Table::open`] says of a file. [`TableError::Failed`] where AWS cannot be used, as it never can without
    /// the cargo feature `aws`; whether there is such a table is found out by asking it.
    #[cfg_attr(
        not(feature = "aws"),
        allow(unused_variables, reason = "only AWS has one")
    )]
    pub async fn open(&self, endpoint_url: Option<&str>) -> Result<Arc<dyn Bodies>, TableError> {
        match self {
            TableLocation::File(path) => Ok(Arc::new(open_file(path)?)),
            #[cfg(feature = "aws")]
            TableLocation::DynamoDb(name) => {
                let config = crate::aws::load(endpoint_url).await;
                let config = config.map_err(|error| unusable(name, error))?;
                let options = super::dynamodb::DynamoDbOptions::default();
                Ok(Arc::new(super::dynamodb::PublishedTable::new(
                    &config, name, options,
                )))
            }
            #[cfg(not(feature = "aws"))]
            TableLocation::DynamoDb(name) => Err(unusable(
                name,
                "this program was built without AWS: build it with `cargo install --path cli --features aws`",
            )),
        }
    }
}

fn open_file(path: &Path) -> Result<SharedTable, TableError> {
    Ok(SharedTable::new(Table::open(path)?))
}

fn unusable(name: &str, source: impl Into<crate::store::BodyError>) -> TableError {
    TableError::Failed {
        table: name.to_owned(),
        doing: "opened",
        is_retryable: false,
        source: source.into(),
    }
}

impl FromStr for TableLocation {
    type Err = BadTable;

    /// Reads `dynamodb:NAME`; a file is named by its path, without this.
    fn from_str(text: &str) -> Result<Self, BadTable> {
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        // Amazon DynamoDB Developer Guide, "Naming rules".
        let is_name = |name: &&str| (3..=255).contains(&name.len()) && name.bytes().all(is_plain);
        match text.strip_prefix(SCHEME).filter(is_name) {
            Some(name) => Ok(TableLocation::DynamoDb(name.to_owned())),
            None => Err(BadTable(text.chars().take(200).collect())),
        }
    }
}

impl fmt::Display for TableLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableLocation::File(path) => path.display().fmt(f),
            TableLocation::DynamoDb(name) => write!(f, "{SCHEME}{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_on_aws_has_a_name() {
        let location = TableLocation::DynamoDb("prospector".to_owned());
        assert_eq!("dynamodb:prospector".parse(), Ok(location.clone()));
        assert_eq!(location.to_string(), "dynamodb:prospector");
        for bad in [
            "",
            "prospector",
            "dynamodb:",
            "dynamodb:ab",
            "dynamodb:a b c",
            "dynamo:abc",
        ] {
            assert!(bad.parse::<TableLocation>().is_err(), "{bad:?}");
        }
    }

    #[cfg(not(feature = "aws"))]
    #[tokio::test]
    async fn without_aws_its_table_says_how_to_get_it() {
        let location = TableLocation::DynamoDb("prospector".to_owned());
        let Err(TableError::Failed { source, .. }) = location.open(None).await else {
            panic!("it opened");
        };
        assert!(source.to_string().contains("--features aws"), "{source}");
    }
}
