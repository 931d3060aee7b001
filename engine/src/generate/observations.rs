//! What the orbit solution says about itself: solution, dates, counts, uncertainties,
//! non-gravitational forces.

use super::dates::day_of;
use super::digits::Decimal;
use super::identity::Identity;
use super::orbit::Orbit;
use super::random::Random;

/// The columns about the observations and the fit.
#[derive(Debug, Clone)]
pub(super) struct Observations {
    /// The solution's number; comets' of 2019 and later have the short form `K192/7`.
    pub(super) solution: u64,
    /// Whether the solution is spelled the comets' way.
    pub(super) is_short_form: bool,
    /// Who computed it.
    pub(super) producer: &'static str,
    /// Days of the first and the last observation.
    pub(super) first_day: i64,
    pub(super) last_day: i64,
    /// Whether the arc between them is stated.
    pub(super) has_arc: bool,
    /// Observations used, and radar delays and Doppler shifts where there are any.
    pub(super) used: u64,
    pub(super) radar: Option<[u64; 2]>,
    /// 0 (certain) to 9.
    pub(super) condition_code: Option<u64>,
    /// Residual in arcseconds.
    pub(super) rms: Decimal,
    /// Uncertainty of H in magnitudes.
    pub(super) h_sigma: Option<Decimal>,
    /// Uncertainties of e, a, q, i, om, w, ma, ad, n, tp and per.
    pub(super) sigmas: [Option<Decimal>; 11],
    /// Whether the orbit is a two-body one.
    pub(super) is_two_body: bool,
    /// The non-gravitational parameters A1, A2, A3 and DT.
    pub(super) forces: [Option<Decimal>; 4],
}

/// The day of the catalogue, 2026-09-25.
const LAST_DAY: i64 = day_of(2026, 9, 25);

/// The decimals of the five digits of a certain orbit's uncertainties, in the order of
/// [`Observations::sigmas`]: that many put e near 1e-8 and the angles near 1e-5.
const SIGMA_DECIMALS: [usize; 11] = [12, 12, 12, 10, 9, 9, 10, 12, 14, 9, 10];

/// Draws the columns of an asteroid found around day `found`.
pub(super) fn asteroid(
    identity: &Identity,
    found: i64,
    orbit: &Orbit,
    random: &mut Random,
) -> Observations {
    let is_numbered = matches!(identity, Identity::Numbered { .. });
    let condition_code = match (is_numbered, random.below(10)) {
        (true, 0) => 1,
        (true, _) => 0,
        (false, 0..4) => random.below(3),
        (false, _) => random.below(10),
    };
    // Days from discovery to the last observation, by how certain the orbit has become.
    let reach = [9_000, 6_000, 4_000, 2_000, 1_000, 400, 120, 60, 25, 5][condition_code as usize];
    let was_seen_before = condition_code < 4 && random.below(2) == 0;
    let before = if was_seen_before {
        random.integer(0, 3_000)
    } else {
        0
    };
    let seen = found + random.integer(0, 14);
    let first_day = seen - before;
    let last_day = if is_numbered {
        LAST_DAY - random.integer(0, 1_200)
    } else {
        seen + random.integer(0, reach)
    };
    let used = match identity {
        Identity::Numbered { number, .. } if *number <= 10_000 => random.integer(1_500, 9_000),
        Identity::Numbered { .. } => random.integer(150, 2_200),
        _ => 9 + random.integer(0, 30) * (10 - condition_code as i64),
    };
    let near_earth = orbit.class.is_near_earth();
    let h_sigma = random.per_million(if is_numbered { 10_000 } else { 650_000 });
    Observations {
        solution: random.integer(1, 80) as u64,
        is_short_form: false,
        producer: draw_producer(random),
        first_day,
        last_day: last_day.clamp(seen, LAST_DAY),
        has_arc: !random.per_million(1_000),
        used: used as u64,
        radar: (near_earth && random.per_million(48_000))
            .then(|| [random.below(20), random.below(8)]),
        condition_code: Some(condition_code),
        rms: Decimal::new(random.integer(18_000, 74_999) as u64, 5),
        h_sigma: h_sigma.then(|| Decimal::new(random.integer(8_000, 99_999) as u64, 5)),
        sigmas: draw_sigmas(orbit, condition_code, random),
        is_two_body: false,
        forces: [
            None,
            (near_earth && random.per_million(13_000)).then(|| force(random)),
            None,
            None,
        ],
    }
}

/// Draws the columns of a comet found around day `found`.
pub(super) fn comet(found: i64, orbit: &Orbit, random: &mut Random) -> Observations {
    let is_certain = orbit.a.is_some();
    let condition_code = if is_certain { random.below(7) } else { 9 };
    let first_day = found + random.integer(0, 14);
    let forces = is_certain && random.below(5) == 0;
    let later = forces && random.below(4) == 0;
    let arc = if is_certain {
        random.integer(20, 2_500)
    } else {
        random.integer(0, 2)
    };
    Observations {
        solution: random.integer(1, 60) as u64,
        is_short_form: random.below(3) == 0,
        producer: draw_producer(random),
        first_day,
        last_day: (first_day + arc).clamp(first_day, LAST_DAY.max(first_day)),
        has_arc: is_certain,
        used: random.integer(6, 900) as u64,
        radar: None,
        condition_code: (is_certain || random.below(2) == 0).then_some(condition_code),
        rms: Decimal::new(random.integer(25_000, 119_999) as u64, 5),
        h_sigma: None,
        sigmas: draw_sigmas(orbit, condition_code, random),
        is_two_body: !is_certain,
        forces: [
            forces.then(|| force(random)),
            forces.then(|| force(random)),
            later.then(|| force(random)),
            later.then(|| Decimal::new(random.integer(100, 9_999) as u64, 2)),
        ],
    }
}

fn draw_producer(random: &mut Random) -> &'static str {
    match random.below(100) {
        0 => "Giorgini",
        1..4 => "Davide Farnocchia",
        _ => "Otto Matic",
    }
}

/// Five digits each, the larger the less certain the orbit. What the orbit lacks has no uncertainty
/// either.
fn draw_sigmas(orbit: &Orbit, condition_code: u64, random: &mut Random) -> [Option<Decimal>; 11] {
    let growth = (condition_code * 7 / 9) as usize;
    let bounded = orbit.ad.is_some();
    let open = orbit.a.is_some();
    let has = [
        open, open, true, true, true, true, open, bounded, open, true, bounded,
    ];
    std::array::from_fn(|index| {
        let digits = random.integer(10_000, 99_999) as u64;
        has[index].then(|| Decimal::new(digits, SIGMA_DECIMALS[index] - growth))
    })
}

/// A non-gravitational acceleration in au/d², of either sign.
fn force(random: &mut Random) -> Decimal {
    let digits = random.integer(1_000_000_000_000_000, 9_999_999_999_999_999) as u64;
    let decimals = random.integer(24, 30) as usize;
    Decimal {
        digits,
        decimals,
        negative: random.below(2) == 0,
    }
}
