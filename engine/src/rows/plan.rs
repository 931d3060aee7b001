//! The plan of an input: which of its fields are wanted, made once from the header.

/// For each field of a row, in order, the wanted column that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    slots: Vec<Option<u16>>,
    /// For each wanted column the field that holds it, or [`NO_FIELD`].
    fields: Vec<u32>,
}

/// In place of the field of a column that no field holds. It is behind the fields of any row.
pub(super) const NO_FIELD: u32 = u32::MAX;

/// A wanted column that the header names twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DuplicateColumn(pub(crate) String);

impl Plan {
    /// Finds the `wanted` columns among the `header`'s names.
    pub(crate) fn new<S: AsRef<str>>(
        header: &[S],
        wanted: &[&str],
    ) -> Result<Self, DuplicateColumn> {
        let mut slots = Vec::with_capacity(header.len());
        let mut fields = vec![NO_FIELD; wanted.len()];
        for (field, name) in (0..).zip(header) {
            let slot = wanted.iter().position(|wanted| *wanted == name.as_ref());
            if let Some(slot) = slot
                && std::mem::replace(&mut fields[slot], field) != NO_FIELD
            {
                return Err(DuplicateColumn(name.as_ref().to_owned()));
            }
            slots.push(slot.map(|slot| u16::try_from(slot).expect("few columns are wanted")));
        }
        Ok(Plan { slots, fields })
    }

    /// The number of fields that a row has.
    pub(crate) fn width(&self) -> usize {
        self.slots.len()
    }

    /// The number of columns that were asked for, found or not.
    pub(crate) fn num_wanted(&self) -> usize {
        self.fields.len()
    }

    /// For each wanted column the field that holds it, or [`NO_FIELD`].
    #[inline]
    pub(super) fn fields(&self) -> &[u32] {
        &self.fields
    }

    /// The wanted column that stands in `field`, if one does.
    pub(crate) fn slot(&self, field: usize) -> Option<usize> {
        self.slots.get(field).copied().flatten().map(usize::from)
    }
}

/// A column's name as the web tool's exports of all years share it: no quotes or spaces around it, and an
/// underscore where December 2021 wrote a point (`epoch.mjd`).
pub(crate) fn normalised_name(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    name.trim_start_matches('\u{feff}')
        .trim()
        .trim_matches('"')
        .trim()
        .replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_wanted_columns_in_any_order() {
        let plan = Plan::new(&["x", "a", "", "e"], &["e", "a", "q"]).unwrap();
        let slots: Vec<_> = (0..5).map(|field| plan.slot(field)).collect();
        assert_eq!(slots, [None, Some(1), None, Some(0), None]);
        assert_eq!((plan.width(), plan.num_wanted()), (4, 3));
        assert_eq!(plan.fields(), [3, 1, NO_FIELD]);
    }

    #[test]
    fn refuses_a_wanted_column_that_stands_twice() {
        assert_eq!(
            Plan::new(&["a", "a"], &["a"]),
            Err(DuplicateColumn("a".to_owned()))
        );
        assert!(Plan::new(&["", "", "a"], &["a"]).is_ok());
    }

    #[test]
    fn names_of_all_years_are_the_same() {
        for name in [
            "epoch_mjd",
            "\"epoch.mjd\"",
            " epoch_mjd ",
            "\u{feff}\"epoch_mjd\"",
            "epoch.mjd\r",
        ] {
            assert_eq!(normalised_name(name.as_bytes()), "epoch_mjd");
        }
    }
}
