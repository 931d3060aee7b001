//! A filter before hash maps: it says of most keys that are not there that they are not, in a few instructions.
//!
//! It is a Bloom filter of one bit a key (Bloom, "Space/time trade-offs in hash coding with allowable errors",
//! 1970).

/// How many bits there are, as a power of two: 16 KiB of them stay in a core's own memory, and the ten thousand
/// bodies of a delta-v table set an eighth.
const LOG2_BITS: u32 = 17;
const NUM_WORDS: usize = 1 << (LOG2_BITS - 6);

/// An odd number whose bits look random: that of the golden ratio, 2⁶⁴/φ (Knuth, TAOCP 3, section 6.4).
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Keys that may be there.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    bits: Box<[u64; NUM_WORDS]>,
}

impl Default for Filter {
    fn default() -> Self {
        Filter {
            bits: Box::new([0; NUM_WORDS]),
        }
    }
}

/// The bit of a key.
#[derive(Clone, Copy)]
pub(super) struct Bit(u64);

/// The bit of a number.
#[inline(always)]
pub(super) fn of_number(number: u32) -> Bit {
    Bit(u64::from(number).wrapping_mul(MULTIPLIER) >> (64 - LOG2_BITS))
}

/// The bit of a text: its last bytes tell designations apart.
#[inline(always)]
pub(super) fn of_text(text: &str) -> Bit {
    let bytes = text.as_bytes();
    let word = match (bytes.last_chunk(), bytes.first_chunk(), bytes.last_chunk()) {
        (Some(last), ..) => u64::from_le_bytes(*last),
        (None, Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => bytes
            .iter()
            .fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    // The length tells zeros in a short text from those before it.
    let mixed = (word ^ (bytes.len() as u64) << 56).wrapping_mul(MULTIPLIER);
    Bit(mixed >> (64 - LOG2_BITS))
}

impl Filter {
    pub(super) fn add(&mut self, bit: Bit) {
        self.bits[bit.0 as usize / 64 % NUM_WORDS] |= 1 << (bit.0 % 64);
    }

    /// Whether a key with this bit may be there.
    #[inline(always)]
    pub(super) fn may_have(&self, bit: Bit) -> bool {
        self.bits[bit.0 as usize / 64 % NUM_WORDS] >> (bit.0 % 64) & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_was_added_may_be_there(
            numbers in prop::collection::vec(any::<u32>(), 0..20),
            texts in prop::collection::vec(".{0,20}", 0..20),
        ) {
            let bits: Vec<Bit> = (numbers.iter().map(|number| of_number(*number)))
                .chain(texts.iter().map(|text| of_text(text)))
                .collect();
            let mut filter = Filter::default();
            for bit in &bits {
                filter.add(*bit);
            }
            for bit in bits {
                prop_assert!(filter.may_have(bit));
            }
        }
    }

    /// A filter that lets everything pass would be right and of no use.
    #[test]
    fn most_of_what_was_not_added_is_not_there() {
        let mut filter = Filter::default();
        for number in 0..5_000 {
            filter.add(of_number(number));
            filter.add(of_text(&format!("{} AB{number}", 1990 + number % 30)));
        }
        let passed = (0..10_000)
            .filter(|number| filter.may_have(of_number(500_000 + number)))
            .count();
        assert!(passed < 1_500, "{passed}");
        let passed = (0..10_000)
            .filter(|number| {
                filter.may_have(of_text(&format!("{} XY{number}", 1990 + number % 30)))
            })
            .count();
        assert!(passed < 1_500, "{passed}");
    }
}
