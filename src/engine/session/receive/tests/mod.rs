//! Whole transfers from an engine's side of the connection.

mod engine;
mod files;
mod hostile;
mod trees;
