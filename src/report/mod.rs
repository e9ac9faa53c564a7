//! Everything people read: progress, excerpts, verdicts, refusals, errors.
//!
//! The modules here only turn plain data into bytes; who owns the terminal is
//! decided by the caller, who passes the writer.

mod display;
pub mod duration;
pub mod error;
pub mod excerpt;
pub mod failure;
pub mod filter;
pub mod finding;
pub mod findings;
pub mod inspection;
pub mod ledger;
pub mod log;
pub mod packages;
pub mod plain;
pub mod printer;
pub mod progress;
pub mod quiet;
pub mod refusal;
pub(crate) mod screen;
pub mod size;
pub mod snippet;
pub mod style;
pub mod text;
pub mod verdict;
pub mod warnings;
