//! Digits read in words, which any machine has.

use super::{Digits, LAST_DIGITS, WIDE_BYTES, whole_word};

/// Nothing that not every machine has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

impl Digits for Portable {
    #[inline(always)]
    fn others(self, wide: &[u8; WIDE_BYTES]) -> u32 {
        const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
        let (words, _) = wide.as_chunks();
        let of_word = |index: usize| {
            let digits = u64::from_le_bytes(words[index]) ^ 0x3030_3030_3030_3030;
            let others = (((digits & LOW_BITS) + 0x7676_7676_7676_7676) | digits) & HIGH_BITS;
            // Gathers the eight high bits in the highest byte.
            ((others >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
        };
        of_word(0) | of_word(1) << 8 | of_word(2) << 16 | of_word(3) << 24
    }

    #[inline(always)]
    fn whole(self, bytes: &[u8; LAST_DIGITS], num: usize) -> u64 {
        // They move to the end, behind zeros.
        let digits = u128::from_le_bytes(*bytes).unbounded_shl(8 * (LAST_DIGITS - num) as u32);
        whole_word(digits as u64) * 100_000_000 + whole_word((digits >> 64) as u64)
    }
}
