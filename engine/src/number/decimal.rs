//! Plain decimals, such as `2.765348506018043`, eight digits at a time.
//!
//! Nearly every figure of the catalogue is one. Its bytes are checked as vectors, or as 64-bit words where there are
//! none, and read as words (SIMD within a register: the first byte is the lowest), free of loops and of branches
//! that depend on how many digits there are. Whatever else is a number is left to the caller.

/// The longest decimal that is read here, in bytes.
const MAX_BYTES: usize = 24;
/// Bytes that are looked at, of which those behind the number do not count.
const WIDE_BYTES: usize = 32;
/// The most digits before the point: one word.
const MAX_INTEGER_DIGITS: usize = 7;
/// The most digits of all: a whole number of them is below 2⁶⁴.
const MAX_DIGITS: usize = 19;

#[cfg(any(test, not(target_arch = "x86_64")))]
const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
#[cfg(any(test, not(target_arch = "x86_64")))]
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Powers of ten that are doubles exactly.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
/// The same as whole numbers, as far as the digits that two words do not hold need them.
const WHOLE_POWERS_OF_TEN: [u64; MAX_DIGITS - 16 + 1] = [1, 10, 100, 1_000];

/// A bit for each of the first bytes that is not a digit, the first byte's the lowest.
#[inline(always)]
fn others(wide: &[u8; WIDE_BYTES]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    #[allow(
        unsafe_code,
        reason = "vector instructions, which each such machine has"
    )]
    // SAFETY: SSE2 is all that the function needs, and part of x86-64.
    return unsafe { sse2::others(wide) };
    #[cfg(not(target_arch = "x86_64"))]
    return portable_others(wide);
}

/// The same in 64-bit words alone.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn portable_others(wide: &[u8; WIDE_BYTES]) -> u32 {
    let of_word = |index: usize| {
        let word = words(wide)[index];
        let digits = word ^ 0x3030_3030_3030_3030;
        let others = (((digits & LOW_BITS) + 0x7676_7676_7676_7676) | digits) & HIGH_BITS;
        // Gathers the eight high bits in the highest byte.
        ((others >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
    };
    of_word(0) | of_word(1) << 8 | of_word(2) << 16 | of_word(3) << 24
}

/// What every x86-64 machine has.
#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_set1_epi8,
        _mm_sub_epi8,
    };

    use super::WIDE_BYTES;

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn others(wide: &[u8; WIDE_BYTES]) -> u32 {
        let of_half = |half: &[u8; WIDE_BYTES / 2]| {
            // SAFETY: the half is of the 16 bytes that are loaded, and this load wants no alignment.
            #[allow(unsafe_code, reason = "there is no load without a pointer")]
            let bytes = unsafe { _mm_loadu_si128(half.as_ptr().cast()) };
            let digits = _mm_sub_epi8(bytes, _mm_set1_epi8(b'0'.cast_signed()));
            let are_digits = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
            _mm_movemask_epi8(are_digits).cast_unsigned()
        };
        let (halves, _) = wide.as_chunks();
        !(of_half(&halves[0]) | of_half(&halves[1]) << 16)
    }
}

/// The bytes as 64-bit words, the first of each the lowest.
#[inline(always)]
fn words(wide: &[u8; WIDE_BYTES]) -> [u64; WIDE_BYTES / 8] {
    let (words, _) = wide.as_chunks();
    std::array::from_fn(|index| u64::from_le_bytes(words[index]))
}

fn padded(from: &[u8]) -> [u8; WIDE_BYTES] {
    let mut wide = [0; WIDE_BYTES];
    wide[..from.len()].copy_from_slice(from);
    wide
}

/// Where the point of the first `len` bytes of `from` stands, or would stand behind the last digit, if they
/// are a plain decimal of at most [`MAX_BYTES`].
#[inline(always)]
pub(super) fn point(from: &[u8], len: usize) -> Option<usize> {
    if len.wrapping_sub(1) >= MAX_BYTES {
        return None;
    }
    match from.first_chunk() {
        Some(wide) => point_of(wide, len),
        None => point_at_end(from, len),
    }
}

/// The same where there is little behind it.
#[cold]
#[inline(never)]
fn point_at_end(from: &[u8], len: usize) -> Option<usize> {
    point_of(&padded(from), len)
}

#[inline(always)]
fn point_of(wide: &[u8; WIDE_BYTES], len: usize) -> Option<usize> {
    let others = others(wide) & ((1_u32 << len) - 1);
    if others == 0 {
        return Some(len);
    }
    let point = others.trailing_zeros() as usize;
    let is_decimal = others == 1 << point && wide[point] == b'.' && len > 1;
    is_decimal.then_some(point)
}

/// The nearest double of the plain decimal with its point at `point`, where that takes one division.
///
/// A whole number up to 2⁵³ and a power of ten up to 10²² are doubles exactly, so that their quotient is
/// rounded once, as it should be (Clinger, "How to read floating point numbers accurately", 1990).
#[inline(always)]
pub(super) fn value(from: &[u8], len: usize, point: usize) -> Option<f64> {
    match from.first_chunk() {
        Some(wide) => value_of(wide, len, point),
        None => value_at_end(from, len, point),
    }
}

