//! Tests the reference itself: against what Asterank and Benner published, and against the rules
//! that Prospector adds. What compares the engine with the reference is elsewhere.
//!
//! The recorded files are found through `PROSPECTOR_RECORDED`; where it is unset, the tests that
//! need them say so and pass.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use support::reference::{
    self, DeltaV, Row, Table, benner_dv_kms, designation_of_full_name, evaluate,
};

const SKIPPED: &str = "skipped: PROSPECTOR_RECORDED is not set";

/// The row counts are those of the recorded folder's README.
const EXPORTS: [(&str, usize); 7] = [
    ("neo-2020-old-engine-75-columns.csv", 4_226),
    ("neo-2020-spreadsheet-crlf-75-columns.csv", 972),
    ("neo-2024-12-columns.csv", 36_127),
    ("neo-2024-no-full-name.csv", 36_264),
    ("neo-2024-two-handmade-rows.csv", 36_243),
    ("numbered-neo-2023-51-columns.csv", 3_111),
    ("main-belt-1-to-28-2013.csv", 28),
];

/// The bytes of a recorded file, or `None` where there are no recorded files.
fn recorded(path: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(std::env::var_os("PROSPECTOR_RECORDED")?);
    Some(fs::read(folder.join(path)).expect("PROSPECTOR_RECORDED names the recorded folder"))
}

fn row(cells: &[(&str, &str)]) -> Row {
    cells
        .iter()
        .map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned()))
        .collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().expect("the recorded cell is a number")
}

#[track_caller]
fn assert_close(what: &str, actual: f64, expected: f64, relative: f64) {
    let difference = (actual - expected).abs();
    assert!(
        difference <= relative * expected.abs(),
        "{what}: {actual:e} is not {expected:e}"
    );
}

