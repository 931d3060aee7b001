//! The reference that the engine is tested against: the `asterank` valuation model row by row,
//! written from its description alone and from none of the engine's code.
//!
//! Plain and slow on purpose. It reads whole files, keeps every cell as text and never rejects a
//! row: a cell that is no finite number counts as missing. Speed, rejects and lookups are left to
//! the engine. A row becomes one [`Evaluation`] through [`evaluate`].
//!
//! One file past the usual length, so that the definition reads from top to bottom.
#![allow(
    dead_code,
    reason = "each test that includes this module uses a part of it"
)]

use std::collections::BTreeMap;
use std::f64::consts::PI;

use futures::StreamExt;
use serde_json::Value;

/// One row: column name to trimmed text. A missing cell is absent or empty.
pub(crate) type Row = BTreeMap<String, String>;

/// A header and its rows, every cell trimmed; rows keep the length that they have in the file.
pub(crate) type Table = (Vec<String>, Vec<Vec<String>>);

/// Where a row's delta-v comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum DeltaV {
    /// From a table, km/s.
    Given(f64),
    /// From the row's own orbit by Benner's equations, where they have an answer.
    FromOrbit,
    /// Not known, whatever the orbit says: the model then takes 12 km/s.
    Unknown,
}

/// What the model says of one row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Evaluation {
    /// The key; empty where the row has neither `pdes`, `full_name` nor `spkid`.
    pub(crate) designation: String,
    /// The spectral type as it was found, `comet` or `?`.
    pub(crate) spec: String,
    /// The model's mass, kg: after the factor that it applies to masses above 1e18 kg.
    pub(crate) mass_kg: f64,
    /// Measured, else estimated from H, km.
    pub(crate) diameter_km: Option<f64>,
    pub(crate) price: f64,
    pub(crate) saved: f64,
    pub(crate) closeness: f64,
    pub(crate) profit: f64,
    pub(crate) score: f64,
    /// km/s; `None` where the results rest on the model's 12 km/s.
    pub(crate) dv_kms: Option<f64>,
}

// ---------------------------------------------------------------------------------------------
// Reading
// ---------------------------------------------------------------------------------------------

/// Reads a CSV export of any column set; the first record is the header.
pub(crate) fn read_csv(bytes: &[u8]) -> Table {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv_async::AsyncReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .create_reader(bytes);
    let records: Vec<Vec<String>> = futures::executor::block_on(async {
        let mut records = reader.byte_records();
        let mut rows = Vec::new();
        while let Some(record) = records.next().await {
            let record = record.expect("a flexible reader takes every record of a slice");
            rows.push(
                record
                    .iter()
                    .map(|cell| clean_cell(&String::from_utf8_lossy(cell)))
                    .collect(),
            );
        }
        rows
    });
    let mut records = records.into_iter();
    let header = records.next().unwrap_or_default();
    (
        header.iter().map(|name| column_name(name)).collect(),
        records.collect(),
    )
}

/// Reads a document of the SBDB Query API; one without `fields` and `data` has no rows.
pub(crate) fn read_json(bytes: &[u8]) -> Table {
    let document: Value = serde_json::from_slice(bytes).expect("the document is JSON");
    let cells = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .expect("an array of cells")
            .iter()
            .map(cell_text)
            .collect()
    };
    let header = document.get("fields").map(cells).unwrap_or_default();
    let rows = match document.get("data") {
        Some(data) => data
            .as_array()
            .expect("`data` is an array")
            .iter()
            .map(cells)
            .collect(),
        None => Vec::new(),
    };
    (header.iter().map(|name| column_name(name)).collect(), rows)
}

/// Reads a JSON array of objects, one row each.
pub(crate) fn read_json_objects(bytes: &[u8]) -> Vec<Row> {
    let document: Value = serde_json::from_slice(bytes).expect("the document is JSON");
    document
        .as_array()
        .expect("an array of objects")
        .iter()
        .map(row_of_object)
        .collect()
}

/// The row that a JSON object spells out.
pub(crate) fn row_of_object(object: &Value) -> Row {
    let object = object.as_object().expect("a row is an object");
    object
        .iter()
        .map(|(name, value)| (column_name(name), cell_text(value)))
        .collect()
}

