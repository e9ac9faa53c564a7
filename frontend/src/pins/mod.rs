//! Pins: image references, the lock file, and writing digests into a Dockerfile.

pub mod digest;
pub mod lock;
pub mod pin;
pub mod reference;
mod render;
mod timestamp;

pub use digest::{Digest, DigestError};
pub use lock::{ImageSource, Lock, LockChange, LockError, LockedImage};
pub use pin::{PinError, Pinned, Replacement, images, pin, pin_converted};
pub use reference::{Reference, ReferenceError};
pub use timestamp::Timestamp;