#[test]
fn reproduces_the_ten_rows_that_asterank_valued() {
    let Some(bytes) = recorded("asterank/ten-valued-rows-2019.json") else {
        return println!("{SKIPPED}");
    };
    let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let rows = document["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 10);
    for row in rows.iter().map(reference::row_of_object) {
        assert_eq!(row["dv"], "nan");
        let evaluation = evaluate(&row, DeltaV::Unknown, None);
        let check = |column: &str, actual: f64| {
            let what = format!("{} of {}", column, row["full_name"]);
            assert_close(&what, actual, number(&row, column), 1e-12);
        };
        check("price", evaluation.price);
        check("saved", evaluation.saved);
        check("closeness", evaluation.closeness);
        check("profit", evaluation.profit);
        check("score", evaluation.score);
    }
}

#[test]
fn reproduces_the_printed_closeness() {
    let Some(bytes) = recorded("asterank/closeness-12-rows.json") else {
        return println!("{SKIPPED}");
    };
    let rows = reference::read_json_objects(&bytes);
    assert_eq!(rows.len(), 12);
    let mut exact = 0;
    for row in rows {
        // The inputs are printed to 6 decimals too. Closeness falls with every one of them, so the
        // printed value lies between the two ends of what they were rounded from.
        let at = |shift: f64| {
            let mut row = row.clone();
            for column in ["a", "q", "ad"] {
                row.insert(
                    column.to_owned(),
                    format!("{}", number(&row, column) + shift),
                );
            }
            evaluate(&row, DeltaV::Given(number(&row, "dv") + shift), None).closeness
        };
        let printed = number(&row, "closeness");
        let (low, high) = (at(5e-7) - 5e-7, at(-5e-7) + 5e-7);
        assert!(
            low <= printed && printed <= high,
            "{}: {low} to {high}",
            row["id"]
        );
        assert!(
            high - low < 1e-8 * printed,
            "{}: {low} to {high}",
            row["id"]
        );
        exact += usize::from(format!("{:.6}", at(0.0)) == row["closeness"]);
        println!("{}: {:.6}, printed {printed:.6}", row["id"], at(0.0));
    }
    println!("closeness: {exact} of 12 equal in all printed digits");
    // 451 Patientia, the only one inside Neptune's orbit, feels the rounding of its inputs.
    assert_eq!(exact, 11);
}

#[test]
fn values_the_recorded_comets_as_asterank_did() {
    let Some(bytes) = recorded("asterank/comets-60.json") else {
        return println!("{SKIPPED}");
    };
    let rows = reference::read_json_objects(&bytes);
    assert_eq!(rows.len(), 60);
    for row in rows {
        let evaluation = evaluate(&row, DeltaV::FromOrbit, None);
        assert_eq!(evaluation.spec, row["spec"]);
        assert_eq!(evaluation.price, number(&row, "price"));
        assert_eq!(evaluation.saved, number(&row, "saved"));
        assert_eq!(evaluation.closeness, number(&row, "closeness"));
        assert_eq!(evaluation.profit, number(&row, "profit"));
        assert_eq!(evaluation.score, number(&row, "score"));
        assert_eq!(evaluation.dv_kms, None, "a parabola has no rendezvous");
        assert_eq!(designation_of_full_name(&row["full_name"]), row["pdes"]);
    }
}

/// One row of Benner's table: the text before the figures, then delta-v, a, e and i.
fn benner_rows(table: &str) -> Vec<(String, [f64; 4])> {
    let mut rows = Vec::new();
    for line in table.lines() {
        let mut tokens: Vec<&str> = line.split_whitespace().collect();
        while matches!(tokens.last(), Some(&("RADAR" | "BINARY"))) {
            tokens.pop();
        }
        if tokens
            .first()
            .is_none_or(|rank| rank.parse::<u32>().is_err())
        {
            continue; // The header lines.
        }
        let (names, figures) = tokens.split_at(tokens.len() - 7);
        let figure = |index: usize| figures[index].parse().expect("a figure of the table");
        rows.push((
            names[2..].join(" "),
            [figure(0), figure(4), figure(5), figure(6)],
        ));
    }
    rows
}

#[test]
fn reproduces_benners_table() {
    let Some(bytes) = recorded("delta-v/benner-2013-04-14.txt") else {
        return println!("{SKIPPED}");
    };
    let rows = benner_rows(&String::from_utf8(bytes).unwrap());
    assert_eq!(rows.len(), 9_726);
    let anchors = [
        ("(25143) Itokawa 1998 SF36", 4.632),
        ("(101955) 1999 RQ36", 5.087), // Bennu before it was named.
        ("(65803) Didymos 1996 GT", 5.098),
        ("(99942) Apophis 2004 MN4", 5.687),
        ("(433) Eros 1898 DQ", 6.069),
        ("2006 RH120", 3.813),
        ("(2102) Tantalus 1975 YA", 22.839),
    ];
    let (mut close, mut worst, mut anchored) = (0, 0.0f64, 0);
    for (names, [dv, a, e, i]) in rows {
        let computed = benner_dv_kms(a, e, i).unwrap();
        let difference = (computed - dv).abs();
        close += usize::from(difference <= 0.0006);
        worst = worst.max(difference);
        if let Some((_, anchor)) = anchors.iter().find(|(name, _)| *name == names) {
            assert_eq!(dv, *anchor, "{names}");
            assert!(difference <= 0.0006, "{names}: {computed}");
            anchored += 1;
        }
    }
    println!("benner: {close} rows within 0.0006 km/s, worst difference {worst:.6}");
    assert_eq!(anchored, anchors.len());
    assert!(close >= 9_717, "{close} rows within 0.0006 km/s");
    assert!(worst <= 0.0105, "worst difference {worst}");
}

#[test]
fn evaluates_every_recorded_export() {
    for (file, num_rows) in EXPORTS {
        let Some(bytes) = recorded(&format!("sbdb/{file}")) else {
            return println!("{SKIPPED}");
        };
        let rows = reference::rows(&reference::read_csv(&bytes));
        assert_eq!(rows.len(), num_rows, "{file}");
        let mut designations = BTreeSet::new();
        let (mut computed, mut comets, mut near) = (0, 0, 0);
        for row in &rows {
            let evaluation = evaluate(row, DeltaV::FromOrbit, None);
            let results = [
                evaluation.mass_kg,
                evaluation.price,
                evaluation.saved,
                evaluation.closeness,
                evaluation.profit,
                evaluation.score,
            ];
            assert!(
                results.iter().all(|result| result.is_finite()),
                "{evaluation:?}"
            );
            computed += usize::from(evaluation.dv_kms.is_some());
            comets += usize::from(evaluation.spec == "comet");
            near += usize::from(evaluation.closeness > 0.0);
            designations.insert(evaluation.designation);
        }
        assert_eq!(
            designations.len(),
            num_rows,
            "{file}: every row has a key of its own"
        );
        println!(
            "{file}: {num_rows} rows evaluated, {comets} comets, {computed} with delta-v, \
             {near} with closeness"
        );
    }
}

#[test]
fn full_names_lead_to_the_designations_that_jpl_gives() {
    for (file, _) in EXPORTS {
        let Some(bytes) = recorded(&format!("sbdb/{file}")) else {
            return println!("{SKIPPED}");
        };
        for row in reference::rows(&reference::read_csv(&bytes)) {
            if let (Some(pdes), Some(full_name)) = (row.get("pdes"), row.get("full_name")) {
                assert_eq!(designation_of_full_name(full_name), *pdes, "{file}");
            }
        }
    }
}

#[test]
fn reads_the_recorded_api_documents() {
    let (Some(page), Some(count)) = (
        recorded("sbdb/api-page-3-rows.json"),
        recorded("sbdb/api-count-only.json"),
    ) else {
        return println!("{SKIPPED}");
    };
    let rows = reference::rows(&reference::read_json(&page));
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["full_name"], "15760 Albion (1992 QB1)");
    assert_eq!(rows[0]["e"], ".07115576064918994");
    assert_eq!(rows[0]["n_obs_used"], "96");
    let albion = evaluate(&rows[0], DeltaV::FromOrbit, None);
    assert_eq!(
        (albion.designation.as_str(), albion.spec.as_str()),
        ("15760", "?")
    );
    // q and ad are derived: 40.99 and 47.27 au.
    assert!(
        albion.closeness > 2_601.0 && albion.closeness < 2_602.0,
        "{albion:?}"
    );
    assert_eq!(reference::read_json(&count), Table::default());
}

