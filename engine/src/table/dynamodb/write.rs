//! Items written in batches.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep};

use super::error::{self, Refusal};
use super::item::{self, Attributes};
use super::{BodiesTable, Connection, schema};
use crate::table::TableError;

/// The most that one request may write (Amazon DynamoDB API Reference, `BatchWriteItem`). It may have 16 MB too, which
/// so many items of at most 400 KB stay below.
const MAX_BATCH: usize = 25;

impl BodiesTable {
    /// Writes items, each the line of [`Item::write_json`](crate::item::Item::write_json), to which `"top":[…]` may
    /// be added at its end, naming the rankings that the body is among the best of; returns how many bodies they were. Of
    /// several for one body the last is written. Writing them again changes nothing.
    ///
    /// What DynamoDB leaves unprocessed or throttles is sent again, each time after a longer delay.
    ///
    /// # Errors
    /// [`TableError::Malformed`] where a line is not an item, by its place among the lines from 1: nothing is written
    /// then. [`TableError::RunOver`] where the table is gone. [`TableError::Failed`] where DynamoDB fails, or takes
    /// longer than [`max_patience`](super::DynamoDbOptions::max_patience); some items are written then.
    pub async fn write<'a>(
        &self,
        lines: impl IntoIterator<Item = &'a str>,
    ) -> Result<u64, TableError> {
        let connection = &self.connection;
        let deadline = Instant::now() + connection.options.max_patience;
        let items = read(lines)?;
        let num_items = items.len() as u64;
        stream::iter(items)
            .chunks(MAX_BATCH)
            .map(Ok)
            .try_for_each_concurrent(connection.options.max_in_flight, |batch| {
                write_batch(connection, batch, deadline)
            })
            .await?;
        Ok(num_items)
    }
}

/// Reads lines, of which the last for a body counts: a request that has one key twice is refused.
fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Vec<WriteRequest>, TableError> {
    let mut items: Vec<Attributes> = Vec::new();
    let mut place_of: HashMap<String, usize> = HashMap::new();
    for (line, row) in lines.into_iter().zip(1..) {
        let item = item::read_line(line).map_err(|malformed| item::refused(row, malformed))?;
        let designation = item[schema::DESIGNATION]
            .as_s()
            .cloned()
            .unwrap_or_default();
        match place_of.get(&designation) {
            Some(place) => items[*place] = item,
            None => {
                place_of.insert(designation, items.len());
                items.push(item);
            }
        }
    }
    Ok(items.into_iter().map(request).collect())
}

fn request(item: Attributes) -> WriteRequest {
    let put = PutRequest::builder().set_item(Some(item)).build();
    let put = put.expect("an item is all that it needs");
    WriteRequest::builder().put_request(put).build()
}

async fn write_batch(
    connection: &Connection,
    mut batch: Vec<WriteRequest>,
    deadline: Instant,
) -> Result<(), TableError> {
    let mut delays = connection.delays();
    loop {
        let request = connection
            .client
            .batch_write_item()
            .request_items(&connection.table, batch.clone());
        let refused = match request.send().await {
            Ok(answer) => {
                let mut left = answer.unprocessed_items.unwrap_or_default();
                batch = left.remove(&connection.table).unwrap_or_default();
                if batch.is_empty() {
                    return Ok(());
                }
                None
            }
            Err(error) if error::is_retryable(&error) => Some(error),
            Err(error) => {
                return Err(connection.error("written", "dynamodb:BatchWriteItem", error));
            }
        };
        let delay = delays.next().unwrap_or_default();
        if Instant::now() + delay < deadline {
            sleep(delay).await;
            continue;
        }
        return Err(match refused {
            Some(error) => connection.error("written", "dynamodb:BatchWriteItem", error),
            None => {
                let left = Refusal::Unprocessed {
                    num_left: batch.len(),
                    seconds: connection.options.max_patience.as_secs(),
                };
                connection.failed("written", true, left)
            }
        });
    }
}
