//! From an item's line to a DynamoDB item, and back to a body.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::schema;
use crate::item::decode::{Fields, Malformed, Scalar};
use crate::item::{ATTRIBUTES, Kind};
use crate::messages::top;
use crate::table::{Body, TableError, Value};

/// An item as DynamoDB has it.
pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// Digits that DynamoDB keeps of a number (Amazon DynamoDB Developer Guide, "Supported data types").
const MAX_DIGITS: usize = 38;
/// The magnitudes that it can hold, beside 0 (ibid.): 1e-130 to 9.99…e125.
const MAGNITUDES: std::ops::Range<f64> = 1e-130..1e126;
/// The longest sort key, bytes (ibid., "Service, account, and table quotas"). A longer name is in no index.
const MAX_SORT_KEY_BYTES: usize = 1024;
/// The longest partition key, bytes (ibid.).
const MAX_KEY_BYTES: usize = 2048;

/// The size of an item as DynamoDB counts it: names and texts by their bytes of UTF-8, a number by two digits a
/// byte and a byte more, a flag as one byte (Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats").
/// Types that no item of ours has count nothing.
#[must_use]
pub fn item_bytes(item: &HashMap<String, AttributeValue>) -> usize {
    let value_bytes = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => {
            num_digits(number).div_ceil(2) + 1 + usize::from(number.starts_with('-'))
        }
        AttributeValue::Bool(_) => 1,
        _ => 0,
    };
    item.iter()
        .map(|(name, value)| name.len() + value_bytes(value))
        .sum()
}

/// Digits between the first and the last that is not 0.
fn num_digits(number: &str) -> usize {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len().max(1)
}

/// The DynamoDB item that a line becomes: see [`BodiesTable::write`](super::BodiesTable::write).
///
/// # Errors
/// [`TableError::Malformed`] where the line, as row 1, is not an item.
pub fn read_item(line: &str) -> Result<HashMap<String, AttributeValue>, TableError> {
    read_line(line).map_err(|malformed| refused(1, malformed))
}

/// What is wrong with a row.
pub(super) fn refused(row: i64, malformed: Malformed) -> TableError {
    TableError::Malformed {
        row,
        byte: malformed.byte,
        problem: malformed.problem,
    }
}

/// Reads a line: an item's attributes and, at its end, the rankings that it is among the best of, in `top`.
pub(super) fn read_line(line: &str) -> Result<Attributes, Malformed> {
    let (line, top) = top::split(line)?;
    let mut item = Attributes::with_capacity(ATTRIBUTES.len() + 2);
    let mut fields = Fields::of_text(&line)?;
    while let Some((index, value)) = fields.next()? {
        let name = ATTRIBUTES[index].name;
        let value = match value {
            Scalar::Text(text) => {
                let is_key = name == schema::DESIGNATION;
                if is_key && !(1..=MAX_KEY_BYTES).contains(&text.len()) {
                    return Err(fields.refused("a key that DynamoDB cannot hold"));
                }
                AttributeValue::S(text.into_owned())
            }
            Scalar::Whole(whole) if name == "spkid" => AttributeValue::N(whole.to_string()),
            Scalar::Whole(whole) => number(&fields, whole as f64)?,
            Scalar::Figure(figure) => number(&fields, figure)?,
            Scalar::Flag(flag) => AttributeValue::Bool(flag),
        };
        item.insert(name.to_owned(), value);
    }
    let Some(AttributeValue::S(designation)) = item.get(schema::DESIGNATION) else {
        return Err(malformed(0, "no designation"));
    };
    let shard = schema::shard_of(designation);
    index_name(&mut item);
    if !top.is_empty() {
        let Some(AttributeValue::S(kind)) = item.get("kind") else {
            return Err(malformed(0, "a ranked body without a kind"));
        };
        let partition = schema::partition(kind, shard);
        for ranking in top {
            let value = AttributeValue::S(partition.clone());
            item.insert(schema::partition_key(ranking), value);
        }
    }
    Ok(item)
}

fn number(fields: &Fields<'_>, figure: f64) -> Result<AttributeValue, Malformed> {
    if figure != 0.0 && !MAGNITUDES.contains(&figure.abs()) {
        return Err(fields.refused("a number that DynamoDB cannot hold"));
    }
    let written = fields.value();
    Ok(AttributeValue::N(match num_digits(written) {
        0..=MAX_DIGITS => written.to_owned(),
        _ => zmij::Buffer::new().format_finite(figure).to_owned(),
    }))
}

/// Adds the keys by which a body is found by its name.
fn index_name(item: &mut Attributes) {
    let Some(AttributeValue::S(name)) = item.get("name") else {
        return;
    };
    let Some((initial, key)) = name_keys(name) else {
        return;
    };
    item.insert(schema::NAME_INITIAL.to_owned(), AttributeValue::S(initial));
    item.insert(schema::NAME_KEY.to_owned(), AttributeValue::S(key));
}

/// The keys of a name, or of its beginning, in the index of names.
pub(super) fn name_keys(name: &str) -> Option<(String, String)> {
    let key = name.to_ascii_lowercase();
    let initial = key.chars().next()?.to_string();
    (key.len() <= MAX_SORT_KEY_BYTES).then_some((initial, key))
}

