//! What the marks of a run mean: it is written, or not yet, or never will be.

use std::fmt;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::Marks;

/// Missing messages that are named; of the others there is only the number.
const MAX_NAMED: usize = 10;

/// The message of which there is one a run: it asks whether all others are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// The run.
    pub run: String,
    /// Whom to answer: the token of the task that waits.
    pub task_token: String,
    /// How many messages the run sent.
    #[serde(deserialize_with = "whole")]
    pub messages: u64,
    /// How many items were in them.
    #[serde(deserialize_with = "whole")]
    pub items: u64,
    /// How long after this message was sent they must be written.
    #[serde(deserialize_with = "whole")]
    pub deadline_seconds: u64,
}

/// A whole number, which JSONata, whose numbers are doubles, may have written as `3600.0`.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    /// All whole numbers up to this one are doubles.
    const MAX_EXACT: f64 = (1_u64 << 53) as f64;
    let number = serde_json::Number::deserialize(deserializer)?;
    let of_double = |number: f64| {
        (number.trunc() == number && (0.0..=MAX_EXACT).contains(&number)).then_some(number as u64)
    };
    let whole = number.as_u64().or_else(|| of_double(number.as_f64()?));
    whole.ok_or_else(|| D::Error::custom(format!("{number} is no whole number")))
}

/// What is to be answered to a [`Done`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every message is written, and the items are as many as were sent.
    Written,
    /// Every message is written, and the items are not as many as were sent: a fault of this program.
    Unreconciled {
        /// Items written.
        written: u64,
    },
    /// Messages are missing, and there is time left.
    Waiting(Missing),
    /// Messages are missing, and some of them are dead letters, which nobody will write.
    Dead {
        /// Their numbers, in order.
        seqs: Vec<u64>,
    },
    /// Messages are missing, and there is no time left.
    Overdue(Missing),
}

/// Messages that are not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// How many.
    pub count: u64,
    /// The numbers of the first few, in order.
    pub first: Vec<u64>,
    /// How many messages the run sent.
    pub messages: u64,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Missing {
            count,
            first,
            messages,
        } = self;
        write!(f, "{count} of {messages} messages are not written:")?;
        for (index, seq) in first.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma} {seq}")?;
        }
        match *count > first.len() as u64 {
            true => f.write_str(", …"),
            false => Ok(()),
        }
    }
}

