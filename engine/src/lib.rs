//! Prospector's engine: everything that moves or computes data. It knows no Lambda event and no screen.

pub mod asterank;
pub mod catalogue;
pub mod compression;
pub mod content;
pub mod delta_v;
pub mod designation;
pub mod generate;
pub mod item;
pub mod masses;
pub mod number;
pub mod reject;
mod rows;
pub mod table;
