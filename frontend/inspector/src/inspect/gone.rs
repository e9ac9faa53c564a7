//! What a layer took away: a walk over it meets only what is there.
//!
//! A state holds no whiteouts, so whoever keeps facts about names of lower layers asks for them.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, openat, statat};
use rustix::io::Errno;

use super::examine::LayerRoot;
use crate::error::Failure;

impl LayerRoot<'_> {
    /// Which of these paths stand below the layer and not in it any more.
    ///
    /// Paths are those of earlier layers, absolute or relative to the root; sorted ones are found
    /// fastest. No link is followed: what lies behind one lies elsewhere. A name that is something
    /// else now is not gone; the walk has met it. A layer alone takes nothing away.
    pub fn gone<P: AsRef<[u8]>>(
        &self,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Vec<P>, Failure> {
        let Some(below) = self.below else { return Ok(Vec::new()) };
        let (mut here, mut there) = (Names::of(self.root), Names::of(below.root()));
        let mut gone = Vec::new();
        for path in paths {
            let name = path.as_ref();
            // Most are here, so that few are asked for twice. What is not below either was on the
            // other side of a merge.
            if !here.has(name)? && there.has(name)? {
                gone.push(path);
            }
        }
        Ok(gone)
    }
}

/// Looks names up below one root; the last directory stays open for the next name.
struct Names<'r> {
    root: BorrowedFd<'r>,
    directory: Vec<u8>,
    /// `None` when there is no such directory.
    open: Option<OwnedFd>,
}

impl<'r> Names<'r> {
    fn of(root: BorrowedFd<'r>) -> Self {
        Self { root, directory: Vec::new(), open: None }
    }

    /// Whether something of that name is there.
    fn has(&mut self, path: &[u8]) -> Result<bool, Failure> {
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let slash = path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
        let (directory, name) = path.split_at_checked(slash).unwrap_or((b"", path));
        let found = self.enter(directory).and_then(|()| {
            let name = CString::new(name).map_err(|_| Errno::NOENT)?;
            match &self.open {
                Some(fd) => statat(fd, &name, AtFlags::SYMLINK_NOFOLLOW),
                None if directory.is_empty() => statat(self.root, &name, AtFlags::SYMLINK_NOFOLLOW),
                None => Err(Errno::NOENT),
            }
        });
        match found {
            Ok(_) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(false),
            Err(cause) => Err(Failure::at("look for", path, cause)),
        }
    }

    /// Opens a directory name by name, so that neither its length nor a link matters.
    fn enter(&mut self, directory: &[u8]) -> Result<(), Errno> {
        if directory == self.directory {
            return Ok(());
        }
        self.directory = directory.to_vec();
        self.open = None;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut open: Option<OwnedFd> = None;
        for name in directory.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
            let name = CString::new(name).map_err(|_| Errno::NOENT)?;
            let parent = open.as_ref().map_or(self.root, AsFd::as_fd);
            open = Some(openat(parent, &name, flags, Mode::empty())?);
        }
        self.open = open;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::super::compare::Below;
    use super::*;
    use crate::walk::open_root;

    fn gone<'p>(here: &Path, there: &Path, paths: &[&'p str]) -> Vec<&'p str> {
        let root = open_root(here).unwrap();
        let below = Below::open(there, root.as_fd()).unwrap();
        let layer = LayerRoot { number: 1, root: root.as_fd(), below: Some(&below) };
        layer.gone(paths.iter().copied()).unwrap()
    }

    #[test]
    fn names_that_stand_below_alone_are_gone() {
        let dir = tempfile::tempdir().unwrap();
        let (here, there) = (dir.path().join("here"), dir.path().join("there"));
        for path in ["a/kept", "a/removed", "b/c/d", "e/f", "top", "g"] {
            let path = there.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        fs::create_dir_all(here.join("a")).unwrap();
        fs::write(here.join("a/kept"), "").unwrap();
        // What a link leads to is not the same place, in the image or outside of it.
        fs::create_dir_all(here.join("elsewhere/c")).unwrap();
        fs::write(here.join("elsewhere/c/d"), "").unwrap();
        symlink("elsewhere", here.join("b")).unwrap();
        symlink(there.join("e"), here.join("e")).unwrap();
        symlink("nowhere", here.join("g")).unwrap();

        let paths = ["a/kept", "a/never", "a/removed", "b/c/d", "e/f", "g", "never/x", "top"];
        assert_eq!(gone(&here, &there, &paths), ["a/removed", "b/c/d", "e/f", "top"]);
        assert_eq!(gone(&here, &there, &["/a/kept", "/top", ""]), ["/top"]);
        assert!(gone(&there, &there, &paths).is_empty());
    }

    #[test]
    fn a_layer_alone_takes_nothing_away() {
        let dir = tempfile::tempdir().unwrap();
        let root = open_root(dir.path()).unwrap();
        let layer = LayerRoot { number: 0, root: root.as_fd(), below: None };
        assert!(layer.gone(["x"]).unwrap().is_empty());
    }
}
