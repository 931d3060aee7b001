//! The equations that Lance Benner's table is computed with.
//!
//! They are those of Shoemaker and Helin 1978 (NASA CP-2053, pages 245–256) as Benner evaluates them:
//! a launch from low Earth orbit, and a rendezvous at the aphelion of the body's orbit. They have
//! one departure from the paper, the magnitude in U_R = |U_c − U_r|, without which rows of the table
//! come out too low. Speeds are in units of Earth's orbital speed, lengths in au.

use std::f64::consts::SQRT_2;

use serde::{Deserialize, Serialize};

/// Earth's orbital speed as the table rounds it, in km/s.
pub const EARTH_SPEED_KMS: f64 = 30.0;

/// What the table adds to every value for the manoeuvres at the body, in km/s.
pub const MANOEUVRE_RESERVE_KMS: f64 = 0.5;

/// The speed in low Earth orbit, in units of Earth's orbital speed: 7.727 km/s of 29.784 km/s.
///
/// These two are unrounded, unlike [`EARTH_SPEED_KMS`]; the table's values come out only with both.
pub const PARKING_ORBIT_SPEED: f64 = 7.727 / 29.784;

/// The speed of escape from low Earth orbit, in units of Earth's orbital speed.
const ESCAPE_SPEED: f64 = SQRT_2 * PARKING_ORBIT_SPEED;

/// The family of orbits that decides which equations hold.
///
/// Every closed orbit is in one: orbits inside Earth's count as Aten, the main belt and beyond as Amor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrbitClass {
    /// Semi-major axis below 1 au.
    Aten,
    /// Semi-major axis of at least 1 au, perihelion of at most 1 au.
    Apollo,
    /// Perihelion above 1 au.
    Amor,
}

/// A delta-v with the parts it is the sum of.
///
/// The speeds are in units of Earth's orbital speed, with [`EARTH_SPEED_KMS`] to make km/s of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Evaluation {
    /// The family whose equations were used.
    pub class: OrbitClass,
    /// Perihelion distance, q = a(1 − e), in au.
    pub perihelion_au: f64,
    /// Aphelion distance, Q = a(1 + e), in au.
    pub aphelion_au: f64,
    /// U_t: the speed relative to Earth on leaving it.
    pub u_t: f64,
    /// U_c: the speed of arrival, relative to a circular orbit at the body's aphelion.
    pub u_c: f64,
    /// U_r: the body's own speed at its aphelion, relative to the same circular orbit.
    pub u_r: f64,
    /// U_L: the change of speed that leaves low Earth orbit.
    pub launch: f64,
    /// U_R: the change of speed that meets the body.
    pub rendezvous: f64,
    /// The total, 30·(U_L + U_R) + 0.5, in km/s.
    pub dv_kms: f64,
}

/// Returns the family of an orbit with semi-major axis `a_au` (au) and eccentricity `e`.
///
/// An orbit that is not closed, or no orbit (`e` outside [0, 1), `a_au` not positive, either not
/// finite), has none.
#[must_use]
pub fn orbit_class(a_au: f64, e: f64) -> Option<OrbitClass> {
    let is_closed = a_au.is_finite() && a_au > 0.0 && (0.0..1.0).contains(&e);
    if !is_closed {
        None
    } else if a_au < 1.0 {
        Some(OrbitClass::Aten)
    } else if a_au * (1.0 - e) <= 1.0 {
        Some(OrbitClass::Apollo)
    } else {
        Some(OrbitClass::Amor)
    }
}

/// Returns the delta-v of a rendezvous in km/s; see [`evaluate`], whose total it is.
#[must_use]
pub fn rendezvous_delta_v(a_au: f64, e: f64, i_deg: f64) -> Option<f64> {
    evaluate(a_au, e, i_deg).map(|evaluation| evaluation.dv_kms)
}

