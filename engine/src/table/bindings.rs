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
