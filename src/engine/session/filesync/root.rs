//! Opening things below a directory without ever leaving it.

use std::{
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::{
    fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2},
    io::Errno,
};

/// A directory all lookups stay in: no component of a path below it may be a symbolic link.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    fd: OwnedFd,
    /// Cleared when the kernel (before 5.6) or a seccomp filter has no `openat2`.
    openat2: AtomicBool,
}

impl Root {
    /// Opens the root itself, following links in its own path, as the user named it.
    ///
    /// # Errors
    /// The path is no directory or cannot be opened.
    pub(super) fn open(path: &Path) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = openat(CWD, path, flags, Mode::empty())?;
        Ok(Self { path: path.to_owned(), fd, openat2: AtomicBool::new(true) })
    }

    /// The path it was opened by.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a directory below the root; an empty path is the root.
    pub(super) fn open_dir(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        let path = if path.is_empty() { b".".as_slice() } else { path };
        self.open_beneath(path, OFlags::RDONLY | OFlags::DIRECTORY)
    }

    /// Opens a file below the root for reading; never blocks on a fifo that took its place.
    pub(super) fn open_file(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        self.open_beneath(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)
    }

    fn open_beneath(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if self.openat2.load(Ordering::Relaxed) {
            let resolve =
                ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            loop {
                match openat2(&self.fd, path, flags, Mode::empty(), resolve) {
                    // A rename elsewhere can interrupt the kernel's own check.
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(Errno::NOSYS | Errno::PERM | Errno::NAMETOOLONG) => break,
                    other => return other,
                }
            }
            if openat2(&self.fd, ".", OFlags::PATH, Mode::empty(), resolve).is_err() {
                self.openat2.store(false, Ordering::Relaxed);
            }
        }
        self.open_by_component(path, flags)
    }

    /// The same one component at a time; also for paths longer than the kernel takes.
    fn open_by_component(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut current: Option<OwnedFd> = None;
        let mut parts = path.split(|&byte| byte == b'/').peekable();
        while let Some(part) = parts.next() {
            if part == b".." {
                return Err(Errno::XDEV);
            }
            let flags = if parts.peek().is_some() { step } else { flags };
            let base = current.as_ref().unwrap_or(&self.fd);
            current = Some(openat(base, part, flags, Mode::empty())?);
        }
        current.ok_or(Errno::NOENT)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_never_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("root/sub")).unwrap();
        std::fs::write(dir.path().join("secret"), "s").unwrap();
        std::fs::write(dir.path().join("root/sub/file"), "f").unwrap();
        symlink("..", dir.path().join("root/up")).unwrap();
        symlink("sub", dir.path().join("root/link")).unwrap();
        symlink("sub/file", dir.path().join("root/filelink")).unwrap();
        let root = Root::open(&dir.path().join("root")).unwrap();
        for beneath in [true, false] {
            root.openat2.store(beneath, Ordering::Relaxed);
            assert!(root.open_file(b"sub/file").is_ok());
            assert!(root.open_dir(b"sub").is_ok());
            assert!(root.open_dir(b"").is_ok());
            for outside in ["up/secret", "../secret", "link/file", "filelink", "/etc/passwd"] {
                if outside.starts_with('/') && !beneath {
                    continue;
                }
                assert!(root.open_file(outside.as_bytes()).is_err(), "{outside} {beneath}");
            }
        }
    }
}