/// Computes the delta-v of a rendezvous, with its parts, for an orbit with semi-major axis `a_au` (au),
/// eccentricity `e` and inclination `i_deg` (degrees).
///
/// There is no value where [`orbit_class`] has none, or where a number is not finite, on the way in or
/// out.
#[must_use]
pub fn evaluate(a_au: f64, e: f64, i_deg: f64) -> Option<Evaluation> {
    let class = orbit_class(a_au, e)?;
    let perihelion_au = a_au * (1.0 - e);
    // An Aten's stays below 2 au, where √(2 − Q) would end: a < 1 and e < 1, also as rounded.
    let aphelion_au = a_au * (1.0 + e);
    let tilt = (i_deg.to_radians() / 2.0).cos();
    // Half of the inclination counts on leaving Earth; the other half counts on arrival in the circular
    // orbit (Amor) or in the body's own speed (Aten, Apollo).
    let (arrival_tilt, body_tilt) = match class {
        OrbitClass::Aten | OrbitClass::Apollo => (1.0, tilt),
        OrbitClass::Amor => (tilt, 1.0),
    };
    let (u_t_squared, u_c_squared) = match class {
        OrbitClass::Aten => aten_transfer(aphelion_au, tilt),
        OrbitClass::Apollo | OrbitClass::Amor => outer_transfer(aphelion_au, tilt, arrival_tilt),
    };
    let u_r_squared = 3.0 / aphelion_au
        - 1.0 / a_au
        - 2.0 / aphelion_au * body_tilt * root(a_au * (1.0 - e * e) / aphelion_au);

    let (u_c, u_r) = (root(u_c_squared), root(u_r_squared));
    let launch = root(u_t_squared + ESCAPE_SPEED * ESCAPE_SPEED) - PARKING_ORBIT_SPEED;
    let rendezvous = (u_c - u_r).abs();
    let dv_kms = EARTH_SPEED_KMS * (launch + rendezvous) + MANOEUVRE_RESERVE_KMS;
    dv_kms.is_finite().then_some(Evaluation {
        class,
        perihelion_au,
        aphelion_au,
        u_t: root(u_t_squared),
        u_c,
        u_r,
        launch,
        rendezvous,
        dv_kms,
    })
}

/// U_t² and U_c² of an Aten: the transfer orbit has its aphelion at the body's and
/// its semi-major axis at 1 au.
fn aten_transfer(aphelion_au: f64, tilt: f64) -> (f64, f64) {
    let u_t_squared = 2.0 - 2.0 * tilt * root(2.0 * aphelion_au - aphelion_au * aphelion_au);
    let u_c_squared = 3.0 / aphelion_au - 1.0 - 2.0 / aphelion_au * root(2.0 - aphelion_au);
    (u_t_squared, u_c_squared)
}

/// U_t² and U_c² of an Apollo or Amor: the transfer orbit has its perihelion at Earth's orbit.
fn outer_transfer(aphelion_au: f64, tilt: f64, arrival_tilt: f64) -> (f64, f64) {
    let inverse_mean_au = 2.0 / (aphelion_au + 1.0);
    let u_t_squared = 3.0 - inverse_mean_au - 2.0 * tilt * root(aphelion_au * inverse_mean_au);
    let u_c_squared = 3.0 / aphelion_au
        - inverse_mean_au
        - 2.0 / aphelion_au * arrival_tilt * root(inverse_mean_au);
    (u_t_squared, u_c_squared)
}

