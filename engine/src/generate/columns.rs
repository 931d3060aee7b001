//! The columns of the catalogue and how each writes a body's value.
//!
//! A cell without bytes has no value. Both formats write their cells here, so they agree to the
//! letter.

use super::body::Body;
use super::dates::push_date;
use super::digits::{Decimal, Fixed, push_decimal, push_fixed, push_integer, push_padded};
use super::orbit::TP_DAY;

/// One column.
pub(super) struct Column {
    /// Its name in headers and in the Query API's `fields`.
    pub(super) name: &'static str,
    /// Whether the API sends it as a JSON number instead of a string.
    pub(super) is_json_number: bool,
    /// Whether a value can hold a space, which the CSV export quotes.
    pub(super) can_hold_spaces: bool,
    /// Appends a body's value, nothing if it has none.
    pub(super) write: fn(&Body, &mut Vec<u8>),
}

const fn column(name: &'static str, write: fn(&Body, &mut Vec<u8>)) -> Column {
    Column {
        name,
        is_json_number: false,
        can_hold_spaces: false,
        write,
    }
}

const fn spaced(name: &'static str, write: fn(&Body, &mut Vec<u8>)) -> Column {
    Column {
        name,
        is_json_number: false,
        can_hold_spaces: true,
        write,
    }
}

const fn counted(name: &'static str, write: fn(&Body, &mut Vec<u8>)) -> Column {
    Column {
        name,
        is_json_number: true,
        can_hold_spaces: false,
        write,
    }
}

/// Every column of the CSV export, in the order of JPL's 75-column exports under the names of 2021
/// and later (which have no `id`).
pub(super) const COLUMNS: [Column; 74] = [
    column("spkid", |body, out| {
        push_integer(out, body.identity.spkid())
    }),
    spaced("full_name", |body, out| body.identity.push_full_name(out)),
    spaced("pdes", |body, out| body.identity.push_pdes(out)),
    spaced("name", |body, out| {
        out.extend_from_slice(body.identity.name())
    }),
    column("prefix", |body, out| out.extend(body.identity.prefix())),
    column("neo", |body, out| out.push(flag(body.neo))),
    column("pha", |body, out| out.extend(body.pha.map(flag))),
    column("H", |body, out| measured(out, body.physical.h)),
    column("G", |body, out| measured(out, body.physical.g)),
    column("M1", |body, out| measured(out, body.physical.m1)),
    column("M2", |body, out| text(out, body.physical.m2)),
    column("K1", |body, out| text(out, body.physical.k1)),
    column("K2", |body, out| text(out, body.physical.k2)),
    column("PC", |body, out| text(out, body.physical.pc)),
    column("diameter", |body, out| {
        measured(out, body.physical.diameter)
    }),
    spaced("extent", |body, out| text(out, body.physical.extent)),
    column("albedo", |body, out| measured(out, body.physical.albedo)),
    column("rot_per", |body, out| measured(out, body.physical.rot_per)),
    column("GM", |body, out| text(out, body.physical.gm)),
    column("BV", |body, out| measured(out, body.physical.colours[0])),
    column("UB", |body, out| measured(out, body.physical.colours[1])),
    column("IR", |body, out| measured(out, body.physical.colours[2])),
    column("spec_B", |body, out| text(out, body.physical.spectra[0])),
    column("spec_T", |body, out| text(out, body.physical.spectra[1])),
    column("H_sigma", |body, out| {
        fitted(out, body.observations.h_sigma)
    }),
    column("diameter_sigma", |body, out| {
        measured(out, body.physical.diameter_sigma)
    }),
    spaced("orbit_id", push_orbit_id),
    column("epoch", |body, out| {
        push_integer(out, (body.orbit.epoch_day - 1) as u64);
        text(out, ".5");
    }),
    column("epoch_mjd", |body, out| {
        push_integer(out, (body.orbit.epoch_day - 2_400_001) as u64)
    }),
    column("epoch_cal", |body, out| {
        push_date(out, body.orbit.epoch_day);
        text(out, ".0000000");
    }),
    column("equinox", |_, out| text(out, "J2000")),
    column("e", |body, out| element(out, body, Some(body.orbit.e))),
    column("a", |body, out| element(out, body, body.orbit.a)),
    column("q", |body, out| element(out, body, Some(body.orbit.q))),
    column("i", |body, out| {
        element(out, body, Some(body.orbit.angles[0]))
    }),
    column("om", |body, out| {
        element(out, body, Some(body.orbit.angles[1]))
    }),
    column("w", |body, out| {
        element(out, body, Some(body.orbit.angles[2]))
    }),
    column("ma", |body, out| element(out, body, body.orbit.ma)),
    column("ad", |body, out| element(out, body, body.orbit.ad)),
    column("n", |body, out| element(out, body, body.orbit.n)),
    column("tp", |body, out| {
        push_integer(out, (body.orbit.tp / TP_DAY) as u64);
        out.push(b'.');
        push_padded(out, (body.orbit.tp % TP_DAY) as u64, 12);
    }),
    column("tp_cal", push_tp_cal),
    column("per", |body, out| element(out, body, body.orbit.per)),
    column("per_y", |body, out| {
        fitted(
            out,
            body.orbit
                .per
                .map(|days| Decimal::from_double(days / 365.25, 15)),
        );
    }),
    column("moid", |body, out| fitted(out, body.moid)),
    column("moid_ld", |body, out| fitted(out, body.moid_ld)),
    column("moid_jup", |body, out| fitted(out, body.moid_jup)),
    column("t_jup", |body, out| measured(out, Some(body.t_jup))),
    column("sigma_e", |body, out| {
        fitted(out, body.observations.sigmas[0])
    }),
    column("sigma_a", |body, out| {
        fitted(out, body.observations.sigmas[1])
    }),
    column("sigma_q", |body, out| {
        fitted(out, body.observations.sigmas[2])
    }),
    column("sigma_i", |body, out| {
        fitted(out, body.observations.sigmas[3])
    }),
    column("sigma_om", |body, out| {
        fitted(out, body.observations.sigmas[4])
    }),
    column("sigma_w", |body, out| {
        fitted(out, body.observations.sigmas[5])
    }),
    column("sigma_ma", |body, out| {
        fitted(out, body.observations.sigmas[6])
    }),
    column("sigma_ad", |body, out| {
        fitted(out, body.observations.sigmas[7])
    }),
    column("sigma_n", |body, out| {
        fitted(out, body.observations.sigmas[8])
    }),
    column("sigma_tp", |body, out| {
        fitted(out, body.observations.sigmas[9])
    }),
    column("sigma_per", |body, out| {
        fitted(out, body.observations.sigmas[10])
    }),
    column("class", |body, out| text(out, body.orbit.class.code())),
    spaced("producer", |body, out| {
        text(out, body.observations.producer)
    }),
    column("data_arc", |body, out| {
        if body.observations.has_arc {
            push_integer(
                out,
                (body.observations.last_day - body.observations.first_day) as u64,
            );
        }
    }),
    column("first_obs", |body, out| {
        push_date(out, body.observations.first_day)
    }),
    column("last_obs", |body, out| {
        push_date(out, body.observations.last_day)
    }),
    counted("n_obs_used", |body, out| {
        push_integer(out, body.observations.used)
    }),
    column("n_del_obs_used", |body, out| {
        count(out, body.observations.radar.map(|radar| radar[0]))
    }),
    column("n_dop_obs_used", |body, out| {
        count(out, body.observations.radar.map(|radar| radar[1]))
    }),
    column("condition_code", |body, out| {
        count(out, body.observations.condition_code)
    }),
    column("rms", |body, out| fitted(out, Some(body.observations.rms))),
    column("two_body", |body, out| {
        text(
            out,
            if body.observations.is_two_body {
                "T"
            } else {
                ""
            },
        )
    }),
    column("A1", |body, out| fitted(out, body.observations.forces[0])),
    column("A2", |body, out| fitted(out, body.observations.forces[1])),
    column("A3", |body, out| fitted(out, body.observations.forces[2])),
    column("DT", |body, out| fitted(out, body.observations.forces[3])),
];

