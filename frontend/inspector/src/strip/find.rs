//! The first pass: find every name that carries privileges, change nothing.

use std::collections::HashMap;
use std::convert::Infallible;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::fs::{FileType, fgetxattr, fstat};
use rustix::io::Errno;

use super::entry::{Found, PRIVILEGE_BITS};
use crate::capability::ATTRIBUTE;
use crate::error::Failure;
use crate::overlay::{changed, is_of_one_layer};
use crate::report::encode_path;
use crate::report::plain::Plain;
use crate::walk::{Descend, Dir, Visitor, open_file};

/// What one thread saw.
pub(super) struct Finder<'p> {
    /// Names of regular files.
    pub(super) files: u64,
    /// Directories.
    pub(super) dirs: u64,
    /// Directories with the set-gid bit.
    pub(super) setgid_dirs: u64,
    /// Names with privileges, in no order.
    pub(super) found: Vec<Found>,
    /// Directories that hold nothing of it, by inode.
    pub(super) plain: &'p HashMap<u64, Plain>,
}

impl<'p> Finder<'p> {
    /// One that does not enter these directories.
    pub(super) fn new(plain: &'p HashMap<u64, Plain>) -> Self {
        Self { files: 0, dirs: 0, setgid_dirs: 0, found: Vec::new(), plain }
    }

    /// What is known of a directory that need not be entered.
    fn known(&self, dir: &Dir<'_>) -> Result<Option<Plain>, Errno> {
        if self.plain.is_empty() {
            return Ok(None);
        }
        let stat = fstat(dir.fd)?;
        let plain = self.plain.get(&stat.st_ino).filter(|plain| {
            let (seconds, nanoseconds) = plain.changed;
            is_of_one_layer(&stat) && changed(&stat) == (seconds, nanoseconds.into())
        });
        Ok(plain.copied())
    }
}

impl Visitor for Finder<'_> {
    type Work = Infallible;

    fn directory(&mut self, dir: &Dir<'_>, mode: u32) -> Result<Descend, Failure> {
        let known =
            self.known(dir).map_err(|cause| Failure::at("examine", &dir.node.path(), cause))?;
        if let Some(Plain { files, dirs, setgid_dirs, .. }) = known {
            self.files += u64::from(files);
            self.dirs += u64::from(dirs);
            self.setgid_dirs += u64::from(setgid_dirs);
            return Ok(Descend::Past);
        }
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
