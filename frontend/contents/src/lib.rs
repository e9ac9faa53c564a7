//! What stands out in the layers of an image, and what speaks against it.
//!
//! Everything here is a function of names and bytes: the helper inside the engine calls it on a
//! mounted image, the command line on the members of layer archives. A [`Gather`] sees each entry of
//! a layer once, reads the few files that matter, and makes [`Contents`], which depend on the layer
//! alone. [`judge`] looks at the contents of all layers and at the configuration of their image.
//!
//! ```
//! use cofferdam_contents::{Config, Entry, FileKind, Gather, Options, judge};
//!
//! let mut layer = Gather::new();
//! let mut passwd: &[u8] = b"root:x:0:0::/root:/bin/sh\n";
//! let entry = Entry {
//!     path: b"etc/passwd",
//!     kind: FileKind::File,
//!     mode: 0o644,
//!     uid: 0,
//!     gid: 0,
//!     size: passwd.len() as u64,
//!     capability: false,
//!     target: None,
//! };
//! layer.entry(&entry);
//! assert!(layer.wants(&entry));
//! layer.content(&entry, &mut passwd)?;
//!
//! let config = Config { user: "app".into(), ..Config::default() };
//! let found = judge(&[layer.finish()], 0, &config, &Options::default());
//! assert_eq!(found[0].rule, "unknown-user");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Memory is bounded whatever a layer holds: of each kind of thing so many are kept, the rest is
//! counted. No input panics.

mod accounts;
mod caches;
mod config;
mod contents;
mod entry;
mod finding;
mod gather;
mod hidden;
mod kept;
mod lists;
mod rules;
mod text;
mod view;

pub use config::Config;
pub use contents::{Contents, Sums};
pub use entry::{Entry, FileKind};
pub use finding::{Finding, Options};
pub use gather::Gather;
pub use hidden::Known;
pub use rules::{RULES, judge};
pub use text::encode_path;
