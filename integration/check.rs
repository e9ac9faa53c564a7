//! `cofferdam check` as people and CI call it: the real program, no engine, no network.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "check/bench.rs"]
mod bench;
#[path = "check/files.rs"]
mod files;
#[path = "check/fixes.rs"]
mod fixes;
#[path = "check/formats.rs"]
mod formats;
#[path = "check/levels.rs"]
mod levels;
