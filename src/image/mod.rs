//! Images that exist: in an engine's store, in a registry, in archives and layouts.
//!
//! Layers are looked through while they pass, several at a time where they come separately, and
//! each once: what was found in one is kept by its digest. Nothing larger than one file that matters
//! is held. `source` says which image is meant, `read` fetches it; `blobs` and `manifest` find its
//! layers, `unpack`, `tar` and `layer` read one of them, `composed` puts them together.

mod archive;
mod blobs;
mod blocks;
mod bytes;
mod cache;
mod composed;
mod config;
mod digester;
mod error;
mod layer;
mod layers;
mod layout;
mod leaks;
mod looking;
mod manifest;
mod members;
mod packed;
mod read;
mod remote;
mod saved;
mod source;
mod spool;
mod tar;
mod unpack;

pub use composed::{Found, Image};
pub use config::Made;
pub use error::ImageError;
pub use leaks::Searched;
pub use manifest::Wanted;
pub use read::read;
pub use source::Source;

/// Where Docker lists the images of an archive.
const MANIFEST: &str = "manifest.json";
/// Where an OCI layout does.
const INDEX: &str = "index.json";

#[cfg(test)]
mod tests;
