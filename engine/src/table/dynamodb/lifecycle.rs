//! A run's table made and deleted, each to its end and within [`max_table_wait`](super::DynamoDbOptions::max_table_wait).

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    BillingMode, IndexStatus, KeySchemaElement, TableDescription, TableStatus,
};
use tokio::time::{Instant, sleep};

use super::error::{self, NO_TABLE, Refusal, TABLE_IN_USE};
use super::{BodiesTable, schema};
use crate::control::RunTable;
use crate::ledger::{DynamoLedger, Ledger};
use crate::table::TableError;

#[async_trait]
impl RunTable for BodiesTable {
    fn name(&self) -> &str {
        self.name()
    }

    async fn create(&self) -> Result<(), TableError> {
        let connection = &self.connection;
        let deadline = Instant::now() + connection.options.max_table_wait;
        for delay in connection.delays() {
            match self.describe().await? {
                Some(table) => {
                    if table.table_status() != Some(&TableStatus::Deleting) {
                        self.check_schema(&table)?;
                    }
                    if is_active(&table) {
                        return Ok(());
                    }
                }
                None => self.request_creation().await?,
            }
            if Instant::now() >= deadline {
                break;
            }
            sleep(delay).await;
        }
        Err(self.slow("created", "there"))
    }

    async fn delete(&self) -> Result<(), TableError> {
        self.delete_until(|_| false).await
    }

    async fn begin_deletion(&self) -> Result<(), TableError> {
        self.delete_until(|status| status == Some(&TableStatus::Deleting))
            .await
    }

    fn ledger(&self) -> Box<dyn Ledger> {
        Box::new(DynamoLedger::new(self))
    }
}

impl BodiesTable {
    /// Deletes the table until it is gone or its status `is_enough`.
    async fn delete_until(
        &self,
        is_enough: impl Fn(Option<&TableStatus>) -> bool,
    ) -> Result<(), TableError> {
        let connection = &self.connection;
        let deadline = Instant::now() + connection.options.max_table_wait;
        for delay in connection.delays() {
            match self.describe().await? {
                None => return Ok(()),
                Some(table) if is_enough(table.table_status()) => return Ok(()),
                Some(table) if table.table_status() == Some(&TableStatus::Deleting) => {}
                Some(_) => self.request_deletion().await?,
            }
            if Instant::now() >= deadline {
                break;
            }
            sleep(delay).await;
        }
        Err(self.slow("deleted", "gone"))
    }

    async fn describe(&self) -> Result<Option<TableDescription>, TableError> {
        let connection = &self.connection;
        let request = connection.client.describe_table();
        match request.table_name(self.name()).send().await {
            Ok(answer) => Ok(answer.table),
            Err(error) if error.code() == Some(NO_TABLE) => Ok(None),
            Err(error) => Err(connection.error("described", "dynamodb:DescribeTable", error)),
        }
    }

    async fn request_creation(&self) -> Result<(), TableError> {
        let connection = &self.connection;
        let request = connection
            .client
            .create_table()
            .table_name(self.name())
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(schema::attributes()))
            .set_key_schema(Some(schema::key()))
            .set_global_secondary_indexes(Some(schema::indexes()));
        match request.send().await {
            Ok(_) => Ok(()),
            // Who retries asks again; whoever made it meanwhile is judged by what it is.
            Err(error) if error.code() == Some(TABLE_IN_USE) || error::is_retryable(&error) => {
                Ok(())
            }
            Err(error) => Err(connection.error("created", "dynamodb:CreateTable", error)),
        }
    }

    async fn request_deletion(&self) -> Result<(), TableError> {
        let connection = &self.connection;
        let request = connection.client.delete_table().table_name(self.name());
        match request.send().await {
            Ok(_) => Ok(()),
            // One that is still being made cannot be deleted yet.
            Err(error)
                if [Some(TABLE_IN_USE), Some(NO_TABLE)].contains(&error.code())
                    || error::is_retryable(&error) =>
            {
                Ok(())
            }
            Err(error) => Err(connection.error("deleted", "dynamodb:DeleteTable", error)),
        }
    }

    fn check_schema(&self, table: &TableDescription) -> Result<(), TableError> {
        let found: BTreeMap<String, Vec<KeySchemaElement>> = table
            .global_secondary_indexes()
            .iter()
            .map(|index| {
                let name = index.index_name().unwrap_or_default();
                (name.to_owned(), index.key_schema().to_vec())
            })
            .collect();
        let expected: BTreeMap<String, Vec<KeySchemaElement>> = schema::indexes()
            .into_iter()
            .map(|index| (index.index_name, index.key_schema))
            .collect();
        match table.key_schema() == schema::key() && found == expected {
            true => Ok(()),
            false => Err(TableError::OtherSchema {
                table: self.name().to_owned(),
            }),
        }
    }

    fn slow(&self, doing: &'static str, wanted: &'static str) -> TableError {
        let seconds = self.connection.options.max_table_wait.as_secs();
        self.connection
            .failed(doing, true, Refusal::Slow { wanted, seconds })
    }
}

fn is_active(table: &TableDescription) -> bool {
    let indexes = table.global_secondary_indexes();
    table.table_status() == Some(&TableStatus::Active)
        && indexes
            .iter()
            .all(|index| index.index_status() == Some(&IndexStatus::Active))
}