/// The square root, with 0 for what rounding left a little below 0. NaN stays NaN.
fn root(square: f64) -> f64 {
    if square < 0.0 { 0.0 } else { square.sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(a_au: f64, e: f64, i_deg: f64, class: OrbitClass, published_kms: f64) {
        let evaluation = evaluate(a_au, e, i_deg).unwrap();
        assert_eq!(evaluation.class, class);
        let deviation = (evaluation.dv_kms - published_kms).abs();
        assert!(
            deviation <= 0.0006,
            "{} for {published_kms}",
            evaluation.dv_kms
        );
    }

    // The elements and values are those of the rows of the published table.
    #[test]
    fn agrees_with_the_published_values() {
        check(1.324, 0.280, 1.6, OrbitClass::Apollo, 4.632); // Itokawa
        check(1.126, 0.204, 6.0, OrbitClass::Apollo, 5.087); // Bennu
        check(1.644, 0.384, 3.4, OrbitClass::Amor, 5.098); // Didymos
        check(0.922, 0.191, 3.3, OrbitClass::Aten, 5.687); // Apophis
        check(1.458, 0.223, 10.8, OrbitClass::Amor, 6.069); // Eros
        check(1.033, 0.025, 0.6, OrbitClass::Amor, 3.813); // 2006 RH120
        check(1.290, 0.299, 64.0, OrbitClass::Apollo, 22.839); // Tantalus
    }

    #[test]
    fn parts_add_up_to_the_total() {
        let parts = evaluate(1.324, 0.280, 1.6).unwrap();
        assert_eq!(parts.rendezvous, (parts.u_c - parts.u_r).abs());
        let total = EARTH_SPEED_KMS * (parts.launch + parts.rendezvous) + MANOEUVRE_RESERVE_KMS;
        assert_eq!(parts.dv_kms, total);
        assert_eq!(rendezvous_delta_v(1.324, 0.280, 1.6), Some(total));
    }

    #[test]
    fn earths_own_orbit_costs_the_escape_alone() {
        let parts = evaluate(1.0, 0.0, 0.0).unwrap();
        assert!(parts.u_t < 1e-7 && parts.rendezvous < 1e-7, "{parts:?}");
        assert!((parts.launch - (SQRT_2 - 1.0) * PARKING_ORBIT_SPEED).abs() < 1e-12);
    }

    #[test]
    fn orbits_that_are_not_closed_have_no_value() {
        for (a, e, i) in [
            (1.5, 1.0, 1.0),
            (1.5, 1.2, 1.0),
            (-1.5, 1.2, 1.0),
            (1.5, -0.1, 1.0),
            (0.0, 0.1, 1.0),
            (f64::NAN, 0.1, 1.0),
            (f64::INFINITY, 0.1, 1.0),
            (1.5, f64::NAN, 1.0),
            (1.5, 0.1, f64::NAN),
            (1.5, 0.1, f64::INFINITY),
            (f64::MAX, 0.9, 1.0),
            (f64::from_bits(1), 0.9, 1.0),
        ] {
            assert_eq!(rendezvous_delta_v(a, e, i), None, "a {a}, e {e}, i {i}");
        }
    }

    #[test]
    fn the_widest_aten_stays_within_two_au() {
        let widest = 1.0_f64.next_down();
        let parts = evaluate(widest, widest, 180.0).unwrap();
        assert_eq!(parts.class, OrbitClass::Aten);
        assert!(parts.aphelion_au < 2.0);
    }

    #[test]
    fn classes_meet_at_one_au() {
        assert_eq!(orbit_class(0.999, 0.5), Some(OrbitClass::Aten));
        assert_eq!(orbit_class(1.0, 0.0), Some(OrbitClass::Apollo));
        assert_eq!(orbit_class(2.0, 0.5), Some(OrbitClass::Apollo));
        assert_eq!(orbit_class(2.0, 0.499), Some(OrbitClass::Amor));
    }

    proptest! {
        #[test]
        fn a_value_is_finite_and_no_less_than_an_escape(
            a in 1e-3..1e4_f64, e in 0.0..1.0_f64, i in 0.0..180.0_f64,
        ) {
            if let Some(dv_kms) = rendezvous_delta_v(a, e, i) {
                prop_assert!(dv_kms.is_finite() && dv_kms > 3.7, "{}", dv_kms);
            }
        }

        #[test]
        fn any_numbers_are_taken(a: f64, e: f64, i: f64) {
            if let Some(dv_kms) = rendezvous_delta_v(a, e, i) {
                prop_assert!(dv_kms.is_finite());
            }
        }
    }
}
