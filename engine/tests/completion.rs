//! The completion protocol, in every interleaving up to a bound: senders, writers, whoever asks whether a run is
//! written, and the state machine, with messages delivered twice and out of order, processes that die between any
//! two operations, operations that fail or whose answer is lost, runs that come late and two runs at once.
//!
//! What is explored is the engine's own code: [`engine::messages::send_all`], [`engine::stages::write_message`],
//! [`engine::stages::answer_done`] and the verdict, and what create-table does before a run and after it, one operation of a
//! port at a time.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "clippy does not see that this serves tests only"
)]

#[path = "completion/explore.rs"]
mod explore;
#[path = "completion/system.rs"]
mod system;
#[path = "completion/world.rs"]
mod world;

use explore::explore;
use system::{Faults, System};
use world::Protocol;

/// Explores, and prints what was explored.
#[track_caller]
fn holds(name: &str, system: System) {
    match explore(&system) {
        Ok(explored) => println!("{name}: {explored}; {system}"),
        Err(violation) => panic!("{name}: {violation}"),
    }
}

/// Explores a protocol that is broken on purpose; the violation that is found.
#[track_caller]
fn breaks(system: System) -> String {
    match explore(&system) {
        Ok(explored) => panic!("nothing was found wrong in {explored}; {system}"),
        Err(violation) => {
            println!("{violation}");
            violation.message
        }
    }
}

fn one_run(num_messages: u64, faults: Faults) -> System {
    System {
        protocol: Protocol::AsItIs,
        num_messages: vec![num_messages],
        at_once: false,
        num_handlers: 2,
        max_receives: 3,
        faults,
    }
}

#[test]
fn success_is_announced_once_and_only_when_all_is_written() {
    holds(
        "crashes",
        one_run(
            2,
            Faults {
                crashes: 2,
                ..Faults::default()
            },
        ),
    );
    holds(
        "duplicates",
        one_run(
            2,
            Faults {
                duplicates: 2,
                ..Faults::default()
            },
        ),
    );
    holds(
        "failures",
        one_run(
            2,
            Faults {
                failures: 2,
                ..Faults::default()
            },
        ),
    );
    holds(
        "one of each",
        one_run(
            2,
            Faults {
                crashes: 1,
                duplicates: 1,
                failures: 1,
                ..Faults::default()
            },
        ),
    );
    holds(
        "no message",
        one_run(
            0,
            Faults {
                crashes: 1,
                duplicates: 1,
                failures: 1,
                ..Faults::default()
            },
        ),
    );
}

#[test]
fn three_messages_are_no_different_from_two() {
    let faults = Faults {
        crashes: 1,
        duplicates: 1,
        ..Faults::default()
    };
    holds("three messages", one_run(3, faults));
}

#[test]
fn a_run_that_ends_without_success_says_so_and_leaves_nothing() {
    holds(
        "late",
        one_run(
            2,
            Faults {
                deadlines: 1,
                duplicates: 1,
                ..Faults::default()
            },
        ),
    );
    holds(
        "given up",
        one_run(
            2,
            Faults {
                timeouts: 1,
                duplicates: 1,
                crashes: 1,
                ..Faults::default()
            },
        ),
    );
    let dying = System {
        max_receives: 1,
        ..one_run(
            2,
            Faults {
                crashes: 2,
                ..Faults::default()
            },
        )
    };
    holds("dead letters", dying);
}

#[test]
fn runs_do_not_touch_each_other() {
    let faults = Faults {
        duplicates: 1,
        crashes: 1,
        ..Faults::default()
    };
    let one_after_another = System {
        num_messages: vec![1, 1],
        ..one_run(0, faults.clone())
    };
    holds("one run after another", one_after_another.clone());
    let at_once = System {
        at_once: true,
        ..one_after_another
    };
    holds("two runs at once", at_once.clone());
    // The state machine gives a run up whose last step goes on nevertheless.
    let faults = Faults {
        timeouts: 1,
        ..Faults::default()
    };
    holds("given up and at once", System { faults, ..at_once });
}

#[test]
fn a_run_that_is_stopped_is_tidied_up_by_the_next() {
    let faults = Faults {
        stops: 1,
        ..Faults::default()
    };
    let stopped = System {
        num_messages: vec![1, 1],
        ..one_run(0, faults.clone())
    };
    holds("stopped", stopped.clone());
    let faults = Faults {
        crashes: 1,
        failures: 1,
        ..faults
    };
    let num_messages = vec![0, 0];
    holds(
        "stopped, and more goes wrong",
        System {
            faults,
            num_messages,
            ..stopped
        },
    );
}

#[test]
fn a_pointer_that_is_moved_without_the_lock_is_found_out() {
    let faults = Faults {
        timeouts: 1,
        ..Faults::default()
    };
    let broken = System {
        protocol: Protocol::PointerWithoutLock,
        num_messages: vec![1, 1],
        at_once: true,
        ..one_run(0, faults)
    };
    assert!(breaks(broken).contains("is written"));
}

#[test]
fn marking_before_writing_is_found_out() {
    let faults = Faults {
        crashes: 1,
        ..Faults::default()
    };
    let broken = System {
        protocol: Protocol::MarkedBeforeWriting,
        ..one_run(1, faults)
    };
    assert!(breaks(broken).contains("is written"));
}

#[test]
fn a_counter_in_place_of_a_set_is_found_out() {
    let faults = Faults {
        duplicates: 1,
        ..Faults::default()
    };
    let broken = System {
        protocol: Protocol::CounterForSet,
        ..one_run(2, faults)
    };
    assert!(breaks(broken).contains("is written"));
}

#[test]
fn messages_without_their_run_are_found_out() {
    let faults = Faults {
        duplicates: 1,
        ..Faults::default()
    };
    let broken = System {
        protocol: Protocol::NoRunId,
        num_messages: vec![1, 1],
        ..one_run(0, faults)
    };
    assert!(breaks(broken).contains("is written"));
}
