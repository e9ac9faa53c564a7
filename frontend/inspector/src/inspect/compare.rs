//! What a layer added or changed, told from the file system below it.
//!
//! Nothing a step can do leaves a file's inode, change time, size and mode as they were and changes
//! its bytes: the change time is the kernel's own. A directory's says nothing about what is below
//! it, except on an overlay, see [`Below::has_none_of`].

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Stat, fstat, statat};
use rustix::io::Errno;

use crate::error::Failure;
use crate::overlay::{self, changed};
use crate::walk::{Node, open_root};

/// The file system that a layer was made on.
#[derive(Debug)]
pub struct Below {
    root: OwnedFd,
    /// When its root changed last.
    changed: (i64, i64),
    /// Whether the layer and it are overlays.
    overlay: bool,
}

impl Below {
    /// Opens it, for the layer whose root is `above`.
    pub fn open(path: &Path, above: BorrowedFd<'_>) -> Result<Self, Failure> {
        let fail = |cause| Failure::at("examine the root", b"/", cause);
        let root = open_root(path)?;
        let changed = changed(&fstat(&root).map_err(fail)?);
        let overlay = overlay::is_one(above).map_err(fail)?;
        Ok(Self { root, changed, overlay })
    }

    /// Its root.
    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// The same directory there; `None` when the layer made it.
    pub fn directory(&self, node: &Node) -> Result<Option<OwnedFd>, Failure> {
        match node.open(self.root.as_fd()) {
            Ok(fd) => Ok(Some(fd)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(cause) => Err(Failure::at("open below", &node.path(), cause)),
        }
    }

    /// Whether the layer has nothing in a directory, which is `here` in it and `there` below it.
    ///
    /// An overlay's layer holds every directory above each of its own files, see [`overlay`]: one
    /// of a single layer is the very directory below, or one that replaces it, which has an inode of
    /// its own. The layer's directories are also made after everything below it was finished: one
    /// that changed last before the root below did cannot be the layer's. Elsewhere nothing is known,
    /// and for the layer's own root neither.
    pub fn has_none_of(&self, here: &Stat, there: &Stat) -> bool {
        let known = |stat: &Stat| (changed(stat), stat.st_mtime, stat.st_mtime_nsec, stat.st_mode);
        let lone = overlay::is_of_one_layer(here) && here.st_ino == there.st_ino;
        self.overlay && known(here) == known(there) && (lone || changed(here) < self.changed)
    }
}

/// Whether a name is in `below` what it is here.
pub fn is_unchanged(below: BorrowedFd<'_>, name: &CStr, here: &Stat) -> Result<bool, Errno> {
    match statat(below, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(there) => Ok(same(here, &there)),
        Err(Errno::NOENT) => Ok(false),
        Err(cause) => Err(cause),
    }
}

/// Whether two looks saw the same file with the same bytes.
pub fn same(here: &Stat, there: &Stat) -> bool {
    let known = |stat: &Stat| (stat.st_ino, changed(stat), stat.st_size, stat.st_mode);
    known(here) == known(there)
}
