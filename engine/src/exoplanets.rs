//! Exoplanets: the NASA Exoplanet Archive's tables, read to bodies of kind `exoplanet` with their orbit and
//! mass and no price.
//!
//! Two tables are read, from the TAP service or the web tool's download (which puts `#` lines first):
//! `pscomppars`, one row a confirmed planet, and `cumulative`, the Kepler objects of interest with their
//! disposition. A planet never joins to an asteroid.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::catalogue::MAX_COLUMNS;
use crate::content::{BYTE_ORDER_MARK, Content, page_text};
use crate::item::{Figure, Item, Word};
use crate::number::Number;
use crate::reject::{Input, Reason, Reject, excerpt};
use crate::rows::{
    Chunk, ChunkReader, CsvFraming, Format, Framing, MAX_ROW_BYTES, Places, Plan, RawRow, RowCells,
    Rows, read_header,
};

/// The longest name of a planet that is taken, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Mass of the Earth, kg: the nominal terrestrial mass parameter of IAU 2015 Resolution B3,
/// 3.986004e14 m³/s², over the gravitational constant of CODATA 2018, 6.67430e-11 m³/(kg·s²).
pub const EARTH_MASS_KG: f64 = 3.986_004e14 / 6.674_30e-11;

/// Which of the archive's tables a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArchiveTable {
    /// Composite parameters of confirmed planets, one row a planet.
    Pscomppars,
    /// Kepler objects of interest.
    Koi,
}

/// What the columns of either table mean, in the order of [`PSCOMPPARS`] and [`KOI`].
#[derive(Clone, Copy)]
#[repr(usize)]
enum Column {
    Designation,
    Name,
    Disposition,
    A,
    E,
    I,
    W,
    Per,
    Mass,
    MassProvenance,
}

/// The columns of `pscomppars`; a hyphen stands for a column that the table does not have.
const PSCOMPPARS: [&str; 10] = [
    "pl_name",
    "-",
    "-",
    "pl_orbsmax",
    "pl_orbeccen",
    "pl_orbincl",
    "pl_orblper",
    "pl_orbper",
    "pl_bmasse",
    "pl_bmassprov",
];
/// The columns of `cumulative`.
const KOI: [&str; 10] = [
    "kepoi_name",
    "kepler_name",
    "koi_disposition",
    "koi_sma",
    "koi_eccen",
    "koi_incl",
    "koi_longp",
    "koi_period",
    "-",
    "-",
];

/// What becomes of Kepler objects that are candidates still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Candidates {
    /// They are counted and left out.
    #[default]
    LeftOut,
    /// They are bodies like the confirmed ones.
    Included,
}

/// A planet of another star. What is not known is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Exoplanet {
    /// The archive's name of the planet, or of the Kepler object of interest.
    pub designation: String,
    /// The planet's name, where it is another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Semi-major axis, au.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub a: Option<f64>,
    /// Eccentricity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub e: Option<f64>,
    /// Inclination to the plane of the sky, deg.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub i: Option<f64>,
    /// Argument of periastron, deg.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub w: Option<f64>,
    /// Orbital period, days.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub per: Option<f64>,
    /// Mass, kg.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mass_kg: Option<f64>,
    /// Whether the mass was estimated from the radius (`pl_bmassprov` is `M-R relationship`).
    #[serde(default)]
    pub is_mass_from_radius: bool,
}

impl Exoplanet {
    /// The planet as an item of `run`.
    #[must_use]
    pub fn item<'a>(&'a self, run: Option<&'a str>) -> Item<'a> {
        let mass_source = if self.is_mass_from_radius {
            const { Word::new("from-diameter") }
        } else {
            const { Word::new("published") }
        };
        Item {
            designation: Some(Cow::Borrowed(&self.designation)),
            full_name: Some(Cow::Borrowed(
                self.name.as_ref().unwrap_or(&self.designation),
            )),
            name: self.name.as_deref().map(Cow::Borrowed),
            kind: Some(const { Word::new("exoplanet") }),
            mass_kg: self.mass_kg.map(Figure::Computed),
            mass_source: self.mass_kg.map(|_| mass_source),
            a: self.a.map(Figure::Computed),
            e: self.e.map(Figure::Computed),
            i: self.i.map(Figure::Computed),
            w: self.w.map(Figure::Computed),
            per: self.per.map(Figure::Computed),
            run: run.map(Cow::Borrowed),
            ..Item::default()
        }
    }
}

