//! Input that means harm: it costs its own row, and no more. (Addresses that point inside are refused in
//! `engine/src/upstream/address.rs` and `resolver.rs`, names of sets that lead elsewhere in `value.rs`.)

mod support;

use std::io::Write;

use support::Folder;

const HEADER: &str = "pdes,full_name,name,H,albedo,diameter,e,a,q,i,neo\n";

/// A catalogue of `rows` and a good one behind them.
fn catalogue(rows: &[Vec<u8>]) -> Vec<u8> {
    let mut table = HEADER.as_bytes().to_vec();
    for row in rows {
        table.extend_from_slice(row);
        table.push(b'\n');
    }
    table.extend_from_slice(b"433,433 Eros,Eros,10.4,.25,16.84,.2229,1.458,1.133,10.83,Y\n");
    table
}

fn row(pdes: &str, name: &str, figures: &str) -> Vec<u8> {
    format!("{pdes},\"{pdes} {name}\",\"{name}\",{figures},Y").into_bytes()
}

const GOOD: &str = "10.4,.25,16.84,.2229,1.458,1.133,10.83";

#[test]
fn a_row_of_100_mb_is_passed_over_in_little_memory() {
    let folder = Folder::new();
    let mut child = folder.start(&["value", "-", "--max-rejects", "60", "--rejects", "r.jsonl"]);
    let mut stdin = child.stdin.take().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let writing = std::thread::spawn(move || {
        let piece = vec![b'x'; 1 << 20];
        stdin.write_all(HEADER.as_bytes()).unwrap();
        stdin.write_all(b"2,\"").unwrap();
        for _ in 0..100 {
            stdin.write_all(&piece).unwrap();
        }
        // The program has passed over nearly all of it by now; Linux alone tells what that took.
        let status = std::fs::read_to_string(status);
        let good: [&[u8]; 3] = [b"\"\n433,433 Eros,Eros,", GOOD.as_bytes(), b",Y\n"];
        stdin.write_all(&good.concat()).unwrap();
        status
    });
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    if let Ok(status) = writing.join().unwrap() {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak_kib: u64 = peak
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap();
        assert!(peak_kib < 64 << 10, "{peak_kib} KiB");
    }
    assert_eq!(
        output.stdout.iter().filter(|byte| **byte == b'\n').count(),
        1
    );
    let rejects = String::from_utf8(folder.read("r.jsonl")).unwrap();
    assert!(rejects.contains("row-too-long"), "{rejects}");
    assert!(rejects.len() < 2_000);
}

#[test]
fn ten_thousand_columns_are_refused() {
    let folder = Folder::new();
    let table = format!(
        "pdes,e,a{}\n433,.2,1.4{}\n",
        ",x".repeat(9_997),
        ",1".repeat(9_997)
    );
    let ran = folder.run_with_input(&["value", "-"], table.as_bytes());
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("10000 columns"), "{}", ran.stderr);
}

