//! The valuation model and Benner's equations, written plainly.

use std::f64::consts::{PI, SQRT_2};

/// Earth's orbital speed, km/s, and the speed in low Earth orbit in units of it.
const EARTH_SPEED_KMS: f64 = 30.0;
const PARKING_ORBIT: f64 = 7.727 / 29.784;
pub const GRAVITATIONAL_CONSTANT: f64 = 6.673e-20;

/// What a spectral type is worth and weighs.
#[derive(Debug, Clone, Copy)]
pub struct Composition {
    pub price_per_kg: f64,
    pub saved_per_kg: f64,
    pub density: f64,
}

pub struct Value {
    pub price: f64,
    pub saved: f64,
    pub closeness: f64,
    pub profit: f64,
    pub score: f64,
}

pub const COMET: Value = Value {
    price: -1.0,
    saved: -1e-5,
    closeness: -1.0,
    profit: -1.0,
    score: -2e-12,
};

pub fn delta_v(a: f64, e: f64, i_deg: f64) -> Option<f64> {
    if a <= 0.0 || e >= 1.0 {
        return None;
    }
    let root = |x: f64| x.max(0.0).sqrt();
    let (q, aphelion, c) = (
        a * (1.0 - e),
        a * (1.0 + e),
        (i_deg.to_radians() / 2.0).cos(),
    );
    let is_amor = a >= 1.0 && q > 1.0;
    let (arrival_tilt, body_tilt) = if is_amor { (c, 1.0) } else { (1.0, c) };
    let (u_t2, u_c2) = if a < 1.0 {
        (
            2.0 - 2.0 * c * root(2.0 * aphelion - aphelion * aphelion),
            3.0 / aphelion - 1.0 - 2.0 / aphelion * root(2.0 - aphelion),
        )
    } else {
        let axis = 2.0 / (aphelion + 1.0);
        (
            3.0 - axis - 2.0 * c * root(axis * aphelion),
            3.0 / aphelion - axis - 2.0 / aphelion * arrival_tilt * root(axis),
        )
    };
    let u_r2 =
        3.0 / aphelion - 1.0 / a - 2.0 / aphelion * body_tilt * root(a * (1.0 - e * e) / aphelion);
    let escape = SQRT_2 * PARKING_ORBIT;
    let launch = root(u_t2 + escape * escape) - PARKING_ORBIT;
    let rendezvous = (root(u_c2) - root(u_r2)).abs();
    Some(EARTH_SPEED_KMS * (launch + rendezvous) + 0.5)
}

pub fn diameter(h: f64, albedo: Option<f64>) -> f64 {
    1329.0 / albedo.unwrap_or(0.15).sqrt() * 10f64.powf(-0.2 * h)
}

pub fn mass_from_gm(gm: f64) -> f64 {
    let mass = gm / GRAVITATIONAL_CONSTANT;
    if mass > 1e18 { mass * 1e-6 } else { mass }
}

pub fn mass_from_diameter(diameter: f64, density: f64) -> f64 {
    4.0 / 3.0 * PI * (diameter / 2.0).powi(3) * density / 6.0 * 1e15
}

/// Axis, perihelion and aphelion, each completed from the others where the orbit is an ellipse.
pub fn completed(
    e: Option<f64>,
    a: Option<f64>,
    q: Option<f64>,
    ad: Option<f64>,
) -> [Option<f64>; 3] {
    let Some(e) = e.filter(|e| *e < 1.0) else {
        return [a, q, ad];
    };
    let a = a.or(q.map(|q| q / (1.0 - e)));
    [
        a,
        q.or(a.map(|a| a * (1.0 - e))),
        ad.or(a.map(|a| a * (1.0 + e))),
    ]
}

pub fn value(mass: f64, of: Composition, orbit: [Option<f64>; 3], dv: Option<f64>) -> Value {
    let dv = dv.unwrap_or(12.0);
    let f = |k: f64, x: f64| 1.0 / (1.0 + (k * x).exp());
    let closeness = match orbit {
        [Some(a), Some(q), Some(ad)] if ad <= 50.0 => {
            let reach = 50.0 * (1.0 + f(1.0, 1.3 * dv - 6.0));
            (f(0.9, ad) + f(0.45, a) + f(0.9, q) + reach + 1.0).powi(2)
        }
        _ => -1.0,
    };
    let price = mass * of.price_per_kg;
    let score = price.min(1e10) / 5e11;
    Value {
        price,
        saved: mass * (of.saved_per_kg - 2200.0 / 3.0) * 1e-5,
        closeness,
        profit: price / 12.0 * closeness / 3_417.549_073_669_811_6 * (12.0 / dv),
        score: if score > 1e-4 {
            score + closeness / 20.0
        } else {
            score
        },
    }
}
