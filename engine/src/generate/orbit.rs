//! Orbits that hang together: elements drawn per class, everything else computed from them.
//!
//! The arithmetic is limited to operations that IEEE 754 rounds in one way only; the one cosine is
//! a polynomial.

use super::class::{Class, draw_class, draw_shape};
use super::dates::day_of;
use super::digits::nearest;
use super::random::Random;

/// The shape of an orbit and the body's place on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Orbit {
    pub(super) class: Class,
    /// Eccentricity.
    pub(super) e: f64,
    /// Semi-major axis in au, negative for a hyperbola, none for a parabola.
    pub(super) a: Option<f64>,
    /// Perihelion distance in au.
    pub(super) q: f64,
    /// Aphelion distance in au, of ellipses.
    pub(super) ad: Option<f64>,
    /// Inclination, longitude of the node and argument of perihelion in degrees.
    pub(super) angles: [f64; 3],
    /// Mean anomaly in degrees; negative before the perihelion of a hyperbola.
    pub(super) ma: Option<f64>,
    /// Mean motion in degrees a day.
    pub(super) n: Option<f64>,
    /// Period in days, of ellipses.
    pub(super) per: Option<f64>,
    /// Day number on whose beginning the elements hold.
    pub(super) epoch_day: i64,
    /// Julian date of perihelion in units of 10^-12 days.
    pub(super) tp: i64,
    /// Tisserand's parameter with respect to Jupiter.
    pub(super) t_jup: f64,
}

/// The day of the standard epoch, JD 2461200.5.
pub(super) const EPOCH_DAY: i64 = day_of(2026, 6, 9);

/// A day in the units of [`Orbit::tp`].
pub(super) const TP_DAY: i64 = 1_000_000_000_000;

/// Gauss's constant in degrees: the mean motion at 1 au (0.01720209895 rad a day).
const MEAN_MOTION: f64 = 0.985_607_668_601_425;

/// Jupiter's semi-major axis in au, as the Tisserand parameter takes it.
const JUPITER: f64 = 5.2044;

/// The furthest perihelion passage from the epoch, in days: about the year 440 B.C., the oldest
/// that data have.
const MAX_TP_DAYS: f64 = 900_000.0;

/// Draws the orbit of an asteroid.
///
/// One unnumbered body in 15 has elements for an epoch of its own, soon after it was `found`.
pub(super) fn asteroid(found: i64, is_numbered: bool, random: &mut Random) -> Orbit {
    let class = draw_class(random);
    let (a, e) = draw_shape(class, random);
    let lowest = random.unit();
    let i = match class {
        Class::Mba | Class::Omb | Class::Imb => 0.05 + 28.0 * lowest * random.around(0.0, 1.0),
        _ => 0.1 + 60.0 * lowest * random.unit(),
    };
    let n = mean_motion(a);
    let passed = 360.0 * random.unit();
    // Far bodies are found near perihelion; it also keeps their dates inside the calendar.
    let passed = if passed > n * MAX_TP_DAYS {
        n * MAX_TP_DAYS * random.unit()
    } else {
        passed
    };
    let orbit = Elements {
        class,
        a: Some(a),
        e,
        q: a * (1.0 - e),
        i,
        since_tp: None,
    };
    let is_lost = !is_numbered && random.below(15) == 0;
    let epoch_day = if is_lost {
        found + random.integer(5, 150)
    } else {
        EPOCH_DAY
    };
    orbit.complete(passed, epoch_day, random)
}

/// Draws the orbit of a comet; one that `returns` has a period of a few years.
pub(super) fn comet(random: &mut Random, returns: bool, epoch_day: i64) -> Orbit {
    let kind = if returns { 99 } else { random.below(100) };
    let i = 0.5 + 178.0 * random.around(0.0, 1.0);
    let q = 0.2 + 5.0 * random.unit() * random.unit();
    // A comet is observed around its perihelion, mostly before it.
    let since_tp = random.between(-1_200.0, 600.0);
    let mut elements = Elements {
        class: Class::Comet,
        a: None,
        e: 1.0,
        q,
        i,
        since_tp: Some(since_tp),
    };
    match kind {
        0..45 => {
            elements.class = Class::Parabolic;
            elements.q = random.between(0.004, 0.06);
            elements.since_tp = Some(random.between(-90.0, 0.0));
        }
        45..57 => {
            elements.class = Class::Hyperbolic;
            elements.set_e(1.0 + 0.000_01 + 0.01 * random.unit() * random.unit() * random.unit());
        }
        57..75 => elements.set_e(1.0 - q / random.between(40.0, 20_000.0)),
        75..78 => elements.set_e(1.0 - q / random.between(12.0, 33.0)),
        _ => {
            elements.i = 0.5 + 35.0 * random.unit() * random.unit();
            elements.q = 0.9 + 4.0 * random.unit() * random.unit();
            elements.set_e(random.around(0.1, 0.85));
        }
    }
    elements.complete(0.0, epoch_day, random)
}

