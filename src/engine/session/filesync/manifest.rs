//! The list of what one transfer announced: answers requests by id, and later the digest.
//!
//! Compact on purpose, since contexts of several hundred thousand files occur: names live in one
//! buffer, paths are rebuilt from parent links, and nothing is allocated per entry.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
};

use super::{
    error::FilesyncError,
    filter::{Entry, Identity},
    stat::{Stat, Xattrs},
};

/// No parent, no content.
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Row {
    parent: u32,
    name: u32,
    name_len: u16,
    /// Has an entry in `extras`.
    extra: bool,
    mode: u32,
    /// Index into `contents` once requested.
    content: u32,
    size: u64,
    /// Fingerprint of identity and modification time.
    stamp: u64,
}

/// What only few entries have.
#[derive(Debug, Default)]
struct Extra {
    linkname: Vec<u8>,
    devmajor: i64,
    devminor: i64,
    xattrs: Xattrs,
}

/// What a reader needs to serve a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Path below the root.
    pub path: Vec<u8>,
    /// Announced size in bytes.
    pub size: u64,
    /// Fingerprint to compare with the opened file's.
    pub stamp: u64,
}

/// One entry as it goes into the digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded<'m> {
    /// Path below the root.
    pub path: Vec<u8>,
    /// Go's `fs.FileMode`.
    pub mode: u32,
    /// Announced size.
    pub size: u64,
    /// Link target, or the first name of a hard-linked file.
    pub linkname: &'m [u8],
    /// Device numbers.
    pub device: (i64, i64),
    /// Extended attributes sorted by name.
    pub xattrs: &'m [(Vec<u8>, Vec<u8>)],
    /// SHA-256 of the bytes sent, if they were.
    pub content: Option<[u8; 32]>,
}

/// Everything one transfer announced, in order.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    names: Vec<u8>,
    rows: Vec<Row>,
    extras: HashMap<u32, Extra>,
    /// SHA-256 of requested files; `None` until completely sent.
    contents: Vec<Option<[u8; 32]>>,
    /// Directories on the way to the last entry: row and length of the path with its slash.
    open_dirs: Vec<(u32, usize)>,
    last_dir: Vec<u8>,
    hasher: RandomState,
    /// Content bytes sent.
    pub bytes: u64,
    /// The engine confirmed the end of the transfer.
    pub finished: bool,
}

impl Manifest {
    /// Fingerprint of a file's identity and modification time, comparable within this manifest.
    pub(super) fn stamp(&self, identity: Identity, mtime: i64) -> u64 {
        self.hasher.hash_one((identity, mtime))
    }

    /// Records the next entry, whose id is its position.
    ///
    /// # Errors
    /// Too many entries.
    pub(super) fn push(&mut self, entry: &Entry) -> Result<(), FilesyncError> {
        let path = entry.stat.path.as_slice();
        while let Some(&(_, len)) = self.open_dirs.last() {
            if self.last_dir.get(..len).is_some_and(|dir| path.starts_with(dir)) {
                break;
            }
            self.open_dirs.pop();
        }
        let (parent, start) = self.open_dirs.last().copied().unwrap_or((NONE, 0));
        let base = path.get(start..).unwrap_or_default();
        let too_many = |_| FilesyncError::TooManyEntries;
        let id = u32::try_from(self.rows.len()).map_err(too_many)?;
        let row = Row {
            parent,
            name: u32::try_from(self.names.len()).map_err(too_many)?,
            name_len: u16::try_from(base.len()).map_err(too_many)?,
            extra: has_extra(&entry.stat),
            mode: entry.stat.mode,
            content: NONE,
            size: entry.stat.size,
            stamp: self.stamp(entry.identity, entry.stat.mtime),
        };
        if id == NONE {
            return Err(FilesyncError::TooManyEntries);
        }
        self.names.extend_from_slice(base);
        if row.extra {
            self.extras.insert(id, Extra::of(&entry.stat));
        }
        self.rows.push(row);
        if entry.stat.is_dir() {
            self.last_dir.clear();
            self.last_dir.extend_from_slice(path);
            self.last_dir.push(b'/');
            self.open_dirs.push((id, path.len() + 1));
        }
        Ok(())
    }

    /// Accepts a request once; `None` if the id is unknown, already asked for, or has no content.
    pub(super) fn request(&mut self, id: u32) -> Option<Wanted> {
        let slot = u32::try_from(self.contents.len()).ok()?;
        let row = self.rows.get_mut(usize::try_from(id).ok()?)?;
        if row.content != NONE || row.mode & super::stat::mode::TYPE != 0 {
            return None;
        }
        row.content = slot;
        let (size, stamp) = (row.size, row.stamp);
        self.contents.push(None);
        Some(Wanted { path: self.path(id), size, stamp })
    }

