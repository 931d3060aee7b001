//! One body: a catalogue row merged with the lookups, valued, and made an item.

mod magnitudes;

use std::borrow::Cow;

use magnitudes::FromMagnitude;

use crate::asterank::{
    self, COMET, Composition, DEFAULT_MASS_KG, GRAVITATIONAL_CONSTANT, MassSource, Orbit,
    SpectralType, TypeSource, Valuation, is_comet,
};
use crate::catalogue::Column;
use crate::delta_v::{DeltaVTable, rendezvous_delta_v};
use crate::designation::Identity;
use crate::item::{Figure, Item, Word};
use crate::masses::MassList;
use crate::nhats::NhatsTable;
use crate::number::{Decimal, Number};
use crate::reject::Reason;
use crate::rows::RowCells;

/// Longest texts of an item, in bytes: all of them together leave an item well below 1,024 bytes.
const MAX_NAME_BYTES: usize = 96;
const MAX_DESIGNATION_BYTES: usize = 64;
const MAX_CODE_BYTES: usize = 16;

/// The largest SPK-ID: tables have whole numbers of 64 bits with a sign.
const MAX_SPKID: u64 = i64::MAX as u64;

/// Absolute magnitudes that a body can have: Pluto's is below 0, a metre of rock's above 30.
const MAGNITUDES: std::ops::RangeInclusive<f64> = -50.0..=100.0;

const ASTEROID: Word = Word::new("asteroid");
const COMET_KIND: Word = Word::new("comet");
const BENNER: Word = Word::new("benner");
const COMPUTED: Word = Word::new("computed");
const MEASURED: Word = Word::new("measured");
const FROM_H: Word = Word::new("from-h");

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

/// What a row was found to be, and which lookups it matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) is_comet: bool,
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
    /// In a box, so that what is valid nearly always is handed on by a few words.
    #[cold]
    fn at(column: Column, reason: Reason, message: String) -> Box<Self> {
        Box::new(Invalid {
            column: Some(column),
            reason,
            message,
        })
    }

    #[cold]
    fn bad_text(column: Column, bytes: &[u8]) -> Box<Self> {
        let message = format!("{} is not UTF-8", shown(bytes));
        Self::at(column, Reason::BadText, message)
    }

    #[cold]
    fn text_too_long(column: Column, text: &str, max_bytes: usize) -> Box<Self> {
        let message = format!("{} bytes where at most {max_bytes} are taken", text.len());
        Self::at(column, Reason::TextTooLong, message)
    }

    #[cold]
    fn out_of_range(column: Column, value: f64, rule: &str) -> Box<Self> {
        Self::at(column, Reason::OutOfRange, format!("{value} {rule}"))
    }
}

