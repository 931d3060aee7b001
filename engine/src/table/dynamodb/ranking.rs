//! The best bodies by a ranking: the parts of its index read side by side and merged.

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;

use super::item::Attributes;
use super::{Connection, schema};
use crate::table::{Filter, Ranking, TableError};

/// A body in a ranking's index.
#[derive(Debug, Clone, PartialEq)]
struct Ranked {
    figure: f64,
    designation: String,
}

impl Connection {
    /// The designations of the first `limit` bodies of a ranking that pass the filter.
    pub(super) async fn ranked(
        &self,
        by: Ranking,
        filter: &Filter,
        limit: u32,
    ) -> Result<Vec<String>, TableError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let kind = filter.kind.as_deref().unwrap_or("asteroid");
        let kind = kind.to_ascii_lowercase();
        let shards = (0..schema::NUM_SHARDS)
            .map(|shard| self.shard(by, schema::partition(&kind, shard), filter, limit as usize));
        let shards = try_join_all(shards).await?;
        let ranked = merge(shards, by.is_descending(), limit as usize);
        Ok(ranked.into_iter().map(|body| body.designation).collect())
    }

    /// Of one part, the bodies that pass the filter, up to the `limit`th and whatever is level with it: DynamoDB
    /// gives those with one figure in any order.
    async fn shard(
        &self,
        by: Ranking,
        partition: String,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<Ranked>, TableError> {
        let mut ranked: Vec<Ranked> = Vec::new();
        let mut start = None;
        // A filter may pass few, and many may be level with the last (most bodies have a price of 0): then whole pages
        // are read, which cost what the small ones of as many bodies would, in a fraction of the requests.
        let is_filtered = filter.class.is_some() || filter.spec.is_some();
        let mut page_items = i32::try_from(limit.saturating_add(1)).ok();
        page_items = page_items.filter(|_| !is_filtered);
        loop {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(schema::index(by))
                .key_condition_expression("#partition = :partition")
                .expression_attribute_names("#partition", schema::partition_key(by))
                .expression_attribute_values(":partition", AttributeValue::S(partition.clone()))
                .scan_index_forward(!by.is_descending())
                .set_limit(page_items.take())
                .set_exclusive_start_key(start);
            let answer = request.send().await;
            let answer = answer.map_err(|error| self.error("read", "dynamodb:Query", error))?;
            let mut last = None;
            for item in answer.items() {
                let Some(body) = ranked_body(item, by) else {
                    continue;
                };
                last = Some(body.figure);
                if passes(item, filter) {
                    ranked.push(body);
                }
            }
            start = answer.last_evaluated_key;
            let boundary = ranked.get(limit - 1).map(|body| body.figure);
            let is_beyond = boundary.is_some() && last.is_some() && boundary != last;
            if is_beyond || start.is_none() {
                return Ok(ranked);
            }
        }
    }
}

fn ranked_body(item: &Attributes, by: Ranking) -> Option<Ranked> {
    let figure = item.get(by.attribute())?.as_n().ok()?;
    Some(Ranked {
        figure: figure.parse().ok()?,
        designation: item.get(schema::DESIGNATION)?.as_s().ok()?.clone(),
    })
}

fn passes(item: &Attributes, filter: &Filter) -> bool {
    let terms = [(schema::CLASS, &filter.class), (schema::SPEC, &filter.spec)];
    terms.into_iter().all(|(name, wanted)| {
        let Some(wanted) = wanted else { return true };
        let found = item.get(name).and_then(|found| found.as_s().ok());
        found.is_some_and(|found| found.eq_ignore_ascii_case(wanted))
    })
}

/// The first `limit` of all parts: by figure, then by designation, byte by byte.
fn merge(shards: Vec<Vec<Ranked>>, is_descending: bool, limit: usize) -> Vec<Ranked> {
    let mut all: Vec<Ranked> = shards.into_iter().flatten().collect();
    all.sort_unstable_by(|one, other| {
        // Parsed figures are finite, but for this a negative zero is zero.
        let figures = (one.figure + 0.0).total_cmp(&(other.figure + 0.0));
        let figures = if is_descending {
            figures.reverse()
        } else {
            figures
        };
        figures.then_with(|| one.designation.cmp(&other.designation))
    });
    all.truncate(limit);
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn merged_parts_are_a_plain_sort_of_all(
            bodies in prop::collection::btree_map(
                "[a-cA-C0-9 ]{1,3}",
                prop::sample::select(vec![-1.0, -0.0, 0.0, 0.5, 1e12]),
                0..60,
            ),
            is_descending in any::<bool>(),
            limit in 0_usize..70,
        ) {
            let mut shards = vec![Vec::new(); schema::NUM_SHARDS as usize];
            for (designation, figure) in &bodies {
                let designation = designation.clone();
                let shard = schema::shard_of(&designation) as usize;
                shards[shard].push(Ranked { figure: *figure, designation });
            }
            // A map has its keys in order, and this keeps it among those with the same figure.
            let mut expected: Vec<(&String, &f64)> = bodies.iter().collect();
            expected.sort_by(|one, other| {
                let figures = one.1.partial_cmp(other.1).unwrap();
                if is_descending { figures.reverse() } else { figures }
            });
            let expected: Vec<&String> =
                expected.into_iter().map(|(designation, _)| designation).take(limit).collect();
            let merged = merge(shards, is_descending, limit);
            let merged: Vec<&String> = merged.iter().map(|body| &body.designation).collect();
            prop_assert_eq!(merged, expected);
        }
    }
}
