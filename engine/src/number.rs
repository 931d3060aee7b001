//! Numbers as the upstreams write them: `.25`, `7.`, `360.`, `1.23e+03`, `9.6E-09`, `1.5D+02`.
//!
//! A figure that passes through keeps its digits: its text is checked against the grammar and copied,
//! made legal JSON where it is not (`.25` → `0.25`, `7.` → `7`). It reads back to the same double.

mod decimal;
mod shortest;

use std::fmt;

#[cfg(target_arch = "x86_64")]
pub(crate) use decimal::Avx2;
pub(crate) use decimal::{Digits, Portable};
pub use shortest::Decimal;
pub(crate) use shortest::write_f64;

use crate::pen::Pen;

/// Longest text that is copied; a longer one is written as the shortest decimal of its double.
///
/// Seventeen significant digits identify a double (IEEE 754), so a longer text carries no more of it;
/// Amazon DynamoDB keeps at most 38 digits (Developer Guide, "Supported data types").
const MAX_COPIED_BYTES: usize = 32;
/// The most bytes that a number is written with: it may be put behind a zero and its sign.
pub(crate) const MAX_WRITTEN_BYTES: usize = MAX_COPIED_BYTES + 2;

/// A number's text, known to be of the grammar `[+-] digits [. digits] [(e|E|d|D) [+-] digits]` with at
/// least one digit before the exponent, and finite as a double.
#[derive(Clone, Copy)]
pub struct Number<'a> {
    /// The text and whatever stands behind it, so that it can be copied in one wide piece.
    from: &'a [u8],
    len: u32,
    /// Where the point of a plain decimal stands, or [`NO_POINT`].
    point: u16,
    form: Form,
}

/// In place of the point of what is no plain decimal.
const NO_POINT: u16 = u16::MAX;

/// How a number is written as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
enum Form {
    /// As it stands.
    Same,
    /// Behind a zero: `.25`, as JPL writes nearly every eccentricity.
    BehindZero,
    /// Put together anew: `7.`, `+1`, `007`, `1.5D+02`.
    Repaired,
    /// As the shortest decimal of its double, as it is overlong.
    Shortest,
}

/// A text that is not a finite number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotANumber;

impl<'a> Number<'a> {
    /// Reads `text`, which carries no surrounding spaces.
    ///
    /// # Errors
    /// [`NotANumber`] where `text` is not of the grammar, or is beyond the range of a double.
    pub fn parse(text: &'a str) -> Result<Self, NotANumber> {
        Self::read(text.as_bytes())
    }

    /// The same of bytes.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, NotANumber> {
        match Self::plain(Portable, bytes, bytes.len()) {
            Some(number) => Ok(number),
            None => Self::read_other(bytes),
        }
    }

    /// Reads the first `len` bytes of `from`, if they are a plain decimal: digits with a point before, among
    /// or behind them, or without one. What stands behind them is not looked at, but where there are
    /// [`MAX_COPIED_BYTES`] in all, the number is copied faster.
    #[inline(always)]
    pub(crate) fn plain(digits: impl Digits, from: &'a [u8], len: usize) -> Option<Self> {
        let point = decimal::point(digits, from, len)?;
        let form = if point == 0 {
            Form::BehindZero
        } else if point + 1 == len || (point > 1 && from.first() == Some(&b'0')) {
            Form::Repaired
        } else {
            Form::Same
        };
        Some(Number {
            from,
            len: len as u32,
            point: point as u16,
            form,
        })
    }

    #[cold]
    fn read_other(bytes: &'a [u8]) -> Result<Self, NotANumber> {
        let len = u32::try_from(bytes.len()).map_err(|_| NotANumber)?;
        let unsigned = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
        let point = unsigned + count_digits(&bytes[unsigned..]);
        let mut end = point;
        if bytes.get(point) == Some(&b'.') {
            end = point + 1 + count_digits(&bytes[point + 1..]);
        }
        let num_integer_digits = point - unsigned;
        let has_point = end > point;
        let num_fraction_digits = end - point - usize::from(has_point);
        if num_integer_digits + num_fraction_digits == 0 {
            return Err(NotANumber);
        }
        let mut is_json = num_integer_digits > 0
            && (num_integer_digits == 1 || bytes[unsigned] != b'0')
            && (!has_point || num_fraction_digits > 0)
            && bytes[0] != b'+';
        let has_exponent = end < bytes.len();
        if has_exponent {
            let sign = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let is_exponent = matches!(bytes[end], b'e' | b'E' | b'd' | b'D')
                && sign < bytes.len()
                && sign + count_digits(&bytes[sign..]) == bytes.len();
            if !is_exponent {
                return Err(NotANumber);
            }
            is_json &= matches!(bytes[end], b'e' | b'E');
        }
        let number = Number {
            from: bytes,
            len,
            point: NO_POINT,
            form: match is_json {
                _ if bytes.len() > MAX_COPIED_BYTES => Form::Shortest,
                true => Form::Same,
                false => Form::Repaired,
            },
        };
        // Without an exponent only some three hundred digits can leave the range of a double.
        let may_overflow = has_exponent || num_integer_digits > 300;
        if may_overflow && !number.value().is_finite() {
            return Err(NotANumber);
        }
        Ok(number)
    }

    /// Whether it is a plain decimal with a point in it.
    pub(crate) fn has_point(&self) -> bool {
        u32::from(self.point) < self.len
    }

    fn bytes(&self) -> &'a [u8] {
        &self.from[..self.len as usize]
    }

    fn text(&self) -> &'a str {
        std::str::from_utf8(self.bytes()).expect("the grammar is ASCII")
    }

    /// The nearest double.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value_by(Portable)
    }

    /// The same, read by `digits`.
    #[inline(always)]
    pub(crate) fn value_by(&self, digits: impl Digits) -> f64 {
        if self.point != NO_POINT
            && let Some(value) =
                decimal::value(digits, self.from, self.len as usize, self.point.into())
        {
            return value;
        }
        self.value_of_any()
    }

    #[inline(never)]
    fn value_of_any(&self) -> f64 {
        let number = match self.text().parse() {
            Ok(value) => return value,
            // Only Fortran's exponent letter is in our grammar and not in Rust's.
            Err(_) => self.text().replace(['d', 'D'], "e"),
        };
        number.parse().unwrap_or(f64::NAN)
    }

    /// Writes the number as JSON: the same digits, or the shortest ones where the text is overlong. At most
    /// [`MAX_WRITTEN_BYTES`].
    #[inline(always)]
    pub(crate) fn write(&self, pen: &mut Pen<'_>) {
        match self.form {
            Form::Same => {}
            Form::BehindZero => pen.put(b"0", 1),
            Form::Repaired | Form::Shortest => return pen.aside(|pen| self.write_otherwise(pen)),
        }
        match self.from.first_chunk::<MAX_COPIED_BYTES>() {
            Some(wide) => pen.put(wide, self.len as usize),
            None => pen.aside(|pen| self.write_narrow(pen)),
        }
    }

    /// Writes what there is little behind.
    #[cold]
    #[inline(never)]
    fn write_narrow(&self, pen: &mut Pen<'_>) {
        pen.put_slice(self.bytes());
    }

    /// Writes what is not written as it stands.
    #[cold]
    #[inline(never)]
    fn write_otherwise(&self, pen: &mut Pen<'_>) {
        if self.form == Form::Shortest {
            return write_f64(self.value(), pen);
        }
        let mut rest = self.text().trim_start_matches('+');
        if let Some(unsigned) = rest.strip_prefix('-') {
            pen.put_slice(b"-");
            rest = unsigned;
        }
        let (mantissa, exponent) = match rest.find(['e', 'E', 'd', 'D']) {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        match integer.trim_start_matches('0') {
            "" => pen.put_slice(b"0"),
            digits => pen.put_slice(digits.as_bytes()),
        }
        if !fraction.is_empty() {
            pen.put_slice(b".");
            pen.put_slice(fraction.as_bytes());
        }
        if let Some(exponent) = exponent {
            pen.put_slice(b"e");
            pen.put_slice(exponent.as_bytes());
        }
    }
}

