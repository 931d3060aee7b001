//! The ledger in the table of its run: a page is an item, a mark an attribute of it.
//!
//! A page's key begins with a space, which no designation does: they are trimmed. The table is deleted when its run
//! is discarded, and the ledger with it. No operation needs more than one item to change in one step.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::stream::{self, TryStreamExt};

use super::{Ledger, LedgerError, Marks, num_pages, page_of};
use crate::table::TableError;
use crate::table::dynamodb::{Attributes, BodiesTable, CONDITION_FAILED, Connection, key};

/// The key of a run's table.
const KEY: &str = "designation";

/// The ledger of a run, in its table.
#[derive(Debug, Clone)]
pub struct DynamoLedger {
    connection: Connection,
}

impl DynamoLedger {
    /// The ledger in the table of its run.
    #[must_use]
    pub fn new(table: &BodiesTable) -> Self {
        DynamoLedger {
            connection: table.connection().clone(),
        }
    }
}

#[async_trait]
impl Ledger for DynamoLedger {
    async fn open_page(&self, page: u64) -> Result<(), LedgerError> {
        let request = self
            .connection
            .client
            .put_item()
            .table_name(&self.connection.table)
            .set_item(Some(page_key(page)))
            .condition_expression("attribute_not_exists(designation)");
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(CONDITION_FAILED) => Ok(()),
            Err(error) => {
                let error = self.connection.error("written", "dynamodb:PutItem", error);
                Err(failed("opened", error))
            }
        }
    }

    async fn mark(&self, seq: u64, num_items: u64) -> Result<(), LedgerError> {
        let request = self
            .connection
            .client
            .update_item()
            .table_name(&self.connection.table)
            .set_key(Some(page_key(page_of(seq))))
            .update_expression("SET #seq = :items")
            .condition_expression("attribute_exists(designation)")
            .expression_attribute_names("#seq", seq.to_string())
            .expression_attribute_values(":items", AttributeValue::N(num_items.to_string()));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(CONDITION_FAILED) => Err(LedgerError::RunOver),
            Err(error) => {
                let error = self
                    .connection
                    .error("written", "dynamodb:UpdateItem", error);
                Err(failed("marked", error))
            }
        }
    }

    async fn read(&self, num_messages: u64) -> Result<Marks, LedgerError> {
        let num_pages = num_pages(num_messages);
        let keys = (0..num_pages).map(page_key).collect();
        let pages = self.connection.items(keys, true).await;
        let pages = pages.map_err(|error| failed("read", error))?;
        if (pages.len() as u64) < num_pages {
            return Err(LedgerError::RunOver);
        }
        let marks = pages.iter().flatten().filter_map(|(name, value)| {
            let num_items = value.as_n().ok()?;
            Some((name.parse().ok()?, num_items.parse().ok()?))
        });
        Ok(marks.collect())
    }

    async fn close(&self, num_messages: u64) -> Result<(), LedgerError> {
        let delete = async |page| {
            let request = self.connection.client.delete_item();
            let request = request.table_name(&self.connection.table);
            match request.set_key(Some(page_key(page))).send().await {
                Ok(_) => Ok(()),
                Err(error) => {
                    let error = self
                        .connection
                        .error("written", "dynamodb:DeleteItem", error);
                    match error {
                        // It is gone with its table.
                        TableError::RunOver { .. } => Ok(()),
                        error => Err(failed("closed", error)),
                    }
                }
            }
        };
        stream::iter((0..num_pages(num_messages)).map(Ok))
            .try_for_each_concurrent(self.connection.options.max_in_flight, delete)
            .await
    }
}

fn page_key(page: u64) -> Attributes {
    key(KEY, &format!(" ledger {page}"))
}

fn failed(doing: &'static str, error: TableError) -> LedgerError {
    match error {
        TableError::RunOver { .. } => LedgerError::RunOver,
        error => LedgerError::Failed {
            doing,
            is_retryable: error.is_retryable(),
            source: error.into(),
        },
    }
}