    /// Notes that a file was sent completely.
    pub(super) fn sent(&mut self, id: u32, sha256: [u8; 32]) {
        let slot = usize::try_from(id)
            .ok()
            .and_then(|id| self.rows.get(id))
            .and_then(|row| usize::try_from(row.content).ok())
            .and_then(|content| self.contents.get_mut(content));
        if let Some(slot) = slot {
            *slot = Some(sha256);
        }
    }

    /// Gives back what only a running transfer needs.
    pub(super) fn close(&mut self) {
        self.open_dirs = Vec::new();
        self.last_dir = Vec::new();
        self.names.shrink_to_fit();
        self.rows.shrink_to_fit();
        self.contents.shrink_to_fit();
    }

    /// The entry at a position of the listing.
    pub(super) fn recorded(&self, position: usize) -> Option<Recorded<'_>> {
        let row = self.rows.get(position)?;
        let id = u32::try_from(position).ok()?;
        let extra = if row.extra { self.extras.get(&id) } else { None };
        Some(Recorded {
            path: self.path(id),
            mode: row.mode,
            size: row.size,
            linkname: extra.map(|extra| extra.linkname.as_slice()).unwrap_or_default(),
            device: extra.map(|extra| (extra.devmajor, extra.devminor)).unwrap_or_default(),
            xattrs: extra.map(|extra| extra.xattrs.as_slice()).unwrap_or_default(),
            content: usize::try_from(row.content)
                .ok()
                .and_then(|content| self.contents.get(content).copied().flatten()),
        })
    }

    /// The first file whose sent bytes have one of these SHA-256 digests.
    pub(super) fn find(&self, digests: &[[u8; 32]]) -> Option<Vec<u8>> {
        let content = self
            .contents
            .iter()
            .position(|sent| sent.as_ref().is_some_and(|sent| digests.contains(sent)))?;
        let content = u32::try_from(content).ok()?;
        let row = self.rows.iter().position(|row| row.content == content)?;
        Some(self.path(u32::try_from(row).ok()?))
    }

    fn path(&self, id: u32) -> Vec<u8> {
        let mut chain = Vec::with_capacity(16);
        let mut next = id;
        while let Some(row) = usize::try_from(next).ok().and_then(|next| self.rows.get(next)) {
            chain.push(row);
            next = row.parent;
        }
        let mut path =
            Vec::with_capacity(chain.iter().map(|row| usize::from(row.name_len) + 1).sum());
        for row in chain.into_iter().rev() {
            if !path.is_empty() {
                path.push(b'/');
            }
            let start = usize::try_from(row.name).unwrap_or(usize::MAX);
            let end = start.saturating_add(usize::from(row.name_len));
            path.extend_from_slice(self.names.get(start..end).unwrap_or_default());
        }
        path
    }
}

fn has_extra(stat: &Stat) -> bool {
    !stat.linkname.is_empty() || stat.devmajor != 0 || stat.devminor != 0 || !stat.xattrs.is_empty()
}

impl Extra {
    fn of(stat: &Stat) -> Self {
        Self {
            linkname: stat.linkname.clone(),
            devmajor: stat.devmajor,
            devminor: stat.devminor,
            xattrs: stat.xattrs.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, mode: u32, size: u64) -> Entry {
        let stat = Stat { path: path.into(), mode, size, ..Stat::default() };
        Entry { stat, ..Entry::default() }
    }

    #[test]
    fn ids_lead_back_to_paths_and_are_served_once() {
        let mut manifest = Manifest::default();
        let dir = super::super::stat::mode::DIR;
        for (path, mode) in
            [("a", dir), ("a/b", dir), ("a/b/c", 0), ("a-b", 0), ("d", dir), ("d/e", 0)]
        {
            manifest.push(&entry(path, mode, 3)).unwrap();
        }
        for (id, path) in ["a", "a/b", "a/b/c", "a-b", "d", "d/e"].into_iter().enumerate() {
            assert_eq!(manifest.recorded(id).unwrap().path, path.as_bytes());
        }
        assert_eq!(manifest.request(2).unwrap().path, b"a/b/c");
        assert_eq!(manifest.request(2), None, "twice");
        assert_eq!(manifest.request(0), None, "a directory");
        assert_eq!(manifest.request(6), None, "unknown");
        manifest.sent(2, [7; 32]);
        assert_eq!(manifest.recorded(2).unwrap().content, Some([7; 32]));
        assert_eq!(manifest.recorded(3).unwrap().content, None);
    }
}
