//! Prospector's engine: everything that moves or computes data. It knows no Lambda event and no screen.

pub mod delta_v;
pub mod generate;
pub mod masses;
pub mod reject;
