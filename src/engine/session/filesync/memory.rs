//! Trees that exist only in memory: a rewritten Dockerfile, the helper binary and its stubs.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;

use super::{
    error::{FilesyncError, Stop},
    filter::{Entry, Filter, FilterWalk, Identity, Next},
    stat::{Stat, compare_paths, mode},
};

/// What an entry of an in-memory tree is.
#[derive(Debug, Clone)]
pub enum MemoryKind {
    /// A directory.
    Dir,
    /// A regular file with this content.
    File(Bytes),
}

/// One entry of an in-memory tree.
#[derive(Debug, Clone)]
pub struct MemoryEntry {
    /// Clean, relative, slash-separated path.
    pub path: String,
    /// Type and content.
    pub kind: MemoryKind,
    /// Permission bits, with set-uid and the like as in `st_mode`.
    pub mode: u32,
}

impl MemoryEntry {
    /// A directory with mode 0755.
    pub fn dir(path: impl Into<String>) -> Self {
        Self { path: path.into(), kind: MemoryKind::Dir, mode: 0o755 }
    }

    /// A file; static content is not copied.
    pub fn file(
        path: impl Into<String>,
        mode: u32,
        content: impl Into<Cow<'static, [u8]>>,
    ) -> Self {
        let content = match content.into() {
            Cow::Borrowed(content) => Bytes::from_static(content),
            Cow::Owned(content) => Bytes::from(content),
        };
        Self { path: path.into(), kind: MemoryKind::File(content), mode }
    }
}

/// A validated in-memory tree; every modification time is 1970, so that repeats are identical.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    /// In sending order.
    nodes: Vec<(Stat, Bytes)>,
}

impl MemoryTree {
    /// Builds a tree; missing parent directories get mode 0755.
    ///
    /// # Errors
    /// A path that is absolute, not clean, given twice, or below a file.
    pub fn new(entries: Vec<MemoryEntry>) -> Result<Self, FilesyncError> {
        let mut nodes: BTreeMap<String, (Stat, Bytes)> = BTreeMap::new();
        let bad = |path: &str, reason| FilesyncError::MemoryPath { path: path.to_owned(), reason };
        for MemoryEntry { path, kind, mode: permissions } in entries {
            if path.split('/').any(|part| matches!(part, "" | "." | "..")) || path.contains('\0') {
                return Err(bad(&path, "not a clean relative path"));
            }
            let (st_type, content) = match kind {
                MemoryKind::Dir => (0o040_000, Bytes::new()),
                MemoryKind::File(content) => (0o100_000, content),
            };
            let stat = Stat {
                path: path.clone().into_bytes(),
                mode: super::stat::go_mode(st_type | permissions & 0o7777),
                size: content.len() as u64,
                ..Stat::default()
            };
            if nodes.insert(path.clone(), (stat, content)).is_some() {
                return Err(bad(&path, "given twice"));
            }
        }
        let given: Vec<String> = nodes.keys().cloned().collect();
        for path in given {
            for (at, _) in path.match_indices('/') {
                let parent = path.get(..at).unwrap_or_default().to_owned();
                let stat = Stat {
                    path: parent.clone().into(),
                    mode: mode::DIR | 0o755,
                    ..Stat::default()
                };
                let (stat, _) = nodes.entry(parent).or_insert((stat, Bytes::new()));
                if !stat.is_dir() {
                    return Err(bad(&path, "below a file"));
                }
            }
        }
        let mut nodes: Vec<_> = nodes.into_values().collect();
        nodes.sort_by(|(a, _), (b, _)| compare_paths(&a.path, &b.path));
        Ok(Self { nodes })
    }

    /// Content of a file.
    pub(super) fn content(&self, path: &[u8]) -> Option<Bytes> {
        let at = self.nodes.binary_search_by(|(stat, _)| compare_paths(&stat.path, path)).ok()?;
        self.nodes.get(at).map(|(_, content)| content.clone())
    }

    pub(super) fn walk(
        &self,
        filter: &Filter,
        emit: &mut dyn FnMut(Entry) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut walk = FilterWalk::new(filter);
        let mut pruned: Option<&[u8]> = None;
        for (stat, _) in &self.nodes {
            if let Some(dir) = pruned
                && stat.path.strip_prefix(dir).is_some_and(|rest| rest.starts_with(b"/"))
            {
                continue;
            }
            let look = || {
                Ok(Some(Entry { stat: stat.clone(), identity: Identity::default(), linked: false }))
            };
            let next = walk.visit(&stat.path, stat.is_dir(), look, emit)?;
            pruned = (next == Next::Prune).then_some(stat.path.as_slice());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_added_and_paths_checked() {
        let tree = MemoryTree::new(vec![
            MemoryEntry::file("etc/hosts", 0o644, b"".as_slice()),
            MemoryEntry::dir("etc-x"),
            MemoryEntry::file("helper", 0o755, vec![1]),
        ])
        .unwrap();
        let paths: Vec<_> = tree.nodes.iter().map(|(stat, _)| stat.path.as_slice()).collect();
        assert_eq!(paths, [b"etc".as_slice(), b"etc/hosts", b"etc-x", b"helper"]);
        assert_eq!(tree.content(b"helper").unwrap(), [1].as_slice());
        for bad in ["", "/a", "a//b", "a/../b", "./a", "a/"] {
            assert!(MemoryTree::new(vec![MemoryEntry::dir(bad)]).is_err(), "{bad:?}");
        }
        let twice = vec![MemoryEntry::dir("a"), MemoryEntry::dir("a")];
        assert!(MemoryTree::new(twice).is_err());
        let below = vec![MemoryEntry::file("a", 0o644, vec![]), MemoryEntry::dir("a/b")];
        assert!(MemoryTree::new(below).is_err());
    }
}
