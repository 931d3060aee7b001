//! Breadth-first exploration of all states of a system, each with the way to it.

use std::collections::HashMap;
use std::fmt;

use super::system::{Choice, State, System};

/// More states than a bound that is well chosen has.
const MAX_STATES: usize = 3_000_000;

/// What was explored.
pub(crate) struct Explored {
    num_states: usize,
    num_steps: usize,
    longest: usize,
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explored {
            num_states,
            num_steps,
            longest,
        } = self;
        write!(
            f,
            "{num_states} states, {num_steps} steps, at most {longest} from the start"
        )
    }
}

/// What must not be, and how it comes about.
pub(crate) struct Violation {
    pub(crate) message: String,
    choices: Vec<Choice>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.message)?;
        for (number, choice) in (1..).zip(&self.choices) {
            writeln!(f, "{number:4}. {choice:?}")?;
        }
        Ok(())
    }
}

/// A state that was reached: from which, by which choice, and in how many steps.
struct Reached {
    from: usize,
    choice: Option<Choice>,
    depth: usize,
}

/// Visits every state, and checks each of them, and where it leads once nothing goes wrong any more.
pub(crate) fn explore(system: &System) -> Result<Explored, Violation> {
    let start = system.start();
    let mut reached = vec![Reached {
        from: 0,
        choice: None,
        depth: 0,
    }];
    let mut seen: HashMap<State, usize> = HashMap::from([(start.clone(), 0)]);
    let mut level = vec![(start, 0)];
    let mut num_steps = 0;
    let mut longest = 0;
    while !level.is_empty() {
        let mut next_level = Vec::new();
        for (state, at) in level {
            let violation = |message| Violation {
                message,
                choices: way_to(&reached, at),
            };
            system.check(&state).map_err(violation)?;
            system.check_end(state.clone()).map_err(violation)?;
            for choice in system.choices(&state) {
                num_steps += 1;
                let next = system.step(state.clone(), &choice);
                if seen.contains_key(&next) {
                    continue;
                }
                let depth = reached[at].depth + 1;
                longest = longest.max(depth);
                let number = reached.len();
                assert!(
                    number < MAX_STATES,
                    "{system}: more than {MAX_STATES} states"
                );
                reached.push(Reached {
                    from: at,
                    choice: Some(choice),
                    depth,
                });
                seen.insert(next.clone(), number);
                next_level.push((next, number));
            }
        }
        level = next_level;
    }
    Ok(Explored {
        num_states: seen.len(),
        num_steps,
        longest,
    })
}

fn way_to(reached: &[Reached], mut at: usize) -> Vec<Choice> {
    let mut choices = Vec::new();
    while let Some(choice) = &reached[at].choice {
        choices.push(choice.clone());
        at = reached[at].from;
    }
    choices.reverse();
    choices
}
