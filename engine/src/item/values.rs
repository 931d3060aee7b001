//! An item's values as they are, from the threads that value rows to the one that binds them to SQLite's
//! parameters: no digits are written only to be read again.
//!
//! A record is the number of its bytes (4, native order), then for each value the index of its attribute, a tag and
//! the value. Records live in a batch's memory alone: they are never stored, nor sent to another program.

use std::borrow::Cow;

use super::{Figure, Word};
use crate::pen::Pen;

const TEXT: u8 = 0;
const FIGURE: u8 = 1;
const WHOLE: u8 = 2;
const FLAG: u8 = 3;

/// A value of an attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Typed<'a> {
    /// Valid UTF-8.
    Text(&'a [u8]),
    Figure(f64),
    Whole(i64),
    Flag(bool),
}

/// Begins a record.
#[inline(always)]
pub(super) fn begin(pen: &mut Pen<'_>) {
    pen.put(&[0; 4], 4);
}

/// Ends the record that a pen has written all of.
#[inline(always)]
pub(super) fn end(pen: &mut Pen<'_>) {
    let len = u32::try_from(pen.num_written() - 4).expect("an item is far below 4 GiB");
    pen.replace_first(len.to_ne_bytes());
}

/// A value that can be put into a record.
pub(super) trait WriteTyped {
    /// Writes the value of attribute `index`.
    fn write_typed(&self, index: u8, pen: &mut Pen<'_>);
}

impl WriteTyped for Figure<'_> {
    #[inline(always)]
    fn write_typed(&self, index: u8, pen: &mut Pen<'_>) {
        let (tag, value) = match self {
            Figure::Whole(value) => match i64::try_from(*value) {
                Ok(value) => (WHOLE, value.to_ne_bytes()),
                Err(_) => (FIGURE, (*value as f64).to_ne_bytes()),
            },
            figure => (FIGURE, figure.value().to_ne_bytes()),
        };
        let mut bytes = [index, tag, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes[2..].copy_from_slice(&value);
        pen.put(&bytes, 10);
    }
}

impl WriteTyped for bool {
    #[inline(always)]
    fn write_typed(&self, index: u8, pen: &mut Pen<'_>) {
        pen.put(&[index, FLAG, u8::from(*self)], 3);
    }
}

impl WriteTyped for Word {
    #[inline(always)]
    fn write_typed(&self, index: u8, pen: &mut Pen<'_>) {
        write_text(index, self.as_str(), pen);
    }
}

impl WriteTyped for Cow<'_, str> {
    #[inline(always)]
    fn write_typed(&self, index: u8, pen: &mut Pen<'_>) {
        write_text(index, self, pen);
    }
}

#[inline(always)]
fn write_text(index: u8, text: &str, pen: &mut Pen<'_>) {
    let len = u32::try_from(text.len()).expect("a text is far below 4 GiB");
    let [a, b, c, d] = len.to_ne_bytes();
    pen.put(&[index, TEXT, a, b, c, d], 6);
    pen.put_short(text.as_bytes());
}

/// The records that `bytes` consist of.
pub(crate) fn records(mut bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
    std::iter::from_fn(move || {
        let len = u32::from_ne_bytes(take(&mut bytes)?);
        let (values, rest) = bytes.split_at_checked(len as usize)?;
        bytes = rest;
        Some(Record(values))
    })
}

/// The values of a record, each with the index of its attribute, in the order of the attributes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a>(&'a [u8]);

impl<'a> Iterator for Record<'a> {
    type Item = (usize, Typed<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let [index, tag] = take(&mut self.0)?;
        let value = match tag {
            TEXT => {
                let len = u32::from_ne_bytes(take(&mut self.0)?);
                let (text, rest) = self.0.split_at_checked(len as usize)?;
                self.0 = rest;
                Typed::Text(text)
            }
            FIGURE => Typed::Figure(f64::from_ne_bytes(take(&mut self.0)?)),
            WHOLE => Typed::Whole(i64::from_ne_bytes(take(&mut self.0)?)),
            _ => Typed::Flag(take(&mut self.0)? != [0]),
        };
        Some((usize::from(index), value))
    }
}

/// The first `N` bytes, which are taken off.
#[inline]
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::item::decode::{Fields, Scalar};
    use crate::item::{ATTRIBUTES, Item};
    use crate::number::Number;
    use crate::pen::Lines;

    /// What the item's line says, value by value: numbers of a record are doubles, as SQLite makes them of digits.
    fn of_line(item: &Item) -> Vec<(usize, String)> {
        let mut lines = Lines::default();
        item.write_json(&mut lines);
        let mut fields = Fields::of(lines.as_bytes()).unwrap();
        let mut found = Vec::new();
        while let Some((index, value)) = fields.next().unwrap() {
            let value = match value {
                Scalar::Whole(value) if ATTRIBUTES[index].name != "spkid" => {
                    Scalar::Figure(value as f64)
                }
                value => value,
            };
            found.push((index, format!("{value:?}")));
        }
        found
    }

    fn of_record(record: Record<'_>) -> Vec<(usize, String)> {
        let text = |text| Scalar::Text(String::from_utf8_lossy(text));
        let scalar = |value| match value {
            Typed::Text(bytes) => text(bytes),
            Typed::Figure(figure) => Scalar::Figure(figure),
            Typed::Whole(whole) => Scalar::Whole(whole),
            Typed::Flag(flag) => Scalar::Flag(flag),
        };
        record
            .map(|(index, value)| (index, format!("{:?}", scalar(value))))
            .collect()
    }

    proptest! {
        #[test]
        fn records_say_what_the_lines_say(
            bodies in prop::collection::vec(
                (any::<Option<String>>(), any::<Option<u32>>(), any::<Option<bool>>(), "[0-9]{0,3}\\.?[0-9]{1,20}", any::<f64>()),
                0..5,
            )
        ) {
            let items: Vec<Item> = bodies.iter().map(|(name, spkid, neo, digits, price)| Item {
                designation: Some("1\n2".into()),
                spkid: spkid.map(|spkid| Figure::Whole(spkid.into())),
                name: name.as_deref().map(Into::into),
                kind: Some("asteroid".into()),
                neo: *neo,
                h: Number::parse(digits).ok().map(Figure::Given),
                price: Some(Figure::Computed(*price)).filter(|_| price.is_finite()),
                ..Item::default()
            }).collect();
            let mut lines = Lines::default();
            items.iter().for_each(|item| item.write_record(&mut lines));
            let found: Vec<_> = records(lines.as_bytes()).map(of_record).collect();
            let expected: Vec<_> = items.iter().map(of_line).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn an_spk_id_beyond_sqlites_integers_is_a_double() {
        let item = Item {
            spkid: Some(Figure::Whole(u64::MAX)),
            ..Item::default()
        };
        let mut lines = Lines::default();
        item.write_record(&mut lines);
        let values: Vec<_> = records(lines.as_bytes()).flatten().collect();
        assert_eq!(values, [(1, Typed::Figure(u64::MAX as f64))]);
    }
}
