//! The first pass: find every name that carries privileges, change nothing.

use std::convert::Infallible;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::fs::{FileType, fgetxattr, fstat};
use rustix::io::Errno;

use super::entry::{Found, PRIVILEGE_BITS};
use crate::capability::ATTRIBUTE;
use crate::error::Failure;
use crate::report::encode_path;
use crate::walk::{Descend, Dir, Visitor, open_file};

/// What one thread saw.
#[derive(Default)]
pub(super) struct Finder {
    /// Names of regular files.
    pub(super) files: u64,
    /// Directories.
    pub(super) dirs: u64,
    /// Directories with the set-gid bit.
    pub(super) setgid_dirs: u64,
    /// Names with privileges, in no order.
    pub(super) found: Vec<Found>,
}

impl Visitor for Finder {
    type Work = Infallible;

    fn directory(&mut self, _: &Dir<'_>, mode: u32) -> Result<Descend, Failure> {
        self.dirs += 1;
        self.setgid_dirs += u64::from(mode & 0o2000 != 0);
        Ok(Descend::Into)
    }

    // Links, devices, pipes and sockets carry no privileges that an exec would honour.
    fn file(&mut self, dir: &Dir<'_>, name: &CStr) -> Result<Option<Infallible>, Failure> {
        self.files += 1;
        let fail = |action, cause| Failure::at(action, &dir.node.path_of(name), cause);
        // The descriptor serves all three questions: one look-up per name.
        let file = open_file(dir.fd, name).map_err(|cause| fail("open", cause))?;
        let stat = fstat(&file).map_err(|cause| fail("examine", cause))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Failure::Changed { path: encode_path(&dir.node.path_of(name)) });
        }
        let mode = stat.st_mode & 0o7777;
        let capability = read_capability(file.as_fd())
            .map_err(|cause| fail("read the capabilities of", cause))?;
        if mode & PRIVILEGE_BITS != 0 || capability.is_some() {
            self.found.push(Found {
                node: Arc::clone(dir.node),
                name: name.into(),
                mode,
                identity: (stat.st_dev, stat.st_ino),
                links: stat.st_nlink,
                capability,
            });
        }
        Ok(None)
    }

    fn work(&mut self, work: Infallible) -> Result<(), Failure> {
        match work {}
    }
}

/// The attribute `security.capability`, if the file has one.
pub(super) fn read_capability(file: BorrowedFd<'_>) -> Result<Option<Box<[u8]>>, Errno> {
    // The kernel's largest version has 24 bytes.
    let mut buffer = [0_u8; 64];
    match fgetxattr(file, ATTRIBUTE, &mut buffer) {
        Ok(length) => Ok(Some(buffer.get(..length).unwrap_or_default().into())),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        // There is one, but too long, malformed, or of a user namespace that
        // does not exist here: it is shown empty and removed all the same.
        Err(Errno::RANGE | Errno::INVAL | Errno::OVERFLOW) => Ok(Some(Box::default())),
        Err(cause) => Err(cause),
    }
}