impl Valuer {
    /// Merges and values one row of the catalogue into `item`, which is empty.
    #[inline(always)]
    pub(crate) fn fill<'a>(
        &'a self,
        cells: RowCells<'a>,
        item: &mut Item<'a>,
    ) -> Result<Found, Box<Invalid>> {
        let row = Row { cells: &cells };
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
        let (orbit, inclination) = row.orbit(item)?;
        let mut found = Found {
            is_comet,
            ..Found::default()
        };
        let dv = self.merge_delta_v(item, &identity, &orbit, inclination, &mut found);
        found.nhats = self.merge_nhats(item, &identity);
        let (diameter, common) = row.size(item)?;
        let gm = row.positive(Column::Gm, &mut item.gm)?;
        let mass = self
            .merge_mass(item, &identity, gm, &mut found)
            .or_else(|| estimate_mass(item, &spectral_type, diameter));
        value(item, &spectral_type, mass, &orbit, dv, common)?;

        item.designation = Some(identity.key);
        item.spkid = spkid.map(Figure::Whole);
        item.full_name = some_text(full_name);
        item.name = some_text(identity.name);
        item.kind = Some(if is_comet { COMET_KIND } else { ASTEROID });
        item.class = some_text(class);
        item.spec_source = type_source(spectral_type.source);
        item.spec = Some(spectral_type.name);
        item.neo = row.flag(Column::Neo)?;
        item.pha = row.flag(Column::Pha)?;
        item.condition_code = some_text(row.text(Column::ConditionCode, MAX_CODE_BYTES)?);
        item.run = self.run.as_deref().map(Cow::Borrowed);
        Ok(found)
    }

    /// The table's delta-v where it lists the body, else the equations'.
    fn merge_delta_v(
        &self,
        item: &mut Item,
        identity: &Identity,
        orbit: &Orbit,
        inclination: Option<f64>,
        found: &mut Found,
    ) -> Option<f64> {
        let listed = self
            .lookups
            .delta_v
            .find(identity.number, &identity.designations());
        found.delta_v = listed.is_some();
        let (dv, source) = match (listed, orbit.a, orbit.e, inclination) {
            (Some(listed), ..) => (listed.dv_kms, BENNER),
            (None, Some(a), Some(e), Some(i)) => (rendezvous_delta_v(a, e, i)?, COMPUTED),
            _ => return None,
        };
        item.dv_kms = Some(Figure::Computed(dv));
        item.dv_source = Some(source);
        Some(dv)
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
    fn merge_mass(
        &self,
        item: &mut Item,
        identity: &Identity,
        gm: Option<f64>,
        found: &mut Found,
    ) -> Option<f64> {
        let name = Some(identity.name).filter(|name| !name.is_empty());
        let published = self
            .lookups
            .masses
            .find(identity.number, &identity.designations(), name);
        found.mass = published.is_some();
        let (gm, source) = match (gm, published) {
            (Some(gm), _) => (gm, MassSource::Gm),
            (None, Some(published)) => {
                let gm = published.mass_kg * GRAVITATIONAL_CONSTANT;
                item.gm = Some(Figure::Computed(gm));
                (gm, MassSource::Published)
            }
            (None, None) => return None,
        };
        item.mass_source = Some(mass_word(source));
        Some(asterank::mass_from_gm(gm))
    }
}

/// The mass of a body that is valued and whose GM is not known. A comet whose spectral type is known is valued
/// by it; the others have no mass to estimate.
fn estimate_mass(
    item: &mut Item,
    spectral_type: &SpectralType,
    diameter_km: Option<f64>,
) -> Option<f64> {
    if spectral_type.is_comet() {
        return None;
    }
    let (mass, source) = match diameter_km {
        Some(diameter) => (
            asterank::mass_from_diameter(diameter, spectral_type.density()),
            MassSource::FromDiameter,
        ),
        None => (DEFAULT_MASS_KG, MassSource::Default),
    };
    item.mass_source = Some(mass_word(source));
    Some(mass)
}

