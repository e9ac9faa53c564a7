//! `cofferdam.lock`: what each image name, address and git reference stood for, who resolved it and
//! when.
//!
//! The file is TOML with a `version`; each kind of input has its own array of tables.

use std::collections::BTreeMap;

use super::digest::Digest;
use super::reference::Reference;
use super::render;

mod conflict;
mod entry;
mod read;

pub use conflict::Joined;
pub use entry::{Elsewhere, Entry, GitPlace, ImageSource, LockedGit, LockedHttp, LockedImage};
pub(crate) use entry::{is_commit, is_public};

/// The newest version that this program reads and writes.
pub const VERSION: i64 = 2;
/// The version of a file with nothing but images that a Dockerfile names.
const IMAGES_ONLY: i64 = 1;

/// All pins of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    images: BTreeMap<String, LockedImage>,
    http: BTreeMap<String, LockedHttp>,
    git: BTreeMap<GitPlace, LockedGit>,
}

/// Why a lock file cannot be used. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    #[error("the lock file is not UTF-8")]
    NotUtf8,
    #[error("line {line}: unresolved merge conflict")]
    Conflict { line: usize },
    #[error("line {line}, column {column}: {message}")]
    Syntax { line: usize, column: usize, message: String },
    #[error("no lock version: the file needs `version = {IMAGES_ONLY}`")]
    NoVersion,
    #[error("written by a newer cofferdam: lock version {found}, this one reads up to {VERSION}")]
    Newer { found: i64 },
    #[error("unknown lock version {found}, this cofferdam reads {IMAGES_ONLY} to {VERSION}")]
    BadVersion { found: i64 },
    #[error("line {line}, column {column}: {name} is locked twice")]
    Duplicate { line: usize, column: usize, name: String },
    #[error("line {line}, column {column}: {message}")]
    Invalid { line: usize, column: usize, message: String },
}

/// One difference between two locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockChange {
    Added(Entry),
    Removed(Entry),
    /// The same name stands for something else now; a new date alone is no change.
    Changed {
        before: Entry,
        after: Entry,
    },
}

impl Lock {
    /// Reads a lock file.
    pub fn parse(bytes: &[u8]) -> Result<Self, LockError> {
        read::lock(bytes)
    }

    /// Reads a lock file that git could not merge: entries of either side are taken; one on which
    /// they disagree is in neither. A file without a conflict is read as it is.
    pub fn parse_joining(bytes: &[u8]) -> Result<Joined, LockError> {
        conflict::parse(bytes)
    }

    /// The file's text; equal locks give equal bytes.
    pub fn render(&self) -> String {
        render::lock(self)
    }

    /// The lowest version that can hold this: older programs read what they understand.
    pub(super) fn version(&self) -> i64 {
        let elsewhere = self.images.values().any(|image| image.named.is_some());
        if elsewhere || !self.http.is_empty() || !self.git.is_empty() {
            VERSION
        } else {
            IMAGES_ONLY
        }
    }

    /// The pin of an image's canonical name.
    pub fn get(&self, name: &str) -> Option<&LockedImage> {
        self.images.get(name)
    }

    /// The pin of a reference; its own digest is ignored.
    pub fn lookup(&self, reference: &Reference) -> Option<&LockedImage> {
        self.get(&reference.canonical())
    }

    /// The pin of a download.
    pub fn http(&self, url: &str) -> Option<&LockedHttp> {
        self.http.get(url)
    }

    /// The pin of a branch or tag.
    pub fn git(&self, at: &GitPlace) -> Option<&LockedGit> {
        self.git.get(at)
    }

    /// Adds or replaces an image's pin; gives the one it replaces.
    pub fn insert(&mut self, image: LockedImage) -> Option<LockedImage> {
        self.images.insert(image.name.clone(), image)
    }

    /// Adds or replaces an entry.
    pub fn put(&mut self, entry: Entry) {
        match entry {
            Entry::Image(image) => drop(self.insert(image)),
            Entry::Http(http) => drop(self.http.insert(http.url.clone(), http)),
            Entry::Git(git) => drop(self.git.insert(git.at.clone(), git)),
        }
    }

    /// Drops the pin of an image's canonical name.
    pub fn remove(&mut self, name: &str) -> Option<LockedImage> {
        self.images.remove(name)
    }

    /// Drops an entry.
    pub fn take(&mut self, entry: &Entry) {
        match entry {
            Entry::Image(image) => drop(self.images.remove(&image.name)),
            Entry::Http(http) => drop(self.http.remove(&http.url)),
            Entry::Git(git) => drop(self.git.remove(&git.at)),
        }
    }

    /// All images, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &LockedImage> {
        self.images.values()
    }

    /// Everything: images, downloads and git references, each sorted by name.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        let images = self.images.values().cloned().map(Entry::Image);
        let http = self.http.values().cloned().map(Entry::Http);
        images.chain(http).chain(self.git.values().cloned().map(Entry::Git))
    }

    /// Whether the same is locked already, whenever and by whom.
    pub fn says(&self, entry: &Entry) -> bool {
        let known = match entry {
            Entry::Image(image) => self.images.get(&image.name).cloned().map(Entry::Image),
            Entry::Http(http) => self.http.get(&http.url).cloned().map(Entry::Http),
            Entry::Git(git) => self.git.get(&git.at).cloned().map(Entry::Git),
        };
        known.is_some_and(|known| known.agrees(entry))
    }

    pub fn is_empty(&self) -> bool {
        self.images.is_empty() && self.http.is_empty() && self.git.is_empty()
    }

    /// Canonical name to digest, for writing pins; images in no registry are left out.
    pub fn digests(&self) -> BTreeMap<String, Digest> {
        self.iter()
            .filter_map(|image| Some((image.name.clone(), image.digest()?.clone())))
            .collect()
    }

    /// What `newer` adds, removes and changes, by kind and name.
    pub fn diff(&self, newer: &Self) -> Vec<LockChange> {
        let keyed = |lock: &Self| -> BTreeMap<_, _> {
            lock.entries().map(|entry| (entry.key(), entry)).collect()
        };
        let (mut before, after) = (keyed(self), keyed(newer));
        let mut changes = BTreeMap::new();
        for (key, after) in after {
            let change = match before.remove(&key) {
                None => LockChange::Added(after),
                Some(before) if before.agrees(&after) => continue,
                Some(before) => LockChange::Changed { before, after },
            };
            changes.insert(key, change);
        }
        let removed = before.into_iter().map(|(key, before)| (key, LockChange::Removed(before)));
        changes.extend(removed);
        changes.into_values().collect()
    }
}
