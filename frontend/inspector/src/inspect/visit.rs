//! The walk over one layer: what is new in it goes to the examiners.

use std::collections::HashSet;
use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, FileType, fstat, readlinkat, statat};

use super::attributes::{self, Attribute};
use super::compare::{is_unchanged, same};
use super::content::Content;
use super::examine::{At, Examine, LayerRoot, Name, Want};
use crate::error::Failure;
use crate::report::encode_path;
use crate::report::inspection::LayerSum;
use crate::walk::{Descend, Dir, Visitor, open_file};

/// Inodes with several names whose bytes were read; each layer has its own.
pub(super) type Seen = Mutex<HashSet<u64>>;

/// One thread's part of the walk.
pub(super) struct Visit<'a> {
    layer: LayerRoot<'a>,
    /// The directory below that belongs to the one that is being listed.
    directory: Option<OwnedFd>,
    seen: &'a Seen,
    examiners: Vec<Box<dyn Examine + 'a>>,
    attributes: bool,
    /// What it saw.
    pub(super) sum: LayerSum,
}

/// A file whose bytes are to be read.
pub(super) struct Unread {
    at: At,
    file: OwnedFd,
    /// Whether its bytes have not been read under another name.
    first: bool,
}

impl<'a> Visit<'a> {
    pub(super) fn new(
        layer: LayerRoot<'a>,
        seen: &'a Seen,
        examiners: Vec<Box<dyn Examine + 'a>>,
    ) -> Self {
        let attributes = examiners.iter().any(|examiner| examiner.wants_attributes());
        let sum = LayerSum::default();
        Self { layer, directory: None, seen, examiners, attributes, sum }
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
        Ok(At::new(self.layer.number, Arc::clone(dir.node), name.into(), stat))
    }

    fn name(&mut self, at: &At, kind: FileType, target: Option<&[u8]>, attributes: &[Attribute]) {
        self.sum.names += 1;
        let name = Name { at, kind, target, attributes };
        self.examiners.iter_mut().for_each(|examiner| examiner.name(&name));
    }

    /// The most that any examiner wants of a file.
    fn wanted(&self, at: &At) -> Want {
        let mut most = Want::Nothing;
        for examiner in &self.examiners {
            match examiner.wants(at) {
                Want::EachName => return Want::EachName,
                Want::Bytes => most = Want::Bytes,
                Want::Nothing => {}
            }
        }
        most
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
        self.directory = match self.layer.below {
            Some(below) => below.directory(dir.node)?,
            None => None,
        };
        if let (Some(below), Some(there)) = (self.layer.below, &self.directory) {
            let there = fstat(there).map_err(fail)?;
            if !dir.node.is_root() && below.has_none_of(&stat, &there) {
                return Ok(Descend::Past);
            }
            if same(&stat, &there) {
                return Ok(Descend::Into);
            }
        }
        let attributes = match self.attributes {
            true => attributes::of_open(dir.fd).map_err(fail)?,
            false => Vec::new(),
        };
        let at = At::new(self.layer.number, Arc::clone(dir.node), Box::default(), stat);
        self.name(&at, FileType::Directory, None, &attributes);
        Ok(Descend::Into)
    }

    fn file(&mut self, dir: &Dir<'_>, name: &CStr) -> Result<Option<Unread>, Failure> {
        let at = self.at(dir, name)?;
        if self.is_old(&at)? {
            return Ok(None);
        }
        let wanted = self.wanted(&at);
        if wanted == Want::Nothing && !self.attributes {
            self.name(&at, FileType::RegularFile, None, &[]);
            return Ok(None);
        }
        let fail = |action, cause| Failure::at(action, &dir.node.path_of(name), cause);
        let file = open_file(dir.fd, name).map_err(|cause| fail("open", cause))?;
        let opened = fstat(&file).map_err(|cause| fail("examine", cause))?;
        if !same(&at.stat, &opened) {
            return Err(Failure::Changed { path: encode_path(&dir.node.path_of(name)) });
        }
        let attributes = match self.attributes {
            true => attributes::of_open(file.as_fd())
                .map_err(|cause| fail("read the attributes of", cause))?,
            false => Vec::new(),
        };
        self.name(&at, FileType::RegularFile, None, &attributes);
        let first = wanted != Want::Nothing && at.stat.st_size > 0 && self.is_first(&at);
        Ok((first || wanted == Want::EachName).then_some(Unread { at, file, first }))
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
        let attributes = match self.attributes {
            true => attributes::of_name(dir.fd, name)
                .map_err(|cause| fail("read the attributes of", cause))?,
            false => Vec::new(),
        };
        self.name(&at, kind, target.as_deref(), &attributes);
        Ok(())
    }

    fn work(&mut self, Unread { at, file, first }: Unread) -> Result<(), Failure> {
        let mut content = Content::new(file, &at.stat);
        if first {
            self.sum.files += 1;
            self.sum.bytes += content.size();
        }
        for examiner in &mut self.examiners {
            match examiner.wants(&at) {
                Want::EachName => {}
                Want::Bytes if first => {}
                Want::Bytes | Want::Nothing => continue,
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
