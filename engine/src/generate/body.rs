//! One synthetic body: identity, orbit, physical quantities and observations, drawn from its row's
//! random numbers.

use super::class::Class;
use super::designation::Designation;
use super::digits::{Decimal, Fixed};
use super::identity::{CometLabel, Identity};
use super::names;
use super::observations::{self, Observations};
use super::orbit::{self, EPOCH_DAY, Orbit};
use super::physical::{self, Physical};
use super::random::Random;

/// Rows come in blocks of this many: numbered asteroids, then unnumbered ones, then comets. JPL's
/// file has the same order once; repeated in blocks, the proportions hold for a catalogue of any
/// length.
const BLOCK: u64 = 1_000;
/// Numbered asteroids in a block: 56 %, as in 2026.
const NUMBERED: u64 = 560;
/// Comets in a block: 0.3 %.
const COMETS: u64 = 3;
/// Unnumbered asteroids in a block.
const UNNUMBERED: u64 = BLOCK - NUMBERED - COMETS;

/// Bodies up to this number have names; of the others, one in 25.
const ALL_NAMED: u64 = 40;

/// Lunar distances in an au times 100, as JPL's `moid_ld` takes it (389.17: the ratio of both
/// columns in its exports).
const LUNAR_DISTANCES: u64 = 38_917;

/// Everything a row is written from.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) identity: Identity,
    pub(super) orbit: Orbit,
    pub(super) physical: Physical,
    pub(super) observations: Observations,
    /// Whether it comes near the Earth's orbit.
    pub(super) neo: bool,
    /// Whether it is potentially hazardous; unknown of comets.
    pub(super) pha: Option<bool>,
    /// Least distance to the Earth's orbit in au.
    pub(super) moid: Option<Decimal>,
    /// The same in lunar distances.
    pub(super) moid_ld: Option<Decimal>,
    /// Least distance to Jupiter's orbit in au.
    pub(super) moid_jup: Option<Decimal>,
    /// Tisserand's parameter.
    pub(super) t_jup: Fixed,
    /// Whether the elements are written without zeros at the end.
    pub(super) trims: bool,
}

impl Body {
    /// The body in row `row` of the catalogue of `seed`.
    pub(super) fn of_row(seed: u64, row: u64) -> Self {
        let mut random = Random::for_row(seed, row);
        let (block, place) = (row / BLOCK, row % BLOCK);
        if place < NUMBERED {
            let number = block * NUMBERED + place + 1;
            let designation = Designation::of_number(seed, row, number);
            let named = number <= ALL_NAMED || random.below(25) == 0;
            let name = if named {
                names::asteroid_name(&mut random)
            } else {
                Vec::new()
            };
            asteroid(
                Identity::Numbered {
                    number,
                    designation,
                    name,
                },
                &mut random,
            )
        } else if place < NUMBERED + UNNUMBERED {
            let index = block * UNNUMBERED + place - NUMBERED;
            let designation = Designation::of_row(seed, row);
            asteroid(Identity::Unnumbered { index, designation }, &mut random)
        } else {
            comet(block * COMETS + place - NUMBERED - UNNUMBERED, &mut random)
        }
    }
}

/// Draws the rest of an asteroid.
fn asteroid(identity: Identity, random: &mut Random) -> Body {
    let found = match &identity {
        Identity::Numbered { designation, .. } | Identity::Unnumbered { designation, .. } => {
            designation.discovery_day()
        }
        Identity::Comet { .. } => EPOCH_DAY,
    };
    let is_numbered = matches!(identity, Identity::Numbered { .. });
    let orbit = orbit::asteroid(found, is_numbered, random);
    let physical = physical::asteroid(&identity, orbit.class, random);
    let neo = orbit.class.is_near_earth();
    let moid = Decimal::from_double(earth_distance(&orbit, random), 6);
    let is_close = moid.digits <= 5 * 10_u64.pow(moid.decimals as u32 - 2);
    let is_large = physical
        .h
        .is_some_and(|h| h.units * 10_i64.pow(3 - h.decimals as u32) <= 22_000);
    let observations = observations::asteroid(&identity, found, &orbit, random);
    Body {
        identity,
        physical,
        observations,
        neo,
        pha: Some(neo && is_close && is_large),
        moid: Some(moid),
        moid_ld: Some(in_lunar_distances(moid)),
        moid_jup: Some(Decimal::from_double(jupiter_distance(&orbit, random), 6)),
        t_jup: Fixed::from_double(orbit.t_jup, 3),
        trims: random.below(20) > 0,
        orbit,
    }
}

/// Draws comet `index`, counted from 0.
fn comet(index: u64, random: &mut Random) -> Body {
    let label = CometLabel::of_index(index, b'C');
    let found = label
        .discovery_day()
        .unwrap_or(EPOCH_DAY - random.integer(0, 4_000));
    let returns = CometLabel::returns(index);
    let epoch_day = found + random.integer(20, 120);
    let orbit = orbit::comet(random, returns, epoch_day);
    let is_periodic = orbit.per.is_some_and(|days| days < 200.0 * 365.25);
    let label = CometLabel::of_index(index, if is_periodic { b'P' } else { b'C' });
    let name = names::comet_name(random, &label, orbit.class);
    let has_moid = is_periodic && random.below(4) > 0;
    let moid = has_moid.then(|| Decimal::from_double(earth_distance(&orbit, random), 6));
    let observations = observations::comet(found, &orbit, random);
    Body {
        identity: Identity::Comet { index, label, name },
        physical: physical::comet(random),
        observations,
        neo: is_periodic && orbit.q < 1.3,
        pha: None,
        moid,
        moid_ld: moid.map(in_lunar_distances),
        moid_jup: has_moid.then(|| Decimal::from_double(jupiter_distance(&orbit, random), 6)),
        t_jup: Fixed::from_double(orbit.t_jup, 3),
        trims: true,
        orbit,
    }
}

/// The same distance in lunar distances, with all the digits of the product.
fn in_lunar_distances(moid: Decimal) -> Decimal {
    Decimal::new(moid.digits * LUNAR_DISTANCES, moid.decimals + 2)
}

/// A least distance to the Earth's orbit that the orbit allows, in au.
fn earth_distance(orbit: &Orbit, random: &mut Random) -> f64 {
    let inner = orbit.ad.filter(|ad| *ad < 0.983).map(|ad| 0.984 - ad);
    let outer = (orbit.q > 1.017).then_some(orbit.q - 1.016);
    match (inner.or(outer), orbit.class) {
        (Some(gap), Class::Amo | Class::Ieo) => gap + 0.1 * random.unit() * random.unit(),
        (Some(gap), _) => gap * random.between(1.0, 1.08),
        (None, _) => 0.000_02 + 0.4 * random.unit() * random.unit(),
    }
}

/// A plausible least distance to Jupiter's orbit, in au.
fn jupiter_distance(orbit: &Orbit, random: &mut Random) -> f64 {
    match orbit.ad {
        Some(ad) if ad < 4.9 => (4.95 - ad) * random.between(1.0, 1.15),
        _ if orbit.q > 5.5 => (orbit.q - 5.45) * random.between(1.0, 1.1),
        _ => 0.002 + 1.4 * random.unit() * random.unit(),
    }
}
