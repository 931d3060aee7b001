//! The published delta-v table, as text, as a page, or as the document that was made of it.

#![no_main]

use engine::delta_v::{DeltaVTable, TableRow};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|bytes: &[u8]| {
    let Ok(table) = DeltaVTable::parse(bytes) else {
        return;
    };
    assert!(!table.rows.is_empty());
    for row in &table.rows {
        check(row);
        let designations: Vec<&str> = row.designation.as_deref().into_iter().collect();
        assert_eq!(table.find(row.number, &designations), Some(row));
    }
    let again = json!({ "rows": table.rows, "rejects": table.rejects }).to_string();
    let again = DeltaVTable::parse(again.as_bytes()).expect("a document of rows that were read");
    assert_eq!(again.rows, table.rows);
    assert_eq!(again.rejects, table.rejects);
});

fn check(row: &TableRow) {
    let values = [row.percentile, row.dv_kms, row.h, row.a, row.e, row.i];
    assert!(values.iter().all(|value| value.is_finite()), "{row:?}");
    assert!(
        row.dv_kms > 0.0 && row.a > 0.0 && (0.0..1.0).contains(&row.e),
        "{row:?}"
    );
    assert!(row.number.is_some() || row.designation.is_some(), "{row:?}");
}
