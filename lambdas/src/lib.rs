//! Prospector on AWS: seven functions, each an event, a stage of the engine, and a result.
//!
//! ```text
//! Lambda ──event──▶ serve: parse, log, count, watch the clock ──▶ function ──▶ stage of the engine
//!        ◀─result── or a failure by its fixed name ◀──────────────────┘
//! ```
//!
//! What a stage does is the engine's; what runs when, and what is tried again, is the state machine's, which
//! knows failures by their [`Name`]s. [`serve()`] is what the functions share: clients are made once for an
//! environment, each invocation has a span in the logs and one line of counts, and its stage is stopped before
//! Lambda would kill it.

mod failure;
mod functions;
mod invocation;
mod logs;
mod metrics;
mod serve;
mod settings;

pub use failure::{Failure, Name};
pub use functions::*;
pub use invocation::Invocation;
pub use serve::{Function, serve};
pub use settings::Settings;
