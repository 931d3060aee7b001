//! What a run's table is made of: its key and its sparse indexes.
//!
//! A ranking's index has only the best bodies of each kind, because nobody asks for the millionth and every body in
//! an index is a write more. Its partition key spreads them over [`NUM_SHARDS`] partitions: a partition
//! takes 1,000 writes a second (Amazon DynamoDB Developer Guide, "Best practices for designing and using partition
//! keys"), and the best bodies come all at once, at a run's end.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};

use crate::table::Ranking;

pub(super) const DESIGNATION: &str = "designation";
/// The index of names, its partition key, the name's first character, and its sort key, the name without regard
/// to ASCII case.
pub(super) const NAMES: &str = "names";
pub(super) const NAME_INITIAL: &str = "name_initial";
pub(super) const NAME_KEY: &str = "name_key";
/// What a ranking's index has beside its keys, for filters.
pub(super) const CLASS: &str = "class";
pub(super) const SPEC: &str = "spec";

/// Parts of a kind in a ranking's index.
pub(super) const NUM_SHARDS: u64 = 8;

/// The index of a ranking.
pub(super) fn index(ranking: Ranking) -> String {
    format!("top-{ranking}")
}

/// Its partition key.
pub(super) fn partition_key(ranking: Ranking) -> String {
    format!("top_{ranking}")
}

/// A value of that key: a part of the bodies of a kind.
pub(super) fn partition(kind: &str, shard: u64) -> String {
    format!("{kind}.{shard}")
}

/// The part that a body belongs to: the same for ever, as items of several runs of the program share a table
/// (FNV-1a, 64 bit).
pub(super) fn shard_of(designation: &str) -> u64 {
    let hash = designation
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    // Its lowest bits are mixed best where texts are short: the upper ones hardly differ between numbers.
    hash % NUM_SHARDS
}

/// The attributes that keys are made of.
pub(super) fn attributes() -> Vec<AttributeDefinition> {
    use ScalarAttributeType::{N, S};

    let mut attributes = [DESIGNATION, NAME_INITIAL, NAME_KEY]
        .map(|name| (name.to_owned(), S))
        .to_vec();
    for ranking in Ranking::ALL {
        attributes.push((partition_key(ranking), S));
        attributes.push((ranking.attribute().to_owned(), N));
    }
    let define = |(name, kind)| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .expect("a name and a type are all that it needs")
    };
    attributes.into_iter().map(define).collect()
}

/// The table's key.
pub(super) fn key() -> Vec<KeySchemaElement> {
    vec![element(DESIGNATION, KeyType::Hash)]
}

/// The indexes.
pub(super) fn indexes() -> Vec<GlobalSecondaryIndex> {
    let projected = Projection::builder()
        .projection_type(ProjectionType::Include)
        .non_key_attributes(CLASS)
        .non_key_attributes(SPEC)
        .build();
    let keys_only = Projection::builder()
        .projection_type(ProjectionType::KeysOnly)
        .build();
    let mut indexes: Vec<GlobalSecondaryIndex> = Ranking::ALL
        .map(|ranking| {
            let keys = [&partition_key(ranking), ranking.attribute()];
            define(&index(ranking), keys, &projected)
        })
        .into();
    indexes.push(define(NAMES, [NAME_INITIAL, NAME_KEY], &keys_only));
    indexes
}

fn define(
    name: &str,
    [partition, sort]: [&str; 2],
    projection: &Projection,
) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .key_schema(element(partition, KeyType::Hash))
        .key_schema(element(sort, KeyType::Range))
        .projection(projection.clone())
        .build()
        .expect("a name and a key are all that it needs")
}

fn element(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(kind)
        .build()
        .expect("a name and a type are all that it needs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_stays_in_its_part() {
        let shards = ["433", "2006 RH120", "1P", "Kepler-22 b"].map(shard_of);
        assert_eq!(shards, [1, 2, 4, 7]);
    }

    #[test]
    fn numbered_asteroids_spread_over_all_parts() {
        let mut counts = [0; NUM_SHARDS as usize];
        for number in 1..=8_000 {
            counts[shard_of(&number.to_string()) as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (800..1_200).contains(count)),
            "{counts:?}"
        );
    }
}
