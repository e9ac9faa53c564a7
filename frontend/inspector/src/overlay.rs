//! What an overlay tells of its directories.
//!
//! Whatever changes a file in a directory of a lower layer makes a directory of the same name in the
//! upper one first, with an inode of its own; the two are shown as one that is merged.

use std::os::fd::AsFd;

use rustix::fs::{Stat, fstatfs};
use rustix::io::Errno;

/// `OVERLAYFS_SUPER_MAGIC`, from the kernel's include/uapi/linux/magic.h.
const MAGIC: i64 = 0x794c_7630;

/// Whether something lies on an overlay.
pub fn is_one(file: impl AsFd) -> Result<bool, Errno> {
    Ok(fstatfs(file)?.f_type == MAGIC)
}

/// Whether a directory of an overlay is one of a single layer, and not merged of several: all below
/// it is of that layer, too. A merged one has one link only (fs/overlayfs/inode.c, `ovl_getattr`).
/// Some file systems count no links of directories; on those none is known to be of one layer.
pub fn is_of_one_layer(directory: &Stat) -> bool {
    directory.st_nlink > 1
}

/// When a file changed last, by the kernel's own clock: nobody can choose it.
pub fn changed(stat: &Stat) -> (i64, i64) {
    (stat.st_ctime, i64::try_from(stat.st_ctime_nsec).unwrap_or(i64::MAX))
}
