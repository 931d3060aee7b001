//! Every ledger does the same.

#[path = "support/ledger.rs"]
mod ledger;

#[tokio::test]
async fn memory_does_all_that_ledgers_do() {
    ledger::does_all_that_ledgers_do(&engine::ledger::MemoryLedger::default()).await;
}
