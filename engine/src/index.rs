//! An index of a table's rows by what the table calls their bodies, as tables are joined with.
//!
//! A body's number decides; designations are asked only where the table does not have the number. What a
//! row says, and where a name alone must do, is left to the tables.

mod filter;

use std::collections::HashMap;

use foldhash::fast::RandomState;

use filter::Filter;

/// The rows of a table by number and by designation.
#[derive(Debug, Clone, Default)]
pub(crate) struct BodyIndex {
    /// What the maps have, more or less: nearly every body of a catalogue is in no table.
    filter: Filter,
    by_number: HashMap<u32, usize, RandomState>,
    by_designation: HashMap<String, Row, RandomState>,
}

/// A row as its designation leads to it.
#[derive(Debug, Clone, Copy)]
struct Row {
    place: usize,
    has_number: bool,
}

/// A number or designation that an earlier row has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Which of the two: `number` or `designation`.
    pub(crate) column: &'static str,
    /// The number or the designation.
    pub(crate) key: String,
}

impl BodyIndex {
    /// Notes what the body of the row at `place` is called, unless an earlier row has one of the two.
    pub(crate) fn add(
        &mut self,
        number: Option<u32>,
        designation: Option<&str>,
        place: usize,
    ) -> Result<(), Taken> {
        if let Some(number) = number
            && self.by_number.contains_key(&number)
        {
            return Err(Taken {
                column: "number",
                key: number.to_string(),
            });
        }
        if let Some(designation) = designation
            && self.by_designation.contains_key(designation)
        {
            return Err(Taken {
                column: "designation",
                key: designation.to_owned(),
            });
        }
        if let Some(number) = number {
            self.filter.add(filter::of_number(number));
            self.by_number.insert(number, place);
        }
        if let Some(designation) = designation {
            self.filter.add(filter::of_text(designation));
            let row = Row {
                place,
                has_number: number.is_some(),
            };
            self.by_designation.insert(designation.to_owned(), row);
        }
        Ok(())
    }

    /// Finds a body's row: by its number, else by the first of its `designations` (`2006 RH120`) that the
    /// table has.
    ///
    /// A row with another number than the body's is never found by its designation.
    #[inline(always)]
    pub(crate) fn find(&self, number: Option<u32>, designations: &[&str]) -> Option<usize> {
        let may_have = |bit| self.filter.may_have(bit);
        if number.is_some_and(|number| may_have(filter::of_number(number)))
            || designations
                .iter()
                .any(|text| may_have(filter::of_text(text)))
        {
            self.find_in_maps(number, designations)
        } else {
            None
        }
    }

    #[inline(never)]
    fn find_in_maps(&self, number: Option<u32>, designations: &[&str]) -> Option<usize> {
        let by_number = number.and_then(|number| self.by_number.get(&number));
        if let Some(place) = by_number {
            return Some(*place);
        }
        designations
            .iter()
            .filter_map(|designation| self.by_designation.get(*designation))
            .find(|row| number.is_none() || !row.has_number)
            .map(|row| row.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> BodyIndex {
        let mut index = BodyIndex::default();
        index.add(Some(433), Some("1898 DQ"), 0).unwrap();
        index.add(None, Some("2006 RH120"), 1).unwrap();
        index.add(Some(99_942), None, 2).unwrap();
        index
    }

    #[test]
    fn finds_by_number_then_by_designation() {
        for (number, designations, place) in [
            (Some(433), &[][..], Some(0)),
            (Some(433), &["2006 RH120"], Some(0)),
            (None, &["x", "1898 DQ"], Some(0)),
            (Some(7), &["2006 RH120"], Some(1)),
            (Some(7), &["1898 DQ"], None),
            (Some(7), &["1898 DQ", "2006 RH120"], Some(1)),
            (Some(99_942), &[""], Some(2)),
            (None, &[], None),
        ] {
            let found = index().find(number, designations);
            assert_eq!(found, place, "{number:?} {designations:?}");
        }
    }

    #[test]
    fn a_row_whose_number_or_designation_is_taken_leaves_no_trace() {
        let mut index = index();
        let taken = |column, key: &str| {
            let key = key.to_owned();
            Err(Taken { column, key })
        };
        assert_eq!(index.add(Some(433), Some("new"), 3), taken("number", "433"));
        assert_eq!(
            index.add(Some(8), Some("2006 RH120"), 3),
            taken("designation", "2006 RH120")
        );
        assert_eq!(index.find(Some(8), &["new"]), None);
        assert_eq!(index.find(None, &["2006 RH120"]), Some(1));
    }
}
