//! The walk over one layer: what is new in it goes to the examiners.

use std::collections::HashSet;
use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, FileType, fstat, readlinkat, statat};

use super::attributes::{self, Attribute};
use super::compare::{Below, is_unchanged, same};
use super::content::Content;
use super::examine::{At, Examine, Name};
use crate::error::Failure;
use crate::report::encode_path;
use crate::report::inspection::LayerSum;
use crate::walk::{Descend, Dir, Visitor, open_file};

/// Inodes with several names whose bytes were read; each layer has its own.
pub(super) type Seen = Mutex<HashSet<u64>>;

/// One thread's part of the walk.
pub(super) struct Visit<'a> {
    layer: usize,
    below: Option<&'a Below>,
    /// The directory below that belongs to the one that is being listed.
    directory: Option<OwnedFd>,
    seen: &'a Seen,
    examiners: Vec<Box<dyn Examine + 'a>>,
    /// What it saw.
    pub(super) sum: LayerSum,
}

/// A file whose bytes are to be read.
pub(super) struct Unread {
    at: At,
    file: OwnedFd,
}

impl<'a> Visit<'a> {
    pub(super) fn new(
        layer: usize,
        below: Option<&'a Below>,
        seen: &'a Seen,
        examiners: Vec<Box<dyn Examine + 'a>>,
    ) -> Self {
        Self { layer, below, directory: None, seen, examiners, sum: LayerSum::default() }
    }

    /// Whether the layer has a name from below, as it is there.
    fn is_old(&self, at: &At) -> Result<bool, Failure> {
        let Some(below) = &self.directory else { return Ok(false) };
        is_unchanged(below.as_fd(), &at.name, &at.stat)
            .map_err(|cause| Failure::at("examine below", &at.node.path_of(&at.name), cause))
    }

    fn at(&self, dir: &Dir<'_>, name: &CStr) -> Result<At, Failure> {
        let stat = statat(dir.fd, name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|cause| Failure::at("examine", &dir.node.path_of(name), cause))?;
        Ok(At { layer: self.layer, node: Arc::clone(dir.node), name: name.into(), stat })
    }

    fn name(&mut self, at: &At, kind: FileType, target: Option<&[u8]>, attributes: &[Attribute]) {
        self.sum.names += 1;
        let name = Name { at, kind, target, attributes };
        self.examiners.iter_mut().for_each(|examiner| examiner.name(&name));
    }

    /// Whether the bytes of this file come here for the first time.
    fn is_first(&self, at: &At) -> bool {
        // Most files have one name, and need no place in the list.
        at.stat.st_nlink < 2
            || self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(at.stat.st_ino)
    }
}

impl Visitor for Visit<'_> {
    type Work = Unread;

    fn directory(&mut self, dir: &Dir<'_>, _: u32) -> Result<Descend, Failure> {
        let fail = |cause| Failure::at("examine", &dir.node.path(), cause);
        let stat = fstat(dir.fd).map_err(fail)?;
        self.directory = match self.below {
            Some(below) => below.directory(dir.node)?,
            None => None,
        };
        if let (Some(below), Some(there)) = (self.below, &self.directory) {
            let there = fstat(there).map_err(fail)?;
            if !dir.node.is_root() && below.has_none_of(&stat, &there) {
                return Ok(Descend::Past);
            }
            if same(&stat, &there) {
                return Ok(Descend::Into);
            }
        }
        let attributes = attributes::of_open(dir.fd).map_err(fail)?;
        let node = Arc::clone(dir.node);
        let at = At { layer: self.layer, node, name: Box::default(), stat };
        self.name(&at, FileType::Directory, None, &attributes);
        Ok(Descend::Into)
    }

    fn file(&mut self, dir: &Dir<'_>, name: &CStr) -> Result<Option<Unread>, Failure> {
        let at = self.at(dir, name)?;
        if self.is_old(&at)? {
            return Ok(None);
        }
        let fail = |action, cause| Failure::at(action, &dir.node.path_of(name), cause);
        let file = open_file(dir.fd, name).map_err(|cause| fail("open", cause))?;
        let opened = fstat(&file).map_err(|cause| fail("examine", cause))?;
        if !same(&at.stat, &opened) {
            return Err(Failure::Changed { path: encode_path(&dir.node.path_of(name)) });
        }
        let attributes = attributes::of_open(file.as_fd())
            .map_err(|cause| fail("read the attributes of", cause))?;
        self.name(&at, FileType::RegularFile, None, &attributes);
        let wanted = at.stat.st_size > 0 && self.examiners.iter().any(|one| one.wants(&at));
        Ok((wanted && self.is_first(&at)).then_some(Unread { at, file }))
    }

    fn other(&mut self, dir: &Dir<'_>, name: &CStr, kind: FileType) -> Result<(), Failure> {
        let at = self.at(dir, name)?;
        if self.is_old(&at)? {
            return Ok(());
        }
        let fail = |action, cause| Failure::at(action, &dir.node.path_of(name), cause);
        let target = match kind {
            FileType::Symlink => {
                let target = readlinkat(dir.fd, name, Vec::new());
                Some(target.map_err(|cause| fail("read the link", cause))?.into_bytes())
            }
            _ => None,
        };
        // Devices, pipes and sockets are never opened.
        let attributes = attributes::of_name(dir.fd, name)
            .map_err(|cause| fail("read the attributes of", cause))?;
        self.name(&at, kind, target.as_deref(), &attributes);
        Ok(())
    }

    fn work(&mut self, Unread { at, file }: Unread) -> Result<(), Failure> {
        let mut content = Content::new(file, &at.stat);
        self.sum.files += 1;
        self.sum.bytes += content.size();
        for examiner in &mut self.examiners {
            if !examiner.wants(&at) {
                continue;
            }
            examiner.content(&at, &mut content).map_err(|cause| Failure::Unreadable {
                path: encode_path(&at.node.path_of(&at.name)),
                cause,
            })?;
            content.rewind();
        }
        Ok(())
    }
}