/// Names the cells of a table. Cells beyond the header have no name and are dropped; of two
/// columns with one name the first counts.
pub(crate) fn rows(table: &Table) -> Vec<Row> {
    let (header, records) = table;
    let mut rows = Vec::new();
    for record in records {
        let mut row = Row::new();
        for (name, cell) in header.iter().zip(record) {
            row.entry(name.clone()).or_insert_with(|| cell.clone());
        }
        rows.push(row);
    }
    rows
}

/// Trims a cell. Hand-made rows put a space before the quotes, which CSV then takes for text:
/// such quotes are taken off as well.
fn clean_cell(cell: &str) -> String {
    let cell = cell.trim();
    let unwrapped = cell
        .strip_prefix('"')
        .and_then(|cell| cell.strip_suffix('"'));
    unwrapped.unwrap_or(cell).trim().to_owned()
}

/// December 2021 exports spell `epoch.mjd` what all the others spell `epoch_mjd`.
fn column_name(name: &str) -> String {
    name.trim().replace('.', "_")
}

/// A JSON value as the text that a CSV cell would hold.
fn cell_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

/// The text of a column, empty where it is missing.
fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).map_or("", |cell| cell.trim())
}

/// The number in a column, if it holds a finite one.
fn number(row: &Row, column: &str) -> Option<f64> {
    text(row, column)
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
}

/// The number in a column that only makes sense above zero: GM, diameter, albedo.
fn positive(row: &Row, column: &str) -> Option<f64> {
    number(row, column).filter(|number| *number > 0.0)
}

// ---------------------------------------------------------------------------------------------
// Names
// ---------------------------------------------------------------------------------------------

/// The key of a row: `pdes`, else what `full_name` says, else `spkid`.
pub(crate) fn designation(row: &Row) -> String {
    if !text(row, "pdes").is_empty() {
        return text(row, "pdes").to_owned();
    }
    if !text(row, "full_name").is_empty() {
        return designation_of_full_name(text(row, "full_name"));
    }
    text(row, "spkid").to_owned()
}

