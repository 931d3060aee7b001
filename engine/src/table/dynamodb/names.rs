//! Bodies by what they are called, as far as the key and the index of names go.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::name_keys;
use super::{Connection, schema};
use crate::designation::{Identity, number_of_spkid};
use crate::table::{Body, TableError};

/// A body in the index of names.
struct Named {
    key: String,
    designation: String,
}

impl Connection {
    /// The bodies that are called `query`: see [`Bodies::find`](crate::table::Bodies::find).
    pub(super) async fn called(&self, query: &str) -> Result<Vec<Body>, TableError> {
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let candidates = candidates(query);
        let keys: Vec<String> = candidates.iter().map(|(key, _)| key.clone()).collect();
        let found = self.bodies(&keys).await?;
        let meets = |(key, call): &(String, Call)| {
            let body = found
                .iter()
                .find(|body| body.text("designation") == Some(key))?;
            call.is_of(body, query).then(|| body.clone())
        };
        let is_full = |(_, call): &&(String, Call)| *call == Call::FullName;
        let by_key = candidates
            .iter()
            .filter(|candidate| !is_full(candidate))
            .find_map(meets);
        if let Some(body) = by_key {
            return Ok(vec![body]);
        }
        let by_name = self.named(query, true, u32::MAX).await?;
        if !by_name.is_empty() {
            return self.bodies(&by_name).await;
        }
        let by_full_name = candidates.iter().filter(is_full).find_map(meets);
        Ok(by_full_name.into_iter().collect())
    }

    /// The bodies that are called `prefix`, then those whose name goes on behind it: see
    /// [`Bodies::search`](crate::table::Bodies::search).
    pub(super) async fn beginning(
        &self,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<Body>, TableError> {
        if prefix.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let mut found = cases(prefix).to_vec();
        let by_designation = self.bodies(&found).await?;
        // Those that are not there would count against the limit.
        found.retain(|key| {
            by_designation
                .iter()
                .any(|body| body.text("designation") == Some(key))
        });
        found.extend(self.named(prefix, true, limit).await?);
        found.extend(self.named(prefix, false, limit).await?);
        let mut bodies = self.bodies(&found).await?;
        bodies.truncate(limit as usize);
        Ok(bodies)
    }

    /// The designations of the first `limit` bodies of a name, or whose name begins so: by name, then by
    /// designation, the short ones first, which puts numbers in their order.
    async fn named(
        &self,
        name: &str,
        is_whole: bool,
        limit: u32,
    ) -> Result<Vec<String>, TableError> {
        let Some((initial, key)) = name_keys(name) else {
            return Ok(Vec::new());
        };
        let condition = match is_whole {
            true => "name_initial = :initial AND name_key = :key",
            false => "name_initial = :initial AND begins_with(name_key, :key)",
        };
        let mut found: Vec<Named> = Vec::new();
        let mut start = None;
        loop {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(schema::NAMES)
                .key_condition_expression(condition)
                .expression_attribute_values(":initial", AttributeValue::S(initial.clone()))
                .expression_attribute_values(":key", AttributeValue::S(key.clone()))
                .set_exclusive_start_key(start);
            let answer = request.send().await;
            let answer = answer.map_err(|error| self.error("read", "dynamodb:Query", error))?;
            found.extend(answer.items().iter().filter_map(|item| {
                let text = |name| item.get(name)?.as_s().ok().cloned();
                Some(Named {
                    key: text(schema::NAME_KEY)?,
                    designation: text(schema::DESIGNATION)?,
                })
            }));
            start = answer.last_evaluated_key;
            // Bodies of one name come in any order: all of the last one's are wanted.
            let boundary = found.get(limit as usize - 1).map(|named| &named.key);
            let last = found.last().map(|named| &named.key);
            if start.is_none() || (boundary.is_some() && boundary != last) {
                break;
            }
        }
        found.sort_unstable_by(|one, other| order(one).cmp(&order(other)));
        found.truncate(limit as usize);
        Ok(found.into_iter().map(|named| named.designation).collect())
    }
}

fn order(named: &Named) -> (&str, usize, &str) {
    let designation = &named.designation;
    (&named.key, designation.chars().count(), designation)
}

/// What a body of some key must be to be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    /// It has that key.
    Designation,
    /// It has this SPK-ID.
    SpkId(i64),
    /// Its full name is the query, or goes on behind a space.
    FullName,
}

impl Call {
    fn is_of(self, body: &Body, query: &str) -> bool {
        match self {
            Call::Designation => true,
            Call::SpkId(spkid) => body.get("spkid") == Some(&crate::table::Value::Whole(spkid)),
            Call::FullName => body.text("full_name").is_some_and(|full_name| {
                let start = full_name.get(..query.len());
                let rest = full_name.get(query.len()..).unwrap_or_default();
                start.is_some_and(|start| start.eq_ignore_ascii_case(query))
                    && (rest.is_empty() || rest.starts_with(' '))
            }),
        }
    }
}

/// The keys that a body called `query` may have, the likeliest first.
fn candidates(query: &str) -> Vec<(String, Call)> {
    let mut candidates: Vec<(String, Call)> = cases(query)
        .into_iter()
        .map(|key| (key, Call::Designation))
        .collect();
    for spkid in crate::table::spkids(query) {
        let call = Call::SpkId(spkid);
        let key = spkid.to_string();
        if let Some(number) = number_of_spkid(&key) {
            candidates.push((number.to_string(), call));
        }
        candidates.push((key, call));
    }
    for query in &cases(query) {
        if let Some(identity) = Identity::of("", query, "", "") {
            candidates.push((identity.key.into_owned(), Call::FullName));
        }
    }
    candidates
}

/// A designation as it was typed, and as it is written: nearly all are in capitals.
fn cases(query: &str) -> [String; 2] {
    [query.to_owned(), query.to_ascii_uppercase()]
}
