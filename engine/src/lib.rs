//! Prospector's engine: everything that moves or computes data. It knows no Lambda event and no screen.

pub mod asterank;
#[cfg(feature = "aws")]
pub mod aws;
pub mod batch;
#[doc(hidden)]
pub mod bench_support;
pub mod body;
pub mod catalogue;
pub mod compression;
pub mod content;
pub mod control;
mod cpu;
#[doc(hidden)]
pub mod crash;
pub mod delta_v;
pub mod designation;
pub mod exoplanets;
pub mod frames;
#[doc(hidden)]
pub mod fuzz_support;
pub mod generate;
mod index;
pub mod inputs;
pub mod inspect;
pub mod item;
pub mod job;
pub mod ledger;
pub mod masses;
mod memory;
pub mod message;
pub mod messages;
pub mod nhats;
pub mod notice;
pub mod number;
pub mod observer;
pub mod pen;
pub mod pipeline;
pub mod queue;
pub mod reject;
mod replace;
pub mod report;
mod rows;
pub mod runs;
pub mod sink;
pub mod sources;
pub mod stages;
pub mod store;
pub mod table;
pub mod tasks;
pub mod upstream;
