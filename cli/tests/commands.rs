//! The commands as people use them, on the project's recorded inputs.

mod support;

use serde_json::Value;
use support::{Folder, data};

/// A folder in which `run --recorded` was done.
fn with_database() -> Folder {
    let folder = Folder::new();
    folder.done(&["run", "--recorded"]);
    folder
}

#[test]
fn run_does_the_whole_job_and_leaves_a_database_that_answers() {
    let folder = Folder::new();
    let ran = folder.done(&["run", "--recorded"]);
    assert!(ran.stdout.contains("ten most profitable"), "{}", ran.stdout);
    assert_eq!(
        ran.stdout
            .lines()
            .filter(|line| line.contains("e1"))
            .count(),
        10,
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr.contains("456 rows read: 456 valued"),
        "{}",
        ran.stderr
    );

    let files = folder.files();
    let ends: Vec<_> = files
        .iter()
        .map(|file| file.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(
        ends,
        ["bodies.sqlite", "rejects.jsonl", "report.json"],
        "{files:?}"
    );
    let report = files
        .iter()
        .find(|file| file.ends_with("report.json"))
        .unwrap();
    let report: Value = serde_json::from_slice(&folder.read(report)).unwrap();
    assert_eq!(report["rows"]["read"], report["rows"]["written"]);
    assert_eq!(report["inputs"]["delta_v"]["comparison"]["num_rows"], 158);
    assert!(report["inputs"].get("nhats").is_none());
    assert_eq!(report["rows"]["merged"]["nhats"], 0);
    let stages = report["stages"].as_array().unwrap();
    let names: Vec<_> = stages
        .iter()
        .map(|stage| stage["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "delta-v",
            "calculate-masses",
            "exoplanets",
            "parse-horizon",
            "index"
        ]
    );

    let top = folder
        .done(&["top", "--by", "dv", "--limit", "3", "--json"])
        .items();
    let found: Vec<_> = top
        .iter()
        .map(|item| item["designation"].as_str().unwrap())
        .collect();
    assert_eq!(found, ["2006 RH120", "2007 UN12", "2010 UE51"]);
    assert_eq!(top[0]["dv_kms"], 3.813);
}

#[test]
fn every_item_of_the_database_is_the_item_of_value() {
    let folder = with_database();
    let arguments = [
        "value",
        &data("asteroids.json"),
        "--delta-v",
        &data("delta-v.html"),
        "--exoplanets",
        &data("exoplanets.csv"),
    ];
    let items = folder.done(&arguments).items();
    assert_eq!(items.len(), 456);
    for item in items {
        let designation = item["designation"].as_str().unwrap();
        let mut shown = folder.done(&["show", designation, "--json"]).items();
        let mut stored = shown.remove(0);
        let stored = stored.as_object_mut().unwrap();
        assert!(
            stored.remove("run").is_some(),
            "{designation} names its run"
        );
        // The table keeps doubles: 190 comes back as 190.0.
        let as_double = |value: &Value| value.as_f64().map_or_else(|| value.clone(), Value::from);
        let item: serde_json::Map<_, _> = item
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), as_double(value)))
            .collect();
        for value in stored.values_mut() {
            *value = as_double(value);
        }
        assert_eq!(stored, &item);
    }
}

#[test]
fn show_finds_a_body_by_whatever_it_is_called() {
    let folder = with_database();
    for name in [
        "433",
        "Eros",
        "eros",
        "20000433",
        "A898 PA",
        "433 Eros (A898 PA)",
    ] {
        let shown = folder.done(&["show", name]);
        assert!(
            shown.stdout.starts_with("433 Eros (A898 PA)\n"),
            "{name}: {}",
            shown.stdout
        );
    }
    let unknown = folder.run(&["show", "Nobody"]);
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown.stderr.contains("no body is called \"Nobody\""),
        "{}",
        unknown.stderr
    );
}

#[test]
fn explain_gives_every_step_and_agrees_with_what_is_stored() {
    let folder = with_database();
    let items = folder
        .done(&["top", "--by", "score", "--limit", "1000", "--json"])
        .items();
    assert!(items.len() > 300);
    for item in items {
        let ran = folder.done(&["explain", item["designation"].as_str().unwrap()]);
        assert_eq!(ran.stderr, "", "nothing differs");
        for step in [
            "type",
            "diameter",
            "mass",
            "delta-v",
            "price",
            "saved",
            "closeness",
            "score",
        ] {
            let is_step = |line: &str| line.trim_start().starts_with(step);
            assert!(ran.stdout.lines().any(is_step), "{step}: {}", ran.stdout);
        }
    }
    let bennu = folder.done(&["explain", "Bennu"]).stdout;
    for part in [
        "Benner's published table",
        "GM/G",
        "hydrogen",
        "3.65808137 $/kg",
    ] {
        assert!(bennu.contains(part), "{part}: {bennu}");
    }
    assert!(
        folder
            .done(&["explain", "Ceres"])
            .stdout
            .contains("a millionth")
    );
    assert!(folder.done(&["explain", "1P"]).stdout.contains("the same"));
    assert!(
        folder
            .done(&["explain", "51 Peg b"])
            .stdout
            .contains("not priced")
    );
}