/// The model's results.
fn value(
    item: &mut Item,
    spectral_type: &SpectralType,
    mass_kg: Option<f64>,
    orbit: &Orbit,
    dv_kms: Option<f64>,
    common: Option<&'static FromMagnitude>,
) -> Result<(), Box<Invalid>> {
    let valuation = match mass_kg {
        Some(mass) if !spectral_type.is_comet() => asterank::value(
            mass,
            Composition::of(spectral_type.valued_as()),
            orbit,
            dv_kms,
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
    let mass = mass_kg.unwrap_or_default();
    if ![mass, price, saved, closeness, profit, score]
        .iter()
        .all(|result| result.is_finite())
    {
        return Err(Box::new(Invalid {
            column: None,
            reason: Reason::OutOfRange,
            message: format!("a mass of {mass:e} kg cannot be valued"),
        }));
    }
    item.mass_kg = mass_kg.map(|mass| figure(mass, common.map(|common| &common.mass_kg)));
    item.price = Some(Figure::Computed(price));
    item.saved = Some(figure(saved, common.map(|common| &common.saved)));
    item.closeness = Some(Figure::Computed(closeness));
    item.profit = Some(Figure::Computed(profit));
    item.score = Some(Figure::Computed(score));
    Ok(())
}

/// A computed figure, with its decimal where `common` has the same double's.
#[inline(always)]
fn figure(value: f64, common: Option<&'static Decimal>) -> Figure<'static> {
    match common {
        Some(common) if common.value().to_bits() == value.to_bits() => Figure::Common(common),
        _ => Figure::Computed(value),
    }
}

fn some_text(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then_some(Cow::Borrowed(text))
}

fn mass_word(source: MassSource) -> Word {
    match source {
        MassSource::Gm => const { Word::new(MassSource::Gm.name()) },
        MassSource::Published => const { Word::new(MassSource::Published.name()) },
        MassSource::FromDiameter => const { Word::new(MassSource::FromDiameter.name()) },
        MassSource::Default => const { Word::new(MassSource::Default.name()) },
    }
}

fn type_source(source: TypeSource) -> Option<Word> {
    match source {
        TypeSource::SpecB => Some(const { Word::new("spec_B") }),
        TypeSource::SpecT => Some(const { Word::new("spec_T") }),
        TypeSource::KnownBody => Some(const { Word::new("known-body") }),
        TypeSource::Comet | TypeSource::Unknown => None,
    }
}

/// The cells of a row, read as what they mean.
#[derive(Clone, Copy)]
struct Row<'r, 'a> {
    cells: &'r RowCells<'a>,
}

impl<'a> Row<'_, 'a> {
    /// A text, empty where the cell is.
    #[inline(always)]
    fn text(self, column: Column, max_bytes: usize) -> Result<&'a str, Box<Invalid>> {
        match self.cells.text(column as usize) {
            Ok(text) if text.len() <= max_bytes => Ok(text),
            Ok(text) => Err(Invalid::text_too_long(column, text, max_bytes)),
            Err(bytes) => Err(Invalid::bad_text(column, bytes)),
        }
    }

    /// Takes over a number, if there is one.
    ///
    /// Numbers are made where they are to stay: copying one right after it was made, in pieces of other
    /// sizes, waits for the memory each time.
    #[inline(always)]
    fn given(self, column: Column, to: &mut Option<Figure<'a>>) -> Result<(), Box<Invalid>> {
        let (from, len) = self.cells.wide(column as usize);
        match Number::plain(from, len) {
            Some(number) => {
                *to = Some(Figure::Given(number));
                Ok(())
            }
            None if len == 0 => Ok(()),
            None => self.any_figure(column, to),
        }
    }

    /// The same for what is no plain decimal.
    #[cold]
    fn any_figure(self, column: Column, to: &mut Option<Figure<'a>>) -> Result<(), Box<Invalid>> {
        let bytes = self.cells.bytes(column as usize);
        match Number::read(bytes) {
            Ok(number) => *to = Some(Figure::Given(number)),
            Err(_) if is_missing(bytes) => {}
            Err(_) => {
                let message = format!("{} is not a number", shown(bytes));
                return Err(Invalid::at(column, Reason::BadNumber, message));
            }
        }
        Ok(())
    }

    /// Takes over a number for which `is_valid` holds, if there is one, and returns its value.
    #[inline(always)]
    fn checked(
        self,
        column: Column,
        to: &mut Option<Figure<'a>>,
        is_valid: impl Fn(f64) -> bool,
        rule: &str,
    ) -> Result<Option<f64>, Box<Invalid>> {
        self.given(column, to)?;
        let Some(Figure::Given(number)) = to else {
            return Ok(None);
        };
        let value = number.value();
        if is_valid(value) {
            return Ok(Some(value));
        }
        Err(Invalid::out_of_range(column, value, rule))
    }

    #[inline(always)]
    fn positive(
        self,
        column: Column,
        to: &mut Option<Figure<'a>>,
    ) -> Result<Option<f64>, Box<Invalid>> {
        self.checked(column, to, |value| value > 0.0, "is not above 0")
    }

    fn flag(self, column: Column) -> Result<Option<bool>, Box<Invalid>> {
        match self.cells.bytes(column as usize) {
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
    #[inline(always)]
    fn identity(self, full_name: &'a str) -> Result<(Identity<'a>, Option<u64>), Box<Invalid>> {
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
            spkid => match spkid.parse() {
                Ok(number) if number <= MAX_SPKID => Some(number),
                _ => {
                    let message = format!("{spkid:?} is not a whole number up to {MAX_SPKID}");
                    return Err(Invalid::at(Column::Spkid, Reason::BadNumber, message));
                }
            },
        };
        let identity = Identity::of(pdes, full_name, name, spkid).ok_or_else(|| {
            Box::new(Invalid {
                column: None,
                reason: Reason::NoKey,
                message: "pdes, full_name and spkid are all empty".to_owned(),
            })
        })?;
        if identity.key.len() > MAX_DESIGNATION_BYTES {
            let message = format!("a designation of {} bytes", identity.key.len());
            return Err(Invalid::at(Column::FullName, Reason::TextTooLong, message));
        }
        Ok((identity, spkid_number))
    }

    /// Takes over the row's orbit, and returns it completed, with its inclination.
    #[inline(always)]
    fn orbit(self, item: &mut Item<'a>) -> Result<(Orbit, Option<f64>), Box<Invalid>> {
        let e = self.checked(Column::E, &mut item.e, |e| e >= 0.0, "is below 0")?;
        let is_elliptic = e.is_none_or(|e| e < 1.0);
        let is_length = |value: f64| value > 0.0 || (!is_elliptic && value < 0.0);
        let rule = "au is no length of an orbit";
        let a = self.checked(Column::A, &mut item.a, is_length, rule)?;
        let q = self.positive(Column::Q, &mut item.q)?;
        let ad = self.checked(Column::Ad, &mut item.ad, is_length, rule)?;
        let i = self.checked(
            Column::I,
            &mut item.i,
            |i| (0.0..=180.0).contains(&i),
            "is not 0° to 180°",
        )?;
        self.given(Column::Om, &mut item.om)?;
        self.given(Column::W, &mut item.w)?;
        self.given(Column::Ma, &mut item.ma)?;
        self.given(Column::Epoch, &mut item.epoch)?;
        self.given(Column::Per, &mut item.per)?;
        self.given(Column::Moid, &mut item.moid)?;
        Ok((Orbit { a, e, q, ad }.completed(), i))
    }

    /// Takes over magnitude, albedo and diameter, and returns the diameter, the measured one or else that from
    /// the magnitude, and what follows from a magnitude that nothing else is known beside.
    #[inline(always)]
    fn size(
        self,
        item: &mut Item<'a>,
    ) -> Result<(Option<f64>, Option<&'static FromMagnitude>), Box<Invalid>> {
        let h = self.checked(
            Column::H,
            &mut item.h,
            |h| MAGNITUDES.contains(&h),
            "is no magnitude of a body",
        )?;
        let albedo = self.positive(Column::Albedo, &mut item.albedo)?;
        let measured = self.positive(Column::Diameter, &mut item.diameter_km)?;
        let common = match (measured, albedo, h) {
            (None, None, Some(h)) => FromMagnitude::find(h),
            _ => None,
        };
        let (diameter, source) = match (measured, h, common) {
            (Some(measured), ..) => (measured, MEASURED),
            (None, Some(_), Some(common)) => {
                item.diameter_km = Some(Figure::Common(&common.diameter_km));
                (common.diameter_km.value(), FROM_H)
            }
            (None, Some(h), None) => {
                let diameter = asterank::diameter_from_magnitude(h, albedo);
                item.diameter_km = Some(Figure::Computed(diameter));
                (diameter, FROM_H)
            }
            (None, None, _) => return Ok((None, None)),
        };
        item.diameter_source = Some(source);
        Ok((Some(diameter), common))
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