/// The same where there is little behind it.
#[cold]
#[inline(never)]
fn value_at_end(from: &[u8], len: usize, point: usize) -> Option<f64> {
    value_of(&padded(from), len, point)
}

#[inline(always)]
fn value_of(wide: &[u8; WIDE_BYTES], len: usize, point: usize) -> Option<f64> {
    let num_fraction_digits = len.saturating_sub(point + 1);
    let num_digits = point + num_fraction_digits;
    if point > MAX_INTEGER_DIGITS || num_digits.wrapping_sub(1) >= MAX_DIGITS {
        return None;
    }
    let [first, second, third, _] = words(wide);
    // The bytes behind the point move into its place.
    let before_point = (1_u64 << (8 * point)) - 1;
    let low = (first & before_point) | ((first >> 8 | second << 56) & !before_point);
    let high = second >> 8 | third << 56;
    // Of two words all digits move to the end, behind zeros; few figures have a digit behind them. Without a
    // branch: how many digits there are is nothing that a machine could foresee.
    let num_missing = 16_usize.saturating_sub(num_digits);
    let digits = (u128::from(low) | u128::from(high) << 64) << (8 * num_missing);
    let upper = whole(digits as u64) * 100_000_000 + whole((digits >> 64) as u64);
    let rest = num_digits.saturating_sub(16);
    let lower = whole((third >> 8).unbounded_shl(64 - 8 * rest as u32));
    let mantissa = upper * WHOLE_POWERS_OF_TEN[rest] + lower;
    let is_exact = mantissa <= 1 << 53;
    is_exact.then(|| mantissa as f64 / POWERS_OF_TEN[num_fraction_digits])
}

/// The number that the eight digits of `word` are, which may be zeros in place of some of the first.
#[inline(always)]
fn whole(word: u64) -> u64 {
    // Neighbours are joined to numbers of two, four and eight digits.
    let word = word & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (word.wrapping_mul(10 * (1 << 8) + 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let quads = (pairs.wrapping_mul(100 * (1 << 16) + 1) >> 16) & 0x0000_ffff_0000_ffff;
    quads.wrapping_mul(10_000 * (1 << 32) + 1) >> 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<f64> {
        let point = point(text.as_bytes(), text.len())?;
        value(text.as_bytes(), text.len(), point)
    }

    #[test]
    fn reads_what_the_catalogue_writes() {
        for text in [
            "0",
            "2461200.5",
            ".07913825487621974",
            "2.765348506018043",
            "7.",
            "16.65498645942587",
            "00012.50",
            "2461200",
        ] {
            assert_eq!(read(text), Some(text.parse().unwrap()), "{text}");
        }
        assert_eq!(read(".07913825487621974"), Some(0.07913825487621974));
        assert_eq!(read("2461200.5"), Some(2461200.5));
    }

    #[test]
    fn leaves_everything_else_to_others() {
        for text in [
            "",
            ".",
            "-1",
            "+1",
            "1e5",
            "1.2.3",
            "1,5",
            "1 ",
            "é",
            "1234567890123456789012345",
        ] {
            assert_eq!(point(text.as_bytes(), text.len()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn digits_are_told_from_others_alike(bytes in any::<[u8; WIDE_BYTES]>(), digits in "[0-9.]{32}") {
            for wide in [bytes, *digits.as_bytes().first_chunk().unwrap()] {
                let plain = wide.iter().zip(0..).map(|(byte, at)| u32::from(!byte.is_ascii_digit()) << at);
                let plain: u32 = plain.sum();
                prop_assert_eq!(others(&wide), plain);
                prop_assert_eq!(portable_others(&wide), plain);
            }
        }

        #[test]
        fn what_is_read_is_the_nearest_double(text in r"[0-9]{0,7}\.?[0-9]{0,18}") {
            if let Some(value) = read(&text) {
                prop_assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits());
            }
        }

        /// Digits behind the sixteenth are read where zeros before them leave room for them in a double.
        #[test]
        fn zeros_before_many_digits_leave_them_readable(zeros in r"0?\.0{1,3}", digits in "[1-8][0-9]{14}") {
            let text = zeros + &digits;
            prop_assert_eq!(read(&text).map(f64::to_bits), text.parse().ok().map(f64::to_bits));
        }

        #[test]
        fn the_point_is_found_among_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..40), len in 0..30_usize) {
            let len = len.min(bytes.len());
            let text = &bytes[..len];
            let num_points = text.iter().filter(|byte| **byte == b'.').count();
            let is_plain = len <= MAX_BYTES
                && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
                && num_points <= 1
                && len > num_points;
            let expected = text.iter().position(|byte| *byte == b'.').unwrap_or(len);
            prop_assert_eq!(point(&bytes, len), is_plain.then_some(expected));
        }
    }
}