/// The primary designation as SBDB's `pdes` would give it.
pub(crate) fn designation_of_full_name(full_name: &str) -> String {
    let full_name = full_name.trim();
    if let Some((head, tail)) = full_name.split_once('/') {
        let before_parenthesis = tail.split(" (").next().unwrap_or(tail).trim();
        if is_comet_prefix(head) {
            return before_parenthesis.to_owned(); // C/1995 O1 (Hale-Bopp)
        }
        let number = head.split('-').next().unwrap_or(head);
        if is_comet_number(number) {
            if head.contains('-') {
                return head.to_owned(); // 73P-AA/Schwassmann-Wachmann 3
            }
            return match fragment(before_parenthesis) {
                Some(letters) => format!("{head}-{letters}"), // 73P/Schwassmann-Wachmann 3-AA
                None => head.to_owned(),                      // 1P/Halley
            };
        }
    }
    let inside = full_name
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    if let Some(inside) = inside {
        return inside.trim().to_owned(); // (2006 RH120)
    }
    match full_name.split_once(char::is_whitespace) {
        Some((number, _)) if is_number(number) && !is_provisional(full_name) => number.to_owned(),
        _ => full_name.to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The letter before the slash of a comet or interstellar object without a number.
fn is_comet_prefix(text: &str) -> bool {
    matches!(text, "C" | "P" | "D" | "X" | "A" | "I")
}

/// `1P`, `3D`, `1I`: a number and one such letter.
fn is_comet_number(text: &str) -> bool {
    text.len() > 1
        && text.is_char_boundary(text.len() - 1)
        && is_number(&text[..text.len() - 1])
        && is_comet_prefix(&text[text.len() - 1..])
}

/// The one or two capitals after the last hyphen of a fragment's name.
fn fragment(name: &str) -> Option<&str> {
    let (_, letters) = name.rsplit_once('-')?;
    let is_fragment =
        matches!(letters.len(), 1 | 2) && letters.bytes().all(|byte| byte.is_ascii_uppercase());
    is_fragment.then_some(letters)
}

/// `2006 RH120`, `A898 PA`, `1995 O1` or `6344 P-L` and nothing else: its year is no number of a
/// numbered asteroid.
fn is_provisional(text: &str) -> bool {
    let Some((year, letters)) = text.split_once(' ') else {
        return false;
    };
    let mut letters_left = letters.bytes();
    let first = letters_left.next();
    let second = letters_left.next();
    year.len() == 4
        && is_number(year.strip_prefix('A').unwrap_or(year))
        && (matches!(letters, "P-L" | "T-1" | "T-2" | "T-3")
            || first.is_some_and(|byte| byte.is_ascii_uppercase())
                && second.is_some_and(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
                && letters_left.all(|byte| byte.is_ascii_digit()))
}

/// The provisional designation inside the parentheses of `433 Eros (A898 PA)`.
fn provisional_designation(row: &Row) -> &str {
    let full_name = text(row, "full_name");
    let inside = full_name
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once('('));
    inside.map_or("", |(_, inside)| inside.trim())
}

/// The body's name, from its own column or from `101955 Bennu (1999 RQ36)`.
fn name(row: &Row) -> &str {
    if !text(row, "name").is_empty() {
        return text(row, "name");
    }
    let full_name = text(row, "full_name");
    let before = full_name.split('(').next().unwrap_or(full_name).trim();
    match before.split_once(char::is_whitespace) {
        Some((first, rest)) if is_number(first) => rest.trim(),
        _ => before,
    }
}

// ---------------------------------------------------------------------------------------------
// Spectral type
// ---------------------------------------------------------------------------------------------

/// The type of a row: `spec_B`, else `spec_T` translated, else by body, else `comet` or `?`.
pub(crate) fn spectral_type(row: &Row) -> String {
    let smass = text(row, "spec_B").replace(':', "");
    let smass = smass.trim();
    if smass == "C type" {
        return "C".to_owned();
    }
    if !smass.is_empty() {
        return smass.to_owned();
    }
    let tholen = match text(row, "spec_T") {
        "E" => "M",
        "F" => "C",
        "G" => "Cgh",
        same @ ("M" | "P" | "B" | "C" | "Q" | "R" | "V" | "T" | "D" | "A") => same,
        _ => "",
    };
    if !tholen.is_empty() {
        return tholen.to_owned();
    }
    for (body, spec) in [
        ("2012 DA14", "L"),
        ("1986 DA", "M"),
        ("2011 UW158", "Xc"),
        ("Bennu", "B"),
    ] {
        if [text(row, "pdes"), provisional_designation(row), name(row)].contains(&body) {
            return spec.to_owned();
        }
    }
    if is_comet(row) {
        "comet".to_owned()
    } else {
        "?".to_owned()
    }
}

/// By class; where the row has none, by prefix or by the look of the full name.
fn is_comet(row: &Row) -> bool {
    let class = text(row, "class");
    if !class.is_empty() {
        return matches!(
            class,
            "COM" | "CTc" | "ETc" | "HTC" | "HYP" | "JFc" | "JFC" | "PAR"
        );
    }
    if matches!(text(row, "prefix"), "C" | "P" | "D" | "X") {
        return true;
    }
    let Some((head, _)) = text(row, "full_name").split_once('/') else {
        return false;
    };
    let numbered = head
        .strip_suffix('P')
        .or_else(|| head.strip_suffix('D'))
        .is_some_and(is_number);
    matches!(head, "C" | "P" | "D" | "X") || numbered
}

/// Per cent of mass by material, or `None` for a type that the table does not know.
fn composition(spec: &str) -> Option<&'static [(&'static str, f64)]> {
    let parts: &[(&str, f64)] = match spec {
        "C" | "Ch" | "Cg" | "Cgh" => &[
            ("water", 0.2),
            ("iron", 0.166),
            ("nickel", 0.014),
            ("cobalt", 0.002),
            ("hydrogen", 0.235),
            ("nitrogen", 0.001),
            ("ammonia", 0.001),
        ],
        "Cb" | "K" => &[
            ("water", 0.1),
            ("iron", 0.083),
            ("nickel", 0.007),
            ("cobalt", 0.001),
            ("hydrogen", 0.235),
            ("nitrogen", 0.001),
            ("ammonia", 0.001),
        ],
        "B" => &[
            ("hydrogen", 0.235),
            ("nitrogen", 0.001),
            ("ammonia", 0.001),
            ("iron", 10.0),
        ],
        "D" => &[("water", 0.000023)],
        "P" => &[("water", 12.5)],
        "T" => &[("iron", 6.0)],
        "Q" => &[("nickel-iron", 13.315)],
        "O" => &[("nickel-iron", 2.965), ("platinum", 1.25)],
        "M" | "X" | "Xe" | "Xk" => &[("iron", 88.0), ("nickel", 10.0), ("cobalt", 0.5)],
        "Xc" => &[
            ("iron", 88.0),
            ("nickel", 10.0),
            ("cobalt", 0.5),
            ("platinum", 0.005),
        ],
        "L" => &[
            ("magnesium silicate", 1e-30),
            ("iron silicate", 0.0),
            ("aluminum", 7.0),
        ],
        "S" | "Sq" | "Sr" | "Sk" | "Sl" | "S(IV)" | "R" | "V" | "Ld" => {
            &[("magnesium silicate", 1e-30), ("iron silicate", 0.0)]
        }
        "Sa" => &[("magnesium silicate", 5e-31), ("iron silicate", 0.0)],
        "A" | "E" | "U" | "?" => &[],
        _ => return None,
    };
    Some(parts)
}