fn malformed(byte: usize, problem: &'static str) -> Malformed {
    Malformed { byte, problem }
}

/// The body of an item. What is no attribute of a body is left out, and so is one of another type.
pub(super) fn body(item: &Attributes) -> Body {
    let values = ATTRIBUTES.iter().filter_map(|attribute| {
        let value = match (item.get(attribute.name)?, attribute.kind) {
            (AttributeValue::S(text), Kind::Text) => Value::Text(text.clone()),
            (AttributeValue::Bool(flag), Kind::Flag) => Value::Flag(*flag),
            (AttributeValue::N(number), Kind::Figure) if attribute.name == "spkid" => {
                Value::Whole(number.parse().ok()?)
            }
            // A negative zero is zero, as everywhere in tables.
            (AttributeValue::N(number), Kind::Figure) => {
                Value::Figure(number.parse::<f64>().ok()? + 0.0)
            }
            _ => return None,
        };
        Some((attribute.name, value))
    });
    Body::of(values.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EROS: &str = r#"{"designation":"433","spkid":20000433,"name":"Eros","kind":"asteroid","neo":true,"h":10.40,"price":1e-42,"top":["price","dv"]}"#;

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn n(number: &str) -> AttributeValue {
        AttributeValue::N(number.to_owned())
    }

    #[test]
    fn a_line_keeps_its_digits_and_gets_the_keys_of_its_indexes() {
        let partition = schema::partition("asteroid", schema::shard_of("433"));
        let expected = [
            ("designation", s("433")),
            ("spkid", n("20000433")),
            ("name", s("Eros")),
            ("kind", s("asteroid")),
            ("neo", AttributeValue::Bool(true)),
            ("h", n("10.40")),
            ("price", n("1e-42")),
            ("name_initial", s("e")),
            ("name_key", s("eros")),
            ("top_price", s(&partition)),
            ("top_dv", s(&partition)),
        ];
        let expected: Attributes = expected
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        assert_eq!(read_line(EROS), Ok(expected.clone()));
        assert_eq!(read_line(&format!("{EROS}\n")), Ok(expected));
    }

    #[test]
    fn a_body_has_no_attribute_of_the_tables_own() {
        let body = body(&read_line(EROS).unwrap());
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            r#"{"designation":"433","spkid":20000433,"name":"Eros","kind":"asteroid","neo":true,"h":10.4,"price":1e-42}"#
        );
    }

    #[test]
    fn what_is_no_item_is_named() {
        for (line, byte, problem) in [
            ("", 0, "no object"),
            (r#"{"designation":1}"#, 15, "no text"),
            (
                r#"{"designation":""}"#,
                15,
                "a key that DynamoDB cannot hold",
            ),
            (r#"{"h":1}"#, 0, "no designation"),
            (r#"{"designation":"1","H":1}"#, 19, "an unknown attribute"),
            (
                r#"{"designation":"1","h":1e126}"#,
                23,
                "a number that DynamoDB cannot hold",
            ),
            (
                r#"{"designation":"1","h":-9e-131}"#,
                23,
                "a number that DynamoDB cannot hold",
            ),
            (
                r#"{"designation":"1","top":["dv"]}"#,
                0,
                "a ranked body without a kind",
            ),
            (
                r#"{"designation":"1","kind":"comet","top":["size"]}"#,
                40,
                "no list of rankings",
            ),
            (
                r#"{"designation":"1","kind":"comet","top":[1]}"#,
                40,
                "no list of rankings",
            ),
        ] {
            assert_eq!(read_line(line), Err(malformed(byte, problem)), "{line}");
        }
        for fine in ["0", "-0.0", "1e-130", "-9.99e125", "9.99999999999999e125"] {
            let line = format!(r#"{{"designation":"1","h":{fine}}}"#);
            assert_eq!(read_line(&line).unwrap()["h"], n(fine));
        }
    }

    #[test]
    fn what_looks_like_rankings_in_a_name_is_a_name() {
        let name = r#"x,\"top\":[\"dv\"]}"#;
        let line = format!(r#"{{"designation":"1","name":"{name}","kind":"comet"}}"#);
        let item = read_line(&line).unwrap();
        assert_eq!(item["name"], s(r#"x,"top":["dv"]}"#));
        assert!(!item.contains_key("top_dv"));
    }

    #[test]
    fn digits_beyond_what_dynamodb_keeps_become_those_of_the_double() {
        let line = format!(r#"{{"designation":"1","h":0.{}}}"#, "123456789".repeat(5));
        assert_eq!(read_line(&line).unwrap()["h"], n("0.12345678912345678"));
    }

    #[test]
    fn an_item_is_counted_as_dynamodb_counts_it() {
        let item: Attributes = [
            ("name", s("é🚀")),                   // 4 + 6
            ("a", n("-1200.340")),                // 1 + 3 + 1 + 1
            ("b", n("100")),                      // 1 + 1 + 1
            ("c", n("0.000")),                    // 1 + 1 + 1
            ("d", n("1.25e-42")),                 // 1 + 2 + 1
            ("neo", AttributeValue::Bool(false)), // 3 + 1
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        assert_eq!(item_bytes(&item), 10 + 6 + 3 + 3 + 4 + 4);
    }
}
