//! What the seven functions share.
