//! What every table answers, as tests: each adapter of [`Bodies`] loads the lines of [`lines`] and is asked.

use std::collections::BTreeMap;

use engine::item::{ATTRIBUTES, Kind};
use engine::table::{Bodies, Body, Filter, Ranking, Value};
use serde_json::json;

/// The run that [`lines`] are published by.
pub(crate) const RUN: &str = "weekly-1";
/// Its report.
pub(crate) const REPORT: &str = r#"{"rows":{"read":3}}"#;

/// Bodies of every kind, without and with rankings. Those that are ranked by price are.
pub(crate) fn lines(with_top: bool) -> Vec<String> {
    let mut lines: Vec<String> = items().iter().map(|item| line(item, with_top)).collect();
    lines.push(everything().to_string());
    lines
}

fn line(item: &serde_json::Value, with_top: bool) -> String {
    let line = item.to_string();
    let top: Vec<String> = Ranking::ALL
        .into_iter()
        .filter(|by| item.get(by.attribute()).is_some())
        .map(|by| format!("\"{by}\""))
        .collect();
    match with_top && !top.is_empty() {
        true => format!("{},\"top\":[{}]}}", &line[..line.len() - 1], top.join(",")),
        false => line,
    }
}

fn items() -> Vec<serde_json::Value> {
    let named = |designation: &str, spkid: u64, full_name: &str, name: &str| {
        let kind = if full_name.contains('/') {
            "comet"
        } else {
            "asteroid"
        };
        let mut item = json!({"designation": designation, "spkid": spkid, "full_name": full_name, "kind": kind});
        if !name.is_empty() {
            item["name"] = name.into();
        }
        item
    };
    let mut items = vec![
        named("433", 20_000_433, "433 Eros (A898 PA)", "Eros"),
        named("2006 RH120", 3_403_148, "(2006 RH120)", ""),
        named("1P", 1_000_036, "1P/Halley", "Halley"),
        named("2688", 20_002_688, "2688 Halley (1982 HG1)", "Halley"),
        named("1995 O1", 1_000_132, "C/1995 O1 (Hale-Bopp)", "Hale-Bopp"),
        named(
            "594913",
            20_594_913,
            "594913 'Aylo'chaxnim (2020 AV2)",
            "'Aylo'chaxnim",
        ),
        named("40", 20_000_040, "40 Harmonia", "Harmonia"),
        named(
            "73P",
            1_000_394,
            "73P/Schwassmann-Wachmann 3",
            "Schwassmann-Wachmann",
        ),
        named(
            "73P-B",
            1_000_395,
            "73P/Schwassmann-Wachmann 3-B",
            "Schwassmann-Wachmann",
        ),
        named(
            "29P",
            1_000_393,
            "29P/Schwassmann-Wachmann 1",
            "Schwassmann-Wachmann",
        ),
        json!({"designation": "20000719", "spkid": 20_000_719, "kind": "asteroid"}),
        json!({"designation": "Kepler-22 b", "full_name": "Kepler-22 b", "kind": "exoplanet"}),
        json!({"designation": "Kepler-22 B", "full_name": "Kepler-22 B", "kind": "exoplanet"}),
    ];
    // Many share a figure, which is where an order by the figure alone goes wrong.
    for number in 0..60 {
        let class = ["MBA", "AMO", "apo"][number % 3];
        let spec = if number % 5 == 0 { "Sq" } else { "?" };
        items.push(json!({
            "designation": format!("T{}", number * 7 % 60), "kind": "asteroid", "class": class, "spec": spec,
            "diameter_km": 0.5, "price": (number / 20) as f64 * 1e15, "moid": number as f64 / 64.0 - 0.25,
        }));
    }
    items.push(json!({"designation": "Z1", "kind": "comet", "class": "JFc", "spec": "comet", "dv_kms": 6.5}));
    items.push(json!({"designation": "Z2", "kind": "comet", "class": "JFc", "spec": "comet", "dv_kms": 5.5}));
    items
}