/// $/kg.
fn price_of_material(material: &str) -> f64 {
    match material {
        "water" => 0.01,
        "hydrogen" => 3.65808137,
        "nitrogen" => 0.074094,
        "ammonia" => 0.01,
        "oxygen" => 0.21,
        "iron" => 2e-7,
        "nickel" => 2e-5,
        "nickel-iron" => 1.01e-5,
        "cobalt" => 0.20,
        "stainless steel" => 0.20,
        "platinum" => 2.0,
        "magnesium silicate" => 1e-25,
        "iron silicate" => 0.0,
        "aluminum" => 0.05,
        unknown => panic!("the composition table names {unknown}, the price list does not"),
    }
}

/// By the first letter of the type. A comet is a C by its first letter; any other type that the
/// composition table does not know is a `?` here too.
fn density(spec: &str) -> f64 {
    if spec != "comet" && composition(spec).is_none() {
        return 2.0;
    }
    match spec
        .chars()
        .next()
        .map(|letter| letter.to_ascii_uppercase())
    {
        Some('C' | 'D' | 'P' | 'T' | 'B' | 'G' | 'F') => 1.38,
        Some('S' | 'K' | 'Q' | 'V' | 'R' | 'A') => 2.71,
        Some('M') => 5.32,
        _ => 2.0,
    }
}

// ---------------------------------------------------------------------------------------------
// Size, orbit, delta-v
// ---------------------------------------------------------------------------------------------

/// Measured, else 1329/√p·10^(−0.2H) km.
fn diameter_km(row: &Row) -> Option<f64> {
    if let Some(measured) = positive(row, "diameter") {
        return Some(measured);
    }
    let albedo = positive(row, "albedo").unwrap_or(0.15);
    number(row, "H").map(|h| 1329.0 / albedo.sqrt() * 10f64.powf(-0.2 * h))
}

/// The model's gravitational constant, km³/(kg·s²).
const GRAVITATION: f64 = 6.673e-20;

/// The model's mass, kg: from GM, else from the size, else its default.
fn mass_kg(row: &Row, spec: &str, published_mass_kg: Option<f64>) -> f64 {
    let gm = positive(row, "GM").or(published_mass_kg.map(|mass| mass * GRAVITATION));
    if let Some(gm) = gm {
        let mass = gm / GRAVITATION;
        return if mass > 1e18 { mass * 1e-6 } else { mass };
    }
    let Some(diameter) = diameter_km(row) else {
        return 1.47e15;
    };
    4.0 / 3.0 * PI * (diameter / 2.0).powi(3) * density(spec) / 6.0 * 1e15
}

/// a, q and ad in au, the missing ones of an ellipse derived from e and the others.
fn orbit(row: &Row) -> (Option<f64>, Option<f64>, Option<f64>) {
    let (a, q, ad) = (number(row, "a"), number(row, "q"), number(row, "ad"));
    let Some(e) = number(row, "e") else {
        return (a, q, ad);
    };
    if e >= 1.0 || a.is_some_and(|a| a <= 0.0) {
        return (a, q, ad);
    }
    let a = a.or(q.map(|q| q / (1.0 - e)));
    let q = q.or(a.map(|a| a * (1.0 - e)));
    let ad = ad.or(a.map(|a| a * (1.0 + e)));
    (a, q, ad)
}

