//! The commands, one a file: what was asked for in, text for people or JSON out.

pub(crate) mod delta_v;
pub(crate) mod explain;
pub(crate) mod generate;
pub(crate) mod inputs;
pub(crate) mod inspect;
pub(crate) mod record;
pub(crate) mod run;
pub(crate) mod search;
pub(crate) mod show;
pub(crate) mod top;
pub(crate) mod value;
