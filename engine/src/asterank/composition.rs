//! What bodies of a spectral type are made of, what the materials cost and how dense the type is.

/// A material, its price in $/kg and its name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Material {
    /// English name.
    pub name: &'static str,
    /// Price on Earth as Asterank has it, $/kg.
    pub dollars_per_kg: f64,
}

/// Materials that bodies are made of, with Asterank's prices.
pub const MATERIALS: [Material; 12] = [
    Material {
        name: "water",
        dollars_per_kg: 0.01,
    },
    Material {
        name: "hydrogen",
        dollars_per_kg: 3.65808137,
    },
    Material {
        name: "nitrogen",
        dollars_per_kg: 0.074094,
    },
    Material {
        name: "ammonia",
        dollars_per_kg: 0.01,
    },
    Material {
        name: "iron",
        dollars_per_kg: 2e-7,
    },
    Material {
        name: "nickel",
        dollars_per_kg: 2e-5,
    },
    Material {
        name: "nickel-iron",
        dollars_per_kg: 1.01e-5,
    },
    Material {
        name: "cobalt",
        dollars_per_kg: 0.20,
    },
    Material {
        name: "platinum",
        dollars_per_kg: 2.0,
    },
    Material {
        name: "magnesium silicate",
        dollars_per_kg: 1e-25,
    },
    Material {
        name: "iron silicate",
        dollars_per_kg: 0.0,
    },
    Material {
        name: "aluminum",
        dollars_per_kg: 0.05,
    },
];

const WATER: usize = 0;
const HYDROGEN: usize = 1;
const NITROGEN: usize = 2;
const AMMONIA: usize = 3;
const IRON: usize = 4;
const NICKEL: usize = 5;
const NICKEL_IRON: usize = 6;
const COBALT: usize = 7;
const PLATINUM: usize = 8;
const MAGNESIUM_SILICATE: usize = 9;
const IRON_SILICATE: usize = 10;
const ALUMINUM: usize = 11;

/// A part of a body: a material, as an index into [`MATERIALS`], and its per cent of the mass.
pub type Share = (usize, f64);

/// What bodies of some types are made of, and what that makes a kilogram worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Composition {
    /// The materials and their shares.
    pub shares: &'static [Share],
    /// The price of the materials in one kilogram of the body, $.
    pub dollars_per_kg: f64,
    /// The sum of 2200 · share, $/kg, that the original's "saved" starts from.
    pub saved_per_kg: f64,
}

impl Composition {
    const fn new(shares: &'static [Share]) -> Self {
        let mut dollars_per_kg = 0.0;
        let mut saved_per_kg = 0.0;
        let mut at = 0;
        while at < shares.len() {
            let (material, per_cent) = shares[at];
            dollars_per_kg += MATERIALS[material].dollars_per_kg * per_cent / 100.0;
            saved_per_kg += 2200.0 * per_cent / 100.0;
            at += 1;
        }
        Composition {
            shares,
            dollars_per_kg,
            saved_per_kg,
        }
    }

    /// The composition of a spectral type. A type that the table does not know has that of `?`: nothing.
    #[must_use]
    pub fn of(spectral_type: &str) -> &'static Self {
        Self::known(spectral_type).unwrap_or(&NOTHING)
    }

    /// The composition of a type that the table knows.
    #[must_use]
    pub fn known(spectral_type: &str) -> Option<&'static Self> {
        Some(match spectral_type {
            "C" | "Ch" | "Cg" | "Cgh" => &CARBONACEOUS,
            "Cb" | "K" => &CARBONACEOUS_DRY,
            "B" => &B,
            "D" => &D,
            "P" => &P,
            "T" => &T,
            "Q" => &Q,
            "O" => &O,
            "M" | "X" | "Xe" | "Xk" => &METALLIC,
            "Xc" => &METALLIC_WITH_PLATINUM,
            "L" => &L,
            "S" | "Sq" | "Sr" | "Sk" | "Sl" | "S(IV)" | "R" | "V" | "Ld" => &STONY,
            "Sa" => &SA,
            "A" | "E" | "U" | "?" => &NOTHING,
            _ => return None,
        })
    }
}

