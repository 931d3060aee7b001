//! Plain decimals, such as `2.765348506018043`, sixteen digits at a time.
//!
//! Nearly every figure of the catalogue is one. Its bytes are checked and read by [`Digits`], as vectors or as 64-bit
//! words (SIMD within a register: the first byte is the lowest), free of loops and of branches that depend on how
//! many digits there are. Whatever else is a number is left to the caller.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
pub(crate) use portable::Portable;

/// The longest decimal that is read here, in bytes.
const MAX_BYTES: usize = 24;
/// Bytes that are looked at, of which those behind the number do not count.
const WIDE_BYTES: usize = 32;
/// The most digits before the point: fewer than a word has.
const MAX_INTEGER_DIGITS: usize = 7;
/// The most digits of all: a whole number of them is below 2⁶⁴.
const MAX_DIGITS: usize = 19;
/// The digits at the end that are read at once.
const LAST_DIGITS: usize = 16;

/// Powers of ten that are doubles exactly, and whole numbers of 64 bits.
const POWERS_OF_TEN: [f64; MAX_DIGITS + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19,
];

/// The same as whole numbers, up to the last digits' number.
const WHOLE_POWERS_OF_TEN: [u64; LAST_DIGITS + 1] = {
    let mut powers = [1; LAST_DIGITS + 1];
    let mut exponent = 1;
    while exponent <= LAST_DIGITS {
        powers[exponent] = 10 * powers[exponent - 1];
        exponent += 1;
    }
    powers
};

/// How digits are read: with what the machine has.
pub(crate) trait Digits: Copy {
    /// A bit for each of the bytes that is not a digit, the first byte's the lowest.
    fn others(self, wide: &[u8; WIDE_BYTES]) -> u32;

    /// The whole number that the first `num` bytes are the digits of, up to all of them.
    fn whole(self, bytes: &[u8; LAST_DIGITS], num: usize) -> u64;
}

fn padded(from: &[u8]) -> [u8; WIDE_BYTES] {
    let mut wide = [0; WIDE_BYTES];
    wide[..from.len()].copy_from_slice(from);
    wide
}

/// Where the point of the first `len` bytes of `from` stands, or would stand behind the last digit, if they
/// are a plain decimal of at most [`MAX_BYTES`].
#[inline(always)]
pub(super) fn point(digits: impl Digits, from: &[u8], len: usize) -> Option<usize> {
    if len.wrapping_sub(1) >= MAX_BYTES {
        return None;
    }
    match from.first_chunk() {
        Some(wide) => point_of(digits, wide, len),
        None => point_at_end(from, len),
    }
}

/// The same where there is little behind it.
#[cold]
#[inline(never)]
fn point_at_end(from: &[u8], len: usize) -> Option<usize> {
    point_of(Portable, &padded(from), len)
}

