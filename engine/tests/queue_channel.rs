//! The queue of one process: what every queue does, and its bound.

use std::sync::Arc;
use std::time::Duration;

use engine::queue::{Channel, Queue};

#[path = "support/queue.rs"]
mod queue_suite;

use queue_suite::{TIMEOUT, VISIBILITY_TIMEOUT};

queue_tests!(Channel::new(100, VISIBILITY_TIMEOUT));

#[tokio::test(start_paused = true)]
async fn a_sender_waits_while_the_queue_is_full() {
    let queue = Arc::new(Channel::new(2, TIMEOUT));
    let sending = tokio::spawn({
        let queue = Arc::clone(&queue);
        let bodies = ["a", "b", "c"].map(str::to_owned).to_vec();
        async move { queue.send(bodies).await }
    });
    let first = queue.receive(10, TIMEOUT).await.expect("deliveries");
    assert!(first.len() <= 2);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!sending.is_finished(), "what is received is not done yet");
    let receipt = &first[0].receipt;
    queue.ack(receipt).await.expect("it is acknowledged");
    queue.ack(receipt).await.expect("once is enough");
    let sent = tokio::time::timeout(TIMEOUT, sending).await;
    sent.expect("there is room")
        .expect("no panic")
        .expect("it is sent");
    let more = queue.send(vec!["d".to_owned()]);
    let more = tokio::time::timeout(Duration::from_secs(1), more).await;
    assert!(more.is_err(), "two are there that are not acknowledged");
}
