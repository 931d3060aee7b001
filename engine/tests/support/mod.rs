//! What several integration tests share. A `mod.rs`, because cargo would build
//! `tests/support.rs` as a test of its own.

pub(crate) mod reference;
