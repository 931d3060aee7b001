//! Every table answers the same questions in the same way.

#[path = "support/bodies.rs"]
mod bodies;

use engine::table::{SharedTable, Table, TableWriter};

#[tokio::test]
async fn sqlite_answers_all_questions() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bodies.sqlite");
    let mut writer = TableWriter::create(&path).unwrap();
    for (line, rowid) in bodies::lines(false).iter().zip(1..) {
        writer.insert(rowid, line.as_bytes()).unwrap();
    }
    let loaded = writer.finish().unwrap();
    loaded
        .publish(bodies::RUN, "2026-09-25T02:00:00Z", bodies::REPORT)
        .unwrap();
    let table = SharedTable::new(Table::open(&path).unwrap());
    bodies::answers_all_questions(&table).await;
}