/// The columns that are asked of the Query API, in the order of the request.
pub(super) const JSON_FIELDS: [&str; 33] = [
    "spkid",
    "full_name",
    "pdes",
    "name",
    "prefix",
    "neo",
    "pha",
    "H",
    "G",
    "diameter",
    "albedo",
    "rot_per",
    "GM",
    "spec_B",
    "spec_T",
    "epoch",
    "e",
    "a",
    "q",
    "i",
    "om",
    "w",
    "ma",
    "ad",
    "n",
    "tp",
    "per",
    "moid",
    "class",
    "condition_code",
    "n_obs_used",
    "data_arc",
    "rms",
];

const fn flag(value: bool) -> u8 {
    if value { b'Y' } else { b'N' }
}

fn text(out: &mut Vec<u8>, value: &str) {
    out.extend_from_slice(value.as_bytes());
}

fn count(out: &mut Vec<u8>, value: Option<u64>) {
    if let Some(value) = value {
        push_integer(out, value);
    }
}

fn measured(out: &mut Vec<u8>, value: Option<Fixed>) {
    if let Some(value) = value {
        push_fixed(out, value);
    }
}

fn fitted(out: &mut Vec<u8>, value: Option<Decimal>) {
    if let Some(value) = value {
        push_decimal(out, value, true);
    }
}

/// Writes an orbital element in full precision: 16 significant digits.
fn element(out: &mut Vec<u8>, body: &Body, value: Option<f64>) {
    if let Some(value) = value {
        push_decimal(out, Decimal::from_double(value, 16), body.trims);
    }
}

/// Writes `JPL 46`, or `JPL K192/7` for some comets.
fn push_orbit_id(body: &Body, out: &mut Vec<u8>) {
    text(out, "JPL ");
    if body.observations.is_short_form {
        text(out, "K192/");
    }
    push_integer(out, body.observations.solution);
}

/// Writes the date of perihelion with a fraction of seven digits.
fn push_tp_cal(body: &Body, out: &mut Vec<u8>) {
    let from_midnight = body.orbit.tp + TP_DAY / 2;
    push_date(out, from_midnight / TP_DAY);
    out.push(b'.');
    push_padded(out, (from_midnight % TP_DAY / 100_000) as u64, 7);
}
