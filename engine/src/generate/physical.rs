//! Magnitudes, sizes and spectra: rare values, filled as often as in the catalogue.

use super::class::Class;
use super::digits::Fixed;
use super::identity::Identity;
use super::random::Random;

/// The physical columns of a body; what is unknown is none or empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Physical {
    /// Absolute magnitude.
    pub(super) h: Option<Fixed>,
    /// Slope parameter.
    pub(super) g: Option<Fixed>,
    /// A comet's total magnitude.
    pub(super) m1: Option<Fixed>,
    /// A comet's nuclear magnitude, the slopes of both and the phase coefficient, as texts.
    pub(super) m2: &'static str,
    pub(super) k1: &'static str,
    pub(super) k2: &'static str,
    pub(super) pc: &'static str,
    /// Diameter in km.
    pub(super) diameter: Option<Fixed>,
    /// Its uncertainty in km.
    pub(super) diameter_sigma: Option<Fixed>,
    /// Axes in km, as text.
    pub(super) extent: &'static str,
    /// Geometric albedo.
    pub(super) albedo: Option<Fixed>,
    /// Rotation period in hours.
    pub(super) rot_per: Option<Fixed>,
    /// Mass times the gravitational constant in km³/s², as text.
    pub(super) gm: &'static str,
    /// Colour indices B−V, U−B and I−R.
    pub(super) colours: [Option<Fixed>; 3],
    /// Spectral types in the SMASSII and Tholen classifications.
    pub(super) spectra: [&'static str; 2],
}

/// The bodies whose gravity is known: the numbers and the spellings that occur in the catalogue,
/// shuffled.
const GRAVITIES: [(u64, &str); 13] = [
    (1, "62.6284"),
    (2, "13.8"),
    (4, "17.8"),
    (10, "7."),
    (15, "2.1"),
    (16, "1.53"),
    (31, ".97"),
    (52, "1.59"),
    (87, ".99"),
    (253, "0.00689"),
    (433, "4.463e-04"),
    (511, "2.26"),
    (704, "5."),
];
/// Small ones with a companion.
const SMALL_GRAVITIES: [&str; 4] = ["2.1E-9", "3.00e-8", "4.8904e-9", "3.224E-08"];

const SPECTRA_B: [&str; 20] = [
    "S", "S", "C", "X", "Sq", "Sl", "Xk", "Ch", "L", "K", "V", "B", "Sq:", "S:", "C:", "X:",
    "S(IV)", "U", "O", "Sk",
];
const SPECTRA_T: [&str; 16] = [
    "S", "S", "C", "M", "P", "D", "G", "B", "SU", "SMU", "TCG:", "QRS", "XC", "CSU", "V", "CF",
];
const EXTENTS: [&str; 5] = [
    "34.4x11.2x11.2",
    "1.532 x 1.495 x 1.347",
    "0.535x0.294x0.209",
    "1.11 x 0.53 x 0.50",
    "964.4 x 964.2 x 891.8",
];

/// 10^(-1/500 · 2^k): the powers that make up 10^(-H/5) for H in hundredths of a magnitude.
const DIMMINGS: [f64; 12] = [
    0.995405417351527,
    0.9908319448927676,
    0.9817479430199844,
    0.9638290236239705,
    0.9289663867799364,
    0.8629785477669702,
    0.744731973905989,
    0.5546257129579107,
    0.3076096814740708,
    0.0946237161365793,
    0.008953647655495937,
    8.016780633876791e-05,
];

/// The diameter in km of a body of H 0 and albedo 1 (Fowler and Chillemi 1992; JPL's "Asteroid size
/// estimator").
const DIAMETER_AT_H_0: f64 = 1329.0;

/// Draws the physical columns of an asteroid.
pub(super) fn asteroid(identity: &Identity, class: Class, random: &mut Random) -> Physical {
    let number = match identity {
        Identity::Numbered { number, .. } => Some(*number),
        _ => None,
    };
    let h = draw_h(number, class, random);
    let mut physical = Physical::default();
    if !random.per_million(300) {
        physical.h = Some(spell_h(h, random));
        add_size(&mut physical, h, number.is_some(), random);
    }
    let rotations = if number.is_some() { 40_500 } else { 750 };
    if random.per_million(rotations) {
        let decimals = random.integer(1, 4) as usize;
        let hours = random.between(2.2, 16.0) * if random.below(15) == 0 { 20.0 } else { 1.0 };
        physical.rot_per = Some(Fixed::from_double(hours, decimals));
    }
    if number.is_some() && random.per_million(4_000) {
        add_rarities(&mut physical, random);
    }
    physical.gm = gravity(number, class, random);
    physical
}

/// Draws the physical columns of a comet.
pub(super) fn comet(random: &mut Random) -> Physical {
    let mut physical = Physical::default();
    if random.below(4) > 0 {
        physical.m1 = Some(Fixed {
            units: random.integer(45, 220),
            decimals: 1,
        });
        physical.k1 = random.pick(&["4.5", "5.", "12.75", "15.", "8.5"]);
    }
    if random.below(4) == 0 {
        physical.m2 = random.pick(&["20.6", "16.", "18.45", "14.2"]);
        physical.k2 = "5.";
        physical.pc = "0.03";
    }
    if random.below(30) == 0 {
        physical.diameter = Some(Fixed {
            units: random.integer(4, 160),
            decimals: 1,
        });
        physical.rot_per = Some(Fixed::from_double(random.between(5.0, 40.0), 2));
    }
    physical
}

