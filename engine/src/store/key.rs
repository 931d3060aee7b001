//! Keys: what objects are called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest key, bytes. S3 takes 1,024 (Amazon S3 User Guide, "Naming Amazon S3 objects"); the rest is for a
/// store's prefix.
const MAX_KEY_BYTES: usize = 512;

/// What an object is called: segments of letters, digits, `.`, `-` and `_`, joined by `/`.
///
/// No segment is empty or begins with a dot, so that no key leads out of its store, in a directory
/// either.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

impl Key {
    /// Makes a key of its text.
    ///
    /// # Errors
    /// [`BadKey`] where the text is none.
    pub fn new(text: impl Into<String>) -> Result<Self, BadKey> {
        let text = text.into();
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let is_segment = |segment: &str| {
            !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(is_plain)
        };
        if text.len() <= MAX_KEY_BYTES && text.split('/').all(is_segment) {
            Ok(Key(text))
        } else {
            Err(BadKey::of(&text))
        }
    }

    /// The key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Key {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        Key::new(text)
    }
}

impl TryFrom<String> for Key {
    type Error = BadKey;

    fn try_from(text: String) -> Result<Self, BadKey> {
        Key::new(text)
    }
}

impl From<Key> for String {
    fn from(key: Key) -> String {
        key.0
    }
}

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot name an object: letters, digits, '.', '-' and '_' are wanted, in parts joined by '/' that do \
     not begin with '.'"
)]
pub struct BadKey(String);

impl BadKey {
    /// Says that `text` is no key; of a long one, how it begins.
    pub(crate) fn of(text: &str) -> Self {
        BadKey(text.chars().take(100).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_in_its_store() {
        for good in ["a", "inputs/2026-11-25T101500Z/asteroids.json.zst"] {
            assert_eq!(Key::new(good).unwrap().as_str(), good);
        }
        let long = "x".repeat(MAX_KEY_BYTES + 1);
        for bad in [
            "", "/", "/a", "a/", "a//b", "..", "a/../b", "a/.b", "a b", "a\\b", "ä", "a\0", "a:b",
            "C:", &long,
        ] {
            assert!(Key::new(bad).is_err(), "{bad:?}");
        }
    }
}