impl fmt::Debug for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Number").field(&self.text()).finish()
    }
}

/// Two numbers are equal where they are written alike.
impl PartialEq for Number<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

fn count_digits(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pen::written;

    fn json(text: &str) -> Option<String> {
        let number = Number::parse(text).ok()?;
        Some(written(|pen| number.write(pen)))
    }

    #[test]
    fn keeps_the_digits_and_makes_them_legal_json() {
        for (text, expected) in [
            (".25", "0.25"),
            ("-.5", "-0.5"),
            ("7.", "7"),
            ("0.", "0"),
            ("360.", "360"),
            ("1.23e+03", "1.23e+03"),
            ("9.6E-09", "9.6E-09"),
            ("-0.01", "-0.01"),
            ("0.2229512647434280", "0.2229512647434280"),
            ("+4", "4"),
            ("007", "7"),
            ("00.50", "0.50"),
            ("1.5D+02", "1.5e+02"),
            (".00310590", "0.00310590"),
            ("-0", "-0"),
        ] {
            assert_eq!(json(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn an_overlong_number_becomes_the_shortest_of_its_double() {
        let text = format!("0.1{}", "0".repeat(1_000));
        assert_eq!(json(&text).as_deref(), Some("0.1"));
        assert_eq!(json(&"9".repeat(400)), None);
    }

    #[test]
    fn refuses_what_is_no_finite_number() {
        for text in [
            "", ".", "-", "+.", "e5", "1e", "1e+", "1e999", "0x10", "1 2", "1,5", "inf", "NaN",
        ] {
            assert_eq!(Number::parse(text), Err(NotANumber), "{text}");
        }
    }

    proptest! {
        #[test]
        fn json_reads_back_to_the_same_double(text in r"[+-]?[0-9]{0,18}\.?[0-9]{0,18}([eEdD][+-]?[0-9]{1,3})?") {
            let plain = text.replace(['d', 'D'], "e").parse::<f64>().ok().filter(|value| value.is_finite());
            prop_assert_eq!(Number::parse(&text).ok().map(|number| number.value()), plain);
            // What stands behind it makes no difference, unless it be faster.
            let embedded = format!("{text}.5,e1{}", "9".repeat(40));
            if let Some(read) = Number::plain(Portable, embedded.as_bytes(), text.len()) {
                prop_assert_eq!(Ok(read), Number::parse(&text));
                prop_assert_eq!(Some(read.value().to_bits()), plain.map(f64::to_bits));
            }
            if let Some(plain) = plain {
                let json = json(&text).unwrap();
                let value: serde_json::Value = serde_json::from_str(&json).unwrap();
                // serde_json reads numbers exactly only with a feature; Rust's own reading is exact.
                prop_assert!(value.is_number());
                prop_assert_eq!(json.parse::<f64>().unwrap().to_bits(), plain.to_bits());
            }
        }
    }
}