#[test]
fn reads_quotes_spaces_line_ends_and_short_rows() {
    let csv = "\"full_name\",epoch.mjd,H\r\n\"  433 Eros\", 60000 ,-.5\r\n , \" The sun\"\n1,2,3,4";
    let (header, rows) = reference::read_csv(csv.as_bytes());
    assert_eq!(header, ["full_name", "epoch_mjd", "H"]);
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0], ["433 Eros", "60000", "-.5"]);
    assert_eq!(rows[1], ["", "The sun"]);
    assert_eq!(rows[2], ["1", "2", "3", "4"]);
    assert_eq!(reference::rows(&(header, rows))[2].len(), 3);
    assert_eq!(reference::read_csv(b""), Table::default());

    let json = br#"{"data":[[1,null," x "]],"fields":["tp.cal","b","c"],"count":"1"}"#;
    let (header, rows) = reference::read_json(json);
    assert_eq!(header, ["tp_cal", "b", "c"]);
    assert_eq!(rows, [["1", "", "x"]]);
}

#[test]
fn derives_designations() {
    for (full_name, expected) in [
        ("   433 Eros (A898 PA)", "433"),
        ("6178 (1986 DA)", "6178"),
        ("1 Ceres", "1"),
        ("(2006 RH120)", "2006 RH120"),
        ("(6344 P-L)", "6344 P-L"),
        ("2006 RH120", "2006 RH120"),
        ("6344 P-L", "6344 P-L"),
        ("1P/Halley", "1P"),
        ("3D/Biela", "3D"),
        ("66P/du Toit", "66P"),
        ("161P/Hartley-IRAS", "161P"),
        ("73P-AA/Schwassmann-Wachmann 3", "73P-AA"),
        ("73P/Schwassmann-Wachmann 3-AA", "73P-AA"),
        ("79P/du Toit-Hartley", "79P"),
        ("79P/du Toit-Hartley-B", "79P-B"),
        ("C/1995 O1 (Hale-Bopp)", "1995 O1"),
        ("C/1942 EA (Vaisala)", "1942 EA"),
        ("D/1993 F2-A (Shoemaker-Levy 9-A)", "1993 F2-A"),
        ("1I/'Oumuamua (A/2017 U1)", "1I"),
        ("The sun", "The sun"),
    ] {
        assert_eq!(designation_of_full_name(full_name), expected);
    }
    let eros = [
        ("full_name", "433 Eros"),
        ("spkid", "20000433"),
        ("pdes", "x"),
    ];
    assert_eq!(reference::designation(&row(&eros)), "x");
    assert_eq!(reference::designation(&row(&eros[..2])), "433");
    assert_eq!(reference::designation(&row(&eros[1..2])), "20000433");
}