#[test]
fn top_leaves_comets_and_exoplanets_out_unless_asked() {
    let folder = with_database();
    let kinds = |arguments: &[&str]| {
        let arguments = [
            &["top", "--by", "dv", "--limit", "1000", "--json"],
            arguments,
        ]
        .concat();
        let items = folder.done(&arguments).items();
        let mut kinds: Vec<_> = items.iter().map(|item| item["kind"].to_string()).collect();
        kinds.dedup();
        kinds
    };
    assert_eq!(kinds(&[]), ["\"asteroid\""]);
    assert_eq!(kinds(&["--kind", "comet"]), ["\"comet\""]);
    let classes = folder
        .done(&["top", "--by", "price", "--class", "AMO", "--json"])
        .items();
    assert!(classes.iter().all(|item| item["class"] == "AMO"));
    let types = folder
        .done(&["top", "--by", "smallest", "--spec", "S", "--json"])
        .items();
    assert!(!types.is_empty() && types.iter().all(|item| item["spec"] == "S"));
}

#[test]
fn search_lists_names_and_designations_by_their_beginning() {
    let folder = with_database();
    let found = folder.done(&["search", "apo"]).stdout;
    assert!(
        found.contains("1862 Apollo") && found.contains("99942 Apophis"),
        "{found}"
    );
    let found = folder.done(&["search", "2006 R", "--json"]).items();
    assert!(found.iter().any(|item| item["designation"] == "2006 RH120"));
    let none = folder.done(&["search", "zzz"]);
    assert!(
        none.stdout.is_empty() && none.stderr.contains("no name"),
        "{none:?}"
    );
}

#[test]
fn delta_v_prints_the_table_with_the_computed_value_or_one_orbit() {
    let folder = Folder::new();
    let ran = folder.done(&["delta-v", &data("delta-v.html")]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["rows"].as_array().unwrap().len(), 158);
    let computed = document["rows"][0]["computed_kms"].as_f64().unwrap();
    assert!((computed - 3.813).abs() < 0.001);
    folder.write("delta-v.json", ran.stdout.as_bytes());
    let html = folder.done(&[
        "value",
        &data("asteroids.json"),
        "--delta-v",
        &data("delta-v.html"),
    ]);
    let json = folder.done(&[
        "value",
        &data("asteroids.json"),
        "--delta-v",
        "delta-v.json",
    ]);
    assert_eq!(html.stdout, json.stdout, "the document stands for the page");

    // Itokawa's elements in Benner's table.
    let orbit = folder.done(&["delta-v", "1.324,0.280,1.6"]).stdout;
    let orbit: Value = serde_json::from_str(&orbit).unwrap();
    assert!(
        (orbit["dv_kms"].as_f64().unwrap() - 4.632).abs() < 0.001,
        "{orbit}"
    );
    assert_eq!(folder.run(&["delta-v", "1.4,1.2,3"]).code, Some(1));
    assert_eq!(folder.run(&["delta-v", "1.4,0.2,999"]).code, Some(1));
}

#[test]
fn inspect_tells_what_every_recorded_input_is() {
    let folder = Folder::new();
    for (name, source, rows) in [
        ("asteroids.json", "small-body-database", 394),
        ("asteroids-2020.csv", "small-body-database", 53),
        ("asteroids-2021.csv", "small-body-database", 47),
        ("asteroids-handmade.csv", "small-body-database", 29),
        ("exoplanets.csv", "exoplanet-archive", 62),
        ("koi.csv", "exoplanet-archive", 31),
    ] {
        let shown = folder.done(&["inspect", &data(name), "--json"]).stdout;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(
            (shown["source"].as_str(), shown["rows"].as_u64()),
            (Some(source), Some(rows))
        );
        assert_eq!(shown["compression"], "none");
        assert!(
            folder
                .done(&["inspect", &data(name)])
                .stdout
                .contains("rows")
        );
    }
    for (name, word) in [("delta-v.html", "HTML page"), ("delta-v-2012.txt", "text")] {
        let shown = folder.done(&["inspect", &data(name)]).stdout;
        assert!(
            shown.contains("delta-v table") && shown.contains(word),
            "{shown}"
        );
    }
    assert!(
        folder
            .done(&["inspect", &data("mass-estimates.txt")])
            .stdout
            .contains("masses")
    );
    folder.write("notes.txt", b"nothing of the kind");
    assert_eq!(folder.run(&["inspect", "notes.txt"]).code, Some(1));
}

#[test]
fn a_generated_catalogue_is_valued_the_same_in_both_formats() {
    let folder = Folder::new();
    let generate = |format: &str, output: &str| {
        let arguments = [
            "generate", "--rows", "3000", "--seed", "7", "--format", format,
        ];
        folder.done(&[&arguments[..], &["--output", output]].concat());
    };
    generate("csv", "a.csv");
    generate("json", "a.json");
    let csv = folder.done(&["value", "a.csv"]);
    let json = folder.done(&["value", "a.json"]);
    assert_eq!(csv.items().len(), 3_000);
    assert_eq!(csv.stdout, json.stdout);
    let piped = folder
        .done(&["generate", "--rows", "3000", "--seed", "7"])
        .stdout;
    assert_eq!(
        piped.into_bytes(),
        folder.read("a.csv"),
        "standard output is the default"
    );
}

#[test]
fn help_has_examples_for_every_command() {
    let folder = Folder::new();
    let help = folder.done(&["--help"]).stdout;
    assert!(help.contains("Exit codes"), "{help}");
    for command in [
        "run", "value", "delta-v", "top", "show", "explain", "search", "inspect", "generate",
    ] {
        assert!(help.contains(command));
        let help = folder.done(&[command, "--help"]).stdout;
        assert!(help.contains("Example"), "{command}: {help}");
    }
}