#[test]
fn numbers_without_measure_are_rejected_or_exact() {
    let digits = format!("1.{}", "3".repeat(1_000));
    let whole = format!("{}.5", "7".repeat(1_000));
    let subnormal = "4.9e-324";
    let rows = [
        ("1", format!("10.4,.25,{digits},.2229,1.458,1.133,10.83")),
        ("2", format!("10.4,.25,16,.2229,{whole},1.133,10.83")),
        ("3", "10.4,.25,NaN,.2229,1.458,1.133,10.83".to_owned()),
        ("4", "10.4,.25,16,.2229,inf,1.133,10.83".to_owned()),
        ("5", "10.4,.25,16,.2229,-Infinity,1.133,10.83".to_owned()),
        ("6", format!("10.4,{subnormal},,.2229,1.458,1.133,10.83")),
        ("7", format!("10.4,.25,16,{subnormal},1.458,1.133,10.83")),
        ("8", "10.4,.25,16,.2229,1.458,1.133,1e-310".to_owned()),
    ];
    let rows = rows.map(|(pdes, figures)| row(pdes, "X", &figures));
    let folder = Folder::new();
    let args = [
        "value",
        "-",
        "--max-rejects",
        "100",
        "--rejects",
        "rejects.jsonl",
    ];
    let ran = folder.run_with_input(&args, &catalogue(&rows));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let items = ran.items();
    let number_of = |item: &serde_json::Value| item["designation"].as_str().unwrap().to_owned();
    let valued: Vec<String> = items.iter().map(number_of).collect();
    let rejects = String::from_utf8(folder.read("rejects.jsonl")).unwrap();
    let rejected: Vec<u64> = rejects
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["row"]
                .as_u64()
                .unwrap()
        })
        .collect();
    // 2 is beyond any double. NaN is how tools write what is not known: 3 has no measured diameter.
    assert_eq!(rejected, [2, 4, 5], "{rejects}");
    assert_eq!(valued, ["1", "3", "6", "7", "8", "433"]);
    assert_eq!(items[1]["diameter_source"], "from-h");
    assert_eq!(
        items[0]["diameter_km"].as_f64(),
        Some(digits.parse().unwrap())
    );
    assert_eq!(items[3]["e"].as_f64(), Some(subnormal.parse().unwrap()));
    for item in &items {
        for (name, value) in item.as_object().unwrap() {
            assert!(!value.is_null(), "{name}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_cost_their_row() {
    let mut not_utf8 = row("1", "X", GOOD);
    let at = not_utf8.iter().position(|byte| *byte == b'X').unwrap();
    not_utf8[at] = 0xff;
    // At the beginning of a file NUL is a sign of binary data, and the file is refused.
    let many = (1_000..3_000).map(|number| row(&number.to_string(), "Y", GOOD));
    let rows: Vec<Vec<u8>> = many.chain([not_utf8, row("2", "a\0b", GOOD)]).collect();
    let folder = Folder::new();
    let refused = folder.run_with_input(&["value", "-"], &catalogue(&rows[2_001..]));
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("binary data"), "{}", refused.stderr);
    let ran = folder.run_with_input(&["value", "-", "--max-rejects", "100"], &catalogue(&rows));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let items = ran.items();
    assert_eq!(
        items.len(),
        2_002,
        "further on it is a character like others"
    );
    assert_eq!(items[2_000]["name"], "a\0b");
    assert!(!ran.stdout.contains('\0'), "and stands escaped in a line");
    assert!(ran.stderr.contains("not UTF-8"), "{}", ran.stderr);
}

#[test]
fn names_that_steer_terminals_or_spreadsheets_do_neither() {
    let names = [
        "\u{1b}]0;owned\u{7}\u{1b}[2J",
        "=HYPERLINK(1)",
        "@SUM(1)",
        "a\u{202e}b",
        "a\u{9b}31m",
    ];
    let rows: Vec<Vec<u8>> = (1..)
        .zip(names)
        .map(|(n, name)| row(&n.to_string(), name, GOOD))
        .collect();
    let folder = Folder::new();
    folder.write("names.csv", &catalogue(&rows));
    folder.done(&["value", "names.csv", "--output", "bodies.sqlite"]);
    let mut shown = String::new();
    for question in [
        &["top", "--by", "price", "--database", "bodies.sqlite"][..],
        &["show", "1", "--database", "bodies.sqlite"],
        &["search", "a", "--database", "bodies.sqlite"],
    ] {
        shown += &folder.done(question).stdout;
    }
    let steers =
        |character: char| character != '\n' && character.is_control() || character == '\u{202e}';
    assert!(!shown.contains(steers), "{shown:?}");
    assert!(shown.contains("\\u{1b}]0;owned"), "{shown}");
    let csv = folder
        .done(&["value", "names.csv", "--format", "csv"])
        .stdout;
    assert!(
        csv.contains(",'=HYPERLINK(1),") && csv.contains(",'@SUM(1),"),
        "{csv}"
    );
    let exact = folder.done(&["value", "names.csv"]).items();
    assert_eq!(
        exact[1]["name"], "=HYPERLINK(1)",
        "a line of JSON keeps the name"
    );
}

#[test]
fn addresses_that_point_inside_are_refused() {
    let folder = Folder::new();
    for address in [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
    ] {
        let ran = folder.run(&["run", "--asteroids", address, "--exoplanets", address]);
        assert_eq!(ran.code, Some(1));
        assert!(ran.stderr.contains("link-local"), "{}", ran.stderr);
    }
    for store in ["s3://bucket/../other", "s3://bucket//x"] {
        let ran = folder.run(&["inputs", "--store", store]);
        assert_eq!(ran.code, Some(2), "{store}: {}", ran.stderr);
    }
}

#[test]
fn no_designation_is_a_key_of_the_ledger() {
    // On AWS the ledger's keys begin with a space (engine/src/ledger/dynamodb.rs).
    let folder = Folder::new();
    let mut csv = "pdes,H,albedo,diameter,e,a,q,i,neo\n".to_owned();
    for pdes in ["\" ledger 0\"", "\"\tledger 1\"", "  \" ledger 2\""] {
        csv += &format!("{pdes},{GOOD},Y\n");
    }
    csv += "\n";
    let ran = folder.run_with_input(&["value", "-"], csv.as_bytes());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for item in ran.items() {
        let designation = item["designation"].as_str().unwrap();
        assert!(
            designation.starts_with(|first: char| first.is_alphanumeric() || first == '"'),
            "{designation:?}"
        );
    }
}
