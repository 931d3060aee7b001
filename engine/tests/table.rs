//! The table of one machine, through its public interface: how it is made, replaced, and asked. One file past the
//! usual length, because it is one contract, a module for each part. The questions that every table answers, the one
//! on AWS among them, are in `support/bodies.rs`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use engine::item::{ATTRIBUTES, Figure, Item, Kind};
use engine::number::Number;
use engine::pen::Lines;
use engine::table::{
    Body, Duplicate, Filter, Loaded, Ranking, ReplaceError, Table, TableError, TableWriter, Value,
};
use proptest::prelude::*;
use tempfile::TempDir;

/// A directory with or without a table in it.
struct Place {
    directory: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bodies.db");
        Place { directory, path }
    }

    fn with(lines: &[impl AsRef<[u8]>]) -> Self {
        let place = Place::new();
        place.publish(lines);
        place
    }

    fn of(items: &[Item<'_>]) -> Self {
        Place::with(&items.iter().map(line).collect::<Vec<_>>())
    }

    fn load(&self, lines: &[impl AsRef<[u8]>]) -> Loaded {
        let mut writer = TableWriter::create(&self.path).unwrap();
        for (line, rowid) in lines.iter().zip(1..) {
            writer.insert(rowid, line.as_ref()).unwrap();
        }
        writer.finish().unwrap()
    }

    fn publish(&self, lines: &[impl AsRef<[u8]>]) {
        let loaded = self.load(lines);
        loaded
            .publish("run-1", "2026-09-25T02:00:00Z", "{}")
            .unwrap();
    }

    fn open(&self) -> Table {
        Table::open(&self.path).unwrap()
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.directory.path().join(format!("bodies.db{suffix}"))
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn line(item: &Item<'_>) -> Vec<u8> {
    let mut lines = Lines::default();
    item.write_json(&mut lines);
    lines.as_bytes().to_vec()
}

fn asteroid(designation: &str) -> Item<'_> {
    Item {
        designation: Some(designation.into()),
        kind: Some("asteroid".into()),
        ..Item::default()
    }
}

/// An asteroid or comet with what it can be found by.
fn body<'a>(designation: &'a str, spkid: u64, full_name: &'a str, name: &'a str) -> Item<'a> {
    let is_comet = full_name.contains('/');
    Item {
        spkid: Some(Figure::Whole(spkid)),
        full_name: Some(full_name.into()),
        name: Some(name).filter(|name| !name.is_empty()).map(Into::into),
        kind: Some(if is_comet { "comet" } else { "asteroid" }.into()),
        ..asteroid(designation)
    }
}

fn designations(bodies: &[Body]) -> Vec<&str> {
    let designation = |body| Body::text(body, "designation").unwrap();
    bodies.iter().map(designation).collect()
}

mod round_trip {
    use super::*;

    #[test]
    fn every_attribute_comes_back() {
        let texts = [
            "433",
            "\"quoted\" 'Aylo'chaxnim, \\ / \u{7f}\u{1}\n\t",
            "Kamo`oalewa G!kun||'homdima é 🚀",
        ];
        let mut json = serde_json::Map::new();
        for (index, attribute) in ATTRIBUTES.iter().enumerate() {
            let value = match (attribute.name, attribute.kind) {
                ("spkid", _) => serde_json::json!(20_000_433_u64),
                (_, Kind::Text) => texts[index % texts.len()].into(),
                (_, Kind::Figure) => (index as f64 + 0.5).into(),
                (_, Kind::Flag) => (index % 2 == 0).into(),
            };
            json.insert(attribute.name.to_owned(), value);
        }
        let json = serde_json::Value::Object(json);
        let place = Place::with(&[json.to_string()]);
        let found = place.open().find(texts[0]).unwrap();
        assert_eq!(serde_json::to_value(&found[0]).unwrap(), json);
        assert_eq!(found[0].iter().len(), ATTRIBUTES.len());
    }

