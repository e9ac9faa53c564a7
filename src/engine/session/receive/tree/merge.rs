//! Moving what was received into a directory that may have contents: what is there under the same
//! name is replaced, directories are merged, and the rest stays unless it is to be deleted.
//!
//! Every name is looked up in an open directory and no link is followed, so links that are already
//! there lead nothing outside.

use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::at;

/// Why and where a merge stopped.
#[derive(Debug)]
pub(super) struct Stuck {
    pub path: Vec<u8>,
    pub error: Errno,
}

/// How a merge treats what it meets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Merge<'a> {
    /// Whether what is not in the result is removed.
    pub delete: bool,
    /// An entry at the top that is ours and stays.
    pub keep: Option<&'a OsStr>,
}

impl Merge<'_> {
    /// Moves the contents of one directory into another.
    pub(super) fn contents(
        self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        path: &mut Vec<u8>,
    ) -> Result<(), Stuck> {
        let stuck = |path: &[u8]| {
            let path = path.to_vec();
            move |error| Stuck { path, error }
        };
        let names = at::list(from).map_err(stuck(path))?;
        for name in &names {
            let length = path.len();
            if length > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(name.to_bytes());
            self.entry(from, to, at::listed(name), path)?;
            path.truncate(length);
        }
        if self.delete {
            self.sweep(to, &names).map_err(stuck(path))?;
        }
        Ok(())
    }

    /// Removes what is not among the sorted names.
    fn sweep(self, dir: BorrowedFd<'_>, names: &[CString]) -> Result<(), Errno> {
        for found in at::list(dir)? {
            let kept = self.keep == Some(at::listed(&found));
            if !kept && names.binary_search(&found).is_err() {
                at::remove(dir, at::listed(&found))?;
            }
        }
        Ok(())
    }

    fn entry(
        self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        name: &OsStr,
        path: &mut Vec<u8>,
    ) -> Result<(), Stuck> {
        let at_path = path.clone();
        let stuck = |error| Stuck { path: at_path.clone(), error };
        let Some(new) = at::look(from, name).map_err(stuck)? else { return Ok(()) };
        let old = at::look(to, name).map_err(stuck)?;
        match (at::is_dir(&new), old.as_ref().map(at::is_dir)) {
            (true, Some(true)) => return self.directory(from, to, name, &new, path),
            // A name cannot change between directory and anything else.
            (true, Some(false)) | (false, Some(true)) => at::remove(to, name).map_err(stuck)?,
            (_, None) | (false, Some(false)) => {}
        }
        match rename(from, to, name, &new) {
            // Something is mounted in the destination.
            Err(Errno::XDEV) if at::is_dir(&new) => {
                rustix::fs::mkdirat(to, name, Mode::RWXU).map_err(stuck)?;
                self.directory(from, to, name, &new, path)
            }
            Err(Errno::XDEV) => copy(from, to, name, &new).map_err(stuck),
            done => done.map_err(stuck),
        }
    }

    /// Merges a directory with the one that is there, which gets its mode and times.
    fn directory(
        self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        name: &OsStr,
        new: &Stat,
        path: &mut Vec<u8>,
    ) -> Result<(), Stuck> {
        let at_path = path.clone();
        let stuck = |error| Stuck { path: at_path.clone(), error };
        let inner = open(from, name).map_err(stuck)?;
        let target = open(to, name).map_err(stuck)?;
        Merge { delete: self.delete, keep: None }.contents(inner.as_fd(), target.as_fd(), path)?;
        copy_xattrs(inner.as_fd(), target.as_fd());
        // As every BuildKit client: the owner of a directory that was there is who builds.
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        let described = rustix::fs::fchown(&target, Some(uid), Some(gid))
            .and_then(|()| rustix::fs::fchmod(&target, Mode::from_raw_mode(new.st_mode & 0o7777)))
            .and_then(|()| rustix::fs::futimens(&target, &at::times_of(new)));
        match described {
            // Somebody else's directory in which this user may write keeps its mode.
            Ok(()) | Err(Errno::PERM) => Ok(()),
            Err(error) => Err(stuck(error)),
        }
    }
}

