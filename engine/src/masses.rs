//! Masses: what is known of how heavy bodies are, one best figure a body.
//!
//! A list of estimates has several masses for a body, from different years and methods. They are read
//! ([`parse_estimates`]), averaged into one mass with its uncertainty ([`MassList::from_estimates`]), and
//! looked up by whatever a catalogue calls the body ([`MassList::find`]). A list of masses ships with
//! the program ([`builtin()`]). Where another list comes from is left to the callers.

mod best;
mod builtin;
mod estimates;
mod list;

pub use best::{Average, BodyMass};
pub use builtin::builtin;
pub use estimates::{Estimate, Estimates, Identity, MAX_MASS_KG, parse_estimates};
pub use list::{MassError, MassList};