#[test]
fn finds_the_spectral_type() {
    for (cells, expected) in [
        (&[("spec_B", "Sq:"), ("spec_T", "C")][..], "Sq"),
        (&[("spec_B", " C type ")], "C"),
        (&[("spec_B", "SU")], "SU"),
        (&[("spec_B", ":"), ("spec_T", "G")], "Cgh"),
        (&[("spec_T", "E")], "M"),
        (&[("spec_T", "S")], "?"),
        (&[("spec_T", "QRS")], "?"),
        (&[("pdes", "2012 DA14")], "L"),
        (&[("pdes", "6178"), ("full_name", "  6178 (1986 DA)")], "M"),
        (&[("full_name", "(2011 UW158)")], "Xc"),
        (&[("name", "Bennu")], "B"),
        (&[("full_name", "101955 Bennu (1999 RQ36)")], "B"),
        (&[("name", "Bennu"), ("spec_B", "C")], "C"),
        (&[("class", "JFc")], "comet"),
        (&[("class", "APO"), ("prefix", "P")], "?"),
        (&[("class", "COM"), ("spec_B", "D")], "D"),
        (&[("prefix", "D")], "comet"),
        (&[("prefix", "A"), ("full_name", "A/2018 V3")], "?"),
        (&[("full_name", "X/1106 C1")], "comet"),
        (&[("full_name", "  73P/Schwassmann-Wachmann 3")], "comet"),
        (&[("full_name", "3D/Biela")], "comet"),
        (&[("full_name", "1I/'Oumuamua (A/2017 U1)")], "?"),
        (&[("full_name", "433 Eros (A898 PA)")], "?"),
    ] {
        assert_eq!(reference::spectral_type(&row(cells)), expected, "{cells:?}");
    }
}

