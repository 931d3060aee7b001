//! Bodies by their keys.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep};

use super::error::Refusal;
use super::item::{self, Attributes};
use super::{Connection, schema};
use crate::table::{Body, TableError};

/// The most that one request may ask for (Amazon DynamoDB API Reference, `BatchGetItem`).
const MAX_BATCH: usize = 100;

impl Connection {
    /// The bodies of these designations, in this order, as far as there are such, each once.
    pub(super) async fn bodies(&self, designations: &[String]) -> Result<Vec<Body>, TableError> {
        let mut seen = HashSet::with_capacity(designations.len());
        let mut wanted = designations.to_vec();
        wanted.retain(|designation| seen.insert(designation.clone()));
        let keys = wanted
            .iter()
            .map(|designation| key(schema::DESIGNATION, designation));
        let items = self.items(keys.collect(), false).await?;
        let mut bodies: HashMap<&str, Body> = HashMap::with_capacity(items.len());
        for found in &items {
            if let Some(AttributeValue::S(designation)) = found.get(schema::DESIGNATION) {
                bodies.insert(designation, item::body(found));
            }
        }
        let in_order = wanted
            .iter()
            .filter_map(|designation| bodies.remove(designation.as_str()));
        Ok(in_order.collect())
    }

    /// The items of these keys, in any order, as far as there are such.
    pub(crate) async fn items(
        &self,
        keys: Vec<Attributes>,
        is_consistent: bool,
    ) -> Result<Vec<Attributes>, TableError> {
        let batches: Vec<Vec<Attributes>> = keys.chunks(MAX_BATCH).map(<[_]>::to_vec).collect();
        let items: Vec<Vec<Attributes>> = stream::iter(batches)
            .map(|keys| self.batch(keys, is_consistent))
            .buffer_unordered(self.options.max_in_flight)
            .try_collect()
            .await?;
        Ok(items.into_iter().flatten().collect())
    }

    async fn batch(
        &self,
        keys: Vec<Attributes>,
        is_consistent: bool,
    ) -> Result<Vec<Attributes>, TableError> {
        let deadline = Instant::now() + self.options.max_patience;
        let mut items = Vec::with_capacity(keys.len());
        let mut wanted = keys;
        for delay in self.delays() {
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(is_consistent)
                .build()
                .expect("keys are all that it needs");
            let request = self
                .client
                .batch_get_item()
                .request_items(&self.table, keys);
            let answer = request.send().await;
            let answer =
                answer.map_err(|error| self.error("read", "dynamodb:BatchGetItem", error))?;
            let found = answer.responses.unwrap_or_default().remove(&self.table);
            items.extend(found.unwrap_or_default());
            let left = answer
                .unprocessed_keys
                .unwrap_or_default()
                .remove(&self.table);
            wanted = left.map(|left| left.keys).unwrap_or_default();
            if wanted.is_empty() {
                return Ok(items);
            }
            if Instant::now() + delay >= deadline {
                break;
            }
            sleep(delay).await;
        }
        let left = Refusal::Unprocessed {
            num_left: wanted.len(),
            seconds: self.options.max_patience.as_secs(),
        };
        Err(self.failed("read", true, left))
    }
}

/// The key of one item.
pub(crate) fn key(name: &str, value: &str) -> Attributes {
    HashMap::from([(name.to_owned(), AttributeValue::S(value.to_owned()))])
}
