//! A body as the table gives it back.

use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::item::{ATTRIBUTES, Kind};

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Figure(f64),
    /// A whole number: the SPK-ID.
    Whole(i64),
    /// True or false.
    Flag(bool),
}

/// One body: the attributes that have a value, in the order of [`ATTRIBUTES`].
///
/// It serialises as an object whose numbers read back to the same doubles.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    values: Vec<(&'static str, Value)>,
}

impl Body {
    /// A body of these values, which are in the order of [`ATTRIBUTES`].
    pub(crate) fn of(values: Vec<(&'static str, Value)>) -> Self {
        Body { values }
    }

    /// Reads a row that [`schema::select`](super::schema::select) selects.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut values = Vec::with_capacity(ATTRIBUTES.len());
        for (index, attribute) in ATTRIBUTES.iter().enumerate() {
            let value = match row.get_ref(index)? {
                ValueRef::Null => continue,
                ValueRef::Integer(flag) if attribute.kind == Kind::Flag => Value::Flag(flag != 0),
                ValueRef::Integer(whole) => Value::Whole(whole),
                ValueRef::Real(figure) => Value::Figure(figure),
                ValueRef::Text(text) | ValueRef::Blob(text) => {
                    Value::Text(String::from_utf8_lossy(text).into_owned())
                }
            };
            values.push((attribute.name, value));
        }
        Ok(Body { values })
    }

    /// The attributes that have a value, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, &Value)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    /// The value of an attribute, where it has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let (_, value) = self.values.iter().find(|(found, _)| *found == name)?;
        Some(value)
    }

    /// The text of an attribute, where it has one.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an attribute, where it has one.
    #[must_use]
    pub fn figure(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Value::Figure(figure) => Some(*figure),
            Value::Whole(whole) => Some(*whole as f64),
            _ => None,
        }
    }

    /// Whether an attribute is set, where that is known.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (name, value) in &self.values {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
