//! Calls on open directories: nothing here follows a link, and every name is a single one.

use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;

/// A name for system calls; one with a NUL or a slash is refused.
pub(super) fn name(bytes: &[u8]) -> Result<&OsStr, Errno> {
    if bytes.is_empty() || bytes.iter().any(|byte| matches!(byte, 0 | b'/')) {
        return Err(Errno::INVAL);
    }
    Ok(OsStr::from_bytes(bytes))
}

/// Opens a directory in a directory.
pub(super) fn open_dir(parent: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// What an entry is; `None` when it is not there.
pub(super) fn look(parent: BorrowedFd<'_>, name: &OsStr) -> Result<Option<Stat>, Errno> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an entry is a directory.
pub(super) fn is_dir(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// The names in a directory, sorted, without `.` and `..`.
pub(super) fn list(dir: BorrowedFd<'_>) -> Result<Vec<CString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// A name from a listing.
pub(super) fn listed(name: &CString) -> &OsStr {
    OsStr::from_bytes(name.to_bytes())
}

/// Modification time in nanoseconds, as access time too, like every BuildKit client.
pub(super) fn times(mtime: i64) -> Timestamps {
    const SECOND: i64 = 1_000_000_000;
    let time =
        Timespec { tv_sec: mtime.div_euclid(SECOND), tv_nsec: mtime.rem_euclid(SECOND) as _ };
    Timestamps { last_access: time, last_modification: time }
}

/// Both times of an entry as it is.
pub(super) fn times_of(stat: &Stat) -> Timestamps {
    let time = Timespec { tv_sec: stat.st_mtime as _, tv_nsec: stat.st_mtime_nsec as _ };
    Timestamps { last_access: time, last_modification: time }
}

/// The owner may do everything with a directory of ours, which may lack the rights for it.
pub(super) fn unlock(parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    // chmod follows links, an open path does not change under it.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    chmod_path(dir.as_fd(), 0o700)
}

/// Changes the mode of what a path handle stands for.
pub(super) fn chmod_path(handle: BorrowedFd<'_>, mode: u32) -> Result<(), Errno> {
    let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
    rustix::fs::chmodat(CWD, path.as_str(), Mode::from_raw_mode(mode), AtFlags::empty())
}

/// Removes an entry with everything in it.
pub(super) fn remove(parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error),
    }
    let dir = match open_dir(parent, name) {
        Err(Errno::ACCESS) => {
            unlock(parent, name)?;
            open_dir(parent, name)?
        }
        // No directory, and still not to be removed.
        Err(Errno::NOTDIR | Errno::LOOP) => return Err(Errno::PERM),
        opened => opened?,
    };
    // It goes away; whether its mode could be changed shows with its entries.
    let _ = rustix::fs::fchmod(&dir, Mode::RWXU);
    for entry in list(dir.as_fd())? {
        remove(dir.as_fd(), listed(&entry))?;
    }
    rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
}
