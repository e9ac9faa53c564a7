//! The directories of a received tree by number, opened again when they are needed.

use std::collections::VecDeque;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{Mode, XattrFlags};
use rustix::io::Errno;

use super::at;
use super::wire::Xattr;

/// Open directories that are kept.
const KEPT: usize = 32;

/// What a directory gets when all of it is there.
#[derive(Debug)]
struct Directory {
    parent: u32,
    name: Box<[u8]>,
    mode: u32,
    mtime: i64,
    xattrs: Vec<Xattr>,
}

/// The directories; number 0 is the root, which keeps its own mode and times.
#[derive(Debug)]
pub(super) struct Dirs {
    root: Arc<OwnedFd>,
    made: Vec<Directory>,
    kept: VecDeque<(u32, Arc<OwnedFd>)>,
}

impl Dirs {
    /// Begins with a root.
    pub(super) fn new(root: BorrowedFd<'_>) -> Result<Self, Errno> {
        let root = Arc::new(rustix::io::fcntl_dupfd_cloexec(root, 0)?);
        Ok(Self { root, made: Vec::new(), kept: VecDeque::with_capacity(KEPT) })
    }

    /// Makes a directory and returns its number.
    pub(super) fn make(
        &mut self,
        parent: u32,
        name: &[u8],
        (mode, mtime, xattrs): (u32, i64, Vec<Xattr>),
    ) -> Result<u32, Errno> {
        let above = self.open(parent)?;
        rustix::fs::mkdirat(&above, at::name(name)?, Mode::RWXU)?;
        self.made.push(Directory { parent, name: name.into(), mode, mtime, xattrs });
        u32::try_from(self.made.len()).map_err(|_| Errno::OVERFLOW)
    }

    /// Opens a directory by its number.
    pub(super) fn open(&mut self, index: u32) -> Result<Arc<OwnedFd>, Errno> {
        // The way up to one that is open, then down again.
        let mut way = Vec::new();
        let mut at = index;
        let mut dir = loop {
            if at == 0 {
                break Arc::clone(&self.root);
            }
            if let Some((_, dir)) = self.kept.iter().find(|(kept, _)| *kept == at) {
                break Arc::clone(dir);
            }
            way.push(at);
            at = self.get(at)?.parent;
        };
        while let Some(next) = way.pop() {
            let opened = at::open_dir(dir.as_fd(), at::name(&self.get(next)?.name)?)?;
            dir = Arc::new(opened);
            if self.kept.len() == KEPT {
                self.kept.pop_front();
            }
            self.kept.push_back((next, Arc::clone(&dir)));
        }
        Ok(dir)
    }

    fn get(&self, index: u32) -> Result<&Directory, Errno> {
        let at = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
        at.and_then(|at| self.made.get(at)).ok_or(Errno::INVAL)
    }

    /// Gives every directory its mode and times, the innermost first.
    pub(super) fn finish(mut self) -> Result<(), Errno> {
        self.kept.clear();
        for index in (1..=u32::try_from(self.made.len()).map_err(|_| Errno::OVERFLOW)?).rev() {
            let dir = self.open(index)?;
            // Its turn is over: a mode without rights would bar the way when it is opened again.
            self.kept.retain(|(kept, _)| *kept != index);
            let directory = self.get(index)?;
            set_xattrs(dir.as_fd(), &directory.xattrs);
            rustix::fs::fchmod(&dir, Mode::from_raw_mode(directory.mode))?;
            rustix::fs::futimens(&dir, &at::times(directory.mtime))?;
        }
        Ok(())
    }
}

/// Sets what the file system takes, as every BuildKit client does.
///
/// Labels and privileges are not taken from an engine: `security.*` and `trusted.*` are this
/// machine's own, and writing or changing an owner clears file capabilities anyway.
pub(super) fn set_xattrs(file: BorrowedFd<'_>, xattrs: &[Xattr]) {
    for Xattr { name, value } in xattrs {
        let Ok(text) = std::str::from_utf8(name) else { continue };
        if text.starts_with("security.") || text.starts_with("trusted.") {
            continue;
        }
        if let Err(error) = rustix::fs::fsetxattr(file, text, value, XattrFlags::empty()) {
            tracing::debug!(%error, name = text, "an attribute is not set");
        }
    }
}