/// What is drawn of an orbit before the rest is computed.
struct Elements {
    class: Class,
    a: Option<f64>,
    e: f64,
    q: f64,
    i: f64,
    /// Days since perihelion, where they and not the anomaly are drawn.
    since_tp: Option<f64>,
}

impl Elements {
    /// Sets the eccentricity and the semi-major axis that it makes with `q`.
    fn set_e(&mut self, e: f64) {
        self.e = e;
        self.a = Some(self.q / (1.0 - e));
    }

    /// Computes what follows from the shape. `passed` is the mean anomaly in degrees if no time is
    /// drawn.
    fn complete(self, passed: f64, epoch_day: i64, random: &mut Random) -> Orbit {
        let Self { e, a, i, .. } = self;
        let is_ellipse = e < 1.0;
        let n = a.map(|a| mean_motion(a.abs()));
        let q = a.map_or(self.q, |a| a * (1.0 - e));
        let anomaly = match (self.since_tp, n) {
            (Some(days), Some(n)) => days * n,
            _ => passed,
        };
        let since_tp = match (self.since_tp, n) {
            (None, Some(n)) if anomaly > 180.0 && (360.0 - anomaly) / n < MAX_TP_DAYS => {
                (anomaly - 360.0) / n
            }
            (None, Some(n)) => anomaly / n,
            (days, _) => days.unwrap_or_default(),
        };
        let from_sun = a.map_or(0.0, |a| JUPITER / a);
        let t_jup = from_sun + 2.0 * cos_degrees(i) * (q * (1.0 + e) / JUPITER).sqrt();
        let node = 360.0 * random.unit();
        let per = n.filter(|_| is_ellipse).map(|n| 360.0 / n);
        Orbit {
            class: if self.class == Class::Comet {
                comet_class(per, t_jup, a)
            } else {
                self.class
            },
            e,
            a,
            q,
            ad: a.filter(|_| is_ellipse).map(|a| a * (1.0 + e)),
            angles: [i, node, 360.0 * random.unit()],
            ma: n.map(|_| {
                if is_ellipse && anomaly < 0.0 {
                    whole_turn(anomaly)
                } else {
                    anomaly
                }
            }),
            n,
            per,
            epoch_day,
            tp: epoch_day * TP_DAY - TP_DAY / 2 - to_tp(since_tp),
            t_jup,
        }
    }
}

/// Days in the units of [`Orbit::tp`].
fn to_tp(days: f64) -> i64 {
    let units = nearest(days.abs() * TP_DAY as f64) as i64;
    if days < 0.0 { -units } else { units }
}

/// The same angle in 0..360, for a body that passed its perihelion some turns from now.
fn whole_turn(angle: f64) -> f64 {
    let mut angle = angle;
    while angle < 0.0 {
        angle += 360.0;
    }
    angle
}

/// The class of a comet: of short period by its Tisserand parameter (Levison and Duncan), else by
/// its period.
fn comet_class(per: Option<f64>, t_jup: f64, a: Option<f64>) -> Class {
    let years = per.unwrap_or(f64::INFINITY) / 365.25;
    if years >= 200.0 {
        Class::Comet
    } else if t_jup > 3.0 {
        if a.unwrap_or_default() < JUPITER {
            Class::EnckeType
        } else {
            Class::ChironType
        }
    } else if t_jup > 2.0 {
        Class::JupiterFamily
    } else if years < 20.0 {
        Class::JupiterFamilyClassic
    } else {
        Class::HalleyType
    }
}

/// The mean motion in degrees a day of a body at `a` au, without mass (Kepler's third law).
fn mean_motion(a: f64) -> f64 {
    MEAN_MOTION / (a * a.sqrt())
}

/// The cosine of an angle of 0 to 180 degrees to about 1e-9, the same on every machine: the first
/// terms of the series at a quarter of the angle, doubled twice.
fn cos_degrees(angle: f64) -> f64 {
    let square = {
        let quarter = angle * (std::f64::consts::PI / 720.0);
        quarter * quarter
    };
    let mut cosine = 1.0;
    for step in [10.0, 8.0, 6.0, 4.0, 2.0] {
        cosine = 1.0 - cosine * square / (step * (step - 1.0));
    }
    for _ in 0..2 {
        cosine = 2.0 * cosine * cosine - 1.0;
    }
    cosine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_cosines_without_the_platforms_library() {
        for (angle, expected) in [
            (0.0, 1.0),
            (60.0, 0.5),
            (90.0, 0.0),
            (120.0, -0.5),
            (180.0, -1.0),
        ] {
            assert!((cos_degrees(angle) - expected).abs() < 1e-7, "cos {angle}");
        }
    }

    #[test]
    fn the_standard_epoch_is_the_catalogues() {
        assert_eq!(EPOCH_DAY, 2_461_201);
    }
}
