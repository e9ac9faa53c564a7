//! What a trustworthy build is, decided without touching the world.
//!
//! Text goes in as bytes, the engine is spoken to through [`bridge::Bridge`] only, and every
//! decision comes out as a value. The same [`build()`] serves the command line and, later, an
//! image that `# syntax=` names.

pub mod bridge;
pub mod build;
pub mod call;
pub mod day;
pub mod dockerfile;
pub mod graph;
pub mod image_config;
pub mod pins;
pub mod policy;
pub mod remote;
pub mod shell;
pub mod source_policy;

pub use build::{Hardened, HardenedPlatform, Plan, build};