/// Opens a directory, also one whose mode bars its owner.
fn open(parent: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Errno> {
    match at::open_dir(parent, name) {
        Err(Errno::ACCESS) => {
            at::unlock(parent, name)?;
            at::open_dir(parent, name)
        }
        opened => opened,
    }
}

/// Moves one entry; a directory whose mode bars its owner gets it back afterwards.
fn rename(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &OsStr, new: &Stat) -> Result<(), Errno> {
    if !at::is_dir(new) {
        return rustix::fs::renameat(from, name, to, name);
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = rustix::fs::openat(from, name, flags, Mode::empty())?;
    let barred = new.st_mode & 0o700 != 0o700;
    if barred {
        at::chmod_path(dir.as_fd(), 0o700)?;
    }
    let moved = rustix::fs::renameat(from, name, to, name);
    if barred {
        at::chmod_path(dir.as_fd(), new.st_mode & 0o7777)?;
    }
    moved?;
    // Some file systems take the move for a change.
    rustix::fs::utimensat(to, name, &at::times_of(new), AtFlags::SYMLINK_NOFOLLOW)
}

/// Copies one entry to another file system, under a name of its own until all of it is there.
fn copy(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &OsStr, new: &Stat) -> Result<(), Errno> {
    let hex = crate::random::hex::<8>().map_err(|_| Errno::IO)?;
    let passing = std::ffi::OsString::from(format!(".cofferdam-{hex}"));
    let copied = copy_to(from, to, name, &passing, new)
        .and_then(|()| rustix::fs::renameat(to, &passing, to, name));
    if copied.is_err() {
        let _ = at::remove(to, &passing);
    }
    copied
}

fn copy_to(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &OsStr,
    passing: &OsStr,
    new: &Stat,
) -> Result<(), Errno> {
    let kind = FileType::from_raw_mode(new.st_mode);
    let mode = Mode::from_raw_mode(new.st_mode & 0o7777);
    match kind {
        FileType::RegularFile => {
            let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let source = match rustix::fs::openat(from, name, read, Mode::empty()) {
                Err(Errno::ACCESS) => {
                    rustix::fs::chmodat(from, name, Mode::RUSR, AtFlags::empty())?;
                    rustix::fs::openat(from, name, read, Mode::empty())?
                }
                opened => opened?,
            };
            let write =
                OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let target = rustix::fs::openat(to, passing, write, Mode::RUSR | Mode::WUSR)?;
            let mut source = std::fs::File::from(source);
            let mut target = std::fs::File::from(target);
            std::io::copy(&mut source, &mut target)
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
            copy_xattrs(source.as_fd(), target.as_fd());
            rustix::fs::fchmod(&target, mode)?;
            return rustix::fs::futimens(&target, &at::times_of(new));
        }
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(from, name, Vec::new())?;
            rustix::fs::symlinkat(&target, to, passing)?;
        }
        special => {
            rustix::fs::mknodat(to, passing, special, mode, new.st_rdev)?;
            rustix::fs::chmodat(to, passing, mode, AtFlags::empty())?;
        }
    }
    rustix::fs::utimensat(to, passing, &at::times_of(new), AtFlags::SYMLINK_NOFOLLOW)
}

/// Copies the attributes that were received.
fn copy_xattrs(from: BorrowedFd<'_>, to: BorrowedFd<'_>) {
    let mut names = vec![0u8; 64 * 1024];
    let Ok(length) = rustix::fs::flistxattr(from, &mut names[..]) else { return };
    names.truncate(length);
    for name in names.split(|byte| *byte == 0).filter(|name| name.starts_with(b"user.")) {
        let mut value = vec![0u8; 64 * 1024];
        if let Ok(length) = rustix::fs::fgetxattr(from, name, &mut value[..]) {
            value.truncate(length);
            let _ = rustix::fs::fsetxattr(to, name, &value, rustix::fs::XattrFlags::empty());
        }
    }
}
