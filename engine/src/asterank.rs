//! The `asterank` valuation model: what a body is worth and how close it is, as Asterank
//! (typpo/asterank, MIT) defines it.
//!
//! Its published rows are reproduced to the last digits; where the original is undefined or random, the
//! rule is ours and marked so. The figures are a model's: a mass from a diameter is about 167 times too
//! heavy, for instance, and dollars are Asterank's.

mod composition;
mod spectral_type;

pub use composition::{Composition, MATERIALS, Material, Share, density};
pub use spectral_type::{SpectralType, TypeSource, is_comet};

/// Gravitational constant, km³/(kg·s²), as the model has it.
pub const GRAVITATIONAL_CONSTANT: f64 = 6.673e-20;
/// A mass above this, kg, is valued at [`LARGE_MASS_FACTOR`] of itself.
pub const LARGE_MASS_KG: f64 = 1e18;
/// What part of a large mass is valued.
pub const LARGE_MASS_FACTOR: f64 = 1e-6;
/// The mass, kg, of a body with neither diameter nor magnitude. Ours: the original adds noise.
pub const DEFAULT_MASS_KG: f64 = 1.47e15;
/// The albedo of a body whose own is unknown.
pub const DEFAULT_ALBEDO: f64 = 0.15;
/// The delta-v, km/s, of a body whose own is unknown.
pub const DEFAULT_DELTA_V_KMS: f64 = 12.0;
/// Closeness that counts as one in the profit.
pub const REFERENCE_CLOSENESS: f64 = 3_417.549_073_669_811_6;

/// Where a mass came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MassSource {
    /// The catalogue's GM.
    Gm,
    /// A published mass.
    Published,
    /// The diameter and the type's density.
    FromDiameter,
    /// Nothing: [`DEFAULT_MASS_KG`].
    Default,
}

impl MassSource {
    /// The word that items give it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gm => "gm",
            Self::Published => "published",
            Self::FromDiameter => "from-diameter",
            Self::Default => "default",
        }
    }
}

/// The diameter, km, of a body of absolute magnitude `h` and geometric `albedo`.
#[must_use]
pub fn diameter_from_magnitude(h: f64, albedo: Option<f64>) -> f64 {
    1329.0 / albedo.unwrap_or(DEFAULT_ALBEDO).sqrt() * 10_f64.powf(-0.2 * h)
}

/// The mass, kg, that the model values for a body of known `gm`, km³/s².
#[must_use]
pub fn mass_from_gm(gm: f64) -> f64 {
    let mass = gm / GRAVITATIONAL_CONSTANT;
    if mass > LARGE_MASS_KG {
        mass * LARGE_MASS_FACTOR
    } else {
        mass
    }
}

/// The mass, kg, that the model gives a body of `diameter_km` and `density`, g/cm³.
#[must_use]
pub fn mass_from_diameter(diameter_km: f64, density: f64) -> f64 {
    let radius = diameter_km / 2.0;
    4.0 / 3.0 * std::f64::consts::PI * radius.powi(3) * density / 6.0 * 1e15
}

/// The shape of an orbit, as far as the catalogue gives it: lengths in au.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Orbit {
    /// Semi-major axis.
    pub a: Option<f64>,
    /// Eccentricity.
    pub e: Option<f64>,
    /// Perihelion distance.
    pub q: Option<f64>,
    /// Aphelion distance.
    pub ad: Option<f64>,
}

impl Orbit {
    /// Completes an elliptic orbit's missing axis, perihelion and aphelion from the others. Ours.
    #[must_use]
    pub fn completed(self) -> Self {
        let Some(e) = self.e.filter(|e| *e < 1.0) else {
            return self;
        };
        let a = self.a.or(self.q.map(|q| q / (1.0 - e)));
        Orbit {
            a,
            e: self.e,
            q: self.q.or(a.map(|a| a * (1.0 - e))),
            ad: self.ad.or(a.map(|a| a * (1.0 + e))),
        }
    }
}

/// What the model says of a body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Valuation {
    /// The price of the body's materials, $.
    pub price: f64,
    /// What the original calls saved, $: not a saving in any useful sense, and kept for comparison.
    pub saved: f64,
    /// How easy the body is to reach; −1 where its orbit is unknown or beyond 50 au.
    pub closeness: f64,
    /// Price per month, weighed by closeness and delta-v, $.
    pub profit: f64,
    /// The order in which Asterank ranks bodies.
    pub score: f64,
}

