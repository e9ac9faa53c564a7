//! A directory beside or in the destination in which a tree is received.
//!
//! It is on the destination's file system, so everything gets to its place by renaming.

use std::ffi::OsString;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};

use super::super::ReceiveError;
use super::super::destination::existing_ancestor;
use super::at;

/// The directory; dropping it removes it with everything in it.
#[derive(Debug)]
pub(in crate::engine::session::receive) struct Staging {
    /// Where it is: the destination, or its nearest ancestor that is there.
    base: OwnedFd,
    /// Whether that is the destination.
    pub(super) inside: bool,
    /// The directory itself.
    root: OwnedFd,
    name: OsString,
    /// For messages.
    pub(super) path: PathBuf,
}

impl Staging {
    /// Makes one for a destination.
    pub(super) fn new(destination: &Path) -> Result<Self, ReceiveError> {
        let inside = std::fs::metadata(destination).is_ok();
        let place = if inside { destination.to_path_buf() } else { existing_ancestor(destination) };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // Links in what the user typed are the user's.
        let base = rustix::fs::openat(CWD, &place, flags, Mode::empty())
            .map_err(ReceiveError::io("open the directory", &place))?;
        let hex = crate::random::hex::<8>().map_err(ReceiveError::io("write in", &place))?;
        let name = OsString::from(format!(".cofferdam-{hex}"));
        rustix::fs::mkdirat(&base, &name, Mode::RWXU)
            .map_err(ReceiveError::io("write in", &place))?;
        let opened = at::open_dir(base.as_fd(), &name).and_then(|root| {
            // A directory with the set-gid bit would hand its group down.
            let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
            let _ = rustix::fs::fchown(&root, Some(uid), Some(gid));
            rustix::fs::fchmod(&root, Mode::RWXU)?;
            Ok(root)
        });
        match opened {
            Ok(root) => Ok(Self { base, inside, root, name, path: destination.to_path_buf() }),
            Err(error) => {
                let _ = at::remove(base.as_fd(), &name);
                Err(ReceiveError::io("write in", &place)(error))
            }
        }
    }

    /// The directory.
    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Where it is.
    pub(super) fn base(&self) -> BorrowedFd<'_> {
        self.base.as_fd()
    }

    /// Its name there.
    pub(super) fn name(&self) -> &std::ffi::OsStr {
        &self.name
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(error) = at::remove(self.base.as_fd(), &self.name) {
            tracing::debug!(%error, path = %self.path.display(), "cannot remove what was received");
        }
    }
}
