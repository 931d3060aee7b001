//! Orbit classes: how frequent each is, and sizes and eccentricities inside its bounds.
//!
//! The bounds are JPL's (SBDB filter documentation, "Orbit classes").

use super::random::Random;

/// An orbit class, by JPL's three letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Ieo,
    Ate,
    Apo,
    Amo,
    Mca,
    Imb,
    Mba,
    Omb,
    Tjn,
    Cen,
    Tno,
    JupiterFamily,
    JupiterFamilyClassic,
    HalleyType,
    EnckeType,
    ChironType,
    Comet,
    Hyperbolic,
    Parabolic,
}

/// How many asteroids in 100,000 are of each class, near the catalogue of 2026.
const MIX: [(Class, u64); 11] = [
    (Class::Mba, 90_000),
    (Class::Omb, 2_700),
    (Class::Imb, 1_900),
    (Class::Mca, 1_600),
    (Class::Apo, 1_450),
    (Class::Amo, 850),
    (Class::Ate, 200),
    (Class::Ieo, 10),
    (Class::Tjn, 880),
    (Class::Cen, 60),
    (Class::Tno, 350),
];

impl Class {
    /// The class as the catalogue writes it.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Ieo => "IEO",
            Self::Ate => "ATE",
            Self::Apo => "APO",
            Self::Amo => "AMO",
            Self::Mca => "MCA",
            Self::Imb => "IMB",
            Self::Mba => "MBA",
            Self::Omb => "OMB",
            Self::Tjn => "TJN",
            Self::Cen => "CEN",
            Self::Tno => "TNO",
            Self::JupiterFamily => "JFc",
            Self::JupiterFamilyClassic => "JFC",
            Self::HalleyType => "HTC",
            Self::EnckeType => "ETc",
            Self::ChironType => "CTc",
            Self::Comet => "COM",
            Self::Hyperbolic => "HYP",
            Self::Parabolic => "PAR",
        }
    }

    /// Whether asteroids of the class come within 1.3 au of the Sun.
    pub(super) const fn is_near_earth(self) -> bool {
        matches!(self, Self::Ieo | Self::Ate | Self::Apo | Self::Amo)
    }
}

/// Draws the class of an asteroid.
pub(super) fn draw_class(random: &mut Random) -> Class {
    let mut left = random.below(100_000);
    for (class, share) in MIX {
        if left < share {
            return class;
        }
        left -= share;
    }
    Class::Mba
}

/// Draws semi-major axis and eccentricity inside the bounds of the class.
pub(super) fn draw_shape(class: Class, random: &mut Random) -> (f64, f64) {
    match class {
        Class::Ieo => {
            let a = random.between(0.55, 0.82);
            (a, (0.982 / a - 1.0).min(0.6) * random.around(0.1, 0.999))
        }
        Class::Ate => {
            let a = 1.0 - 0.35 * random.unit() * random.unit() - 0.0005;
            let least = (0.984 / a - 1.0).max(0.01);
            (a, least + (0.85 - least) * random.unit() * random.unit())
        }
        Class::Apo => {
            let a = 1.001 + 2.4 * random.around(0.0, 1.0);
            let q = 1.0169_f64.min(a) * (0.15 + 0.849 * random.unit().sqrt());
            (a, 1.0 - q / a)
        }
        Class::Amo => {
            let q = random.between(1.0171, 1.2999);
            let a = q + 0.02 + 2.3 * random.around(0.0, 1.0);
            (a, 1.0 - q / a)
        }
        Class::Mca => {
            let q = random.between(1.3, 1.6659);
            let a = q + 0.1 + (3.19 - q - 0.1) * random.around(0.0, 1.0);
            (a, 1.0 - q / a)
        }
        Class::Imb => {
            let a = random.between(1.79, 1.9999);
            (a, (1.0 - 1.6661 / a) * random.between(0.01, 1.0))
        }
        Class::Mba => draw_main_belt(random),
        Class::Omb => (
            random.pick(&[3.2, 3.3, 3.88]) + 0.15 * random.unit(),
            random.around(0.0, 0.35),
        ),
        Class::Tjn => (random.around(5.0, 5.4), random.around(0.0, 0.22)),
        Class::Cen => (random.between(5.6, 30.0), random.around(0.02, 0.7)),
        _ => {
            let a = match random.below(10) {
                0 => {
                    let a = random.between(55.0, 700.0);
                    return (a, 1.0 - random.between(30.5, 50.0) / a);
                }
                1..3 => random.around(39.1, 39.8),
                _ => random.around(40.0, 48.0),
            };
            (a, (1.0 - 30.2 / a) * random.around(0.0, 0.95))
        }
    }
}

/// Draws from the three zones of the main belt between the Kirkwood gaps at 2.5, 2.82 and 3.2 au.
fn draw_main_belt(random: &mut Random) -> (f64, f64) {
    let a = match random.below(100) {
        0..33 => random.around(2.1, 2.5),
        33..66 => random.between(2.5, 2.82),
        66..80 => random.between(2.83, 3.0),
        _ => random.around(3.0, 3.2),
    };
    (a, (1.0 - 1.6661 / a).min(0.36) * random.around(0.01, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asteroids_keep_to_the_bounds_of_their_class() {
        let mut random = Random::new(3);
        for _ in 0..200_000 {
            let class = draw_class(&mut random);
            let (a, e) = draw_shape(class, &mut random);
            let (q, ad) = (a * (1.0 - e), a * (1.0 + e));
            let inside = match class {
                Class::Ieo => ad < 0.983,
                Class::Ate => a < 1.0 && ad > 0.983,
                Class::Apo => a > 1.0 && q < 1.017,
                Class::Amo => q > 1.017 && q < 1.3,
                Class::Mca => (1.3..1.666).contains(&q) && a < 3.2,
                Class::Imb => a < 2.0 && q > 1.666,
                Class::Mba => a > 2.0 && a < 3.2 && q > 1.666,
                Class::Omb => (3.2..4.6).contains(&a),
                Class::Tjn => a > 4.6 && a < 5.5 && e < 0.3,
                Class::Cen => a > 5.5 && a < 30.1,
                Class::Tno => a > 30.1,
                _ => false,
            };
            assert!(inside && e > 0.0 && e < 1.0, "{class:?} {a} {e}");
        }
    }
}
