//! Cofferdam stands where `docker build` stood and makes the image trustworthy.
//!
//! This crate touches the world: command line, engine, files, terminal. What it decides, it asks
//! of `cofferdam_frontend`. `pipeline` tells the whole story of a build.

pub mod attest;
pub mod builders;
pub mod check;
pub mod cli;
pub mod config;
pub mod docker_config;
pub mod engine;
pub mod error;
pub mod helper;
pub mod hygiene;
pub mod image;
mod inputs;
pub mod inspect;
pub mod lock;
pub mod lsp;
pub mod pipeline;
pub mod plugin;
mod random;
pub mod record;
pub mod registry;
pub mod report;
pub mod request;
pub mod vcs;
