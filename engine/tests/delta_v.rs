//! The published delta-v table as it was recorded, in every form that it is kept in.
//!
//! The file is found through `PROSPECTOR_RECORDED`; without it these tests say that they were skipped.

use engine::delta_v::{DeltaVDocument, DeltaVTable, OrbitClass, compare, evaluate};

/// How many rows the recorded table has.
const NUM_ROWS: usize = 9_726;

/// The recorded table, where the recorded inputs are at hand.
fn recorded() -> Option<Vec<u8>> {
    let folder = std::env::var_os("PROSPECTOR_RECORDED")?;
    let path = std::path::Path::new(&folder).join("delta-v/benner-2013-04-14.txt");
    Some(std::fs::read(path).expect("the recorded table is readable"))
}

/// The table as the page holds it, with links, entities and an archive's toolbar.
fn as_page(text: &str) -> String {
    let rows = text
        .replace("2006 RH120", "<a href=\"/x?a=1&amp;b=2\">2006 RH120</a>")
        .replace("RADAR", "<A HREF='radar.html'>RADAR</A>")
        .replace('\'', "&#39;")
        .replace("  (", "&nbsp;&#160;(")
        .replace('\n', "\r\n");
    format!(
        "<!DOCTYPE html>\n<html>\n<head><title>Delta-v</title>\n<script>\nfor (var i=0;i<3;i++) {{}}\n\
         </script></head>\n<!-- BEGIN WAYBACK TOOLBAR INSERT -->\n<td>FEB</td>\n<td>02</td>\n\
         <body>\n<p>Last update: 2013 April 14.</p>\n<PRE>\n{rows}</PRE>\n</body>\n</html>\n"
    )
}

#[test]
fn every_row_is_read_from_the_text() {
    let Some(bytes) = recorded() else {
        return println!("skipped: PROSPECTOR_RECORDED is unset");
    };
    let table = DeltaVTable::parse(&bytes).unwrap();
    assert_eq!((table.rows.len(), table.rejects.len()), (NUM_ROWS, 0));
    assert!((1..).zip(&table.rows).all(|(rank, row)| row.rank == rank));
    for row in &table.rows {
        let designation = row.designation.as_deref().unwrap();
        assert_eq!(table.find(row.number, &[]).is_some(), row.number.is_some());
        assert_eq!(table.find(None, &[designation]), Some(row));
    }
    assert_eq!(
        table.rows.iter().filter(|row| row.binary).count(),
        count(&bytes, "BINARY")
    );
    assert_eq!(
        table.rows.iter().filter(|row| row.radar).count(),
        count(&bytes, "RADAR")
    );
    assert_eq!(
        table.rows.iter().filter(|row| row.number.is_some()).count(),
        count(&bytes, " (")
    );
}

/// How many rows of the table hold `what`.
fn count(bytes: &[u8], what: &str) -> usize {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .skip(3)
        .filter(|line| line.contains(what))
        .count()
}

#[test]
fn the_page_and_the_layout_of_2012_hold_the_same_rows() {
    let Some(bytes) = recorded() else {
        return println!("skipped: PROSPECTOR_RECORDED is unset");
    };
    let table = DeltaVTable::parse(&bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();

    let page = DeltaVTable::parse(as_page(&text).as_bytes()).unwrap();
    assert_eq!(page.rejects, []);
    assert!(page.rows == table.rows);

    // The two ratios stand in fixed columns, behind the delta-v.
    let narrow = |line: &str| format!("{}{}\n", &line[..64], &line[82..]);
    let old: String = text.lines().skip(3).map(narrow).collect();
    let old = DeltaVTable::parse(old.as_bytes()).unwrap();
    assert_eq!(old.rejects, []);
    assert!(old.rows == table.rows);
}

#[test]
fn the_equations_reproduce_the_table() {
    let Some(bytes) = recorded() else {
        return println!("skipped: PROSPECTOR_RECORDED is unset");
    };
    let comparison = compare(&DeltaVTable::parse(&bytes).unwrap());
    println!("{comparison:#?}");
    assert_eq!(
        (comparison.num_rows, comparison.num_computed),
        (NUM_ROWS, NUM_ROWS)
    );
    assert!(comparison.num_within >= 9_717);
    assert!(comparison.median_kms.unwrap() < 0.0003);
    assert!(comparison.max_kms.unwrap() <= 0.0101);
    assert_eq!(
        comparison.beyond.len(),
        comparison.num_computed - comparison.num_within
    );
}

#[test]
fn the_document_is_read_again_as_the_same_table() {
    let Some(bytes) = recorded() else {
        return println!("skipped: PROSPECTOR_RECORDED is unset");
    };
    let table = DeltaVTable::parse(&bytes).unwrap();
    let json = serde_json::to_vec(&DeltaVDocument::new(&table)).unwrap();
    println!("delta-v.json: {} bytes", json.len());
    assert!(DeltaVTable::parse(&json).unwrap().rows == table.rows);
}

#[test]
fn the_parts_of_a_value_are_to_be_had() {
    let parts = evaluate(1.324, 0.280, 1.6).unwrap();
    assert_eq!(parts.class, OrbitClass::Apollo);
    assert_eq!(serde_json::to_value(parts).unwrap()["class"], "apollo");
}
