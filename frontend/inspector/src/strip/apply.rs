//! The second and third pass: change each name, then look at each anew.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{FileType, Mode, fchmod, fremovexattr, fstat};
use rustix::io::Errno;

use super::entry::{Found, PRIVILEGE_BITS, Verdict};
use super::find::read_capability;
use crate::capability::ATTRIBUTE;
use crate::error::Failure;
use crate::report::encode_path;
use crate::walk::{Node, is_mount_point, open_file};

type Item<'a> = (&'a Vec<u8>, &'a Found, &'a Verdict);

/// Removes from each name what is to go, in the given order.
///
/// Every name is changed by itself: on an overlay the first change gives a hard
/// link a file of its own, and the other names keep their bits.
pub(super) fn change<'a>(
    root: BorrowedFd<'_>,
    items: impl Iterator<Item = Item<'a>>,
) -> Result<(), Failure> {
    let mut parent = Parent::new(root);
    for (path, found, verdict) in items {
        if verdict.bits == 0 && !verdict.capability {
            continue;
        }
        let fail = |action, cause| Failure::at(action, path, cause);
        let file = parent.open(found).map_err(|cause| fail("open", cause))?;
        let stat = fstat(&file).map_err(|cause| fail("examine", cause))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Failure::Changed { path: encode_path(path) });
        }
        // A file that is mounted here belongs to somebody else.
        if let Ok((true, _)) = is_mount_point(file.as_fd()) {
            return Err(Failure::MountInside { path: encode_path(path) });
        }
        let mode = stat.st_mode & 0o7777;
        if mode & verdict.bits != 0 {
            let mode = Mode::from_raw_mode(mode & !verdict.bits);
            fchmod(&file, mode)
                .map_err(|cause| fail("remove the set-uid or set-gid bit of", cause))?;
        }
        if verdict.capability {
            match fremovexattr(&file, ATTRIBUTE) {
                // Where hard links stay one file, another name took it along.
                Ok(()) | Err(Errno::NODATA) => {}
                Err(cause) => return Err(fail("remove the capabilities of", cause)),
            }
        }
    }
    Ok(())
}

/// Looks at every name again, opened anew: what was to go is gone, the rest is as it was.
pub(super) fn verify<'a>(
    root: BorrowedFd<'_>,
    items: impl Iterator<Item = Item<'a>>,
) -> Result<(), Failure> {
    let mut parent = Parent::new(root);
    for (path, found, verdict) in items {
        let fail = |cause| Failure::at("verify", path, cause);
        let file = parent.open(found).map_err(fail)?;
        let mode = fstat(&file).map_err(fail)?.st_mode & 0o7777;
        let capability = read_capability(file.as_fd()).map_err(fail)?;
        let left = if mode & verdict.bits != 0 {
            Some(if mode & PRIVILEGE_BITS == 0o2000 { "a set-gid bit" } else { "a set-uid bit" })
        } else {
            (verdict.capability && capability.is_some()).then_some("capabilities")
        };
        if let Some(left) = left {
            return Err(Failure::NotStripped { path: encode_path(path), left });
        }
        let capability_as_expected = verdict.capability || capability == found.capability;
        if mode != found.mode & !verdict.bits || !capability_as_expected {
            return Err(Failure::Changed { path: encode_path(path) });
        }
    }
    Ok(())
}

/// The directory of the last name; sorted paths mostly share it with the next.
struct Parent<'r> {
    root: BorrowedFd<'r>,
    last: Option<(Arc<Node>, OwnedFd)>,
}

impl<'r> Parent<'r> {
    fn new(root: BorrowedFd<'r>) -> Self {
        Self { root, last: None }
    }

    fn open(&mut self, found: &Found) -> Result<OwnedFd, Errno> {
        let fd = match self.last.take() {
            Some((node, fd)) if Arc::ptr_eq(&node, &found.node) => fd,
            _ => found.node.open(self.root)?,
        };
        let file = open_file(fd.as_fd(), &found.name);
        self.last = Some((Arc::clone(&found.node), fd));
        file
    }
}
