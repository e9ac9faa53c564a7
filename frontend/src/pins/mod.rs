//! Pins: image references, the lock file, and writing digests, checksums and commits into a
//! Dockerfile.

pub mod adds;
pub mod digest;
pub mod lock;
pub mod pin;
pub mod reference;
mod render;
mod rewrite;
mod timestamp;

pub use adds::{Fixes, Obstacle, RemoteAdd, RemoteSource, pin_adds, remote_adds};
pub use digest::{Digest, DigestError};
pub use lock::{
    Elsewhere, Entry, GitPlace, ImageSource, Joined, Lock, LockChange, LockError, LockedGit,
    LockedHttp, LockedImage,
};
pub use pin::{
    InPlace, Left, PinError, Pinned, Replacement, images, pin, pin_converted, pin_in_place,
};
pub use reference::{Reference, ReferenceError};
pub use timestamp::Timestamp;
