//! One body: a catalogue row merged with the lookups, valued, and made an item.

use std::borrow::Cow;

use crate::asterank::{
    self, COMET, Composition, DEFAULT_MASS_KG, GRAVITATIONAL_CONSTANT, MassSource, Orbit,
    SpectralType, TypeSource, Valuation, is_comet,
};
use crate::catalogue::Column;
use crate::delta_v::{DeltaVTable, rendezvous_delta_v};
use crate::designation::Identity;
use crate::item::{Figure, Item};
use crate::masses::MassList;
use crate::nhats::NhatsTable;
use crate::number::Number;
use crate::reject::Reason;
use crate::rows::{Cells, cell};

/// Longest texts of an item, in bytes: all of them together leave an item well below 1,024 bytes.
const MAX_NAME_BYTES: usize = 96;
const MAX_DESIGNATION_BYTES: usize = 64;
const MAX_CODE_BYTES: usize = 16;

/// Absolute magnitudes that a body can have: Pluto's is below 0, a metre of rock's above 30.
const MAGNITUDES: std::ops::RangeInclusive<f64> = -50.0..=100.0;

/// What the catalogue is merged with.
#[derive(Debug, Default)]
pub struct Lookups {
    /// The published delta-v table; an empty one leaves every value to the equations.
    pub delta_v: DeltaVTable,
    /// JPL's table of round trips; a body that it does not list has none.
    pub nhats: NhatsTable,
    /// Best masses.
    pub masses: MassList,
}

/// Makes items out of rows.
#[derive(Debug, Default)]
pub struct Valuer {
    /// What rows are merged with.
    pub lookups: Lookups,
    /// The run that every item names, if there is one.
    pub run: Option<String>,
}

/// Which lookups a row matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Matches {
    pub(crate) delta_v: bool,
    pub(crate) nhats: bool,
    pub(crate) mass: bool,
}

/// Why a row is no body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) column: Option<Column>,
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

impl Invalid {
    fn at(column: Column, reason: Reason, message: String) -> Self {
        Invalid {
            column: Some(column),
            reason,
            message,
        }
    }
}