/// Draws H in hundredths: bodies with low numbers are bright, those without a number faint.
fn draw_h(number: Option<u64>, class: Class, random: &mut Random) -> i64 {
    let spread = random.around(-150.0, 150.0) as i64 + random.integer(-40, 40);
    let low = match class {
        Class::Ieo | Class::Ate | Class::Apo | Class::Amo if number.is_some() => 1_850,
        Class::Ieo | Class::Ate | Class::Apo | Class::Amo => 2_300 + random.integer(-300, 450),
        Class::Tjn => 1_350,
        Class::Cen => 1_050,
        Class::Tno if random.below(50) == 0 => 20,
        Class::Tno => 680,
        _ => number.map_or(1_840, |number| {
            let floor = number.ilog2();
            // 68 hundredths for each doubling of the number, straight between the powers of two.
            350 + 68 * i64::from(floor) + ((68 * (number - (1 << floor))) >> floor) as i64
        }),
    };
    low + spread
}

/// Recent magnitudes have two decimals, older ones one, and those of automatic fits three.
fn spell_h(hundredths: i64, random: &mut Random) -> Fixed {
    match random.below(10) {
        0 => Fixed {
            units: hundredths / 10,
            decimals: 1,
        },
        1 => Fixed {
            units: hundredths * 10 + random.integer(0, 9),
            decimals: 3,
        },
        _ => Fixed {
            units: hundredths,
            decimals: 2,
        },
    }
}

/// Adds diameter and albedo, which agree with H to a tenth. Of the whole catalogue 9 % have them.
fn add_size(physical: &mut Physical, h: i64, is_numbered: bool, random: &mut Random) {
    let has_diameter = random.per_million(if is_numbered { 160_000 } else { 1_200 });
    let has_albedo = random.per_million(if has_diameter { 985_000 } else { 2_500 });
    let albedo = if random.below(2) == 0 {
        random.integer(30, 110)
    } else {
        random.integer(120, 420)
    };
    if has_albedo {
        physical.albedo = Some(Fixed {
            units: albedo,
            decimals: 3,
        });
    }
    if !has_diameter {
        return;
    }
    let size = DIAMETER_AT_H_0 / (albedo as f64 / 1_000.0).sqrt() * dimming(h);
    let decimals = if size > 30.0 {
        random.integer(1, 2) as usize
    } else {
        3
    };
    let diameter = Fixed::from_double(size * random.between(0.92, 1.08), decimals);
    if !random.per_million(40_000) {
        let units = (diameter.units / random.integer(20, 200)).max(1);
        physical.diameter_sigma = Some(Fixed { units, decimals });
    }
    physical.diameter = Some(Fixed {
        units: diameter.units.max(1),
        decimals,
    });
}

/// Adds what only the studied bodies have.
fn add_rarities(physical: &mut Physical, random: &mut Random) {
    if random.below(2) == 0 {
        physical.spectra[0] = random.pick(&SPECTRA_B);
    }
    if random.below(3) == 0 {
        physical.spectra[1] = random.pick(&SPECTRA_T);
        physical.colours[0] = Some(Fixed {
            units: random.integer(600, 950),
            decimals: 3,
        });
        physical.colours[1] = Some(Fixed {
            units: random.integer(180, 560),
            decimals: 3,
        });
    }
    if random.below(20) == 0 {
        physical.g = Some(Fixed {
            units: random.integer(-25, 60),
            decimals: 2,
        });
    }
    if random.below(80) == 0 {
        physical.extent = random.pick(&EXTENTS);
        physical.colours[2] = Some(Fixed {
            units: random.integer(-45, 45),
            decimals: 2,
        });
    }
}

/// The gravity of the few bodies that have one.
fn gravity(number: Option<u64>, class: Class, random: &mut Random) -> &'static str {
    if let Some((_, text)) = GRAVITIES.iter().find(|(known, _)| Some(*known) == number) {
        return text;
    }
    if number.is_some() && class.is_near_earth() && random.per_million(300) {
        return random.pick(&SMALL_GRAVITIES);
    }
    ""
}

/// 10^(-H/5) for H in hundredths of a magnitude, by multiplication alone.
fn dimming(hundredths: i64) -> f64 {
    let mut product = 1.0;
    for (bit, dimming) in DIMMINGS.iter().enumerate() {
        if hundredths.unsigned_abs() >> bit & 1 == 1 {
            product *= dimming;
        }
    }
    if hundredths < 0 {
        1.0 / product
    } else {
        product
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dims_by_a_factor_of_ten_every_five_magnitudes() {
        for (h, expected) in [
            (0, 1.0),
            (500, 0.1),
            (1_000, 0.01),
            (2_000, 1e-4),
            (-500, 10.0),
        ] {
            assert!((dimming(h) / expected - 1.0).abs() < 1e-12, "H {h}");
        }
    }
}
