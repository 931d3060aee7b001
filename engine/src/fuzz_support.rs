//! The decoding of messages for the package `fuzz`, which sees the public interface alone.

use crate::item::ATTRIBUTES;
use crate::item::decode::{Fields, Malformed, Scalar};
use crate::messages::top;
use crate::table::{Body, Ranking, Value};

/// An item of a message: its values, and the rankings that it is among the best of.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The values.
    pub body: Body,
    /// The rankings, in the order of the message.
    pub rankings: Vec<Ranking>,
}

/// Decodes an item of a message.
///
/// # Errors
/// What is wrong with it.
pub fn decode(item: &str) -> Result<Decoded, &'static str> {
    let problem = |malformed: Malformed| malformed.problem;
    let (line, rankings) = top::split(item).map_err(problem)?;
    let mut values = Vec::new();
    let mut fields = Fields::of_text(&line).map_err(problem)?;
    while let Some((index, value)) = fields.next().map_err(problem)? {
        let value = match value {
            Scalar::Text(text) => Value::Text(text.into_owned()),
            Scalar::Figure(figure) => Value::Figure(figure),
            Scalar::Whole(whole) => Value::Whole(whole),
            Scalar::Flag(flag) => Value::Flag(flag),
        };
        values.push((index, value));
    }
    values.sort_unstable_by_key(|(index, _)| *index);
    let values = values.into_iter();
    let body = Body::of(
        values
            .map(|(index, value)| (ATTRIBUTES[index].name, value))
            .collect(),
    );
    Ok(Decoded { body, rankings })
}

/// Encodes an item as messages have it.
///
/// # Panics
/// Never: a body is written to memory.
#[must_use]
pub fn encode(decoded: &Decoded) -> String {
    let line = serde_json::to_string(&decoded.body).expect("a body is written to memory");
    if decoded.rankings.is_empty() {
        return line;
    }
    let mut item = String::new();
    top::append(&line, decoded.rankings.iter().copied(), &mut item);
    item
}