/// The planets of a file, and what became of its other rows: rows = planets + left out + rejected.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ExoplanetList {
    /// Which table the file is.
    pub table: Option<ArchiveTable>,
    /// The planets, in the file's order.
    pub planets: Vec<Exoplanet>,
    /// Rows read.
    pub num_rows: u64,
    /// Candidates that were left out.
    pub num_candidates_left_out: u64,
    /// False positives, which are no planets.
    pub num_false_positives: u64,
    /// Rows that could not be read.
    #[serde(default)]
    pub rejects: Vec<Reject>,
}

/// A file that is none of the archive's tables.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExoplanetError {
    /// The file is empty.
    #[error("the input is empty")]
    Empty,
    /// The archive answered with a page or, as TAP does, with a VOTable that tells of an error.
    #[error("the archive answered with an error: \"{0}\"")]
    Page(String),
    /// The file is neither CSV nor JSON.
    #[error("the input is no CSV table")]
    NotText,
    /// The file is JSON, and none that this program wrote.
    #[error("the JSON document is no list of exoplanets")]
    Document(#[source] serde_json::Error),
    /// The header has neither table's key.
    #[error("no usable key: neither pl_name nor kepoi_name is among the columns")]
    NoKeyColumn,
    /// The header has more columns than any of the archive's tables.
    #[error(
        "the header has {num_columns} columns: more than {MAX_COLUMNS} are in no table of planets"
    )]
    TooManyColumns {
        /// How many columns it has.
        num_columns: usize,
    },
    /// A needed column stands twice.
    #[error("column {0} stands twice in the header")]
    DuplicateColumn(String),
}

impl ExoplanetList {
    /// Reads a file of the archive, decompressed, or a list that was serialised as JSON.
    ///
    /// # Errors
    /// [`ExoplanetError`] where the file is none of the archive's tables. A bad row is a reject.
    pub fn parse(bytes: &[u8], candidates: Candidates) -> Result<Self, ExoplanetError> {
        match Content::of(bytes) {
            Content::Empty => Err(ExoplanetError::Empty),
            Content::Markup => Err(ExoplanetError::Page(page_text(bytes, 300))),
            Content::Json => serde_json::from_slice(bytes).map_err(ExoplanetError::Document),
            Content::Text => {
                let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
                Self::parse_csv(text, candidates)
            }
            _ => Err(ExoplanetError::NotText),
        }
    }

    fn parse_csv(text: &[u8], candidates: Candidates) -> Result<Self, ExoplanetError> {
        // Longer than a row no header is; what is cut off is one of too many columns.
        let header =
            read_header(&text[..text.len().min(MAX_ROW_BYTES)]).ok_or(ExoplanetError::Empty)?;
        if header.columns.len() > MAX_COLUMNS {
            let num_columns = header.columns.len();
            return Err(ExoplanetError::TooManyColumns { num_columns });
        }
        let has = |name: &str| header.columns.iter().any(|column| column == name);
        let (table, wanted) = if has(PSCOMPPARS[0]) {
            (ArchiveTable::Pscomppars, &PSCOMPPARS)
        } else if has(KOI[0]) {
            (ArchiveTable::Koi, &KOI)
        } else {
            return Err(ExoplanetError::NoKeyColumn);
        };
        let plan = Plan::new(&header.columns, wanted)
            .map_err(|duplicate| ExoplanetError::DuplicateColumn(duplicate.0))?;
        let mut list = ExoplanetList {
            table: Some(table),
            ..ExoplanetList::default()
        };
        let mut designations = HashSet::new();
        let framing = Framing::Csv(CsvFraming::default());
        let rows = &text[header.end..];
        let mut chunks = ChunkReader::new(rows, Vec::new(), 0, framing, MAX_ROW_BYTES);
        let (mut chunk, mut places) = (Chunk::default(), Places::default());
        let mut first_line = header.num_lines + 1;
        while chunks.next_chunk(&mut chunk).expect("memory can be read") {
            let mut rows = Rows::new(&chunk, Format::Csv, &mut places);
            while let Some(row) = rows.next_row(&plan) {
                list.add(row, wanted, first_line, candidates, &mut designations);
            }
            first_line += rows.num_lines();
        }
        Ok(list)
    }

