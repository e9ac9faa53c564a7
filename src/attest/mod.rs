//! Statements about an image, in the field's formats.
//!
//! Signing will wrap [`provenance::Facts::statement`] in an envelope; the bytes stay the same.

mod bill;
mod predicate;
pub mod provenance;
pub mod searched;

pub use bill::{Bill, Format};
