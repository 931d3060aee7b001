//! The shortest decimals of doubles: with the fewest digits that read back to the same.

use crate::pen::Pen;

/// The most bytes of a shortest decimal, such as `-2.2250738585072014e-308`.
const MAX_BYTES: usize = 24;

/// Writes the shortest decimal of `value`, which is finite. At most [`MAX_BYTES`].
#[inline(always)]
pub(crate) fn write_f64(value: f64, pen: &mut Pen<'_>) {
    debug_assert!(value.is_finite());
    if value.to_bits() == 0 {
        // What nine bodies in ten are worth.
        return pen.put(b"0.0", 3);
    }
    pen.aside(|pen| write_shortest(value, pen));
}

#[inline(never)]
fn write_shortest(value: f64, pen: &mut Pen<'_>) {
    pen.put_short(zmij::Buffer::new().format_finite(value).as_bytes());
}

/// A double with its shortest decimal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decimal {
    value: f64,
    text: [u8; MAX_BYTES],
    len: u8,
}

impl Decimal {
    /// Finds the decimal of `value`, which is finite.
    pub(crate) fn of(value: f64) -> Self {
        let mut buffer = zmij::Buffer::new();
        let shortest = buffer.format_finite(value).as_bytes();
        let mut text = [0; MAX_BYTES];
        text[..shortest.len()].copy_from_slice(shortest);
        Decimal {
            value,
            text,
            len: shortest.len() as u8,
        }
    }

    /// The double.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    #[inline(always)]
    pub(crate) fn write(&self, pen: &mut Pen<'_>) {
        pen.put(&self.text, self.len.into());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pen::written;

    fn check(value: f64) {
        let text = written(|pen| write_f64(value, pen));
        assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
        assert!(text.len() <= MAX_BYTES, "{text}");
        assert_eq!(written(|pen| Decimal::of(value).write(pen)), text);
    }

    #[test]
    fn the_longest_and_the_smallest_are_written_whole() {
        for value in [
            -f64::MIN_POSITIVE,
            f64::MAX,
            f64::MIN,
            5e-324,
            0.0,
            -0.0,
            1.0,
        ] {
            check(value);
        }
    }

    proptest! {
        #[test]
        fn any_double_reads_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            if value.is_finite() {
                check(value);
            }
        }
    }
}
