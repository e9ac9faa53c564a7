//! `cofferdam check` as people and CI call it: the real program, no engine, no network.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "check/bench.rs"]
mod bench;
#[path = "check/files.rs"]
mod files;
#[path = "check/fixes.rs"]
mod fixes;
#[path = "check/formats.rs"]
mod formats;
#[path = "check/hostile.rs"]
mod hostile;
#[path = "check/json_schema.rs"]
mod json_schema;
#[path = "check/levels.rs"]
mod levels;
#[path = "check/sbom.rs"]
mod sbom;
#[path = "check/schema.rs"]
mod schema;
#[path = "check/xml.rs"]
mod xml;