/// A body that has every attribute.
fn everything() -> serde_json::Value {
    let mut item = serde_json::Map::new();
    for (index, attribute) in ATTRIBUTES.iter().enumerate() {
        let value = match (attribute.name, attribute.kind) {
            ("designation", _) => json!("whole"),
            ("kind", _) => json!("exoplanet"),
            ("name", _) => json!("Kamo`oalewa G!kun||'homdima é 🚀"),
            ("spkid", _) => json!(9_999_999),
            ("run", _) => json!(RUN),
            (_, Kind::Text) => json!("\"quoted\" \\ / \u{7f}\u{1}\n\t"),
            (_, Kind::Figure) => json!((index as f64 + 0.1) * 10_f64.powi(index as i32 * 5 - 90)),
            (_, Kind::Flag) => json!(index % 2 == 0),
        };
        item.insert(attribute.name.to_owned(), value);
    }
    serde_json::Value::Object(item)
}

fn designations(bodies: &[Body]) -> Vec<&str> {
    let designation = |body| Body::text(body, "designation").expect("a key");
    bodies.iter().map(designation).collect()
}

/// Asks a table of [`lines`] everything.
pub(crate) async fn answers_all_questions(table: &dyn Bodies) {
    every_attribute_comes_back(table).await;
    rankings_are_plain_sorts(table).await;
    bodies_are_found(table).await;
    beginnings_are_found(table).await;
    let run = table.run().await.expect("a run");
    assert_eq!(
        (run.run_id.as_str(), run.finished_at.as_str()),
        (RUN, "2026-09-25T02:00:00Z")
    );
    assert_eq!(run.report.to_string(), REPORT);
}

async fn every_attribute_comes_back(table: &dyn Bodies) {
    let found = table.find("whole").await.expect("an answer");
    assert_eq!(found.len(), 1);
    let order: Vec<&str> = found[0].iter().map(|(name, _)| name).collect();
    let expected: Vec<&str> = ATTRIBUTES.iter().map(|attribute| attribute.name).collect();
    assert_eq!(order, expected);
    assert_eq!(found[0].get("spkid"), Some(&Value::Whole(9_999_999)));
    let expected = everything();
    for (name, value) in found[0].iter() {
        match value {
            Value::Figure(figure) => {
                let expected = expected[name].as_f64().expect("a figure");
                assert_eq!(figure.to_bits(), expected.to_bits(), "{name}");
            }
            Value::Text(text) => assert_eq!(Some(text.as_str()), expected[name].as_str(), "{name}"),
            Value::Flag(flag) => assert_eq!(Some(*flag), expected[name].as_bool(), "{name}"),
            Value::Whole(_) => {}
        }
    }
}

async fn rankings_are_plain_sorts(table: &dyn Bodies) {
    let items = items();
    let wanted = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    for by in Ranking::ALL {
        for [kind, class, spec] in [
            ["", "", ""],
            ["Asteroid", "APO", ""],
            ["", "amo", "SQ"],
            ["comet", "", ""],
            ["comet", "AMO", ""],
            ["exoplanet", "", ""],
            ["", "a%", ""],
        ] {
            let meets = |item: &serde_json::Value, name: &str, wanted: &str| {
                wanted.is_empty()
                    || item[name]
                        .as_str()
                        .is_some_and(|text| text.eq_ignore_ascii_case(wanted))
            };
            let of_kind = if kind.is_empty() { "asteroid" } else { kind };
            let mut expected: Vec<(f64, &str)> = items
                .iter()
                .filter(|item| {
                    meets(item, "kind", of_kind)
                        && meets(item, "class", class)
                        && meets(item, "spec", spec)
                })
                .filter_map(|item| {
                    Some((
                        item[by.attribute()].as_f64()?,
                        item["designation"].as_str()?,
                    ))
                })
                .collect();
            expected.sort_by(|one, other| {
                let figures = one.0.total_cmp(&other.0);
                let figures = if by.is_descending() {
                    figures.reverse()
                } else {
                    figures
                };
                figures.then(one.1.cmp(other.1))
            });
            let mut expected: Vec<&str> = expected
                .into_iter()
                .map(|(_, designation)| designation)
                .collect();
            if kind == "exoplanet" && spec.is_empty() {
                // The one that has every attribute, in a table whose best are not marked.
                let found = table
                    .top(
                        by,
                        &Filter {
                            kind: wanted(kind),
                            ..Filter::default()
                        },
                        10,
                    )
                    .await
                    .expect("an answer");
                assert!(found.len() <= 1, "{by}");
                continue;
            }
            for limit in [100, 21, 20, 19, 7, 1, 0] {
                expected.truncate(limit);
                let filter = Filter {
                    kind: wanted(kind),
                    class: wanted(class),
                    spec: wanted(spec),
                };
                let found = table
                    .top(by, &filter, limit as u32)
                    .await
                    .expect("an answer");
                assert_eq!(designations(&found), expected, "{by} {filter:?} {limit}");
            }
        }
    }
}

