//! Sending local directories to the engine: the `moby.filesync.v1.FileSync` service of the session.
//!
//! The protocol is fsutil's: the engine calls `DiffCopy` with a directory's name and patterns in the
//! metadata; this side lists the tree in sorted STAT packets, ends the list with an empty one, answers
//! requests for content with DATA packets, and echoes FIN. Everything that is sent is hashed on its
//! way, so that the report can say exactly what the engine was given.

use std::{
    collections::HashMap,
    ffi::OsString,
    os::unix::ffi::OsStringExt as _,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

mod body;
mod disk;
mod error;
mod filter;
mod follow;
mod manifest;
mod memory;
mod metadata;
mod names;
pub mod patternmatcher;
mod pool;
mod reader;
mod report;
mod root;
mod service;
mod session;
mod stat;
#[cfg(test)]
mod tests;
mod wire;

pub use error::{Change, FilesyncError};
pub use memory::{MemoryEntry, MemoryKind, MemoryTree};
pub use report::TransferReport;

use error::Stop;
use filter::{Entry, Filter};
use follow::{NoLinks, dedupe, follow_links};
use manifest::Manifest;
use metadata::Request;
use root::Root;

/// A tree that can be sent.
#[derive(Debug, Clone)]
pub enum Tree {
    /// A directory on disk; links in the path itself are followed.
    Dir(PathBuf),
    /// Entries held in memory.
    Memory(MemoryTree),
}

/// An opened tree.
#[derive(Debug)]
enum Source {
    Disk(Root),
    Memory(MemoryTree),
}

impl Source {
    fn open(tree: &Tree) -> Result<Self, FilesyncError> {
        match tree {
            Tree::Memory(tree) => Ok(Self::Memory(tree.clone())),
            Tree::Dir(path) => Root::open(path).map(Self::Disk).map_err(|source| {
                FilesyncError::Io { action: "open the directory", path: path.clone(), source }
            }),
        }
    }

    fn walk(
        &self,
        filter: &Filter,
        emit: &mut dyn FnMut(Entry) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        match self {
            Self::Disk(root) => disk::walk(root, filter, emit),
            Self::Memory(tree) => tree.walk(filter, emit),
        }
    }

    /// Compiles a request's patterns, with followed links resolved into include patterns.
    fn filter(&self, request: &Request) -> Result<Filter, FilesyncError> {
        let mut include = request.include.clone().unwrap_or_default();
        if let Some(paths) = &request.follow {
            let targets = match self {
                Self::Disk(root) => follow_links(root, paths)?,
                Self::Memory(_) => follow_links(&NoLinks, paths)?,
            };
            if let Some(targets) = targets {
                include.extend(targets);
                include = dedupe(include).unwrap_or_default();
            }
        }
        Filter::new(&include, request.exclude.as_deref().unwrap_or_default())
    }
}

/// The first local failure of any transfer.
#[derive(Debug, Clone, Default)]
struct Failure(Arc<Mutex<Option<FilesyncError>>>);

impl Failure {
    fn record(&self, error: FilesyncError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// A tree and what was sent of it.
#[derive(Debug)]
struct Shared {
    tree: Tree,
    transfers: Mutex<Vec<Arc<Mutex<Manifest>>>>,
}

/// The directories of one session by the names the engine knows them by; clones share everything.
#[derive(Debug, Clone)]
pub struct Filesync {
    dirs: Arc<RwLock<HashMap<String, Arc<Shared>>>>,
    failure: Failure,
}

impl Filesync {
    /// Offers trees under names such as `context` and `dockerfile`; the last one of a name wins.
    pub fn new(dirs: Vec<(String, Tree)>) -> Self {
        let filesync = Self { dirs: Arc::default(), failure: Failure::default() };
        dirs.into_iter().for_each(|(name, tree)| filesync.offer(name, tree));
        filesync
    }

    /// Offers one more tree, also while the session is served.
    pub fn offer(&self, name: String, tree: Tree) {
        let shared = Arc::new(Shared { tree, transfers: Mutex::default() });
        self.dirs.write().unwrap_or_else(PoisonError::into_inner).insert(name, shared);
    }

    fn shared(&self, name: &str) -> Option<Arc<Shared>> {
        self.dirs.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// What was sent under a name so far; `None` if nothing was ever asked for.
    ///
    /// Meant for after the solve: it sorts and hashes every entry, and running transfers wait for it.
    pub fn report(&self, name: &str) -> Option<TransferReport> {
        let shared = self.shared(name)?;
        let transfers: Vec<_> =
            shared.transfers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let guards: Vec<_> = transfers
            .iter()
            .map(|one| one.lock().unwrap_or_else(PoisonError::into_inner))
            .collect();
        report::report(&guards.iter().map(|guard| &**guard).collect::<Vec<_>>())
    }

    /// A file that was sent under a name and whose bytes have one of these SHA-256 digests.
    pub fn find(&self, name: &str, digests: &[[u8; 32]]) -> Option<PathBuf> {
        let shared = self.shared(name)?;
        let transfers = shared.transfers.lock().unwrap_or_else(PoisonError::into_inner);
        transfers.iter().find_map(|transfer| {
            let path = transfer.lock().unwrap_or_else(PoisonError::into_inner).find(digests)?;
            Some(PathBuf::from(OsString::from_vec(path)))
        })
    }

    /// Takes the first local failure: the engine's own message wraps it beyond recognition.
    pub fn take_error(&self) -> Option<FilesyncError> {
        self.failure.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