#[inline(always)]
fn point_of(digits: impl Digits, wide: &[u8; WIDE_BYTES], len: usize) -> Option<usize> {
    let others = digits.others(wide) & ((1_u32 << len) - 1);
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
pub(super) fn value(digits: impl Digits, from: &[u8], len: usize, point: usize) -> Option<f64> {
    match from.first_chunk() {
        Some(wide) => value_of(digits, wide, len, point),
        None => value_at_end(from, len, point),
    }
}

/// The same where there is little behind it.
#[cold]
#[inline(never)]
fn value_at_end(from: &[u8], len: usize, point: usize) -> Option<f64> {
    value_of(Portable, &padded(from), len, point)
}

#[inline(always)]
fn value_of(digits: impl Digits, wide: &[u8; WIDE_BYTES], len: usize, point: usize) -> Option<f64> {
    // The last digits behind the point are read at once, and those before them at once: the integer, or where that
    // is 0 the first digits behind the point.
    let num_fraction_digits = (len - point).saturating_sub(1);
    let num_last = num_fraction_digits.min(LAST_DIGITS);
    let num_between = num_fraction_digits - num_last;
    let is_below_one = point == 0 || (point == 1 && wide[0] == b'0');
    let (first, num_first) = match is_below_one {
        true => (point + 1, num_between),
        false => (0, point),
    };
    if point > MAX_INTEGER_DIGITS
        || num_first + num_last > MAX_DIGITS
        || (num_between > 0 && !is_below_one)
    {
        return None;
    }
    let last = wide[point + 1 + num_between..].first_chunk()?;
    let before = integer(wide[first..].first_chunk()?, num_first);
    let mantissa = before * WHOLE_POWERS_OF_TEN[num_last] + digits.whole(last, num_last);
    let is_exact = mantissa <= 1 << 53;
    is_exact.then(|| mantissa as f64 / POWERS_OF_TEN[num_fraction_digits])
}

/// The whole number that the first `num` bytes are the digits of: fewer than all of them.
#[inline(always)]
fn integer(bytes: &[u8; 8], num: usize) -> u64 {
    // Of all eight they move to the end, behind zeros: one byte more than there can be digits moves in any case.
    let digits = u64::from_le_bytes(*bytes) << 8 << (8 * (MAX_INTEGER_DIGITS - num));
    whole_word(digits)
}

/// The number that the eight digits of `word` are, which may be zeros in place of some of the first.
#[inline(always)]
fn whole_word(word: u64) -> u64 {
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

    /// Reads a decimal that stands before other text, with all that the machine has.
    fn read(text: &str) -> Option<f64> {
        let wide = format!("{text},{}", "7".repeat(WIDE_BYTES));
        let from = wide.as_bytes();
        let found = read_by(Portable, from, text.len());
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::here() {
            assert_eq!(read_by(avx2, from, text.len()), found, "{text}");
        }
        // With nothing behind it.
        assert_eq!(
            read_by(Portable, text.as_bytes(), text.len()),
            found,
            "{text}"
        );
        found
    }

    fn read_by(digits: impl Digits, from: &[u8], len: usize) -> Option<f64> {
        let point = point(digits, from, len)?;
        value(digits, from, len, point)
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
            assert_eq!(point(Portable, text.as_bytes(), text.len()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn digits_are_told_from_others_alike(bytes in any::<[u8; WIDE_BYTES]>(), digits in "[0-9.]{32}") {
            for wide in [bytes, *digits.as_bytes().first_chunk().unwrap()] {
                let plain = wide.iter().zip(0..).map(|(byte, at)| u32::from(!byte.is_ascii_digit()) << at);
                let plain: u32 = plain.sum();
                prop_assert_eq!(Portable.others(&wide), plain);
                #[cfg(target_arch = "x86_64")]
                if let Some(avx2) = Avx2::here() {
                    prop_assert_eq!(avx2.others(&wide), plain);
                }
            }
        }

        #[test]
        fn the_first_digits_are_a_whole_number(digits in "[0-9]{16}", num in 0..=16_usize) {
            let bytes = digits.as_bytes().first_chunk().unwrap();
            let plain = digits[..num].parse().unwrap_or(0);
            prop_assert_eq!(Portable.whole(bytes, num), plain);
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = Avx2::here() {
                prop_assert_eq!(avx2.whole(bytes, num), plain);
            }
        }

        #[test]
        fn what_is_read_is_the_nearest_double(text in r"(0{0,3}|[0-9]{0,7})\.?[0-9]{0,19}") {
            if let Some(value) = read(&text) {
                prop_assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits());
            }
        }

        /// Digits behind the sixteenth are read where zeros before them leave room for them in a double.
        #[test]
        fn zeros_before_many_digits_leave_them_readable(zeros in r"0?\.0{1,4}", digits in "[1-8][0-9]{14}") {
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
            prop_assert_eq!(point(Portable, &bytes, len), is_plain.then_some(expected));
        }
    }
}