/// Rendezvous delta-v in km/s by Benner's evaluation of Shoemaker & Helin 1978 (NASA CP-2053).
/// a in au, i in degrees.
///
/// The equations subtract nearly equal terms where the aphelion or the perihelion is near 1 au:
/// as they stand, they are good to about 1e-10 relative there, not to 1e-12 (2010 VK139 loses
/// 7e-11). A test with a narrower tolerance hands the engine's delta-v in as [`DeltaV::Given`].
pub(crate) fn benner_dv_kms(a: f64, e: f64, i_deg: f64) -> Option<f64> {
    let is_aten = a < 1.0;
    let far = a * (1.0 + e); // Q of the equations
    let near = a * (1.0 - e); // q of the equations
    if e >= 1.0 || a <= 0.0 || (is_aten && far >= 2.0) {
        return None;
    }
    let is_amor = !is_aten && near > 1.0;
    let c = (i_deg.to_radians() / 2.0).cos();
    let root = |x: f64| x.max(0.0).sqrt();

    let ut2 = if is_aten {
        2.0 - 2.0 * c * root(2.0 * far - far * far)
    } else {
        3.0 - 2.0 / (far + 1.0) - 2.0 * c * root(2.0 * far / (far + 1.0))
    };
    let uc2 = if is_aten {
        3.0 / far - 1.0 - (2.0 / far) * root(2.0 - far)
    } else if is_amor {
        3.0 / far - 2.0 / (far + 1.0) - (2.0 / far) * c * root(2.0 / (far + 1.0))
    } else {
        3.0 / far - 2.0 / (far + 1.0) - (2.0 / far) * root(2.0 / (far + 1.0))
    };
    let ur2 = if is_amor {
        3.0 / far - 1.0 / a - (2.0 / far) * root(a * (1.0 - e * e) / far)
    } else {
        3.0 / far - 1.0 / a - (2.0 / far) * c * root(a * (1.0 - e * e) / far)
    };

    let u0 = 7.727 / 29.784;
    let s2 = 2.0 * u0 * u0;
    let ul = root(ut2 + s2) - u0;
    let ur = (root(uc2) - root(ur2)).abs();
    Some(30.0 * (ul + ur) + 0.5)
}

fn dv_kms(row: &Row, delta_v: DeltaV) -> Option<f64> {
    match delta_v {
        DeltaV::Given(dv) => Some(dv),
        DeltaV::Unknown => None,
        DeltaV::FromOrbit => benner_dv_kms(orbit(row).0?, number(row, "e")?, number(row, "i")?),
    }
}

// ---------------------------------------------------------------------------------------------
// Results
// ---------------------------------------------------------------------------------------------

/// The logistic function f(k, x) of the model.
fn f(k: f64, x: f64) -> f64 {
    1.0 / (1.0 + (k * x).exp())
}

/// −1 beyond 50 au or where the orbit is not known.
fn closeness(row: &Row, dv: f64) -> f64 {
    let (Some(a), Some(q), Some(ad)) = orbit(row) else {
        return -1.0;
    };
    if ad > 50.0 {
        return -1.0;
    }
    let sum = f(0.9, ad) + f(0.45, a) + f(0.9, q) + 50.0 * (1.0 + f(1.0, 1.3 * dv - 6.0)) + 1.0;
    sum * sum
}

/// Values one row.
///
/// `published_mass_kg` applies where the row has no GM of its own.
pub(crate) fn evaluate(row: &Row, delta_v: DeltaV, published_mass_kg: Option<f64>) -> Evaluation {
    let spec = spectral_type(row);
    let mass_kg = mass_kg(row, &spec, published_mass_kg);
    let dv_kms = dv_kms(row, delta_v);
    let dv = dv_kms.unwrap_or(12.0);

    let mut price = 0.0;
    let mut saved = 0.0;
    for (material, per_cent) in composition(&spec).unwrap_or(&[]) {
        price += price_of_material(material) * per_cent / 100.0;
        saved += 2200.0 * per_cent / 100.0;
    }
    price *= mass_kg;
    saved = mass_kg * (saved - 2200.0 / 3.0) * 1e-5;
    let mut closeness = closeness(row, dv);
    let mut profit = price / 12.0 * closeness / 3417.5490736698116 * (12.0 / dv);
    let mut score = price.min(1e10) / 5e11;
    if score > 1e-4 {
        score += closeness / 20.0;
    }
    if spec == "comet" {
        (price, saved, closeness, profit, score) = (-1.0, -1e-5, -1.0, -1.0, -2e-12);
    }

    Evaluation {
        designation: designation(row),
        spec,
        mass_kg,
        diameter_km: diameter_km(row),
        price,
        saved,
        closeness,
        profit,
        score,
        dv_kms,
    }
}
