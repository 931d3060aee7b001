//! Designations that were there already, each in 24 bytes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;
use sha2::{Digest, Sha256};

/// The rows by their designations' fingerprints.
#[derive(Debug, Default)]
pub(super) struct Keys {
    rows: HashMap<Fingerprint, u64, RandomState>,
}

/// The text itself with its length, where it has 15 bytes or fewer, as nearly all have; else a mark and the
/// beginning of its SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Fingerprint(u64, u64);

const MAX_BYTES: usize = 15;
const MARK: u8 = u8::MAX;

impl Keys {
    /// Notes that `row` has a designation. Returns the row that had it first, where there is one.
    pub(super) fn add(&mut self, designation: &str, row: u64) -> Option<u64> {
        match self.rows.entry(Fingerprint::of(designation.as_bytes())) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(vacant) => {
                vacant.insert(row);
                None
            }
        }
    }
}

impl Fingerprint {
    fn of(text: &[u8]) -> Self {
        let mut bytes = [0; MAX_BYTES + 1];
        match bytes.get_mut(..text.len()) {
            Some(start) if text.len() <= MAX_BYTES => {
                start.copy_from_slice(text);
                bytes[MAX_BYTES] = text.len() as u8;
            }
            _ => {
                bytes.copy_from_slice(&Sha256::digest(text)[..=MAX_BYTES]);
                bytes[MAX_BYTES] = MARK;
            }
        }
        let bytes = u128::from_le_bytes(bytes);
        Fingerprint(bytes as u64, (bytes >> 64) as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_row_of_a_designation_is_told_to_all_others() {
        let mut keys = Keys::default();
        assert_eq!(keys.add("433", 1), None);
        assert_eq!(keys.add("1998 SF36", 2), None);
        assert_eq!(keys.add("433", 3), Some(1));
        assert_eq!(keys.add("433", 4), Some(1));
        let long = "2MASS J21402931+1625183 A b";
        assert_eq!(keys.add(long, 5), None);
        assert_eq!(keys.add(long, 6), Some(5));
    }

    proptest! {
        #[test]
        fn other_texts_have_other_fingerprints(texts in prop::collection::hash_set("[\\x00aé]{0,18}", 0..50)) {
            let found: HashSet<_> =
                texts.iter().map(|text| Fingerprint::of(text.as_bytes())).collect();
            prop_assert_eq!(found.len(), texts.len());
        }
    }
}
