//! The job with csv, serde and serde_json on one core, as their documentation advises for speed: one record that is
//! used again, rows that borrow from it, buffered output.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;
use csv::StringRecord;
use serde::Deserialize;

use crate::item::Item;
use crate::lookups::Lookups;
use crate::model::{self, Composition};

const COMET_CLASSES: [&str; 8] = ["COM", "CTc", "ETc", "HTC", "HYP", "JFc", "JFC", "PAR"];

#[derive(Deserialize)]
struct Row<'a> {
    spkid: f64,
    full_name: &'a str,
    pdes: &'a str,
    name: &'a str,
    class: &'a str,
    neo: &'a str,
    pha: &'a str,
    #[serde(rename = "H")]
    h: Option<f64>,
    albedo: Option<f64>,
    diameter: Option<f64>,
    #[serde(rename = "GM")]
    gm: Option<f64>,
    #[serde(rename = "spec_B")]
    spec_b: &'a str,
    #[serde(rename = "spec_T")]
    spec_t: &'a str,
    e: Option<f64>,
    a: Option<f64>,
    q: Option<f64>,
    ad: Option<f64>,
    i: Option<f64>,
    om: Option<f64>,
    w: Option<f64>,
    ma: Option<f64>,
    epoch: Option<f64>,
    per: Option<f64>,
    moid: Option<f64>,
    condition_code: &'a str,
}

/// Values `catalogue` and writes its items as NDJSON to `output`.
pub fn run(catalogue: &Path, lookups: &Path, output: &Path) -> Result<()> {
    let lookups = Lookups::read(lookups)?;
    let mut reader = csv::Reader::from_path(catalogue)?;
    let mut writer = BufWriter::with_capacity(1 << 16, File::create(output)?);
    let headers = reader.headers()?.clone();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record)? {
        let row: Row = record.deserialize(Some(&headers))?;
        serde_json::to_writer(&mut writer, &item(&row, &lookups))?;
        writer.write_all(b"\n")?;
    }
    writer.flush()?;
    Ok(())
}

fn item<'a>(row: &Row<'a>, lookups: &'a Lookups) -> Item<'a> {
    let full_name = row.full_name.trim();
    // Tables list unnumbered bodies by the designation in parentheses, too.
    let alias = &full_name[full_name.rfind('(').unwrap_or(full_name.len())..];
    let is_comet = COMET_CLASSES.contains(&row.class);
    let (spec, spec_source) = spectral_type(row, alias, is_comet, lookups);
    let composition = lookups
        .compositions
        .get(spec.as_ref())
        .unwrap_or(&lookups.compositions["?"]);

    let listed = lookups
        .delta_v
        .get(row.pdes)
        .or_else(|| lookups.delta_v.get(alias))
        .copied();
    let [a, q, ad] = model::completed(row.e, row.a, row.q, row.ad);
    let dv = listed.or_else(|| model::delta_v(a?, row.e?, row.i?));
    let diameter = row
        .diameter
        .or_else(|| Some(model::diameter(row.h?, row.albedo)));
    let published = lookups
        .masses
        .get(row.pdes)
        .or_else(|| lookups.masses.get(alias));
    let gm = row
        .gm
        .or_else(|| Some(published? * model::GRAVITATIONAL_CONSTANT));
    let (mass, mass_source) = mass(row, gm, diameter, composition, spec == "comet");
    let value = match mass {
        Some(mass) if spec != "comet" => model::value(mass, *composition, [a, q, ad], dv),
        _ => model::COMET,
    };
    Item {
        designation: text(row.pdes),
        spkid: Some(row.spkid),
        full_name: text(full_name),
        name: text(row.name),
        kind: text(if is_comet { "comet" } else { "asteroid" }),
        class: text(row.class),
        neo: flag(row.neo),
        pha: flag(row.pha),
        spec: Some(spec),
        spec_source: spec_source.and_then(text),
        h: row.h,
        albedo: row.albedo,
        diameter_km: diameter,
        diameter_source: diameter.and_then(|_| {
            text(if row.diameter.is_some() {
                "measured"
            } else {
                "from-h"
            })
        }),
        gm,
        mass_kg: mass,
        mass_source: mass_source.and_then(text),
        dv_kms: dv,
        dv_source: dv.and_then(|_| {
            text(if listed.is_some() {
                "benner"
            } else {
                "computed"
            })
        }),
        a: row.a,
        e: row.e,
        i: row.i,
        om: row.om,
        w: row.w,
        ma: row.ma,
        epoch: row.epoch,
        q: row.q,
        ad: row.ad,
        per: row.per,
        moid: row.moid,
        condition_code: text(row.condition_code),
        price: Some(value.price),
        saved: Some(value.saved),
        closeness: Some(value.closeness),
        profit: Some(value.profit),
        score: Some(value.score),
    }
}

fn spectral_type<'a>(
    row: &Row<'a>,
    alias: &str,
    is_comet: bool,
    lookups: &'a Lookups,
) -> (Cow<'a, str>, Option<&'static str>) {
    let outer = row.spec_b.trim_matches([':', ' ']);
    if !outer.is_empty() {
        let spec = match outer {
            "C type" => Cow::Borrowed("C"),
            outer if outer.contains(':') => Cow::Owned(outer.replace(':', "")),
            outer => Cow::Borrowed(outer),
        };
        return (spec, Some("spec_B"));
    }
    if let Some(spec) = lookups.tholen.get(row.spec_t.trim()) {
        return (Cow::Borrowed(spec), Some("spec_T"));
    }
    match [row.pdes, alias, row.name]
        .iter()
        .find_map(|name| lookups.known.get(*name))
    {
        Some(spec) => (Cow::Borrowed(spec), Some("known-body")),
        None => (Cow::Borrowed(if is_comet { "comet" } else { "?" }), None),
    }
}

fn mass(
    row: &Row,
    gm: Option<f64>,
    diameter: Option<f64>,
    of: &Composition,
    is_comet: bool,
) -> (Option<f64>, Option<&'static str>) {
    match (gm, diameter) {
        (Some(gm), _) => {
            let source = if row.gm.is_some() { "gm" } else { "published" };
            (Some(model::mass_from_gm(gm)), Some(source))
        }
        _ if is_comet => (None, None),
        (None, Some(diameter)) => {
            let mass = model::mass_from_diameter(diameter, of.density);
            (Some(mass), Some("from-diameter"))
        }
        (None, None) => (Some(1.47e15), Some("default")),
    }
}

fn text(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then_some(Cow::Borrowed(text))
}

fn flag(text: &str) -> Option<bool> {
    (!text.is_empty()).then_some(text == "Y")
}