    #[test]
    fn a_body_serialises_in_order_and_without_what_it_has_not() {
        let item = Item {
            spkid: Some(Figure::Whole(20_000_433)),
            pha: Some(false),
            neo: Some(true),
            h: Some(Figure::Given(Number::parse("10.40").unwrap())),
            a: Some(Figure::Given(Number::parse("2").unwrap())),
            price: Some(Figure::Computed(1e-42)),
            ..asteroid("433")
        };
        let place = Place::of(&[item]);
        let found = place.open().find("433").unwrap().remove(0);
        assert_eq!(
            serde_json::to_string(&found).unwrap(),
            concat!(
                r#"{"designation":"433","spkid":20000433,"kind":"asteroid","neo":true,"#,
                r#""pha":false,"h":10.4,"a":2.0,"price":1e-42}"#
            )
        );
        assert_eq!(found.text("kind"), Some("asteroid"));
        assert_eq!(found.figure("a"), Some(2.0));
        assert_eq!(found.figure("spkid"), Some(20_000_433.0));
        assert_eq!(found.get("spkid"), Some(&Value::Whole(20_000_433)));
        assert_eq!(found.flag("neo"), Some(true));
        assert_eq!(found.flag("name"), None);
        assert_eq!(found.text("name"), None);
    }

    #[track_caller]
    fn check_figure(digits: &str) {
        let line = format!("{{\"designation\":\"x\",\"kind\":\"asteroid\",\"price\":{digits}}}");
        let place = Place::with(&[line]);
        let found = place.open().find("x").unwrap();
        let expected = digits.parse::<f64>().unwrap();
        let value = found[0].figure("price").unwrap();
        assert_eq!(value.to_bits(), expected.to_bits(), "{digits}");
        let json = serde_json::to_string(&found[0]).unwrap();
        let (_, written) = json.trim_end_matches('}').rsplit_once(':').unwrap();
        let written: f64 = written.parse().unwrap();
        assert_eq!(written.to_bits(), expected.to_bits(), "{digits}");
    }

    #[test]
    fn doubles_at_the_edges_come_back() {
        for digits in [
            "0",
            "0.0",
            "1",
            "-1",
            "9007199254740993",
            "9223372036854775807",
            "123456789012345678901234567890",
            "5e-324",
            "2.2250738585072011e-308",
            "1.7976931348623157e308",
            "0.30000000000000004",
        ] {
            check_figure(digits);
        }
    }

