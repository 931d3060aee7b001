//! Numbers as JPL spells them, written digit by digit into a byte buffer.
//!
//! Nothing here asks a formatting library for a double's digits: a double is scaled by an exact
//! power of ten, which is one correctly rounded multiplication, and the integer that results is
//! written. So the text of a number is the same on every machine, and no cell allocates.

/// A non-negative decimal number: `digits` / 10^`decimals`, with a sign beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    /// The digits without the point.
    pub(super) digits: u64,
    /// How many of them stand behind the point.
    pub(super) decimals: usize,
    /// Whether a minus sign goes in front.
    pub(super) negative: bool,
}

/// A number with a fixed count of decimals: `units` / 10^`decimals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fixed {
    /// The number in units of its last decimal.
    pub(super) units: i64,
    /// How many digits stand behind the point.
    pub(super) decimals: usize,
}

/// The powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// JPL writes a number below 0.0001 with an exponent: this many zeros behind the point are one too
/// many.
const ZEROS_BEFORE_EXPONENT: usize = 4;

impl Decimal {
    /// A non-negative number from its digits.
    pub(super) const fn new(digits: u64, decimals: usize) -> Self {
        Self {
            digits,
            decimals,
            negative: false,
        }
    }

    /// `value` rounded to `significant` digits (at most 16). Its size lies between 1e-6 and 1e15,
    /// or is 0.
    pub(super) fn from_double(value: f64, significant: usize) -> Self {
        let size = value.abs();
        let mut decimals = significant - 1;
        if size >= 1.0 {
            while decimals > 0 && size >= POWERS[significant - decimals] {
                decimals -= 1;
            }
        } else {
            while decimals < 22 && size * POWERS[decimals + 1 - significant] < 1.0 {
                decimals += 1;
            }
        }
        Self {
            digits: nearest(size * POWERS[decimals]),
            decimals,
            negative: value < 0.0,
        }
    }
}

impl Fixed {
    /// `value` rounded to `decimals`.
    pub(super) fn from_double(value: f64, decimals: usize) -> Self {
        let units = nearest(value.abs() * POWERS[decimals]) as i64;
        Self {
            units: if value < 0.0 { -units } else { units },
            decimals,
        }
    }
}

/// The integer nearest to a non-negative number, halves upwards.
pub(super) fn nearest(value: f64) -> u64 {
    let floor = value as u64;
    floor + u64::from(value - floor as f64 >= 0.5)
}

/// Writes an integer.
pub(super) fn push_integer(out: &mut Vec<u8>, value: u64) {
    let mut buffer = [b'0'; WIDTH];
    let start = fill(&mut buffer, value);
    out.extend_from_slice(&buffer[start..]);
}

/// Writes an integer with zeros in front up to `width` digits (at most 24).
pub(super) fn push_padded(out: &mut Vec<u8>, value: u64, width: usize) {
    let mut buffer = [b'0'; WIDTH];
    let start = fill(&mut buffer, value).min(WIDTH - width);
    out.extend_from_slice(&buffer[start..]);
}

/// Writes the old spelling of measured quantities: `0.25`, `-0.12`, `14.30`.
pub(super) fn push_fixed(out: &mut Vec<u8>, value: Fixed) {
    if value.units < 0 {
        out.push(b'-');
    }
    let mut buffer = [b'0'; WIDTH];
    let start = fill(&mut buffer, value.units.unsigned_abs());
    let point = WIDTH - value.decimals;
    out.extend_from_slice(&buffer[start.min(point - 1)..point]);
    if value.decimals > 0 {
        out.push(b'.');
        out.extend_from_slice(&buffer[point..]);
    }
}

/// Writes the spelling of computed quantities: no zero before the point, a point behind a whole
/// number, an exponent below 0.0001 (`.25`, `7.`, `2.1E-9`). With `trim`, zeros at the end are left
/// out, as JPL mostly does.
pub(super) fn push_decimal(out: &mut Vec<u8>, value: Decimal, trim: bool) {
    if value.negative {
        out.push(b'-');
    }
    if value.digits == 0 {
        out.extend_from_slice(b"0.");
        return;
    }
    let mut buffer = [b'0'; WIDTH];
    let start = fill(&mut buffer, value.digits);
    let (mut end, mut decimals) = (WIDTH, value.decimals);
    while trim && decimals > 0 && buffer[end - 1] == b'0' {
        end -= 1;
        decimals -= 1;
    }
    let count = end - start;
    if count > decimals {
        push_point(out, &buffer[start..end], count - decimals);
    } else if decimals - count < ZEROS_BEFORE_EXPONENT {
        // The zeros in front of the digits are in the buffer already.
        out.push(b'.');
        out.extend_from_slice(&buffer[end - decimals..end]);
    } else {
        push_point(out, &buffer[start..end], 1);
        out.extend_from_slice(b"E-");
        push_integer(out, (decimals - count) as u64 + 1);
    }
}

