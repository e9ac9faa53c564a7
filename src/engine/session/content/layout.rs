//! A directory in the form of an OCI layout, and what can be wrong with it.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::blob::Blob;

/// The file that names the images.
pub(super) const INDEX: &str = "index.json";

/// A layout and the blobs of it that were checked.
#[derive(Debug)]
pub struct Layout {
    directory: PathBuf,
    checked: Mutex<HashMap<String, Arc<Blob>>>,
}

/// Why an image of a layout cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The directory is something else.
    #[error("{} is no OCI layout: it has no {INDEX}", .0.display())]
    NoLayout(PathBuf),
    /// This machine refused something.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the layout is no such document.
    #[error("the OCI layout {} is damaged: {what}: {problem}", layout.display())]
    Malformed {
        /// The layout.
        layout: PathBuf,
        /// Which of its documents.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No image has that tag.
    #[error("the OCI layout {} has no image {tag:?}; {known}", layout.display())]
    NoTag {
        /// The layout.
        layout: PathBuf,
        /// What was looked for.
        tag: String,
        /// A sentence on what there is.
        known: String,
    },
    /// Nothing says which image is meant.
    #[error("the OCI layout {} has several images; {known}", layout.display())]
    Several {
        /// The layout.
        layout: PathBuf,
        /// A sentence on what there is.
        known: String,
    },
    /// The layout names no image.
    #[error("the OCI layout {} has no images", .0.display())]
    Empty(PathBuf),
    /// A digest is written wrongly, or cannot be checked.
    #[error("the OCI layout {} names the digest {digest:?}, which is no sha256", layout.display())]
    Digest {
        /// The layout.
        layout: PathBuf,
        /// The text.
        digest: String,
    },
    /// A blob is not there.
    #[error("the OCI layout {} has no blob {digest}", layout.display())]
    Missing {
        /// The layout.
        layout: PathBuf,
        /// The blob's name.
        digest: String,
    },
    /// A blob is not what its name says.
    #[error("the OCI layout {} is damaged: blob {digest} holds {found}", layout.display())]
    Damaged {
        /// The layout.
        layout: PathBuf,
        /// The blob's name.
        digest: String,
        /// The digest of its content.
        found: String,
    },
    /// A blob is longer or shorter than whoever names it says.
    #[error("the OCI layout {} is damaged: blob {digest} is to have {expected} bytes and has {found}", layout.display())]
    Size {
        /// The layout.
        layout: PathBuf,
        /// The blob's name.
        digest: String,
        /// In bytes.
        expected: u64,
        /// In bytes.
        found: u64,
    },
}

impl Layout {
    /// Opens the layout in a directory; nothing of it is checked yet.
    ///
    /// # Errors
    /// It is no layout.
    pub fn open(directory: &Path) -> Result<Self, LayoutError> {
        if !directory.join(INDEX).is_file() {
            return Err(LayoutError::NoLayout(directory.into()));
        }
        Ok(Self { directory: directory.into(), checked: Mutex::default() })
    }

    /// The directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A blob whose content was compared with its name, once.
    pub(super) fn blob(&self, digest: &str) -> Result<Arc<Blob>, LayoutError> {
        let checked = || self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(blob) = checked().get(digest) {
            return Ok(Arc::clone(blob));
        }
        // Hashing takes a while; two readers of one blob may both do it.
        let blob = Arc::new(Blob::open(&self.directory, digest)?);
        checked().insert(digest.to_string(), Arc::clone(&blob));
        Ok(blob)
    }
}
