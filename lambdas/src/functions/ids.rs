//! Names that come in events: checked once, where they come in.

use std::fmt;
use std::ops::Deref;

use engine::inputs::SetName;
use serde::Deserialize;

/// The longest run id, characters: that of a name of an execution (AWS Step Functions API Reference,
/// `StartExecution`).
const MAX_RUN_CHARS: usize = 80;

/// A run's id: the name of the state machine's execution.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RunId(String);

/// The name of an input set that is being made: a time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SetId(SetName);

/// A text that is not the name that is wanted.
#[derive(Debug, thiserror::Error)]
pub enum BadId {
    /// It cannot be part of a key, a table's name and a message.
    #[error(
        "{0:?} is no run: 1 to {MAX_RUN_CHARS} letters, digits, \"_\", \".\" and \"-\" are wanted"
    )]
    Run(String),
    /// It would not be found among the sets.
    #[error("{0:?} is no input set's name: a time like 2026-11-25T101500Z is wanted")]
    Set(String),
}

impl TryFrom<String> for RunId {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        let is_usable = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        // What is only dots would lead elsewhere in a store.
        let is_name = text.bytes().any(|byte| byte != b'.');
        if is_name && text.len() <= MAX_RUN_CHARS && text.bytes().all(is_usable) {
            return Ok(RunId(text));
        }
        Err(BadId::Run(text.chars().take(2 * MAX_RUN_CHARS).collect()))
    }
}

impl Deref for RunId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for SetId {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        match text.parse::<SetName>() {
            Ok(name) if name.is_time() => Ok(SetId(name)),
            _ => Err(BadId::Set(text.chars().take(80).collect())),
        }
    }
}

impl Deref for SetId {
    type Target = SetName;

    fn deref(&self) -> &SetName {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_by_what_fits_a_key_and_a_table() {
        let run = |text: &str| RunId::try_from(text.to_owned());
        assert!(run("weekly_2026-11.25").is_ok());
        assert!(run(&"x".repeat(80)).is_ok());
        for text in ["", "..", "a/b", "a b", "Ä", &"x".repeat(81)] {
            assert!(run(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_set_is_named_by_a_time() {
        let set = |text: &str| SetId::try_from(text.to_owned());
        assert!(set("2026-11-25T101500Z").is_ok());
        for text in ["", "2026-11-25", "latest", "2026-11-25T10:15:00Z", "../x"] {
            assert!(set(text).is_err(), "{text:?}");
        }
    }
}