impl Valuer {
    /// Merges and values one row of the catalogue.
    pub(crate) fn item<'a>(
        &'a self,
        chunk: &'a [u8],
        cells: &'a Cells,
    ) -> Result<(Item<'a>, Matches), Invalid> {
        let row = Row { chunk, cells };
        let full_name = row.text(Column::FullName, MAX_NAME_BYTES)?;
        let (identity, spkid) = row.identity(full_name)?;
        let class = row.text(Column::Class, MAX_CODE_BYTES)?;
        let is_comet = is_comet(class, row.text(Column::Prefix, MAX_CODE_BYTES)?, full_name);
        let spectral_type = SpectralType::of(
            row.text(Column::SpecB, MAX_CODE_BYTES)?,
            row.text(Column::SpecT, MAX_CODE_BYTES)?,
            &[&identity.key, identity.provisional, identity.name],
            is_comet,
        );
        let (mut item, orbit) = row.orbital_item()?;
        let mut matches = Matches::default();
        self.merge_delta_v(&mut item, &identity, &orbit, &mut matches);
        matches.nhats = self.merge_nhats(&mut item, &identity);
        row.size(&mut item)?;
        self.merge_mass(
            &mut item,
            &identity,
            row.positive(Column::Gm)?,
            &mut matches,
        );
        estimate_mass(&mut item, &spectral_type);
        value(&mut item, &spectral_type, &orbit)?;

        item.designation = Some(identity.key);
        item.spkid = spkid.map(Figure::Whole);
        item.full_name = some_text(full_name);
        item.name = some_text(identity.name);
        item.kind = Some(Cow::Borrowed(if is_comet { "comet" } else { "asteroid" }));
        item.class = some_text(class);
        item.spec_source = type_source(spectral_type.source);
        item.spec = Some(spectral_type.name);
        item.neo = row.flag(Column::Neo)?;
        item.pha = row.flag(Column::Pha)?;
        item.condition_code = some_text(row.text(Column::ConditionCode, MAX_CODE_BYTES)?);
        item.run = self.run.as_deref().map(Cow::Borrowed);
        Ok((item, matches))
    }

    /// The table's delta-v where it lists the body, else the equations'.
    fn merge_delta_v(
        &self,
        item: &mut Item,
        identity: &Identity,
        orbit: &Orbit,
        matches: &mut Matches,
    ) {
        let listed = self
            .lookups
            .delta_v
            .find(identity.number, &identity.designations());
        matches.delta_v = listed.is_some();
        let (dv, source) = match (listed, orbit.a, orbit.e, &item.i) {
            (Some(listed), ..) => (Some(listed.dv_kms), "benner"),
            (None, Some(a), Some(e), Some(i)) => (rendezvous_delta_v(a, e, i.value()), "computed"),
            _ => (None, ""),
        };
        if let Some(dv) = dv {
            item.dv_kms = Some(Figure::Computed(dv));
            item.dv_source = Some(Cow::Borrowed(source));
        }
    }

    /// The round trip that NHATS lists, and whether it lists one.
    fn merge_nhats(&self, item: &mut Item, identity: &Identity) -> bool {
        let table = &self.lookups.nhats;
        let listed = table.find(identity.number, &identity.designations());
        item.nhats_dv_kms = listed.map(|listed| Figure::Computed(listed.dv_kms));
        item.nhats_days = listed.map(|listed| Figure::Computed(listed.days));
        listed.is_some()
    }

    /// The mass of a known GM: the catalogue's, else a published mass's.
    fn merge_mass<'a>(
        &self,
        item: &mut Item<'a>,
        identity: &Identity,
        gm: Option<Number<'a>>,
        matches: &mut Matches,
    ) {
        let name = Some(identity.name).filter(|name| !name.is_empty());
        let published = self
            .lookups
            .masses
            .find(identity.number, &identity.designations(), name);
        matches.mass = published.is_some();
        let (gm, source) = match (gm, published) {
            (Some(gm), _) => (Figure::Given(gm), MassSource::Gm),
            (None, Some(published)) => (
                Figure::Computed(published.mass_kg * GRAVITATIONAL_CONSTANT),
                MassSource::Published,
            ),
            (None, None) => return,
        };
        item.mass_kg = Some(Figure::Computed(asterank::mass_from_gm(gm.value())));
        item.mass_source = Some(Cow::Borrowed(source.name()));
        item.gm = Some(gm);
    }
}

/// The mass of a body that is valued and whose GM is not known. A comet whose spectral type is known is valued
/// by it; the others have no mass to estimate.
fn estimate_mass(item: &mut Item, spectral_type: &SpectralType) {
    if item.mass_kg.is_some() || spectral_type.is_comet() {
        return;
    }
    let (mass, source) = match &item.diameter_km {
        Some(diameter) => (
            asterank::mass_from_diameter(diameter.value(), spectral_type.density()),
            MassSource::FromDiameter,
        ),
        None => (DEFAULT_MASS_KG, MassSource::Default),
    };
    item.mass_kg = Some(Figure::Computed(mass));
    item.mass_source = Some(Cow::Borrowed(source.name()));
}

/// The model's results.
fn value(item: &mut Item, spectral_type: &SpectralType, orbit: &Orbit) -> Result<(), Invalid> {
    let figure = |figure: &Option<Figure>| figure.as_ref().map(Figure::value);
    let valuation = match figure(&item.mass_kg) {
        Some(mass) if !spectral_type.is_comet() => asterank::value(
            mass,
            Composition::of(spectral_type.valued_as()),
            orbit,
            figure(&item.dv_kms),
        ),
        _ => COMET,
    };
    let Valuation {
        price,
        saved,
        closeness,
        profit,
        score,
    } = valuation;
    let mass = figure(&item.mass_kg).unwrap_or_default();
    if ![mass, price, saved, closeness, profit, score]
        .iter()
        .all(|result| result.is_finite())
    {
        return Err(Invalid {
            column: None,
            reason: Reason::OutOfRange,
            message: format!("a mass of {mass:e} kg cannot be valued"),
        });
    }
    item.price = Some(Figure::Computed(price));
    item.saved = Some(Figure::Computed(saved));
    item.closeness = Some(Figure::Computed(closeness));
    item.profit = Some(Figure::Computed(profit));
    item.score = Some(Figure::Computed(score));
    Ok(())
}