    #[test]
    fn a_negative_zero_comes_back_as_zero() {
        let place = Place::with(&[r#"{"designation":"x","ma":-0.0}"#]);
        let figure = place.open().find("x").unwrap()[0].figure("ma").unwrap();
        assert_eq!(figure.to_bits(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn doubles_come_back_bit_by_bit(bits in prop::collection::vec(any::<u64>(), 1..200)) {
            let doubles = bits.into_iter().map(f64::from_bits);
            let values: Vec<f64> = doubles.filter(|value| value.is_finite()).collect();
            let names: Vec<String> = (0..values.len()).map(|index| format!("x{index}")).collect();
            let items = values.iter().zip(&names).map(|(value, name)| Item {
                closeness: Some(Figure::Computed(*value)),
                ..asteroid(name)
            });
            let place = Place::of(&items.collect::<Vec<_>>());
            let table = place.open();
            for (value, name) in values.iter().zip(&names) {
                let found = table.find(name).unwrap();
                prop_assert_eq!(found[0].figure("closeness").unwrap().to_bits(), value.to_bits());
            }
        }

        #[test]
        fn texts_come_back(texts in prop::collection::vec(any::<String>(), 1..20)) {
            let names: Vec<String> = (0..texts.len()).map(|index| format!("x{index}")).collect();
            let items = texts.iter().zip(&names).map(|(text, name)| Item {
                spec: Some(text.into()),
                ..asteroid(name)
            });
            let place = Place::of(&items.collect::<Vec<_>>());
            let table = place.open();
            for (text, name) in texts.iter().zip(&names) {
                let found = table.find(name).unwrap();
                prop_assert_eq!(found[0].text("spec"), Some(text.as_str()));
            }
        }
    }

    #[test]
    fn the_run_comes_back() {
        let place = Place::new();
        let report = r#"{"rows_read": 3, "rejected": {}}"#;
        let loaded = place.load(&[line(&asteroid("433"))]);
        assert_eq!(loaded.items, 1);
        loaded
            .publish("run-7", "2026-09-25T02:00:00Z", report)
            .unwrap();
        let run = place.open().run().unwrap();
        assert_eq!(run.run_id, "run-7");
        assert_eq!(run.finished_at, "2026-09-25T02:00:00Z");
        assert_eq!(
            run.report,
            serde_json::json!({"rows_read": 3, "rejected": {}})
        );
    }
}

mod writing {
    use super::*;

    #[test]
    fn a_malformed_line_names_its_row() {
        let place = Place::new();
        let mut writer = TableWriter::create(&place.path).unwrap();
        writer.insert(1, &line(&asteroid("1"))).unwrap();
        let malformed = b"{\"designation\":\"2\",\"h\":x}";
        assert_eq!(
            writer.insert(2, malformed).unwrap_err().to_string(),
            "row 2 is not an item: no number at byte 23"
        );
        writer.insert(3, &line(&asteroid("3"))).unwrap();
        let loaded = writer.finish().unwrap();
        assert_eq!(loaded.items, 2);
        loaded.publish("r", "t", "{}").unwrap();
        let found = place.open().find("3").unwrap();
        assert_eq!(designations(&found), ["3"]);
    }

    #[test]
    fn a_row_without_a_designation_or_with_a_number_that_is_taken_is_refused() {
        let place = Place::new();
        let mut writer = TableWriter::create(&place.path).unwrap();
        writer.insert(1, &line(&asteroid("1"))).unwrap();
        for (row, line) in [(2, b"{\"h\":1}".as_slice()), (1, &line(&asteroid("2")))] {
            let error = writer.insert(row, line).unwrap_err();
            assert!(matches!(error, TableError::Insert { .. }), "{error}");
        }
        assert_eq!(writer.finish().unwrap().items, 1);
    }

    #[test]
    fn nothing_of_a_row_stays_for_the_next() {
        let full = Item {
            h: Some(Figure::Computed(1.0)),
            ..asteroid("1")
        };
        let place = Place::of(&[full, asteroid("2")]);
        assert_eq!(place.open().find("2").unwrap()[0].iter().len(), 2);
        let mut writer = TableWriter::create(&place.path).unwrap();
        let broken = b"{\"designation\":\"1\",\"h\":1,\"price\":}";
        assert!(writer.insert(1, broken).is_err());
        writer.insert(1, &line(&asteroid("2"))).unwrap();
        writer.finish().unwrap().publish("r", "t", "{}").unwrap();
        assert_eq!(place.open().find("2").unwrap()[0].iter().len(), 2);
    }

    #[test]
    fn of_duplicates_the_first_is_kept() {
        let place = Place::new();
        let mut writer = TableWriter::create(&place.path).unwrap();
        for (row, designation, full_name) in [
            (10, "b", "first b"),
            (20, "a", "a"),
            (30, "B", "another one"),
            (40, "b", "second b"),
            (50, "c", "c"),
            (60, "b", "third b"),
            (5, "c", "first c"),
        ] {
            let item = body(designation, 1, full_name, "");
            writer.insert(row, &line(&item)).unwrap();
        }
        let loaded = writer.finish().unwrap();
        let duplicate = |rowid, first_rowid, designation: &str, full_name: &str| Duplicate {
            rowid,
            first_rowid,
            designation: designation.to_owned(),
            full_name: Some(full_name.to_owned()),
            kind: Some("asteroid".to_owned()),
        };
        assert_eq!(
            loaded.duplicates,
            [
                duplicate(40, 10, "b", "second b"),
                duplicate(50, 5, "c", "c"),
                duplicate(60, 10, "b", "third b"),
            ]
        );
        assert_eq!(loaded.items, 4);
        loaded.publish("r", "t", "{}").unwrap();
        let table = place.open();
        for (query, full_name) in [
            ("a", "a"),
            ("b", "first b"),
            ("B", "another one"),
            ("c", "first c"),
        ] {
            let found = table.find(query).unwrap();
            assert_eq!(found.len(), 1, "{query}");
            assert_eq!(found[0].text("full_name"), Some(full_name));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn each_designation_is_kept_once(names in prop::collection::vec("[abAB]{1,2}", 0..30)) {
            let place = Place::new();
            let lines: Vec<_> = names.iter().map(|name| line(&asteroid(name))).collect();
            let loaded = place.load(&lines);
            let mut seen = HashSet::new();
            let later: Vec<i64> = names
                .iter()
                .zip(1..)
                .filter(|(name, _)| !seen.insert(name.as_str()))
                .map(|(_, row)| row)
                .collect();
            let found: Vec<i64> = loaded.duplicates.iter().map(|found| found.rowid).collect();
            prop_assert_eq!(found, later);
            prop_assert_eq!(loaded.items as usize, seen.len());
        }
    }

    #[test]
    fn a_table_without_bodies_is_a_table() {
        let place = Place::of(&[]);
        let table = place.open();
        let top = table.top(Ranking::Price, &Filter::default(), 5);
        assert_eq!(top.unwrap(), []);
        assert_eq!(table.find("433").unwrap(), []);
        assert_eq!(table.search("4", 5).unwrap(), []);
    }
}

mod replacing {
    use super::*;

    #[track_caller]
    fn check_old(place: &Place) {
        assert_eq!(designations(&place.open().find("old").unwrap()), ["old"]);
        assert_eq!(place.open().find("new").unwrap(), []);
        assert_eq!(place.files(), ["bodies.db"]);
    }

    #[test]
    fn a_dropped_writer_leaves_the_old_table_alone() {
        let place = Place::of(&[asteroid("old")]);
        let before = fs::read(&place.path).unwrap();
        let mut writer = TableWriter::create(&place.path).unwrap();
        writer.insert(1, &line(&asteroid("new"))).unwrap();
        assert_eq!(place.files(), ["bodies.db", "bodies.db.new"]);
        drop(writer);
        check_old(&place);
        drop(place.load(&[line(&asteroid("new"))]));
        check_old(&place);
        assert_eq!(fs::read(&place.path).unwrap(), before);
    }

    #[test]
    fn a_publish_that_fails_leaves_the_old_table_alone() {
        let place = Place::of(&[asteroid("old")]);
        let loaded = place.load(&[line(&asteroid("new"))]);
        let error = loaded.publish("r", "t", "{").unwrap_err();
        assert!(matches!(error, TableError::Report { .. }), "{error}");
        check_old(&place);
        for suffix in ["-wal", "-journal"] {
            let loaded = place.load(&[line(&asteroid("new"))]);
            fs::write(place.beside(suffix), "").unwrap();
            let error = loaded.publish("r", "t", "{}").unwrap_err();
            assert!(matches!(error, TableError::InUse { .. }), "{error}");
            fs::remove_file(place.beside(suffix)).unwrap();
            check_old(&place);
        }
    }

    #[test]
    fn a_table_that_cannot_be_renamed_is_removed() {
        let place = Place::new();
        let loaded = place.load(&[line(&asteroid("new"))]);
        fs::create_dir(&place.path).unwrap();
        let error = loaded.publish("r", "t", "{}").unwrap_err();
        assert!(
            matches!(error, TableError::Replace(ReplaceError::Rename { .. })),
            "{error}"
        );
        assert_eq!(place.files(), ["bodies.db"]);
    }

    #[test]
    fn a_table_that_another_program_writes_to_is_refused_at_once() {
        let place = Place::of(&[asteroid("old")]);
        let other = rusqlite::Connection::open(&place.path).unwrap();
        other.execute_batch("BEGIN; DELETE FROM bodies").unwrap();
        let error = TableWriter::create(&place.path).unwrap_err();
        assert!(matches!(error, TableError::InUse { .. }), "{error}");
        other.execute_batch("ROLLBACK").unwrap();
        drop(other);
        check_old(&place);
        place.publish(&[line(&asteroid("new"))]);
    }

    #[test]
    fn a_reader_keeps_the_table_that_it_opened() {
        let place = Place::of(&[asteroid("old")]);
        let reader = place.open();
        place.publish(&[line(&asteroid("new"))]);
        assert_eq!(designations(&reader.find("old").unwrap()), ["old"]);
        assert_eq!(reader.find("new").unwrap(), []);
        let fresh = place.open();
        assert_eq!(designations(&fresh.find("new").unwrap()), ["new"]);
        assert_eq!(fresh.find("old").unwrap(), []);
    }

    #[test]
    fn a_second_writer_is_refused() {
        let place = Place::new();
        let mut first = TableWriter::create(&place.path).unwrap();
        first.insert(1, &line(&asteroid("first"))).unwrap();
        let error = TableWriter::create(&place.path).unwrap_err();
        assert!(
            matches!(error, TableError::Replace(ReplaceError::Busy { .. })),
            "{error}"
        );
        assert!(error.to_string().starts_with("another run is writing "));
        first.insert(2, &line(&asteroid("still first"))).unwrap();
        first.finish().unwrap().publish("r", "t", "{}").unwrap();
        assert_eq!(place.open().find("still first").unwrap().len(), 1);
        drop(TableWriter::create(&place.path).unwrap());
    }

    #[test]
    fn a_leftover_of_a_crash_is_overwritten() {
        let place = Place::of(&[asteroid("old")]);
        fs::copy(&place.path, place.beside(".new")).unwrap();
        place.publish(&[line(&asteroid("new"))]);
        assert_eq!(place.open().find("old").unwrap(), []);
        fs::write(place.beside(".new"), "x".repeat(100_000)).unwrap();
        place.publish(&[line(&asteroid("newer"))]);
        let found = place.open().find("newer").unwrap();
        assert_eq!(designations(&found), ["newer"]);
        assert_eq!(place.files(), ["bodies.db"]);
    }

    #[test]
    fn directories_are_created() {
        let place = Place::new();
        let path = place.directory.path().join("a/b.db");
        let writer = TableWriter::create(&path).unwrap();
        writer.finish().unwrap().publish("r", "t", "{}").unwrap();
        Table::open(&path).unwrap();
    }
}

mod opening {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_created() {
        let place = Place::new();
        let error = Table::open(&place.path).unwrap_err();
        assert!(matches!(error, TableError::Missing { .. }), "{error}");
        assert!(error.to_string().contains("bodies.db"));
        assert!(!place.path.exists());
    }

    #[track_caller]
    fn check_foreign(path: &Path) {
        let error = Table::open(path).unwrap_err();
        assert!(matches!(error, TableError::Foreign { .. }), "{error}");
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let place = Place::new();
        for content in ["", "a text file that is no database at all", "{}"] {
            fs::write(&place.path, content).unwrap();
            check_foreign(&place.path);
        }
        fs::remove_file(&place.path).unwrap();
        let other = rusqlite::Connection::open(&place.path).unwrap();
        let sql = "CREATE TABLE bodies (designation TEXT)";
        other.execute_batch(sql).unwrap();
        check_foreign(&place.path);
        let error = Table::open(place.directory.path()).unwrap_err();
        assert!(matches!(error, TableError::Database { .. }), "{error}");
    }

    #[test]
    fn another_version_s_table_is_refused() {
        let place = Place::of(&[asteroid("433")]);
        let other = rusqlite::Connection::open(&place.path).unwrap();
        other.pragma_update(None, "user_version", 1).unwrap();
        let error = Table::open(&place.path).unwrap_err();
        assert!(matches!(error, TableError::OtherVersion { .. }), "{error}");
    }

    #[test]
    fn any_sql_tool_can_read_it() {
        let place = Place::of(&[body("433", 20_000_433, "433 Eros (A898 PA)", "Eros")]);
        let tool = rusqlite::Connection::open(&place.path).unwrap();
        let columns: Vec<String> = tool
            .prepare("SELECT name || ' ' || type FROM pragma_table_info('bodies')")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let expected = ATTRIBUTES.iter().map(|attribute| {
            let kind = match (attribute.name, attribute.kind) {
                ("spkid", _) | (_, Kind::Flag) => "INTEGER",
                (_, Kind::Text) => "TEXT",
                (_, Kind::Figure) => "REAL",
            };
            format!("{} {kind}", attribute.name)
        });
        assert_eq!(columns, expected.collect::<Vec<_>>());
        let sql = "SELECT spkid FROM bodies WHERE name = 'eros'";
        let spkid: i64 = tool.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(spkid, 20_000_433);
        let sql = "PRAGMA integrity_check";
        let check: String = tool.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
    }
}

mod ranking {
    use super::*;

    fn item<'a>(
        designation: &'a str,
        class: &'a str,
        spec: &'a str,
        figures: [Option<f64>; 7],
    ) -> Item<'a> {
        let [price, profit, closeness, score, diameter_km, moid, dv_kms] =
            figures.map(|figure| figure.map(Figure::Computed));
        Item {
            class: Some(class.into()),
            spec: Some(spec.into()),
            price,
            profit,
            closeness,
            score,
            diameter_km,
            moid,
            dv_kms,
            ..asteroid(designation)
        }
    }

    #[test]
    fn kind_class_and_type_are_told_apart() {
        let priced = |price| [Some(price), None, None, None, None, None, None];
        let mut items = vec![
            item("1", "MBA", "?", priced(5.0)),
            item("2", "AMO", "Sq", priced(4.0)),
            item("3", "amo", "?", priced(3.0)),
            item("4", "MBA", "SQ", priced(2.0)),
            item("5", "JFc", "comet", priced(9.0)),
            item("6", "", "?", priced(10.0)),
            item("7", "MBA", "?", [None; 7]),
        ];
        items[4].kind = Some("comet".into());
        items[5].kind = Some("exoplanet".into());
        items[5].class = None;
        let place = Place::of(&items);
        let table = place.open();
        let check = |texts: [&str; 3], limit, expected: &[&str]| {
            let wanted = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let [kind, class, spec] = texts.map(wanted);
            let filter = Filter { kind, class, spec };
            let found = table.top(Ranking::Price, &filter, limit).unwrap();
            assert_eq!(designations(&found), expected, "{filter:?}");
        };
        check(["", "", ""], 10, &["1", "2", "3", "4"]);
        check(["", "", ""], 2, &["1", "2"]);
        check(["", "", ""], 0, &[]);
        check(["Asteroid", "", ""], u32::MAX, &["1", "2", "3", "4"]);
        check(["COMET", "", ""], 10, &["5"]);
        check(["exoplanet", "", ""], 10, &["6"]);
        check(["comet", "AMO", ""], 10, &[]);
        check(["", "Amo", ""], 10, &["2", "3"]);
        check(["", "mba", ""], 10, &["1", "4"]);
        check(["", "", "sq"], 10, &["2", "4"]);
        check(["", "", "?"], 10, &["1", "3"]);
        check(["", "amo", "sq"], 10, &["2"]);
        check(["", "a%", ""], 10, &[]);
        check(["", "' OR 1", ""], 10, &[]);
    }

    fn figure() -> impl Strategy<Value = Option<f64>> {
        prop_oneof![
            1 => Just(None),
            3 => prop::sample::select(vec![-1.0, 0.0, 0.5, 1.0]).prop_map(Some),
            3 => (-1e12..1e12).prop_map(Some),
        ]
    }

    type Row = (&'static str, [Option<f64>; 7]);

    fn row() -> impl Strategy<Value = Row> {
        let class = prop::sample::select(vec!["MBA", "AMO", "APO"]);
        (class, prop::array::uniform7(figure()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn every_ranking_is_a_plain_sort(
            rows in prop::collection::btree_map("[a-cA-C0-9 ]{1,3}", row(), 0..40),
            limit in 0_u32..50,
            class in prop::option::of(prop::sample::select(vec!["mba", "Amo", "IEO"])),
        ) {
            let items = rows.iter().map(|(name, (class, figures))| item(name, class, "?", *figures));
            let place = Place::of(&items.collect::<Vec<_>>());
            let table = place.open();
            let filter = Filter { class: class.map(str::to_owned), ..Filter::default() };
            for (index, by) in Ranking::ALL.into_iter().enumerate() {
                let mut expected: Vec<(f64, &str)> = rows
                    .iter()
                    .filter(|(_, row)| class.is_none_or(|class| class.eq_ignore_ascii_case(row.0)))
                    .filter_map(|(name, row)| Some((row.1[index]?, name.as_str())))
                    .collect();
                expected.sort_by(|one, other| {
                    let figures = one.0.partial_cmp(&other.0).unwrap();
                    let figures = if by.is_descending() { figures.reverse() } else { figures };
                    figures.then(one.1.cmp(other.1))
                });
                expected.truncate(limit as usize);
                let bodies = table.top(by, &filter, limit).unwrap();
                let value = |body: &Body| body.figure(by.attribute()).unwrap();
                let found: Vec<(f64, &str)> =
                    bodies.iter().map(value).zip(designations(&bodies)).collect();
                prop_assert_eq!(found, expected, "{}", by);
            }
        }
    }
}

mod names {
    use super::*;

    fn place() -> Place {
        let mut items = vec![
            body("433", 20_000_433, "433 Eros (A898 PA)", "Eros"),
            body("25143", 20_025_143, "25143 Itokawa (1998 SF36)", "Itokawa"),
            body("620000", 20_620_000, "620000 (2019 YS4)", ""),
            body("2006 RH120", 3_403_148, "(2006 RH120)", ""),
            body("2006 RH12", 3_403_149, "(2006 RH12)", ""),
            body("1P", 1_000_036, "1P/Halley", "Halley"),
            body("2688", 20_002_688, "2688 Halley (1982 HG1)", "Halley"),
            body("1995 O1", 1_000_132, "C/1995 O1 (Hale-Bopp)", "Hale-Bopp"),
            body(
                "594913",
                20_594_913,
                "594913 'Aylo'chaxnim (2020 AV2)",
                "'Aylo'chaxnim",
            ),
            body("20000719", 20_000_719, "", ""),
            body("100% sure", 1, "", "50_50"),
            body("4", 20_000_004, "4 Vesta", "Vesta"),
            body("43", 20_000_043, "43 Ariadne", "Ariadne"),
            body("4330", 20_004_330, "4330 Vivaldi (1982 UJ3)", "Vivaldi"),
            body("40", 20_000_040, "40 Harmonia", "Harmonia"),
        ];
        for (designation, spkid, full_name) in [
            ("73P", 1_000_394, "73P/Schwassmann-Wachmann 3"),
            ("73P-B", 1_000_395, "73P/Schwassmann-Wachmann 3-B"),
            ("29P", 1_000_393, "29P/Schwassmann-Wachmann 1"),
        ] {
            items.push(body(designation, spkid, full_name, "Schwassmann-Wachmann"));
        }
        for designation in ["Kepler-22 b", "Kepler-22 B"] {
            items.push(Item {
                kind: Some("exoplanet".into()),
                full_name: Some(designation.into()),
                ..asteroid(designation)
            });
        }
        Place::of(&items)
    }

    #[test]
    fn a_body_is_found_by_whatever_it_is_called() {
        let place = place();
        let table = place.open();
        for (query, expected) in [
            ("433", "433"),
            ("  (433) ", "433"),
            ("eros", "433"),
            ("EROS", "433"),
            ("20000433", "433"),
            ("a898 pa", "433"),
            ("433 Eros", "433"),
            ("(433) Eros", "433"),
            ("(433) eros (A898 PA)", "433"),
            ("433 eros (a898 pa)", "433"),
            ("1998 SF36", "25143"),
            ("(1998 sf36)", "25143"),
            ("2006 rh120", "2006 RH120"),
            ("(2006 RH120)", "2006 RH120"),
            ("3403148", "2006 RH120"),
            ("1p", "1P"),
            ("1P/Halley", "1P"),
            ("1p/halley", "1P"),
            ("C/1995 O1 (Hale-Bopp)", "1995 O1"),
            ("c/1995 o1", "1995 O1"),
            ("hale-bopp", "1995 O1"),
            ("73P/Schwassmann-Wachmann 3-B", "73P-B"),
            ("'aylo'chaxnim", "594913"),
            ("719", "20000719"),
            ("100% SURE", "100% sure"),
            ("Kepler-22 b", "Kepler-22 b"),
            ("Kepler-22 B", "Kepler-22 B"),
        ] {
            let found = table.find(query).unwrap();
            assert_eq!(designations(&found), [expected], "{query}");
        }
    }

    #[test]
    fn what_several_are_called_finds_them_all() {
        let place = place();
        let table = place.open();
        for (query, expected) in [
            ("schwassmann-wachmann", ["29P", "73P", "73P-B"].as_slice()),
            ("Halley", &["1P", "2688"]),
            ("KEPLER-22 B", &["Kepler-22 B", "Kepler-22 b"]),
        ] {
            let found = table.find(query).unwrap();
            assert_eq!(designations(&found), expected, "{query}");
        }
    }

    #[test]
    fn what_no_body_is_called_is_not_found() {
        let place = place();
        let table = place.open();
        for query in [
            "",
            "()",
            "432",
            "433 Er",
            "433 Ceres",
            "Ero",
            "%",
            "1998 SF3",
            "99999999999999999999",
        ] {
            assert_eq!(table.find(query).unwrap(), [], "{query}");
        }
    }

    #[test]
    fn a_beginning_finds_designations_then_names() {
        let place = place();
        let table = place.open();
        let check = |prefix: &str, limit, expected: &[&str]| {
            let found = table.search(prefix, limit).unwrap();
            assert_eq!(designations(&found), expected, "{prefix}");
        };
        check("4", 10, &["4", "40", "43", "433", "4330"]);
        check("4", 3, &["4", "40", "43"]);
        check("43", 10, &["43", "433", "4330"]);
        check("43", 0, &[]);
        check("2006 rh", 10, &["2006 RH12", "2006 RH120"]);
        check("Ha", 10, &["1995 O1", "1P", "2688", "40"]);
        check("halley", 10, &["1P", "2688"]);
        check("halley", 1, &["1P"]);
        check("schwass", 10, &["29P", "73P", "73P-B"]);
        check("1998 SF", 10, &["25143"]);
        check("1982", 10, &["2688", "4330"]);
        check("1982 uj3", 1, &["4330"]);
        check("%", 10, &[]);
        check("_", 10, &[]);
        check("100%", 10, &["100% sure"]);
        check("50_", 10, &["100% sure"]);
        check("5_", 10, &[]);
        check("nothing", 10, &[]);
        check("Hale-Bopp)", 10, &[]);
    }
}
