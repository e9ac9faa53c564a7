//! What can go wrong on this side of a transfer.

use std::path::PathBuf;

use rustix::io::Errno;
use thiserror::Error;

use super::patternmatcher::PatternError;

/// How a file changed between its announcement and the end of sending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Change {
    /// Since it was listed, the file was modified, or its name leads to something else.
    #[error("it was replaced or modified")]
    Replaced,
    /// Fewer or more bytes than announced.
    #[error("its size changed from {announced} to {found} bytes")]
    Size {
        /// Bytes the announcement promised.
        announced: u64,
        /// Bytes seen when it was noticed; a lower bound while the file grows.
        found: u64,
    },
    /// It was modified while it was being read.
    #[error("it was modified while it was read")]
    Modified,
}

/// A local failure of a transfer, with the exact path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilesyncError {
    /// The operating system refused something.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// The path it was tried on.
        path: PathBuf,
        /// The operating system's reason.
        source: Errno,
    },
    /// A file was listed and gone when the engine asked for it.
    #[error("{} disappeared while the build context was being sent", path.display())]
    Vanished {
        /// The file.
        path: PathBuf,
    },
    /// A file changed after it was listed.
    #[error("{} changed while the build context was being sent: {change}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What changed.
        change: Change,
    },
    /// A list of patterns in the engine's request is malformed.
    #[error("invalid {kind}: {source}")]
    Patterns {
        /// Which list, such as `exclude patterns`.
        kind: &'static str,
        /// What is wrong with it.
        source: PatternError,
    },
    /// An entry of an in-memory tree has an unusable path.
    #[error("invalid path {path:?} in an in-memory tree: {reason}")]
    MemoryPath {
        /// The path as given.
        path: String,
        /// Why it is unusable.
        reason: &'static str,
    },
    /// More than 2³² − 1 entries or 4 GiB of names.
    #[error("the build context has too many entries")]
    TooManyEntries,
}

/// Why a walk ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// A failure on this side.
    Failed(FilesyncError),
    /// The other side is gone, or another part of the transfer failed.
    Cancelled,
}

impl From<FilesyncError> for Stop {
    fn from(error: FilesyncError) -> Self {
        Self::Failed(error)
    }
}
