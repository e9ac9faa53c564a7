//! Which packages an image holds, and which of its layers brought them.
//!
//! Everything here is a function of bytes: the helper inside the engine calls it on the files of a
//! mounted image, the command line on the members of layer archives. [`by_name`] and [`wants`]
//! choose the few files that matter, [`read`] turns one of them into a [`Reading`], and
//! [`Inventory::of`] merges the readings of one file system. [`Layer`] and [`View`] do the same
//! layer by layer, so that [`attribute`] can tell where each package came from. [`sbom`] writes it
//! all down.
//!
//! ```
//! use cofferdam_inventory::{Layer, attribute, read, states, wants};
//!
//! let file = |layer: &mut Layer, path: &[u8], mut bytes: &[u8]| {
//!     match wants(path, bytes.len() as u64, 0o644, bytes) {
//!         Some(kind) => layer.read(path, read(kind, path, &mut bytes)),
//!         None => layer.cover(path),
//!     }
//! };
//! let (mut base, mut step) = (Layer::default(), Layer::default());
//! file(&mut base, b"lib/apk/db/installed", b"P:musl\nV:1\n\n");
//! file(&mut step, b"lib/apk/db/installed", b"P:curl\nV:8\n\nP:musl\nV:1\n\n");
//! file(&mut step, b"README", b"...");
//!
//! let states = states([&base, &step]);
//! let names: Vec<_> = states[1].packages.iter().map(ToString::to_string).collect();
//! assert_eq!(names, ["curl 8", "musl 1"]);
//! assert_eq!(attribute(&states), [1, 0]);
//! ```
//!
//! No input panics, hangs or takes more memory than the limits say: what cannot be read is an
//! [`Unread`] that names the file and the reason, never an inventory that is silently shorter.

mod apk;
mod auditable;
mod claims;
mod copyright;
mod deb;
mod dotnet;
mod elf;
mod gem;
mod go;
mod inventory;
mod jar;
mod json;
mod kind;
mod layers;
mod npm;
mod numbers;
mod os_release;
mod package;
mod programs;
mod purl;
mod python;
mod reading;
mod rpm;
pub mod sbom;
mod source;
mod text;
mod zip;

pub use inventory::{Inventory, Unread};
pub use kind::{HEAD, Interest, Kind, by_name, wants};
pub use layers::{Layer, View, attribute, states};
pub use os_release::Distro;
pub use package::{Ecosystem, Package, Upstream};
pub use reading::{Reading, Reason, read, read_pair};
pub use source::{Seeking, Source};
