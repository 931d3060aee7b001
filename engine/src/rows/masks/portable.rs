//! Eight bytes at a time, on any machine.

use super::{BLOCK_BYTES, BracketMasks, CsvMasks, JsonMasks, SMALL, parity};

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW_BITS: u64 = 0x7f * ONES;
const HIGH_BITS: u64 = 0x80 * ONES;

#[inline]
pub(in super::super) fn quotes(block: &[u8; BLOCK_BYTES]) -> u64 {
    gather(block, |word| is(word, b'"'))
}

#[inline]
pub(in super::super) fn csv(block: &[u8; BLOCK_BYTES]) -> CsvMasks {
    CsvMasks::of(|byte| gather(block, |word| is(word, byte)), parity)
}

#[inline]
pub(in super::super) fn json(block: &[u8; BLOCK_BYTES]) -> JsonMasks {
    JsonMasks::of(
        |byte| gather(block, |word| is(word, byte)),
        |first, last| gather(block, |word| is_in(word, first, last)),
        gather(block, |word| is_in(small(word), b'a', b'z')),
        parity,
    )
}

#[inline]
pub(in super::super) fn brackets(block: &[u8; BLOCK_BYTES]) -> BracketMasks {
    BracketMasks::of(
        |byte| gather(block, |word| is(word, byte)),
        |byte| gather(block, |word| is(small(word), byte)),
        parity,
    )
}

#[inline]
fn small(word: u64) -> u64 {
    word | (u64::from(SMALL) * ONES)
}

/// Collects the high bits of the bytes that `classify` leaves of each word.
#[inline]
fn gather(block: &[u8; BLOCK_BYTES], classify: impl Fn(u64) -> u64) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    let mut mask = 0;
    for (index, word) in words.iter().enumerate() {
        let high_bits = classify(u64::from_le_bytes(*word)) & HIGH_BITS;
        let bits = (high_bits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= bits << (8 * index);
    }
    mask
}

/// The high bit of each byte that is `byte`.
#[inline]
fn is(word: u64, byte: u8) -> u64 {
    let different = word ^ (u64::from(byte) * ONES);
    !(((different & LOW_BITS) + LOW_BITS) | different)
}

/// The high bit of each byte from `first` to `last`, which are ASCII.
#[inline]
fn is_in(word: u64, first: u8, last: u8) -> u64 {
    let low = word & LOW_BITS;
    let from_first = low + u64::from(0x80 - first) * ONES;
    let behind_last = low + u64::from(0x7f - last) * ONES;
    from_first & !behind_last & !word
}

/// Writes the positions of the bits that are set, the lowest bit's being `at`; what stands behind them is nothing
/// to go by.
#[inline(always)]
pub(in super::super) fn positions(mut bits: u64, at: u32, to: &mut [u32; BLOCK_BYTES]) {
    let num_set = bits.count_ones() as usize;
    // A fixed number of positions is written at once, though fewer be there: so many have one block in two, and
    // a loop that ends elsewhere each time costs more than the ones that are overwritten.
    let (first, more) = to.split_at_mut(12);
    for slot in first {
        *slot = at + bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
    }
    if num_set > 12 {
        for slot in &mut more[..num_set - 12] {
            *slot = at + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
    }
}