    /// Takes the next row in, one way or another.
    fn add(
        &mut self,
        row: RawRow<'_>,
        wanted: &[&'static str; 10],
        first_line: u64,
        candidates: Candidates,
        designations: &mut HashSet<String>,
    ) {
        self.num_rows += 1;
        let located = row
            .cells
            .map_err(|fault| (None, fault.reason, fault.message));
        let planet = located.and_then(|cells| {
            let planet = ArchiveRow { cells, wanted }.planet()?;
            if designations.insert(planet.designation.clone()) {
                return Ok((planet, cells.bytes(Column::Disposition as usize)));
            }
            let message = format!("an earlier row is {:?} too", planet.designation);
            Err((Some(wanted[0]), Reason::DuplicateKey, message))
        });
        match planet {
            Ok((_, b"FALSE POSITIVE")) => self.num_false_positives += 1,
            Ok((_, b"CANDIDATE")) if candidates == Candidates::LeftOut => {
                self.num_candidates_left_out += 1;
            }
            Ok((planet, _)) => self.planets.push(planet),
            Err((column, reason, message)) => self.rejects.push(Reject {
                input: Input::Exoplanets,
                row: self.num_rows,
                line: Some(first_line + row.line),
                column: column.map(str::to_owned),
                reason,
                message,
                text: excerpt(row.bytes),
            }),
        }
    }
}

/// What is wrong with a row: the column at fault, why, and the same for people.
type Invalid = (Option<&'static str>, Reason, String);

/// The cells of a row of the archive.
struct ArchiveRow<'a> {
    cells: RowCells<'a>,
    wanted: &'a [&'static str; 10],
}

