//! The static helper that runs inside the engine, next to the layers.
//!
//! The engine starts it as root with its own directory as `/` and the image
//! mounted somewhere below. [`report`] holds the types that travel back; the
//! rest is what runs there, and is left out without the feature `helper`.

pub mod report;

#[cfg(feature = "helper")]
pub mod args;
#[cfg(feature = "helper")]
pub mod capability;
#[cfg(feature = "helper")]
pub mod digest;
#[cfg(feature = "helper")]
pub mod error;
#[cfg(feature = "helper")]
pub mod inspect;
#[cfg(feature = "helper")]
pub mod overlay;
#[cfg(feature = "helper")]
pub mod strip;
#[cfg(feature = "helper")]
pub mod walk;
