//! What every queue does, as tests: `queue_tests!` makes a test of each for one queue.
#![allow(
    clippy::unwrap_used,
    reason = "clippy does not see that these functions are tests"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use engine::queue::{Delivery, Queue};

/// No wait in these tests is longer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);
/// How long the queues under test hide what was received.
pub(crate) const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(3);
/// Longer than any of them needs to show what it has.
const A_WHILE: Duration = Duration::from_secs(1);

/// Makes a test of each behaviour for the queue, empty at first, that the expression makes.
#[macro_export]
macro_rules! queue_tests {
    ($queue:expr) => {
        queue_tests!($queue;
            messages_of_all_kinds_come_as_they_were_sent
            many_messages_are_sent_at_once
            no_more_are_received_than_asked_for
            a_receiver_waits_for_a_message_and_not_longer
            what_is_acknowledged_does_not_come_again
            what_is_not_acknowledged_comes_again
            what_is_returned_comes_again_after_its_delay
            a_return_can_hide_a_message_for_longer
            nothing_to_send_is_no_error
        );
    };
    ($queue:expr; $($behaviour:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                let queue = $queue;
                let behaviour = queue_suite::$behaviour(&queue);
                let done = tokio::time::timeout(queue_suite::TIMEOUT, behaviour).await;
                done.expect("it is done in time");
            }
        )+
    };
}

fn texts(bodies: &[&str]) -> Vec<String> {
    bodies.iter().map(|body| (*body).to_owned()).collect()
}

/// Receives until there are `num` deliveries.
async fn receive_all(queue: &dyn Queue, num: usize) -> Vec<Delivery> {
    let mut all = Vec::new();
    while all.len() < num {
        all.extend(queue.receive(10, A_WHILE).await.unwrap());
    }
    all
}

/// Receives one message, however long it takes to come.
async fn receive_one(queue: &dyn Queue) -> Delivery {
    let mut deliveries = receive_all(queue, 1).await;
    assert_eq!(deliveries.len(), 1, "{deliveries:?}");
    deliveries.remove(0)
}

pub(crate) async fn messages_of_all_kinds_come_as_they_were_sent(queue: &dyn Queue) {
    let long = "x".repeat(60 << 10);
    let bodies = [
        "{\"run\":\"r\"}",
        "ʻAylóʼchaxnim 🚀 \u{fffd}",
        "\t<&>\"'\r\n]]>",
        &long,
    ];
    queue.send(texts(&bodies)).await.unwrap();
    let deliveries = receive_all(queue, bodies.len()).await;
    let mut found: Vec<&str> = deliveries.iter().map(|delivery| &*delivery.body).collect();
    let mut expected = bodies.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert!(found == expected, "{found:.80?}");
}

pub(crate) async fn many_messages_are_sent_at_once(queue: &dyn Queue) {
    let filling = "x".repeat(50 << 10);
    let body = |index: usize| format!("{index} {}", &filling[..index % 3 * (20 << 10)]);
    let bodies: Vec<String> = (0..57).map(body).collect();
    queue.send(bodies.clone()).await.unwrap();
    let mut found = BTreeMap::new();
    while found.len() < bodies.len() {
        for delivery in queue.receive(10, A_WHILE).await.unwrap() {
            queue.ack(&delivery.receipt).await.unwrap();
            *found.entry(delivery.body).or_insert(0) += 1;
        }
    }
    let expected: BTreeMap<String, i32> = bodies.into_iter().map(|body| (body, 1)).collect();
    assert!(found == expected);
}

pub(crate) async fn no_more_are_received_than_asked_for(queue: &dyn Queue) {
    queue.send(texts(&["a", "b", "c"])).await.unwrap();
    let first = queue.receive(2, A_WHILE).await.unwrap();
    assert!((1..=2).contains(&first.len()), "{first:?}");
    receive_all(queue, 3 - first.len()).await;
}

pub(crate) async fn a_receiver_waits_for_a_message_and_not_longer(queue: &dyn Queue) {
    assert_eq!(queue.receive(10, Duration::ZERO).await.unwrap(), []);
    let start = Instant::now();
    assert_eq!(queue.receive(10, A_WHILE).await.unwrap(), []);
    assert!(start.elapsed() >= A_WHILE - Duration::from_millis(100));
    let (received, ()) = tokio::join!(queue.receive(10, Duration::from_secs(20)), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        queue.send(texts(&["a"])).await.unwrap();
    });
    assert_eq!(received.unwrap()[0].body, "a");
}

pub(crate) async fn what_is_acknowledged_does_not_come_again(queue: &dyn Queue) {
    queue.send(texts(&["a"])).await.unwrap();
    let delivery = receive_one(queue).await;
    queue.ack(&delivery.receipt).await.unwrap();
    let wait = VISIBILITY_TIMEOUT + A_WHILE;
    assert_eq!(queue.receive(10, wait).await.unwrap(), []);
}

pub(crate) async fn what_is_not_acknowledged_comes_again(queue: &dyn Queue) {
    queue.send(texts(&["a"])).await.unwrap();
    let first = receive_one(queue).await;
    assert_eq!(
        queue.receive(10, Duration::ZERO).await.unwrap(),
        [],
        "it is hidden"
    );
    let second = receive_one(queue).await;
    assert_eq!(second.body, "a");
    assert_ne!(second.receipt, first.receipt);
    queue.ack(&second.receipt).await.unwrap();
    let wait = VISIBILITY_TIMEOUT + A_WHILE;
    assert_eq!(queue.receive(10, wait).await.unwrap(), []);
}

pub(crate) async fn what_is_returned_comes_again_after_its_delay(queue: &dyn Queue) {
    queue.send(texts(&["a"])).await.unwrap();
    let first = receive_one(queue).await;
    queue
        .return_after(&first.receipt, Duration::ZERO)
        .await
        .unwrap();
    let second = queue.receive(10, A_WHILE).await.unwrap().remove(0);
    assert_eq!(second.body, "a");
    let start = Instant::now();
    let delay = Duration::from_secs(1);
    queue.return_after(&second.receipt, delay).await.unwrap();
    receive_one(queue).await;
    // Servers count in whole seconds.
    assert!(
        start.elapsed() >= delay / 2,
        "it came after {:?}",
        start.elapsed()
    );
}

pub(crate) async fn a_return_can_hide_a_message_for_longer(queue: &dyn Queue) {
    queue.send(texts(&["a"])).await.unwrap();
    let first = receive_one(queue).await;
    let delay = VISIBILITY_TIMEOUT * 20;
    queue.return_after(&first.receipt, delay).await.unwrap();
    let wait = VISIBILITY_TIMEOUT + A_WHILE;
    assert_eq!(queue.receive(10, wait).await.unwrap(), []);
}

pub(crate) async fn nothing_to_send_is_no_error(queue: &dyn Queue) {
    queue.send(Vec::new()).await.unwrap();
    assert_eq!(queue.receive(1, Duration::ZERO).await.unwrap(), []);
}
