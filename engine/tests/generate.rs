//! The synthetic catalogue as its users see it: bytes, keys, shares and orbits.

use std::collections::{HashMap, HashSet};

use csv_async::{AsyncReader, AsyncReaderBuilder, StringRecord};
use engine::generate::{Format, Options, generate};
use futures::executor::block_on;
use serde_json::Value;

const SEED: u64 = 20_260_925;

fn catalogue(rows: u64, seed: u64, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    generate(&Options { rows, seed, format }, &mut out).expect("a vector takes everything");
    out
}

/// FNV-1a, 64 bits (Fowler, Noll and Vo).
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// A row whose cells are asked for by name.
struct Row<'a> {
    columns: &'a HashMap<String, usize>,
    record: &'a StringRecord,
}

impl<'a> Row<'a> {
    fn text(&self, name: &str) -> &'a str {
        &self.record[self.columns[name]]
    }

    fn has(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// The number in a cell; the cell has one.
    fn number(&self, name: &str) -> f64 {
        self.text(name).parse().expect("a number")
    }

    fn is_comet(&self) -> bool {
        self.has("prefix")
    }
}

/// Reads a CSV catalogue with a plain parser, which also rejects rows shorter or longer than the
/// header, and returns how many rows `visit` has seen.
fn each_row(csv: &[u8], mut visit: impl FnMut(&Row<'_>)) -> usize {
    block_on(async {
        let mut reader: AsyncReader<_> = AsyncReaderBuilder::new().create_reader(csv);
        let header = reader.headers().await.expect("a header").clone();
        let columns: HashMap<String, usize> = header.iter().map(str::to_owned).zip(0..).collect();
        let (mut record, mut rows) = (StringRecord::new(), 0);
        while reader.read_record(&mut record).await.expect("a whole row") {
            visit(&Row {
                columns: &columns,
                record: &record,
            });
            rows += 1;
        }
        rows
    })
}

#[test]
fn a_seed_gives_the_same_bytes_on_every_machine() {
    let csv = catalogue(1_000, SEED, Format::Csv);
    let json = catalogue(1_000, SEED, Format::Json);
    assert_eq!(
        (checksum(&csv), checksum(&json)),
        (0x442E_1979_FB73_15B5, 0x9BE697AB8FCBD1F8)
    );
}

#[test]
fn another_seed_gives_another_catalogue() {
    assert_ne!(catalogue(50, 1, Format::Csv), catalogue(50, 2, Format::Csv));
}

#[test]
fn a_short_catalogue_begins_every_longer_one() {
    let long = catalogue(2_500, SEED, Format::Csv);
    for rows in [0, 1, 999, 1_000, 1_001, 2_499] {
        assert!(
            long.starts_with(&catalogue(rows, SEED, Format::Csv)),
            "{rows} rows"
        );
    }
}

#[test]
fn looks_like_an_export_of_the_web_tool() {
    let csv = String::from_utf8(catalogue(2_000, SEED, Format::Csv)).unwrap();
    let (header, rows) = csv.split_once('\n').unwrap();
    assert!(header.starts_with(r#""spkid","full_name","pdes","name","prefix","neo","pha","H""#));
    assert!(header.ends_with(r#""A1","A2","A3","DT""#));
    assert!(rows.starts_with("20000001,\"     1 "));
    assert!(rows.is_ascii() && rows.ends_with('\n'));
    let average = rows.len() / 2_000;
    assert!((500..=570).contains(&average), "{average} bytes a row");
}

#[test]
fn keys_are_unique_and_rows_are_whole() {
    let (mut spkids, mut pdes, mut names) = (HashSet::new(), HashSet::new(), HashSet::new());
    let rows = each_row(&catalogue(100_000, SEED, Format::Csv), |row| {
        assert!(spkids.insert(row.text("spkid").to_owned()));
        assert!(
            pdes.insert(row.text("pdes").to_owned()),
            "{}",
            row.text("pdes")
        );
        assert!(
            names.insert(row.text("full_name").to_owned()),
            "{}",
            row.text("full_name")
        );
    });
    assert_eq!(rows, 100_000);
}

#[test]
fn classes_are_mixed_as_in_the_catalogue() {
    let mut classes: HashMap<String, u32> = HashMap::new();
    let mut prefixes: HashMap<String, u32> = HashMap::new();
    each_row(&catalogue(100_000, SEED, Format::Csv), |row| {
        *classes.entry(row.text("class").to_owned()).or_default() += 1;
        *prefixes.entry(row.text("prefix").to_owned()).or_default() += 1;
    });
    let count =
        |names: &[&str]| -> u32 { names.iter().filter_map(|name| classes.get(*name)).sum() };
    assert!((89_000..91_000).contains(&count(&["MBA"])), "{classes:?}");
    assert!(
        (2_300..2_700).contains(&count(&["APO", "AMO", "ATE", "IEO"])),
        "{classes:?}"
    );
    for (name, least, most) in [
        ("OMB", 2_400, 3_000),
        ("IMB", 1_700, 2_100),
        ("MCA", 1_400, 1_800),
        ("TJN", 750, 1_000),
        ("TNO", 270, 430),
        ("CEN", 30, 90),
        ("IEO", 1, 30),
        ("HYP", 10, 60),
        ("PAR", 80, 180),
        ("COM", 20, 90),
        ("JFc", 20, 90),
    ] {
        assert!(
            (least..=most).contains(&count(&[name])),
            "{name} of {classes:?}"
        );
    }
    assert_eq!(prefixes["C"] + prefixes["P"], 300);
}

#[test]
fn values_are_missing_as_often_as_in_the_catalogue() {
    let mut filled: HashMap<&str, u32> = HashMap::new();
    let shares = [
        ("diameter", 8_600, 9_400),
        ("albedo", 8_700, 9_500),
        ("rot_per", 2_150, 2_500),
        ("spec_B", 70, 140),
        ("spec_T", 40, 100),
        ("G", 2, 30),
        ("GM", 9, 20),
        ("name", 2_300, 2_800),
    ];
    let (mut asteroids, mut magnitudes) = (0_u32, 0_u32);
    each_row(&catalogue(100_000, SEED, Format::Csv), |row| {
        for (name, ..) in shares {
            *filled.entry(name).or_default() += u32::from(row.has(name));
        }
        asteroids += u32::from(!row.is_comet());
        magnitudes += u32::from(row.has("H"));
        assert!(!row.is_comet() || !(row.has("H") || row.has("pha")));
    });
    for (name, least, most) in shares {
        assert!(
            (least..=most).contains(&filled[name]),
            "{name} filled {} times",
            filled[name]
        );
    }
    assert!(
        (10..60).contains(&(asteroids - magnitudes)),
        "{magnitudes} of {asteroids} have H"
    );
}

#[test]
fn orbits_hang_together() {
    let near = |left: f64, right: f64| (left - right).abs() <= 1e-12 * left.abs().max(right.abs());
    each_row(&catalogue(30_000, SEED, Format::Csv), |row| {
        let (e, q) = (row.number("e"), row.number("q"));
        assert!(e >= 0.0 && q > 0.0 && (0.0..=180.0).contains(&row.number("i")));
        assert!(row.number("tp").is_finite() && row.number("epoch").is_finite());
        match row.text("class") {
            "PAR" => {
                assert_eq!(e, 1.0);
                assert!(
                    !["a", "ad", "n", "per", "ma"]
                        .iter()
                        .any(|name| row.has(name))
                );
            }
            "HYP" => {
                assert!(e > 1.0 && row.number("a") < 0.0 && !row.has("ad") && !row.has("per"));
                assert!((q / (row.number("a") * (1.0 - e)) - 1.0).abs() < 1e-9);
            }
            _ => {
                let (a, ad) = (row.number("a"), row.number("ad"));
                assert!(e < 1.0 && q <= a && a <= ad, "{}", row.text("full_name"));
                assert!(near(q + ad, 2.0 * a) && near(row.number("n") * row.number("per"), 360.0));
                assert!((0.0..=360.0).contains(&row.number("ma")));
                assert!((row.number("per") / 365.25 / a.powf(1.5) - 1.0).abs() < 1e-4);
            }
        }
        assert!(row.is_comet() || (row.text("neo") == "Y") == (q < 1.3));
        let is_hazardous = row.text("pha") == "Y";
        assert!(!is_hazardous || (row.number("moid") <= 0.05 && row.number("H") <= 22.0));
    });
}

#[test]
fn the_epoch_is_the_mean_anomaly_after_the_perihelion() {
    each_row(&catalogue(5_000, SEED, Format::Csv), |row| {
        if row.has("n") {
            let turned = (row.number("epoch") - row.number("tp")) * row.number("n");
            let apart = (turned - row.number("ma")).rem_euclid(360.0);
            assert!(apart.min(360.0 - apart) < 1e-5, "{}", row.text("full_name"));
        }
    });
}

#[test]
fn observations_end_after_they_begin_and_span_the_arc() {
    each_row(&catalogue(5_000, SEED, Format::Csv), |row| {
        assert!(
            row.text("first_obs") <= row.text("last_obs"),
            "{}",
            row.text("full_name")
        );
        assert!(
            row.text("last_obs") <= "2026-09-25",
            "{}",
            row.text("full_name")
        );
        assert!(!row.has("data_arc") || row.number("data_arc") >= 0.0);
    });
}

#[test]
fn spells_numbers_in_all_of_jpls_ways() {
    let csv = String::from_utf8(catalogue(20_000, SEED, Format::Csv)).unwrap();
    let cells: HashSet<&str> = csv
        .lines()
        .skip(1)
        .flat_map(|line| line.split(','))
        .collect();
    let some = |has: fn(&str) -> bool| cells.iter().any(|cell| has(cell));
    assert!(
        some(|cell| cell.starts_with('.')),
        "without a zero before the point"
    );
    assert!(
        some(|cell| cell == "7."),
        "without a digit behind the point"
    );
    assert!(
        some(|cell| cell.contains("E-")) && some(|cell| cell.contains("e-04")),
        "exponents"
    );
    assert!(
        some(|cell| cell.starts_with("-0.") || cell.starts_with("-1.")),
        "negative magnitudes"
    );
    assert!(
        some(|cell| cell.starts_with('.') && cell.len() > 15 && cell.ends_with('0')),
        "zeros"
    );
    assert!(
        some(|cell| cell.contains('\'') && !cell.contains('"')),
        "apostrophes"
    );
}

#[test]
fn the_json_document_holds_the_cells_of_the_csv() {
    let rows = 3_000;
    let bytes = catalogue(rows, SEED, Format::Json);
    assert!(!bytes.contains(&b'\n'));
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(document["signature"]["version"], "1.0");
    assert_eq!(document["count"], rows);
    let fields: Vec<&str> = document["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(fields.len(), 33);
    let mut data = document["data"].as_array().unwrap().iter();
    each_row(&catalogue(rows, SEED, Format::Csv), |row| {
        let cells = data.next().unwrap().as_array().unwrap();
        assert_eq!(cells.len(), fields.len());
        for (name, cell) in fields.iter().zip(cells) {
            let spelled = match cell {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                other => panic!("{other} in column {name}"),
            };
            assert_eq!(spelled, row.text(name), "column {name}");
            assert_eq!(cell.is_number(), *name == "n_obs_used");
        }
    });
    assert!(data.next().is_none());
}

#[test]
fn an_empty_catalogue_is_well_formed() {
    assert_eq!(each_row(&catalogue(0, SEED, Format::Csv), |_| {}), 0);
    let document: Value = serde_json::from_slice(&catalogue(0, SEED, Format::Json)).unwrap();
    assert_eq!(
        (&document["count"], &document["data"]),
        (&0.into(), &Value::Array(Vec::new()))
    );
}