impl ArchiveRow<'_> {
    fn planet(&self) -> Result<Exoplanet, Invalid> {
        let designation = self.text(Column::Designation)?;
        if designation.is_empty() {
            return Err((
                Some(self.wanted[0]),
                Reason::NoKey,
                "the row names no planet".to_owned(),
            ));
        }
        let name = self.text(Column::Name)?;
        let mass_kg = self
            .number(Column::Mass)?
            .map(|earths| earths * EARTH_MASS_KG);
        if mass_kg.is_some_and(|mass_kg| !mass_kg.is_finite()) {
            let column = Some(self.wanted[Column::Mass as usize]);
            let message = "the mass is beyond any number".to_owned();
            return Err((column, Reason::OutOfRange, message));
        }
        Ok(Exoplanet {
            designation: designation.to_owned(),
            name: (!name.is_empty()).then(|| name.to_owned()),
            a: self.number(Column::A)?,
            e: self.number(Column::E)?,
            i: self.number(Column::I)?,
            w: self.number(Column::W)?,
            per: self.number(Column::Per)?,
            mass_kg,
            is_mass_from_radius: self.text(Column::MassProvenance)? == "M-R relationship",
        })
    }

    fn text(&self, column: Column) -> Result<&str, Invalid> {
        let bytes = self.cells.bytes(column as usize);
        let invalid = |reason, message: &str| {
            (
                Some(self.wanted[column as usize]),
                reason,
                message.to_owned(),
            )
        };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| invalid(Reason::BadText, "the text is not UTF-8"))?;
        if text.len() > MAX_NAME_BYTES {
            return Err(invalid(
                Reason::TextTooLong,
                "the name is longer than any planet's",
            ));
        }
        Ok(text)
    }

    fn number(&self, column: Column) -> Result<Option<f64>, Invalid> {
        let text = self.text(column)?;
        if text.is_empty() {
            return Ok(None);
        }
        let number = Number::parse(text).map(|number| Some(number.value()));
        number.map_err(|_| {
            let message = format!("{text:?} is not a number");
            (
                Some(self.wanted[column as usize]),
                Reason::BadNumber,
                message,
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pen::Lines;

    const PLANETS: &str = "# This file, with a comma\n#\n\
        pl_name,hostname,pl_orbper,pl_orbsmax,pl_bmasse,pl_bmassprov,pl_orbeccen\n\
        11 Com b,11 Com,323.21,1.178,4914.89849,Msini,0.238\n\
        55 Cnc e,55 Cnc,0.7365,,,M-R relationship,\n\
        bad b,bad,0.7365,x,,,\n";

    #[test]
    fn planets_have_an_orbit_and_a_mass_and_no_price() {
        let list = ExoplanetList::parse(PLANETS.as_bytes(), Candidates::LeftOut).unwrap();
        assert_eq!(
            (list.table, list.num_rows),
            (Some(ArchiveTable::Pscomppars), 3)
        );
        let mut lines = Lines::default();
        list.planets[0].item(Some("r1")).write_json(&mut lines);
        let item: serde_json::Value = serde_json::from_slice(lines.as_bytes()).unwrap();
        assert_eq!(item["designation"], "11 Com b");
        assert_eq!(item["kind"], "exoplanet");
        assert_eq!(item["a"], 1.178);
        assert_eq!(item["mass_source"], "published");
        // 4,914.9 Earth masses.
        assert!((item["mass_kg"].as_f64().unwrap() / 2.9353e28 - 1.0).abs() < 1e-4);
        assert!(item.get("price").is_none());
        assert!(list.planets[1].is_mass_from_radius);
    }

    #[test]
    fn a_bad_row_is_a_reject_with_its_line() {
        let list = ExoplanetList::parse(PLANETS.as_bytes(), Candidates::LeftOut).unwrap();
        let reject = &list.rejects[0];
        assert_eq!((reject.row, reject.line), (3, Some(6)));
        assert_eq!(reject.column.as_deref(), Some("pl_orbsmax"));
        assert_eq!(reject.reason, Reason::BadNumber);
    }

    #[test]
    fn false_positives_are_no_planets_and_candidates_are_by_request() {
        let koi = "kepoi_name,kepler_name,koi_disposition,koi_period\n\
            K00752.01,Kepler-227 b,CONFIRMED,9.488\n\
            K00753.01,,CANDIDATE,19.9\n\
            K00754.01,,FALSE POSITIVE,1.7\n";
        for (candidates, num_planets, num_left_out) in
            [(Candidates::LeftOut, 1, 1), (Candidates::Included, 2, 0)]
        {
            let list = ExoplanetList::parse(koi.as_bytes(), candidates).unwrap();
            assert_eq!(list.planets.len(), num_planets);
            assert_eq!(list.num_candidates_left_out, num_left_out);
            assert_eq!(list.num_false_positives, 1);
            assert_eq!(list.planets[0].name.as_deref(), Some("Kepler-227 b"));
        }
    }

    #[test]
    fn comments_may_follow_a_byte_order_mark_and_hold_quotes() {
        let table = "\u{feff}# a,\"b\npl_name\nx b\n";
        let list = ExoplanetList::parse(table.as_bytes(), Candidates::LeftOut).unwrap();
        assert_eq!(list.planets[0].designation, "x b");
    }

    #[test]
    fn a_mass_beyond_any_number_is_a_reject() {
        let table = "pl_name,pl_bmasse\nx b,1e300\nx c,1\n";
        let list = ExoplanetList::parse(table.as_bytes(), Candidates::LeftOut).unwrap();
        assert_eq!(list.planets[0].mass_kg, Some(EARTH_MASS_KG));
        let [reject] = &list.rejects[..] else {
            panic!("{:?}", list.rejects)
        };
        assert_eq!(
            (reject.column.as_deref(), reject.reason),
            (Some("pl_bmasse"), Reason::OutOfRange)
        );
    }

    #[test]
    fn an_unclosed_quote_costs_its_row_alone() {
        let table = "pl_name,pl_orbper\n\"x b,1\nx c,2\nx d,z\n";
        let list = ExoplanetList::parse(table.as_bytes(), Candidates::LeftOut).unwrap();
        assert_eq!(list.planets[0].designation, "x c");
        let places = list
            .rejects
            .iter()
            .map(|reject| (reject.reason, reject.line));
        assert_eq!(
            places.collect::<Vec<_>>(),
            [
                (Reason::UnclosedQuote, Some(2)),
                (Reason::BadNumber, Some(4))
            ]
        );
    }

    fn parse(table: &str) -> ExoplanetList {
        ExoplanetList::parse(table.as_bytes(), Candidates::LeftOut).unwrap()
    }

    #[test]
    fn a_blank_line_is_no_row_of_a_single_column() {
        let list = parse("pl_name\nA b\n\nB c\n");
        assert_eq!((list.num_rows, list.planets.len()), (2, 2));
        assert_eq!(list.rejects, []);
    }

    #[test]
    fn quotes_that_are_never_closed_cost_a_line_each() {
        const NUM_BAD: usize = 250_000;
        let list = parse(&format!("pl_name\n{}A b\n", "x\",\"\n".repeat(NUM_BAD)));
        assert_eq!(list.planets.len(), 1);
        assert_eq!(list.rejects.len(), NUM_BAD);
        let last = list.rejects.last().unwrap();
        assert_eq!(
            (last.row, last.line),
            (NUM_BAD as u64, Some(NUM_BAD as u64 + 1))
        );
    }

    #[test]
    fn a_header_of_too_many_columns_is_refused() {
        let table = |num_columns: usize| {
            let table = format!("pl_name{}\nx b\n", ",x".repeat(num_columns - 1));
            ExoplanetList::parse(table.as_bytes(), Candidates::LeftOut)
        };
        assert_eq!(table(1_000).unwrap().num_rows, 1);
        let error = table(1_001).unwrap_err();
        assert!(error.to_string().contains("1001 columns"), "{error}");
        assert!(table(3 << 20).is_err());
    }

    #[test]
    fn an_error_that_comes_as_a_votable_is_told() {
        let votable = "<?xml version=\"1.0\"?><VOTABLE><INFO name=\"QUERY_STATUS\" \
            value=\"ERROR\">ORA-00942: no such table</INFO></VOTABLE>";
        let error = ExoplanetList::parse(votable.as_bytes(), Candidates::LeftOut).unwrap_err();
        assert!(error.to_string().contains("no such table"), "{error}");
    }
}