/// Every comet's valuation.
pub const COMET: Valuation = Valuation {
    price: -1.0,
    saved: -1e-5,
    closeness: -1.0,
    profit: -1.0,
    score: -2e-12,
};

/// Values an asteroid of `mass_kg` and `composition` on a `completed` orbit, at `dv_kms` from Earth.
#[must_use]
pub fn value(
    mass_kg: f64,
    composition: &Composition,
    orbit: &Orbit,
    dv_kms: Option<f64>,
) -> Valuation {
    let dv = dv_kms.unwrap_or(DEFAULT_DELTA_V_KMS);
    let price = mass_kg * composition.dollars_per_kg;
    let saved = mass_kg * (composition.saved_per_kg - 2200.0 / 3.0) * 1e-5;
    let closeness = closeness(orbit, dv);
    let profit = price / 12.0 * closeness / REFERENCE_CLOSENESS * (12.0 / dv);
    let mut score = price.min(1e10) / 5e11;
    if score > 1e-4 {
        score += closeness / 20.0;
    }
    Valuation {
        price,
        saved,
        closeness,
        profit,
        score,
    }
}

/// How easy a body on a `completed` orbit is to reach, at `dv` km/s.
#[must_use]
pub fn closeness(orbit: &Orbit, dv: f64) -> f64 {
    let Orbit {
        a: Some(a),
        q: Some(q),
        ad: Some(ad),
        ..
    } = *orbit
    else {
        return -1.0;
    };
    if ad > 50.0 {
        return -1.0;
    }
    let reach = 50.0 * (1.0 + falloff(1.0, 1.3 * dv - 6.0));
    (falloff(0.9, ad) + falloff(0.45, a) + falloff(0.9, q) + reach + 1.0).powi(2)
}

/// The logistic function that falls with `x`: f(k, x) = 1/(1+e^{kx}).
fn falloff(k: f64, x: f64) -> f64 {
    1.0 / (1.0 + (k * x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_close(actual: f64, expected: f64) {
        assert!(
            ((actual - expected) / expected).abs() <= 1e-12,
            "{actual} is not {expected}"
        );
    }

    /// Asterank's row of 1 Ceres in 2019: a published mass, and no delta-v.
    #[test]
    fn values_ceres_as_asterank_did() {
        let mass = mass_from_gm(62.873006);
        let orbit = Orbit {
            a: Some(2.769165146349478),
            e: Some(0.07600902762923671),
            q: Some(2.558683596230681),
            ad: Some(2.979646696468275),
        };
        let valuation = value(mass, Composition::of("C"), &orbit, None);
        assert_close(valuation.price, 8123022111651.299);
        assert_close(valuation.saved, -6781157870666.667);
        assert_close(valuation.closeness, 2640.0802241862843);
        assert_close(valuation.profit, 522924215944.27673);
        assert_close(valuation.score, 132.02401120931424);
    }

    #[test]
    fn only_an_elliptic_orbit_is_completed() {
        let full = Orbit {
            a: Some(2.0),
            e: Some(0.5),
            q: Some(1.0),
            ad: Some(3.0),
        };
        for known in [
            Orbit {
                q: None,
                ad: None,
                ..full
            },
            Orbit {
                a: None,
                ad: None,
                ..full
            },
            Orbit {
                a: None,
                q: full.q,
                ad: None,
                ..full
            },
        ] {
            assert_eq!(known.completed(), full);
        }
        let open = Orbit {
            a: None,
            e: Some(1.2),
            q: Some(1.0),
            ad: None,
        };
        assert_eq!(open.completed(), open);
        assert_eq!(closeness(&open, 5.0), -1.0);
    }

    #[test]
    fn beyond_fifty_au_nothing_is_close() {
        let orbit = |ad| Orbit {
            a: Some(30.0),
            e: Some(0.6),
            q: Some(12.0),
            ad: Some(ad),
        };
        assert_eq!(closeness(&orbit(50.1), 5.0), -1.0);
        assert!(closeness(&orbit(50.0), 5.0) > 0.0);
    }
}