async fn bodies_are_found(table: &dyn Bodies) {
    let expected: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("433", ["433"].as_slice()),
        ("  (433) ", &["433"]),
        ("eros", &["433"]),
        ("EROS", &["433"]),
        ("20000433", &["433"]),
        ("433 Eros", &["433"]),
        ("433 eros (a898 pa)", &["433"]),
        ("2006 rh120", &["2006 RH120"]),
        ("(2006 RH120)", &["2006 RH120"]),
        ("1p", &["1P"]),
        ("1P/Halley", &["1P"]),
        ("1p/halley", &["1P"]),
        ("C/1995 O1 (Hale-Bopp)", &["1995 O1"]),
        ("c/1995 o1", &["1995 O1"]),
        ("hale-bopp", &["1995 O1"]),
        ("73P/Schwassmann-Wachmann 3-B", &["73P-B"]),
        ("'aylo'chaxnim", &["594913"]),
        ("719", &["20000719"]),
        ("Kepler-22 b", &["Kepler-22 b"]),
        ("Kepler-22 B", &["Kepler-22 B"]),
        ("schwassmann-wachmann", &["29P", "73P", "73P-B"]),
        ("Halley", &["1P", "2688"]),
        ("kamo`oalewa g!KUN||'homdima é 🚀", &["whole"]),
        ("", &[]),
        ("()", &[]),
        ("432", &[]),
        ("2000433", &[]),
        ("433 Er", &[]),
        ("433 Ceres", &[]),
        ("Ero", &[]),
        ("%", &[]),
        ("99999999999999999999", &[]),
        (" ledger 0", &[]),
    ]);
    for (query, expected) in expected {
        let found = table.find(query).await.expect("an answer");
        assert_eq!(designations(&found), expected, "{query}");
    }
}

async fn beginnings_are_found(table: &dyn Bodies) {
    for (prefix, limit, expected) in [
        ("Ha", 10, ["1995 O1", "1P", "2688", "40"].as_slice()),
        ("ha", 3, &["1995 O1", "1P", "2688"]),
        ("ha", 2, &["1995 O1", "1P"]),
        ("halley", 10, &["1P", "2688"]),
        ("halley", 1, &["1P"]),
        ("schwass", 10, &["29P", "73P", "73P-B"]),
        ("Schwassmann-Wachmann", 2, &["29P", "73P"]),
        ("433", 10, &["433"]),
        ("2006 rh120", 10, &["2006 RH120"]),
        ("halley", 0, &[]),
        ("nothing", 10, &[]),
        ("%", 10, &[]),
        ("_", 10, &[]),
        ("Hale-Bopp)", 10, &[]),
    ] {
        let found = table.search(prefix, limit).await.expect("an answer");
        assert_eq!(designations(&found), expected, "{prefix}");
    }
}