fn some_text(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then_some(Cow::Borrowed(text))
}

fn type_source(source: TypeSource) -> Option<Cow<'static, str>> {
    match source {
        TypeSource::SpecB => Some(Cow::Borrowed("spec_B")),
        TypeSource::SpecT => Some(Cow::Borrowed("spec_T")),
        TypeSource::KnownBody => Some(Cow::Borrowed("known-body")),
        TypeSource::Comet | TypeSource::Unknown => None,
    }
}

/// The cells of a row, read as what they mean.
#[derive(Clone, Copy)]
struct Row<'a> {
    chunk: &'a [u8],
    cells: &'a Cells,
}

impl<'a> Row<'a> {
    /// A text, empty where the cell is.
    fn text(self, column: Column, max_bytes: usize) -> Result<&'a str, Invalid> {
        let bytes = cell(self.chunk, self.cells, column as usize);
        let text = std::str::from_utf8(bytes).map_err(|_| {
            let message = format!("{} is not UTF-8", shown(bytes));
            Invalid::at(column, Reason::BadText, message)
        })?;
        if text.len() > max_bytes {
            let message = format!("{} bytes where at most {max_bytes} are taken", text.len());
            return Err(Invalid::at(column, Reason::TextTooLong, message));
        }
        Ok(text)
    }

    /// A number, if there is one.
    fn figure(self, column: Column) -> Result<Option<Number<'a>>, Invalid> {
        let bytes = cell(self.chunk, self.cells, column as usize);
        if is_missing(bytes) {
            return Ok(None);
        }
        let number = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| Number::parse(text).ok());
        number.map(Some).ok_or_else(|| {
            let message = format!("{} is not a number", shown(bytes));
            Invalid::at(column, Reason::BadNumber, message)
        })
    }

    /// A number for which `is_valid` holds, if there is one.
    fn checked(
        self,
        column: Column,
        is_valid: impl Fn(f64) -> bool,
        rule: &str,
    ) -> Result<Option<Number<'a>>, Invalid> {
        let number = self.figure(column)?;
        match number.as_ref().map(Number::value) {
            Some(value) if !is_valid(value) => Err(Invalid::at(
                column,
                Reason::OutOfRange,
                format!("{value} {rule}"),
            )),
            _ => Ok(number),
        }
    }

    fn positive(self, column: Column) -> Result<Option<Number<'a>>, Invalid> {
        self.checked(column, |value| value > 0.0, "is not above 0")
    }

    fn flag(self, column: Column) -> Result<Option<bool>, Invalid> {
        match cell(self.chunk, self.cells, column as usize) {
            b"" => Ok(None),
            b"Y" | b"y" | b"true" | b"True" | b"1" => Ok(Some(true)),
            b"N" | b"n" | b"false" | b"False" | b"0" => Ok(Some(false)),
            other => {
                let message = format!("{} is neither Y nor N", shown(other));
                Err(Invalid::at(column, Reason::Malformed, message))
            }
        }
    }

    /// Who the body is, and its SPK-ID as a number.
    fn identity(self, full_name: &'a str) -> Result<(Identity<'a>, Option<u64>), Invalid> {
        // A table that was re-saved by a data-frame library may carry whole numbers as `433.0`.
        let whole = |text: &'a str| match text.strip_suffix(".0") {
            Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => number,
            _ => text,
        };
        let pdes = whole(self.text(Column::Pdes, MAX_DESIGNATION_BYTES)?);
        let spkid = whole(self.text(Column::Spkid, MAX_DESIGNATION_BYTES)?);
        let name = self.text(Column::Name, MAX_NAME_BYTES)?;
        let spkid_number = match spkid {
            "" => None,
            spkid => Some(spkid.parse().map_err(|_| {
                let message = format!("{spkid:?} is not a whole number");
                Invalid::at(Column::Spkid, Reason::BadNumber, message)
            })?),
        };
        let identity = Identity::of(pdes, full_name, name, spkid).ok_or_else(|| Invalid {
            column: None,
            reason: Reason::NoKey,
            message: "pdes, full_name and spkid are all empty".to_owned(),
        })?;
        if identity.key.len() > MAX_DESIGNATION_BYTES {
            let message = format!("a designation of {} bytes", identity.key.len());
            return Err(Invalid::at(Column::FullName, Reason::TextTooLong, message));
        }
        Ok((identity, spkid_number))
    }

    /// An item with the row's orbit, and the orbit completed.
    fn orbital_item(self) -> Result<(Item<'a>, Orbit), Invalid> {
        let e = self.checked(Column::E, |e| e >= 0.0, "is below 0")?;
        let is_elliptic = e.as_ref().is_none_or(|e| e.value() < 1.0);
        let is_length = |value: f64| value > 0.0 || (!is_elliptic && value < 0.0);
        let rule = "au is no length of an orbit";
        let a = self.checked(Column::A, is_length, rule)?;
        let q = self.positive(Column::Q)?;
        let ad = self.checked(Column::Ad, is_length, rule)?;
        let i = self.checked(
            Column::I,
            |i| (0.0..=180.0).contains(&i),
            "is not 0° to 180°",
        )?;
        let value = |number: &Option<Number>| number.as_ref().map(Number::value);
        let orbit = Orbit {
            a: value(&a),
            e: value(&e),
            q: value(&q),
            ad: value(&ad),
        }
        .completed();
        let given = |number: Option<Number<'a>>| number.map(Figure::Given);
        let item = Item {
            a: given(a),
            e: given(e),
            i: given(i),
            om: given(self.figure(Column::Om)?),
            w: given(self.figure(Column::W)?),
            ma: given(self.figure(Column::Ma)?),
            epoch: given(self.figure(Column::Epoch)?),
            q: given(q),
            ad: given(ad),
            per: given(self.figure(Column::Per)?),
            moid: given(self.figure(Column::Moid)?),
            ..Item::default()
        };
        Ok((item, orbit))
    }

    /// Magnitude, albedo and diameter: measured, else from the magnitude.
    fn size(self, item: &mut Item<'a>) -> Result<(), Invalid> {
        let h = self.checked(
            Column::H,
            |h| MAGNITUDES.contains(&h),
            "is no magnitude of a body",
        )?;
        let albedo = self.positive(Column::Albedo)?;
        let diameter = self.positive(Column::Diameter)?;
        let (diameter, source) = match (diameter, &h) {
            (Some(measured), _) => (Figure::Given(measured), "measured"),
            (None, Some(h)) => {
                let albedo = albedo.as_ref().map(Number::value);
                let diameter = asterank::diameter_from_magnitude(h.value(), albedo);
                (Figure::Computed(diameter), "from-h")
            }
            (None, None) => {
                item.albedo = albedo.map(Figure::Given);
                return Ok(());
            }
        };
        item.diameter_km = Some(diameter);
        item.diameter_source = Some(Cow::Borrowed(source));
        item.h = h.map(Figure::Given);
        item.albedo = albedo.map(Figure::Given);
        Ok(())
    }
}

/// The beginning of a cell for a message, which is not to grow with what stands in the file.
fn shown(bytes: &[u8]) -> String {
    format!(
        "{:?}",
        crate::reject::excerpt(&bytes[..bytes.len().min(40)])
    )
}

/// Whether a number is missing: nothing, or a word that spreadsheets and data-frame libraries write for it.
pub(crate) fn is_missing(bytes: &[u8]) -> bool {
    ["", "nan", "null", "none", "n/a", "na"]
        .iter()
        .any(|word| bytes.eq_ignore_ascii_case(word.as_bytes()))
}
