//! JPL's NHATS table, as the API's document or as the document that was made of it.

#![no_main]

use engine::nhats::NhatsTable;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(table) = NhatsTable::parse(bytes) else {
        return;
    };
    assert!(!table.rows.is_empty());
    for row in &table.rows {
        assert!(row.dv_kms.is_finite() && row.dv_kms > 0.0, "{row:?}");
        assert!(row.days.is_finite() && row.days > 0.0, "{row:?}");
        let designations: Vec<&str> = row.designation.as_deref().into_iter().collect();
        assert_eq!(table.find(row.number, &designations), Some(row));
    }
    let document = serde_json::to_vec(&table).expect("a table is written");
    let again = NhatsTable::parse(&document).expect("a document of rows that were read");
    assert_eq!(again.rows, table.rows);
    assert_eq!(again.rejects, table.rejects);
});
