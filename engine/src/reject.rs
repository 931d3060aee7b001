//! Rejects: what the readers leave out, where it stood and why. A bad row is data, not a failure.

use serde::{Deserialize, Serialize};

/// The input that a rejected row stood in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// The small-body catalogue.
    Asteroids,
    /// The published delta-v table.
    DeltaV,
    /// JPL's NHATS table.
    Nhats,
    /// The list of mass estimates.
    Masses,
    /// The NASA Exoplanet Archive's table.
    Exoplanets,
}

/// Why a row was rejected. The names stand in reports and in `rejects.jsonl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The row has more or fewer fields than the header.
    FieldCount,
    /// A quoted field is never closed.
    UnclosedQuote,
    /// The row is longer than any row of a catalogue.
    RowTooLong,
    /// The row is not of the table's form (in JSON: not an array of strings and numbers).
    Malformed,
    /// A number cannot be read.
    BadNumber,
    /// A number is outside the range that its quantity can have.
    OutOfRange,
    /// A text is not UTF-8.
    BadText,
    /// A text is longer than its attribute allows.
    TextTooLong,
    /// The row names no body.
    NoKey,
    /// An earlier row has the same key.
    DuplicateKey,
}

/// One rejected row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// The input it stood in.
    pub input: Input,
    /// Its number among the input's rows, from 1, the header not counted.
    pub row: u64,
    /// The line it begins on, from 1, where the input has lines.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u64>,
    /// The column at fault, where one is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<String>,
    /// Why.
    pub reason: Reason,
    /// The same for people, with the offending value.
    pub message: String,
    /// The row as it stood, cut to [`MAX_TEXT_BYTES`] and made valid UTF-8.
    pub text: String,
}

/// An item that is rejected after all, once it was valued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectedItem<'a> {
    /// The number of its row, as in [`Reject::row`].
    pub row: u64,
    /// Its kind.
    pub kind: Option<&'a str>,
    /// Its key.
    pub designation: &'a str,
    /// Its full name.
    pub full_name: Option<&'a str>,
}

impl RejectedItem<'_> {
    /// The reject: of the row there is no more than what the body is called.
    #[must_use]
    pub fn reject(&self, reason: Reason, column: Option<&str>, message: String) -> Reject {
        Reject {
            input: match self.kind {
                Some("exoplanet") => Input::Exoplanets,
                _ => Input::Asteroids,
            },
            row: self.row,
            line: None,
            column: column.map(str::to_owned),
            reason,
            message,
            text: self.full_name.unwrap_or(self.designation).to_owned(),
        }
    }

    /// The reject of an item whose key is already that of row `first_row`.
    #[must_use]
    pub fn duplicate(&self, first_row: u64) -> Reject {
        let message = format!(
            "designation {} is already that of row {first_row}",
            self.designation
        );
        self.reject(Reason::DuplicateKey, None, message)
    }
}

/// The most of a rejected row that its reject repeats, in bytes.
pub const MAX_TEXT_BYTES: usize = 1_000;

/// The row as a reject repeats it: at most [`MAX_TEXT_BYTES`], invalid UTF-8 replaced.
#[must_use]
pub fn excerpt(row: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(&row[..row.len().min(MAX_TEXT_BYTES)]).into_owned();
    // A replacement character takes more bytes than what it replaces.
    text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_whatever_stands_in_the_row() {
        assert_eq!(excerpt(b"433,Eros \r\n"), "433,Eros");
        assert_eq!(excerpt(&[b'x'; 5_000]).len(), MAX_TEXT_BYTES);
        assert!(excerpt(&[0xff; 5_000]).len() <= MAX_TEXT_BYTES);
    }
}
