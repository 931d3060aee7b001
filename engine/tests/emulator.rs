//! The servers that other tests run against start and take a table.
#![cfg(feature = "aws")]

#[path = "support/emulator.rs"]
mod emulator;

use emulator::Server;

async fn takes_requests(server: &Server) {
    let client = aws_sdk_dynamodb::Client::new(&server.config().await);
    let tables = client.list_tables().send().await.expect("an answer");
    assert!(tables.table_names().is_empty());
}

#[tokio::test]
async fn ministack_takes_requests() {
    takes_requests(emulator::ministack()).await;
}

#[tokio::test]
async fn dynalite_takes_requests() {
    takes_requests(emulator::dynalite()).await;
}
