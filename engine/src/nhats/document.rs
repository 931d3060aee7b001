//! The documents that the table comes in, as they are written: the API's and this program's own.
//!
//! The API gives an object a body and nearly every figure as a string (JPL, NHATS API documentation 1.3,
//! "Mode S"):
//! `{"des":"2000 SG344","fullname":"(2000 SG344)","min_dv":{"dv":"3.550","dur":"370"},"n_via_traj":1,…}`.
//! Numbers are taken as strings and as numbers, and keys that are not needed are passed over.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{Fault, NhatsRow};
use crate::body::is_missing;
use crate::designation::Identity;
use crate::number::Number;
use crate::reject::{Reason, Reject, excerpt};

/// The figures' columns in the API's document.
const DV: &str = "min_dv.dv";
const DURATION: &str = "min_dv.dur";

/// The longest text of a document that a message repeats, in bytes.
const MAX_SHOWN_BYTES: usize = 300;

/// Either document.
#[derive(Deserialize)]
pub(super) struct Document {
    /// The rows of `nhats.json`.
    pub(super) rows: Option<Vec<NhatsRow>>,
    /// What was rejected when `nhats.json` was made.
    #[serde(default)]
    pub(super) rejects: Vec<Reject>,
    /// The rows of the API's document.
    pub(super) data: Option<Vec<ApiRow>>,
    /// The number of the API's rows, as a number or a string.
    count: Option<Value>,
    /// What was wrong with the request.
    message: Option<Value>,
    /// Why the API found nothing.
    error: Option<Value>,
}

/// A row of the API's document.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum ApiRow {
    /// An object, as it should be.
    Body {
        des: Option<Value>,
        fullname: Option<Value>,
        min_dv: Option<Value>,
    },
    /// Anything else.
    Other(IgnoredAny),
}

impl Document {
    /// The number of bodies that the API counted.
    pub(super) fn count(&self) -> Option<u64> {
        text(self.count.as_ref()).parse().ok()
    }

    /// What the API says where it answers with an error in place of rows.
    pub(super) fn error_message(&self) -> Option<String> {
        let message = self.message.as_ref().or(self.error.as_ref())?;
        let message = text(Some(message));
        self.data.is_none().then(|| shown(&message))
    }
}

impl ApiRow {
    /// The row as the table has it.
    pub(super) fn read(&self) -> Result<NhatsRow, Fault> {
        let ApiRow::Body {
            des,
            fullname,
            min_dv,
        } = self
        else {
            let message = "a row is not an object".to_owned();
            return Err((None, Reason::Malformed, message));
        };
        let (des, full_name) = (text(des.as_ref()), text(fullname.as_ref()));
        let identity = Identity::of(&des, &full_name, "", "").unwrap_or_default();
        // Of a numbered body the key is the number, and its full name may tell the designation.
        let designation = match identity.number {
            Some(_) => identity.provisional,
            None => &identity.key,
        };
        let part = |key| min_dv.as_ref().and_then(|min_dv| min_dv.get(key));
        let row = NhatsRow {
            number: identity.number,
            designation: (!designation.is_empty()).then(|| designation.to_owned()),
            dv_kms: figure(part("dv"), DV)?,
            days: figure(part("dur"), DURATION)?,
        };
        row.check([DV, DURATION])?;
        Ok(row)
    }

    /// What the row calls its body.
    pub(super) fn text(&self) -> String {
        match self {
            ApiRow::Body { des, fullname, .. } => {
                let texts = [text(des.as_ref()), text(fullname.as_ref())];
                texts.join(" ").trim().to_owned()
            }
            ApiRow::Other(_) => String::new(),
        }
    }
}

/// A text, or a number in its digits; empty where there is neither.
fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The number in `column`, written as a number or as a string.
fn figure(value: Option<&Value>, column: &'static str) -> Result<f64, Fault> {
    let text = match value {
        None | Some(Value::Null | Value::String(_) | Value::Number(_)) => text(value),
        Some(other) => other.to_string(),
    };
    let message = if is_missing(text.as_bytes()) {
        format!("{column} is missing")
    } else {
        match Number::parse(&text) {
            Ok(number) => return Ok(number.value()),
            Err(_) => format!("{column} {:?} is not a number", shown(&text)),
        }
    };
    Err((Some(column), Reason::BadNumber, message))
}

/// The beginning of a text for a message, which is not to grow with what stands in the document.
pub(super) fn shown(text: &str) -> String {
    let bytes = text.as_bytes();
    excerpt(&bytes[..bytes.len().min(MAX_SHOWN_BYTES)])
}