#[test]
fn weighs_by_gm_then_published_mass_then_size_then_default() {
    let mass = |cells: &[(&str, &str)], published: Option<f64>| {
        evaluate(&row(cells), DeltaV::Unknown, published).mass_kg
    };
    let eros = [("GM", "4.463e-04"), ("diameter", "16.84")];
    assert_close("GM", mass(&eros, Some(1.0)), 6_688_146_261_052_000.0, 1e-12);
    assert_close("published", mass(&eros[1..], Some(6e15)), 6e15, 1e-12);
    assert_close("heavy", mass(&[], Some(9.4e20)), 9.4e14, 1e-12);
    // A sphere 2 km across: 4.18879… km³, and a sixth of the density.
    let sphere = 4.188_790_204_786_391e15;
    for (spec, density) in [
        ("Cgh", 1.38),
        ("Sq", 2.71),
        ("M", 5.32),
        ("Xc", 2.0),
        ("O", 2.0),
        ("SU", 2.0), // Not in the composition table, so not an S.
        ("", 2.0),
    ] {
        let sized = mass(&[("spec_B", spec), ("diameter", "2")], None);
        assert_close(spec, sized, sphere * density / 6.0, 1e-12);
    }
    assert_eq!(mass(&[("albedo", "0.2")], None), 1.47e15);

    let size = |cells: &[(&str, &str)]| {
        evaluate(&row(cells), DeltaV::Unknown, None)
            .diameter_km
            .unwrap_or(-1.0)
    };
    assert_eq!(size(&[("diameter", "2"), ("H", "10")]), 2.0);
    assert_close(
        "albedo",
        size(&[("H", "10"), ("albedo", ".25")]),
        26.58,
        1e-12,
    );
    assert_close(
        "default albedo",
        size(&[("H", "-5")]),
        34_314.632_447_397_715,
        1e-12,
    );
    assert_eq!(size(&[("albedo", "0.2")]), -1.0);
}

#[test]
fn values_an_unknown_type_as_nothing_and_keeps_it() {
    let cells = [
        ("spec_B", "SU"),
        ("diameter", "2"),
        ("a", "1.5"),
        ("e", "0.1"),
    ];
    let unknown = evaluate(&row(&cells), DeltaV::Unknown, None);
    let question = evaluate(&row(&cells[1..]), DeltaV::Unknown, None);
    assert_eq!((unknown.spec.as_str(), question.spec.as_str()), ("SU", "?"));
    assert_eq!(unknown.price, 0.0);
    assert_eq!(unknown.score, 0.0);
    assert_eq!(unknown.saved, question.saved);
}

#[test]
fn derives_the_missing_elements_of_an_ellipse_only() {
    let closeness =
        |cells: &[(&str, &str)]| evaluate(&row(cells), DeltaV::Given(6.0), None).closeness;
    let full = closeness(&[("e", "0.5"), ("a", "2"), ("q", "1"), ("ad", "3")]);
    assert!(full > 2_600.0);
    assert_eq!(closeness(&[("e", "0.5"), ("a", "2")]), full);
    assert_eq!(closeness(&[("e", "0.5"), ("q", "1")]), full);
    assert_eq!(closeness(&[("a", "2"), ("q", "1"), ("ad", "3")]), full);
    assert_eq!(closeness(&[("a", "2"), ("q", "1")]), -1.0);
    assert_eq!(closeness(&[("e", "1.2"), ("a", "-5"), ("q", "1")]), -1.0);
    assert_eq!(closeness(&[("e", "0"), ("a", "0.0"), ("q", "1")]), -1.0);
    assert_eq!(closeness(&[("e", "0.5"), ("a", "34")]), -1.0);
}

#[test]
fn computes_delta_v_only_for_an_ellipse() {
    let dv = |cells: &[(&str, &str)], delta_v| evaluate(&row(cells), delta_v, None).dv_kms;
    let itokawa = [("a", "1.324"), ("e", "0.280"), ("i", "1.6")];
    assert!((dv(&itokawa, DeltaV::FromOrbit).unwrap() - 4.632).abs() < 0.0006);
    assert_eq!(dv(&itokawa, DeltaV::Given(5.0)), Some(5.0));
    assert_eq!(dv(&itokawa, DeltaV::Unknown), None);
    assert_eq!(dv(&itokawa[..2], DeltaV::FromOrbit), None);
    assert_eq!(benner_dv_kms(1.3, 1.0, 1.0), None);
    assert_eq!(benner_dv_kms(-1.3, 0.5, 1.0), None);
    // The Earth's own orbit: every root is zero or a hair below.
    let earth = benner_dv_kms(1.0, 0.0, 0.0).unwrap();
    assert_close(
        "earth",
        earth,
        30.0 * (2f64.sqrt() - 1.0) * 7.727 / 29.784 + 0.5,
        1e-12,
    );
}