/// Writes `digits` with a point behind the first `whole`.
fn push_point(out: &mut Vec<u8>, digits: &[u8], whole: usize) {
    out.extend_from_slice(&digits[..whole]);
    out.push(b'.');
    out.extend_from_slice(&digits[whole..]);
}

/// Room for the 20 digits of an integer and the zeros that a number below 1 has in front of them.
const WIDTH: usize = 24;

/// Writes the digits of `value`, at least one, to the end of `buffer` and returns where they begin.
fn fill(buffer: &mut [u8; WIDTH], value: u64) -> usize {
    let mut start = WIDTH;
    let mut left = value;
    // Eight digits at a time fit 32 bits, whose division is several times as fast.
    while left >= 100_000_000 {
        let mut eight = (left % 100_000_000) as u32;
        left /= 100_000_000;
        for _ in 0..4 {
            start -= 2;
            buffer[start..start + 2].copy_from_slice(&PAIRS[eight as usize % 100]);
            eight /= 100;
        }
    }
    let mut rest = left as usize;
    while rest >= 10 {
        start -= 2;
        buffer[start..start + 2].copy_from_slice(&PAIRS[rest % 100]);
        rest /= 100;
    }
    if rest > 0 || start == WIDTH {
        start -= 1;
        buffer[start] = b'0' + rest as u8;
    }
    start
}

/// The two digits of each number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut pair = 0;
    while pair < 100 {
        pairs[pair] = [b'0' + (pair / 10) as u8, b'0' + (pair % 10) as u8];
        pair += 1;
    }
    pairs
};

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn check(value: f64, significant: usize, expected: &str) {
        let decimal = Decimal::from_double(value, significant);
        assert_eq!(text(|out| push_decimal(out, decimal, true)), expected);
    }

    #[test]
    fn spells_doubles_as_jpl_does() {
        check(2.765348506018043, 16, "2.765348506018043");
        check(0.07913825487621974, 16, ".07913825487621974");
        check(50722.26380358748, 16, "50722.26380358748");
        check(-0.25, 16, "-.25");
        check(1.0, 16, "1.");
        check(360.0, 16, "360.");
        check(100.5, 16, "100.5");
        check(0.0, 16, "0.");
        check(0.0000971, 5, "9.71E-5");
        check(0.00001, 5, "1.E-5");
        check(0.00010094, 5, ".00010094");
        check(0.999_999_96, 6, "1.");
        check(9.999_999_96, 6, "10.");
    }

    #[test]
    fn keeps_zeros_when_asked() {
        let decimal = Decimal::new(2_229_512_647_434_280, 16);
        assert_eq!(
            text(|out| push_decimal(out, decimal, false)),
            ".2229512647434280"
        );
        assert_eq!(
            text(|out| push_decimal(out, Decimal::new(21, 10), true)),
            "2.1E-9"
        );
    }

    #[test]
    fn spells_fixed_numbers() {
        let fixed = |units, decimals| text(|out| push_fixed(out, Fixed { units, decimals }));
        assert_eq!(fixed(25, 2), "0.25");
        assert_eq!(fixed(-12, 2), "-0.12");
        assert_eq!(fixed(1430, 2), "14.30");
        assert_eq!(fixed(7, 0), "7");
        assert_eq!(fixed(5, 3), "0.005");
    }

    #[test]
    fn spells_integers() {
        for value in [
            0,
            1,
            9,
            10,
            99,
            100,
            101,
            12_345,
            999_999,
            1_000_000,
            u64::MAX,
        ] {
            assert_eq!(text(|out| push_integer(out, value)), value.to_string());
            assert_eq!(
                text(|out| push_padded(out, value, 3)),
                format!("{value:03}")
            );
        }
    }

    #[test]
    fn doubles_read_back_as_they_were_to_the_last_digits() {
        let mut random = crate::generate::random::Random::new(7);
        for _ in 0..10_000 {
            let value = random.between(0.0001, 400.0);
            let spelled = text(|out| push_decimal(out, Decimal::from_double(value, 16), true));
            let read: f64 = spelled.parse().unwrap();
            assert!(
                (read - value).abs() <= value * 2e-15,
                "{value} became {spelled}"
            );
        }
    }
}
