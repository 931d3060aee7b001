//! Plain decimals, such as `2.765348506018043`, eight digits at a time.
//!
//! Nearly every figure of the catalogue is one. Its bytes are taken as 64-bit words (SIMD within a register:
//! the first byte is the lowest), which makes checking and reading it free of loops and of branches that
//! depend on how many digits there are. Whatever else is a number is left to the caller.

/// The longest decimal that is read here, in bytes.
const MAX_BYTES: usize = 24;
/// Bytes that are looked at: a word may begin behind the point that ends the longest integer part.
const WIDE_BYTES: usize = 32;
/// The most digits before the point: one word.
const MAX_INTEGER_DIGITS: usize = 7;

#[cfg(any(test, not(target_arch = "x86_64")))]
const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
#[cfg(any(test, not(target_arch = "x86_64")))]
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Powers of ten that are doubles exactly.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
/// The same as whole numbers, as far as eight digits need them.
const WHOLE_POWERS_OF_TEN: [u64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];

/// The bytes of a decimal and of what stands behind it.
#[inline(always)]
fn wide(from: &[u8]) -> [u8; WIDE_BYTES] {
    match from.first_chunk() {
        Some(wide) => *wide,
        None => padded(from),
    }
}

#[cold]
fn padded(from: &[u8]) -> [u8; WIDE_BYTES] {
    let mut wide = [0; WIDE_BYTES];
    wide[..from.len()].copy_from_slice(from);
    wide
}

#[inline(always)]
fn word(wide: &[u8; WIDE_BYTES], at: usize) -> u64 {
    let bytes = wide[at..at + 8].try_into().expect("eight bytes");
    u64::from_le_bytes(bytes)
}

/// A bit for each of the first [`MAX_BYTES`] bytes that is not a digit, the first byte's the lowest; the bits
/// behind them are nothing to go by.
#[inline(always)]
fn others(wide: &[u8; WIDE_BYTES]) -> u64 {
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
fn portable_others(wide: &[u8; WIDE_BYTES]) -> u64 {
    let of_word = |at| {
        let word = word(wide, at);
        let digits = word ^ 0x3030_3030_3030_3030;
        let others = (((digits & LOW_BITS) + 0x7676_7676_7676_7676) | digits) & HIGH_BITS;
        // Gathers the eight high bits in the highest byte.
        (others >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    };
    of_word(0) | of_word(8) << 8 | of_word(16) << 16
}

/// What every x86-64 machine has.
#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8,
        _mm_sub_epi8,
    };

    use super::{WIDE_BYTES, word};

    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn others(wide: &[u8; WIDE_BYTES]) -> u64 {
        let of_half = |at| {
            let [low, high] = [word(wide, at), word(wide, at + 8)].map(u64::cast_signed);
            let bytes = _mm_set_epi64x(high, low);
            let digits = _mm_sub_epi8(bytes, _mm_set1_epi8(b'0'.cast_signed()));
            let are_digits = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
            u64::from(!_mm_movemask_epi8(are_digits).cast_unsigned() & 0xffff)
        };
        of_half(0) | of_half(16) << 16
    }
}

/// Where the point of the first `len` bytes of `from` stands, or would stand behind the last digit, if they
/// are a plain decimal of at most [`MAX_BYTES`].
#[inline(always)]
pub(super) fn point(from: &[u8], len: usize) -> Option<usize> {
    if len > MAX_BYTES || len == 0 {
        return None;
    }
    let wide = wide(from);
    let others = others(&wide) & ((1 << len) - 1);
    if others == 0 {
        return Some(len);
    }
    let point = others.trailing_zeros() as usize;
    let is_decimal = others & (others - 1) == 0 && from[point] == b'.' && len > 1;
    is_decimal.then_some(point)
}

/// The nearest double of the plain decimal with its point at `point`, where that takes one division.
///
/// A whole number up to 2⁵³ and a power of ten up to 10²² are doubles exactly, so that their quotient is
/// rounded once, as it should be (Clinger, "How to read floating point numbers accurately", 1990).
#[inline]
pub(super) fn value(from: &[u8], len: usize, point: usize) -> Option<f64> {
    let num_fraction_digits = len.saturating_sub(point + 1);
    if point > MAX_INTEGER_DIGITS || point + num_fraction_digits > 19 {
        return None;
    }
    let wide = wide(from);
    let integer = digits(word(&wide, 0), point);
    let first = num_fraction_digits.min(8);
    let second = (num_fraction_digits - first).min(8);
    let mut mantissa = integer * WHOLE_POWERS_OF_TEN[first] + digits(word(&wide, point + 1), first);
    mantissa = mantissa * WHOLE_POWERS_OF_TEN[second] + digits(word(&wide, point + 9), second);
    let third = num_fraction_digits - first - second;
    if third > 0 {
        mantissa = mantissa * WHOLE_POWERS_OF_TEN[third] + digits(word(&wide, point + 17), third);
    }
    let is_exact = mantissa <= 1 << 53;
    is_exact.then(|| mantissa as f64 / POWERS_OF_TEN[num_fraction_digits])
}

/// The number that the first `len` digits of `word` are, at most eight.
///
/// Not inlined: the compiler would work on several words at once, with vector instructions that have no
/// 64-bit multiplication.
#[inline(never)]
fn digits(word: u64, len: usize) -> u64 {
    // The digits move to the end of the word, behind zeros; neighbours are then joined to numbers of two,
    // four and eight digits.
    let word = word.unbounded_shl(64 - 8 * len as u32) & 0x0f0f_0f0f_0f0f_0f0f;
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
                let mask = (1 << MAX_BYTES) - 1;
                let plain = wide.iter().zip(0..).map(|(byte, at)| u64::from(!byte.is_ascii_digit()) << at);
                let plain = plain.sum::<u64>() & mask;
                prop_assert_eq!(others(&wide) & mask, plain);
                prop_assert_eq!(portable_others(&wide) & mask, plain);
            }
        }

        #[test]
        fn what_is_read_is_the_nearest_double(text in r"[0-9]{0,7}\.?[0-9]{0,18}") {
            if let Some(value) = read(&text) {
                prop_assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits());
            }
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
