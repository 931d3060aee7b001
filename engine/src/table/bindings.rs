//! Binds rows to the parameters of a statement, and only what differs from the row before: of nine bodies in ten
//! kind, class, sources and results are the same, and a bound text is a copy that SQLite allocates.

use rusqlite::Statement;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::item::ATTRIBUTES;
use crate::item::values::Typed;

/// What the parameters of a statement are bound to: the first is the row's number, the others are the attributes, in
/// order. It goes with one statement, whose parameters nobody else binds.
#[derive(Debug)]
pub(super) struct Bindings {
    /// Of each attribute.
    bound: Vec<Bound>,
    /// A bit for each attribute that this row has.
    seen: u64,
}

/// What a parameter is bound to.
#[derive(Debug, Clone, Default)]
struct Bound {
    value: Kept,
    /// The text, where the value is one; its memory is used again.
    text: Vec<u8>,
}

/// A value as it was bound.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Kept {
    #[default]
    Null,
    Integer(i64),
    /// By its bits: zeros differ.
    Real(u64),
    Text,
}

impl Bindings {
    /// Of a statement none of whose parameters are bound.
    pub(super) fn new() -> Self {
        Bindings {
            bound: vec![Bound::default(); ATTRIBUTES.len()],
            seen: 0,
        }
    }

    /// Begins a row.
    pub(super) fn begin(
        &mut self,
        statement: &mut Statement<'_>,
        rowid: i64,
    ) -> rusqlite::Result<()> {
        self.seen = 0;
        statement.raw_bind_parameter(1, rowid)
    }

    /// Binds an attribute's value.
    #[inline]
    pub(super) fn bind(
        &mut self,
        statement: &mut Statement<'_>,
        attribute: usize,
        value: Typed<'_>,
    ) -> rusqlite::Result<()> {
        self.seen |= 1 << attribute;
        let bound = &mut self.bound[attribute];
        let (kept, value) = match value {
            Typed::Text(text) => {
                if bound.value == Kept::Text && bound.text == text {
                    return Ok(());
                }
                bound.text.clear();
                bound.text.extend_from_slice(text);
                // Of two texts nothing but their bytes tells whether they are the same.
                bound.value = Kept::Null;
                (Kept::Text, ValueRef::Text(text))
            }
            Typed::Figure(figure) => (Kept::Real(figure.to_bits()), ValueRef::Real(figure)),
            Typed::Whole(whole) => (Kept::Integer(whole), ValueRef::Integer(whole)),
            Typed::Flag(flag) => (Kept::Integer(flag.into()), ValueRef::Integer(flag.into())),
        };
        if bound.value != kept {
            bind(statement, attribute, value)?;
            bound.value = kept;
        }
        Ok(())
    }

    /// Ends a row: binds nothing to what it does not have.
    pub(super) fn end(&mut self, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        for (attribute, bound) in self.bound.iter_mut().enumerate() {
            if self.seen & (1 << attribute) == 0 && bound.value != Kept::Null {
                bind(statement, attribute, ValueRef::Null)?;
                bound.value = Kept::Null;
            }
        }
        Ok(())
    }
}

#[inline]
fn bind(
    statement: &mut Statement<'_>,
    attribute: usize,
    value: ValueRef<'_>,
) -> rusqlite::Result<()> {
    statement.raw_bind_parameter(attribute + 2, ToSqlOutput::Borrowed(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::Connection;
    use rusqlite::types::Value;

    use super::*;
    use crate::table::schema;

    /// The attributes that rows here have: a key, a whole number, a text, a flag, a figure.
    const KEY: usize = 0;
    const SPKID: usize = 1;
    const NAME: usize = 3;
    const NEO: usize = 6;
    const H: usize = 10;

    proptest! {
        #[test]
        fn rows_are_inserted_as_they_are_whatever_went_before(
            rows in prop::collection::vec(
                (
                    "[ab]",
                    prop::option::of(0_i64..2),
                    prop::option::of("|a|b"),
                    any::<Option<bool>>(),
                    prop::option::of(prop::sample::select(vec![0.0, 0.5, 1.5])),
                ),
                0..20,
            )
        ) {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(&schema::tables()).unwrap();
            let mut insert = connection.prepare(&schema::insert()).unwrap();
            let mut bindings = Bindings::new();
            let mut expected = Vec::new();
            for ((key, spkid, name, neo, h), rowid) in rows.iter().zip(1..) {
                let values = [
                    (KEY, Some(Typed::Text(key.as_bytes()))),
                    (SPKID, spkid.map(Typed::Whole)),
                    (NAME, name.as_ref().map(|name| Typed::Text(name.as_bytes()))),
                    (NEO, neo.map(Typed::Flag)),
                    (H, h.map(Typed::Figure)),
                ];
                bindings.begin(&mut insert, rowid).unwrap();
                for (attribute, value) in values {
                    if let Some(value) = value {
                        bindings.bind(&mut insert, attribute, value).unwrap();
                    }
                }
                bindings.end(&mut insert).unwrap();
                insert.raw_execute().unwrap();
                expected.push(vec![
                    Value::Text(key.clone()),
                    Value::from(*spkid),
                    Value::from(name.clone()),
                    Value::from(neo.map(i64::from)),
                    Value::from(*h),
                ]);
            }
            let mut select = connection
                .prepare("SELECT designation, spkid, name, neo, h FROM bodies ORDER BY rowid")
                .unwrap();
            let read = |row: &rusqlite::Row<'_>| (0..5).map(|column| row.get(column)).collect();
            let found: rusqlite::Result<Vec<Vec<Value>>> =
                select.query_map([], read).unwrap().collect();
            prop_assert_eq!(found.unwrap(), expected);
        }
    }
}