/// Judges a run by the `marks` in its ledger, `elapsed` after `done` was sent. `dead` are the numbers of its
/// messages among the dead letters. One that was written before it died counts as written: a delivery may fail
/// after the writing.
#[must_use]
pub fn verdict(marks: &Marks, done: &Done, dead: &[u64], elapsed: Duration) -> Verdict {
    let marked = || marks.range(..done.messages);
    let num_marked = marked().count() as u64;
    if num_marked == done.messages {
        let written = marked().map(|(_, num_items)| num_items).sum();
        return match written == done.items {
            true => Verdict::Written,
            false => Verdict::Unreconciled { written },
        };
    }
    let is_missing = |seq: &u64| *seq < done.messages && !marks.contains_key(seq);
    let mut dead: Vec<u64> = dead.iter().copied().filter(is_missing).collect();
    if !dead.is_empty() {
        dead.sort_unstable();
        dead.dedup();
        return Verdict::Dead { seqs: dead };
    }
    let missing = Missing {
        count: done.messages - num_marked,
        first: (0..done.messages)
            .filter(is_missing)
            .take(MAX_NAMED)
            .collect(),
        messages: done.messages,
    };
    match elapsed >= Duration::from_secs(done.deadline_seconds) {
        true => Verdict::Overdue(missing),
        false => Verdict::Waiting(missing),
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::{Ledger, MemoryLedger, num_pages};
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(60);

    fn done(messages: u64, items: u64) -> Done {
        Done {
            run: "weekly".to_owned(),
            task_token: "token".to_owned(),
            messages,
            items,
            deadline_seconds: DEADLINE.as_secs(),
        }
    }

    fn missing(count: u64, first: &[u64], messages: u64) -> Missing {
        Missing {
            count,
            first: first.to_vec(),
            messages,
        }
    }

    #[test]
    fn a_run_is_written_when_every_message_is_even_if_it_is_late_or_some_died_afterwards() {
        let marks = Marks::from([(0, 2), (1, 1)]);
        assert_eq!(
            verdict(&marks, &done(2, 3), &[1], 2 * DEADLINE),
            Verdict::Written
        );
        assert_eq!(
            verdict(&Marks::new(), &done(0, 0), &[], DEADLINE),
            Verdict::Written
        );
    }

    #[test]
    fn items_that_do_not_add_up_are_told() {
        let marks = Marks::from([(0, 2), (1, 1)]);
        let verdict = verdict(&marks, &done(2, 4), &[], Duration::ZERO);
        assert_eq!(verdict, Verdict::Unreconciled { written: 3 });
    }

    #[test]
    fn a_message_that_was_not_sent_does_not_stand_for_one_that_was() {
        let marks = Marks::from([(0, 2), (2, 1)]);
        let verdict = verdict(&marks, &done(2, 3), &[], Duration::ZERO);
        assert_eq!(verdict, Verdict::Waiting(missing(1, &[1], 2)));
    }

    #[test]
    fn missing_messages_are_waited_for_until_the_deadline() {
        let marks = Marks::from([(1, 1)]);
        let just_before = DEADLINE - Duration::from_millis(1);
        assert_eq!(
            verdict(&marks, &done(3, 3), &[], just_before),
            Verdict::Waiting(missing(2, &[0, 2], 3))
        );
        assert_eq!(
            verdict(&marks, &done(3, 3), &[], DEADLINE),
            Verdict::Overdue(missing(2, &[0, 2], 3))
        );
    }

    #[test]
    fn dead_letters_are_named_only_where_they_are_missing() {
        let marks = Marks::from([(1, 1)]);
        assert_eq!(
            verdict(&marks, &done(4, 4), &[3, 1, 0, 3, 9], 2 * DEADLINE),
            Verdict::Dead { seqs: vec![0, 3] }
        );
        assert_eq!(
            verdict(&marks, &done(4, 4), &[1], Duration::ZERO),
            Verdict::Waiting(missing(3, &[0, 2, 3], 4))
        );
    }

    #[test]
    fn what_is_missing_is_told_in_a_line() {
        assert_eq!(
            missing(2, &[0, 2], 3).to_string(),
            "2 of 3 messages are not written: 0, 2"
        );
        let Verdict::Overdue(many) = verdict(&Marks::new(), &done(500, 1), &[], DEADLINE) else {
            panic!("it is overdue");
        };
        assert_eq!(
            many.to_string(),
            "500 of 500 messages are not written: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …"
        );
    }

    #[test]
    fn the_done_message_is_of_exactly_one_form() {
        let json =
            r#"{"run":"weekly","task_token":"token","messages":2,"items":3,"deadline_seconds":60}"#;
        assert_eq!(serde_json::from_str::<Done>(json).unwrap(), done(2, 3));
        assert_eq!(serde_json::to_string(&done(2, 3)).unwrap(), json);
        let as_doubles = json.replace(":2,", ":2.0,").replace(":60}", ":6.0e1}");
        assert_eq!(
            serde_json::from_str::<Done>(&as_doubles).unwrap(),
            done(2, 3)
        );
        let in_part = json.replace(":2,", ":2.5,");
        assert!(serde_json::from_str::<Done>(&in_part).is_err());
        let with_more = json.replace("\"items\"", "\"more\":1,\"items\"");
        assert!(serde_json::from_str::<Done>(&with_more).is_err());
    }

    proptest! {
        #[test]
        fn marks_in_any_order_and_number_mean_what_the_set_of_them_means(
            (num_messages, deliveries) in (0..300_u64).prop_flat_map(|num_messages| {
                let deliveries = vec(0..num_messages.max(1), 0..600);
                (Just(num_messages), deliveries)
            }),
        ) {
            let num_items = |seq: u64| seq % 7 + 1;
            let ledger = MemoryLedger::default();
            let marks = block_on(async {
                for page in 0..num_pages(num_messages) {
                    ledger.open_page(page).await.unwrap();
                }
                for seq in deliveries.iter().filter(|seq| **seq < num_messages) {
                    ledger.mark(*seq, num_items(*seq)).await.unwrap();
                }
                ledger.read(num_messages).await.unwrap()
            });
            let items = (0..num_messages).map(num_items).sum();
            let verdict = verdict(&marks, &done(num_messages, items), &[], Duration::ZERO);
            let unwritten: Vec<u64> = (0..num_messages).filter(|seq| !deliveries.contains(seq)).collect();
            if unwritten.is_empty() {
                prop_assert_eq!(verdict, Verdict::Written);
            } else {
                let first = &unwritten[..unwritten.len().min(MAX_NAMED)];
                let missing = missing(unwritten.len() as u64, first, num_messages);
                prop_assert_eq!(verdict, Verdict::Waiting(missing));
            }
        }
    }
}
