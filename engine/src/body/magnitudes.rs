//! What follows from an absolute magnitude alone, worked out once for every magnitude of two decimals that bodies have.
//!
//! Of most bodies nothing is known but a magnitude of two decimals: no albedo, no diameter, no type. Their
//! diameters, masses and "saved" are the same few thousand doubles, and to find their shortest decimals is a large
//! part of what writing an item costs.

use std::sync::LazyLock;

use crate::asterank::{Composition, Orbit, diameter_from_magnitude, mass_from_diameter, value};
use crate::number::Decimal;

/// The magnitudes that are worked out, in hundredths. JPL's exports of 2023 and later have no more decimals; those that
/// have, as of 2020, and the few bodies beyond are worked out one by one.
const HUNDREDTHS: std::ops::Range<i32> = 0..3_500;

static MAGNITUDES: LazyLock<Box<[FromMagnitude]>> =
    LazyLock::new(|| HUNDREDTHS.map(FromMagnitude::of).collect());

/// What a body of unknown albedo and type has by its magnitude.
#[derive(Debug)]
pub(super) struct FromMagnitude {
    h: f64,
    pub(super) diameter_km: Decimal,
    pub(super) mass_kg: Decimal,
    pub(super) saved: Decimal,
}

impl FromMagnitude {
    /// What was worked out for the magnitude `h`, if that is one of them.
    #[inline(always)]
    pub(super) fn find(h: f64) -> Option<&'static Self> {
        let place = (h * 100.0 + 0.5) as usize;
        MAGNITUDES.get(place).filter(|found| found.h == h)
    }

    fn of(hundredths: i32) -> Self {
        let h = f64::from(hundredths) / 100.0;
        let composition = Composition::of("?");
        let diameter_km = diameter_from_magnitude(h, None);
        let mass_kg = mass_from_diameter(diameter_km, crate::asterank::density("?"));
        let valuation = value(mass_kg, composition, &Orbit::default(), None);
        FromMagnitude {
            h,
            diameter_km: Decimal::of(diameter_km),
            mass_kg: Decimal::of(mass_kg),
            saved: Decimal::of(valuation.saved),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_magnitude_of_two_decimals_is_found_as_it_is_read() {
        for hundredths in HUNDREDTHS {
            let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            let h = text.parse().unwrap();
            let found = FromMagnitude::find(h).unwrap();
            let diameter = diameter_from_magnitude(h, None);
            assert_eq!(
                found.diameter_km.value().to_bits(),
                diameter.to_bits(),
                "{text}"
            );
        }
    }

    #[test]
    fn others_are_not() {
        for h in [-1.0, -0.01, 35.0, 10.405, 1e300, f64::NAN, f64::INFINITY] {
            assert!(FromMagnitude::find(h).is_none(), "{h}");
        }
        assert!(FromMagnitude::find(-0.0).is_some_and(|found| found.h == 0.0));
    }
}