static CARBONACEOUS: Composition = Composition::new(&[
    (WATER, 0.2),
    (IRON, 0.166),
    (NICKEL, 0.014),
    (COBALT, 0.002),
    (HYDROGEN, 0.235),
    (NITROGEN, 0.001),
    (AMMONIA, 0.001),
]);
static CARBONACEOUS_DRY: Composition = Composition::new(&[
    (WATER, 0.1),
    (IRON, 0.083),
    (NICKEL, 0.007),
    (COBALT, 0.001),
    (HYDROGEN, 0.235),
    (NITROGEN, 0.001),
    (AMMONIA, 0.001),
]);
static B: Composition = Composition::new(&[
    (HYDROGEN, 0.235),
    (NITROGEN, 0.001),
    (AMMONIA, 0.001),
    (IRON, 10.0),
]);
static D: Composition = Composition::new(&[(WATER, 0.000_023)]);
static P: Composition = Composition::new(&[(WATER, 12.5)]);
static T: Composition = Composition::new(&[(IRON, 6.0)]);
static Q: Composition = Composition::new(&[(NICKEL_IRON, 13.315)]);
static O: Composition = Composition::new(&[(NICKEL_IRON, 2.965), (PLATINUM, 1.25)]);
static METALLIC: Composition = Composition::new(&[(IRON, 88.0), (NICKEL, 10.0), (COBALT, 0.5)]);
static METALLIC_WITH_PLATINUM: Composition = Composition::new(&[
    (IRON, 88.0),
    (NICKEL, 10.0),
    (COBALT, 0.5),
    (PLATINUM, 0.005),
]);
static L: Composition = Composition::new(&[
    (MAGNESIUM_SILICATE, 1e-30),
    (IRON_SILICATE, 0.0),
    (ALUMINUM, 7.0),
]);
static STONY: Composition = Composition::new(&[(MAGNESIUM_SILICATE, 1e-30), (IRON_SILICATE, 0.0)]);
static SA: Composition = Composition::new(&[(MAGNESIUM_SILICATE, 5e-31), (IRON_SILICATE, 0.0)]);
static NOTHING: Composition = Composition::new(&[]);

/// The density, g/cm³, that the model gives a spectral type, by its first letter.
#[must_use]
pub fn density(spectral_type: &str) -> f64 {
    match spectral_type.as_bytes().first().map(u8::to_ascii_uppercase) {
        Some(b'C' | b'D' | b'P' | b'T' | b'B' | b'G' | b'F') => 1.38,
        Some(b'S' | b'K' | b'Q' | b'V' | b'R' | b'A') => 2.71,
        Some(b'M') => 5.32,
        _ => 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kilogram_is_worth_its_shares() {
        // O: 2.965 % nickel-iron at 1.01e-5 $/kg and 1.25 % platinum at 2 $/kg.
        let o = Composition::of("O");
        assert!((o.dollars_per_kg - (0.02965 * 1.01e-5 + 0.0125 * 2.0)).abs() < 1e-17);
        assert!((o.saved_per_kg - 2200.0 * 0.04215).abs() < 1e-11);
    }

    #[test]
    fn an_unknown_type_is_made_of_nothing() {
        assert!(Composition::known("Sw").is_none());
        assert_eq!(Composition::of("Sw"), Composition::of("?"));
        assert_eq!(Composition::of("?").dollars_per_kg, 0.0);
    }

    #[test]
    fn density_goes_by_the_first_letter() {
        for (spectral_type, expected) in [
            ("Cgh", 1.38),
            ("S(IV)", 2.71),
            ("M", 5.32),
            ("Xk", 2.0),
            ("?", 2.0),
            ("", 2.0),
        ] {
            assert_eq!(density(spectral_type), expected, "{spectral_type}");
        }
    }
}
