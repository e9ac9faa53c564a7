//! How the progress of a build is shown: what was asked for, and the formats.

pub mod colors;
pub mod settings;
