//! What the tests of several formats share.

pub(crate) mod message;
pub(crate) mod recording;
