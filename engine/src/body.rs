//! One body: a catalogue row merged with the lookups, valued, and made an item.

mod figures;
mod magnitudes;
mod texts;

use std::borrow::Cow;

use figures::Figures;
pub(crate) use figures::is_missing;
use magnitudes::FromMagnitude;
use texts::Texts;

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
#[cfg(target_arch = "x86_64")]
use crate::number::Avx2;
use crate::number::{Decimal, Digits, Portable};
use crate::reject::Reason;
use crate::rows::{Fault, RawRow, RowCells};

/// Longest texts of an item, in bytes: all of them together leave an item well below 1,024 bytes.
const MAX_NAME_BYTES: usize = 96;
const MAX_DESIGNATION_BYTES: usize = 64;
const MAX_CODE_BYTES: usize = 16;

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

    /// Of a row whose form is wrong.
    #[cold]
    fn row(fault: Fault) -> Box<Self> {
        Box::new(Invalid {
            column: None,
            reason: fault.reason,
            message: fault.message,
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

/// A body on its way from its row to its item.
#[derive(Debug, Default)]
pub(crate) struct Body<'a> {
    /// The row's bytes, and the line that it begins on, counted in the chunk.
    pub(crate) bytes: &'a [u8],
    pub(crate) line: u64,
    cells: RowCells<'a>,
    pub(crate) item: Item<'a>,
    pub(crate) found: Found,
    /// Why the row is none, as soon as it is known.
    pub(crate) invalid: Option<Box<Invalid>>,
    identity: Identity<'a>,
    spectral_type: SpectralType<'a>,
    orbit: Orbit,
    inclination: Option<f64>,
    diameter_km: Option<f64>,
    /// What follows from its magnitude, where nothing else is known beside it.
    common: Option<&'static FromMagnitude>,
    gm: Option<f64>,
    dv_kms: Option<f64>,
    mass_kg: Option<f64>,
}

/// The bodies that nothing is wrong with so far.
#[inline(always)]
fn valid<'b, 'a>(bodies: &'b mut [Body<'a>]) -> impl Iterator<Item = &'b mut Body<'a>> {
    bodies.iter_mut().filter(|body| body.invalid.is_none())
}

/// Takes over all figures, with what the machine has.
fn read_figures(bodies: &mut [Body<'_>]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::here() {
        #[allow(
            unsafe_code,
            reason = "vector instructions, where the machine has them"
        )]
        // SAFETY: the function is safe but for its instructions, which the machine has.
        return unsafe { read_figures_avx2(bodies, avx2) };
    }
    read_figures_by(bodies, Portable);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn read_figures_avx2(bodies: &mut [Body<'_>], avx2: Avx2) {
    read_figures_by(bodies, avx2);
}

#[inline(always)]
fn read_figures_by(bodies: &mut [Body<'_>], digits: impl Digits) {
    for body in valid(bodies) {
        body.invalid = body.read_orbit(digits).err();
    }
    for body in valid(bodies) {
        body.invalid = body.read_size(digits).err();
    }
}

impl Valuer {
    /// Merges and values `bodies`, of which their cells are known.
    ///
    /// Each step is taken for all of them before the next one: the instructions of all steps together are more than a
    /// core's first cache holds.
    pub(crate) fn value<'a>(&'a self, bodies: &mut [Body<'a>]) {
        for body in valid(bodies) {
            body.invalid = body.read_names().err();
        }
        read_figures(bodies);
        for body in valid(bodies) {
            self.merge(body);
        }
        for body in valid(bodies) {
            body.invalid = body.value().err();
        }
        for body in valid(bodies) {
            body.invalid = self.complete(body).err();
        }
    }

    /// Merges a body with the lookups.
    #[inline(always)]
    fn merge(&self, body: &mut Body<'_>) {
        self.merge_delta_v(body);
        self.merge_nhats(body);
        self.merge_mass(body);
    }

    /// The table's delta-v where it lists the body, else the equations'.
    #[inline(always)]
    fn merge_delta_v(&self, body: &mut Body<'_>) {
        let Body {
            identity, orbit, ..
        } = body;
        let table = &self.lookups.delta_v;
        let listed = table.find(identity.number, &identity.designations());
        body.found.delta_v = listed.is_some();
        let (dv, source) = match (listed, orbit.a, orbit.e, body.inclination) {
            (Some(listed), ..) => (Some(listed.dv_kms), BENNER),
            (None, Some(a), Some(e), Some(i)) => (rendezvous_delta_v(a, e, i), COMPUTED),
            _ => return,
        };
        if let Some(dv) = dv {
            body.item.dv_kms = Some(Figure::Computed(dv));
            body.item.dv_source = Some(source);
            body.dv_kms = Some(dv);
        }
    }

    /// The round trip that NHATS lists, if it lists one.
    #[inline(always)]
    fn merge_nhats(&self, body: &mut Body<'_>) {
        let identity = &body.identity;
        let table = &self.lookups.nhats;
        if let Some(listed) = table.find(identity.number, &identity.designations()) {
            body.item.nhats_dv_kms = Some(Figure::Computed(listed.dv_kms));
            body.item.nhats_days = Some(Figure::Computed(listed.days));
            body.found.nhats = true;
        }
    }

    /// The mass of a known GM: the catalogue's, else a published mass's. Else it is estimated.
    #[inline(always)]
    fn merge_mass(&self, body: &mut Body<'_>) {
        let identity = &body.identity;
        let name = Some(identity.name).filter(|name| !name.is_empty());
        let table = &self.lookups.masses;
        let published = table.find(identity.number, &identity.designations(), name);
        body.found.mass = published.is_some();
        let (gm, source) = match (body.gm, published) {
            (Some(gm), _) => (gm, MassSource::Gm),
            (None, Some(published)) => {
                let gm = published.mass_kg * GRAVITATIONAL_CONSTANT;
                body.item.gm = Some(Figure::Computed(gm));
                (gm, MassSource::Published)
            }
            (None, None) => return body.estimate_mass(),
        };
        body.item.mass_source = Some(mass_word(source));
        body.mass_kg = Some(asterank::mass_from_gm(gm));
    }

    /// Takes over what no step needs.
    #[inline(always)]
    fn complete<'a>(&'a self, body: &mut Body<'a>) -> Result<(), Box<Invalid>> {
        let row = Texts { cells: body.cells };
        let item = &mut body.item;
        item.designation = Some(std::mem::take(&mut body.identity.key));
        item.name = some_text(body.identity.name);
        item.kind = Some(if body.found.is_comet {
            COMET_KIND
        } else {
            ASTEROID
        });
        item.spec_source = type_source(body.spectral_type.source);
        item.spec = Some(std::mem::take(&mut body.spectral_type.name));
        item.neo = row.flag(Column::Neo)?;
        item.pha = row.flag(Column::Pha)?;
        item.condition_code = some_text(row.text(Column::ConditionCode, MAX_CODE_BYTES)?);
        item.run = self.run.as_deref().map(Cow::Borrowed);
        Ok(())
    }
}

impl<'a> Body<'a> {
    /// Begins with a row, in place: a body is large.
    #[inline(always)]
    pub(crate) fn begin(&mut self, row: RawRow<'a>) {
        (self.bytes, self.line) = (row.bytes, row.line);
        match row.cells {
            Ok(cells) => self.cells = cells,
            Err(fault) => self.invalid = Some(Invalid::row(fault)),
        }
    }

    /// Takes over what identifies and classifies the body.
    #[inline(always)]
    fn read_names(&mut self) -> Result<(), Box<Invalid>> {
        let row = Texts { cells: self.cells };
        let full_name = row.text(Column::FullName, MAX_NAME_BYTES)?;
        let (identity, spkid) = row.identity(full_name)?;
        let class = row.text(Column::Class, MAX_CODE_BYTES)?;
        let is_comet = is_comet(class, row.text(Column::Prefix, MAX_CODE_BYTES)?, full_name);
        self.spectral_type = SpectralType::of(
            row.text(Column::SpecB, MAX_CODE_BYTES)?,
            row.text(Column::SpecT, MAX_CODE_BYTES)?,
            &[&identity.key, identity.provisional, identity.name],
            is_comet,
        );
        self.found.is_comet = is_comet;
        self.identity = identity;
        self.item.spkid = spkid.map(Figure::Whole);
        self.item.full_name = some_text(full_name);
        self.item.class = some_text(class);
        Ok(())
    }

    /// Takes over the orbit, and completes it.
    #[inline(always)]
    fn read_orbit(&mut self, digits: impl Digits) -> Result<(), Box<Invalid>> {
        let cells = self.cells;
        let (row, item) = (Figures { cells, digits }, &mut self.item);
        let e = row.checked(Column::E, &mut item.e, |e| e >= 0.0, "is below 0")?;
        let is_elliptic = e.is_none_or(|e| e < 1.0);
        let is_length = |value: f64| value > 0.0 || (!is_elliptic && value < 0.0);
        let rule = "au is no length of an orbit";
        let a = row.checked(Column::A, &mut item.a, is_length, rule)?;
        let q = row.positive(Column::Q, &mut item.q)?;
        let ad = row.checked(Column::Ad, &mut item.ad, is_length, rule)?;
        let is_inclination = |i: f64| (0.0..=180.0).contains(&i);
        self.inclination =
            row.checked(Column::I, &mut item.i, is_inclination, "is not 0° to 180°")?;
        row.given(Column::Om, &mut item.om)?;
        row.given(Column::W, &mut item.w)?;
        row.given(Column::Ma, &mut item.ma)?;
        row.given(Column::Epoch, &mut item.epoch)?;
        row.given(Column::Per, &mut item.per)?;
        row.given(Column::Moid, &mut item.moid)?;
        self.orbit = Orbit { a, e, q, ad }.completed();
        Ok(())
    }

    /// Takes over magnitude, albedo, diameter and GM. Where no diameter was measured, it follows from the magnitude.
    #[inline(always)]
    fn read_size(&mut self, digits: impl Digits) -> Result<(), Box<Invalid>> {
        let cells = self.cells;
        let (row, item) = (Figures { cells, digits }, &mut self.item);
        let is_magnitude = |h: f64| MAGNITUDES.contains(&h);
        let h = row.checked(
            Column::H,
            &mut item.h,
            is_magnitude,
            "is no magnitude of a body",
        )?;
        let albedo = row.positive(Column::Albedo, &mut item.albedo)?;
        let measured = row.positive(Column::Diameter, &mut item.diameter_km)?;
        self.gm = row.positive(Column::Gm, &mut item.gm)?;
        if let (None, None, Some(h)) = (measured, albedo, h) {
            self.common = FromMagnitude::find(h);
        }
        let (diameter, source) = match (measured, h, self.common) {
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
            (None, None, _) => return Ok(()),
        };
        item.diameter_source = Some(source);
        self.diameter_km = Some(diameter);
        Ok(())
    }

    /// The mass of a body that is valued and whose GM is not known. A comet whose spectral type is known is valued
    /// by it; the others have no mass to estimate.
    #[inline(always)]
    fn estimate_mass(&mut self) {
        if self.spectral_type.is_comet() {
            return;
        }
        let (mass, source) = match self.diameter_km {
            Some(diameter) => (
                asterank::mass_from_diameter(diameter, self.spectral_type.density()),
                MassSource::FromDiameter,
            ),
            None => (DEFAULT_MASS_KG, MassSource::Default),
        };
        self.item.mass_source = Some(mass_word(source));
        self.mass_kg = Some(mass);
    }

    /// Takes over the model's results.
    #[inline(always)]
    fn value(&mut self) -> Result<(), Box<Invalid>> {
        let valuation = match self.mass_kg {
            Some(mass) if !self.spectral_type.is_comet() => asterank::value(
                mass,
                Composition::of(self.spectral_type.valued_as()),
                &self.orbit,
                self.dv_kms,
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
        let mass = self.mass_kg.unwrap_or_default();
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
        let (item, common) = (&mut self.item, self.common);
        item.mass_kg = self
            .mass_kg
            .map(|mass| figure(mass, common.map(|common| &common.mass_kg)));
        item.price = Some(Figure::Computed(price));
        item.saved = Some(figure(saved, common.map(|common| &common.saved)));
        item.closeness = Some(Figure::Computed(closeness));
        item.profit = Some(Figure::Computed(profit));
        item.score = Some(Figure::Computed(score));
        Ok(())
    }
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

/// The beginning of a cell for a message, which is not to grow with what stands in the file.
fn shown(bytes: &[u8]) -> String {
    format!(
        "{:?}",
        crate::reject::excerpt(&bytes[..bytes.len().min(40)])
    )
}
