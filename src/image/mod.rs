//! Images that exist: archives as `docker save` writes them, read once from the front to the back.
//!
//! Layers are looked through while they pass; nothing larger than one file that matters is kept.

mod archive;
mod composed;
mod config;
mod layer;
mod source;
mod spool;

pub use archive::{ImageError, Saved};
pub use composed::{Found, Image};
pub use source::Source;
