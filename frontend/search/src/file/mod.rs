//! Searches a file and the containers that it is, or is made of.

mod ar;
mod git;
mod input;
mod level;
mod magic;
mod packed;
mod tar;
mod walk;
mod zip;

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use crate::hit::Hit;
use crate::needles::Needles;
use crate::unknown::Suspect;

use self::walk::Walk;

pub use self::magic::Container;
pub use self::packed::zstd_frames;

/// How far containers are followed. Memory and work are bounded by these, whatever a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Containers within containers.
    pub depth: usize,
    /// Unpacked bytes for each byte of the file, beyond `free` ones.
    pub ratio: u64,
    /// Unpacked bytes that need no reason.
    pub free: u64,
    /// Unpacked bytes of one file.
    pub total: u64,
    /// Bytes of memory that a decompressor may take.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 5, ratio: 256, free: 64 << 20, total: 16 << 30, memory: 80 << 20 }
    }
}

/// Why a container, or a member of one, was searched only as it lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obstacle {
    /// It does not follow its format.
    Damaged,
    /// It ends too early.
    Truncated,
    /// It is encrypted.
    Encrypted,
    /// Its format, or its way to compress, is known but not read.
    Unsupported,
    /// Too many containers around it.
    TooDeep,
    /// It unpacks to more than it reasonably can.
    TooLarge,
    /// Unpacking it takes too much memory.
    TooMuchMemory,
}

impl Obstacle {
    /// What people are told, as in "it is …".
    pub fn words(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Truncated => "truncated",
            Self::Encrypted => "encrypted",
            Self::Unsupported => "of a kind that is not unpacked",
            Self::TooDeep => "too deep in other archives",
            Self::TooLarge => "too large unpacked",
            Self::TooMuchMemory => "in need of too much memory",
        }
    }
}

/// A container, or a member of one, that was searched only as it lies there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Why.
    pub obstacle: Obstacle,
    /// The members on the way to it, outermost first; none for the file itself.
    pub trail: Vec<String>,
}

/// A hit, and the members of containers on the way to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHit {
    /// The hit; its offset counts within the innermost member.
    pub hit: Hit,
    /// The members on the way to it, outermost first; none for the bytes of the file itself.
    pub trail: Vec<String>,
}

/// A secret that nobody told us of, and the members of containers on the way to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSuspect {
    /// What it is; its offset counts within the innermost member.
    pub suspect: Suspect,
    /// The members on the way to it, outermost first; none for the bytes of the file itself.
    pub trail: Vec<String>,
}

/// What was found in a file, and what could not be unpacked of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The first few hits of each needle and transform.
    pub hits: Vec<FileHit>,
    /// All hits, those that were not kept too.
    pub total: u64,
    /// The first few secrets that nobody told us of, if they were asked for.
    pub suspects: Vec<FileSuspect>,
    /// All of those.
    pub suspects_total: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes that were unpacked, on all levels.
    pub unpacked: u64,
    /// The first few containers that were not unpacked, or not to their end.
    pub unread: Vec<Unread>,
    /// All of those.
    pub unread_total: u64,
}

/// Searches files, one after the other; one for each thread.
///
/// The bytes of every file are searched as they are, and of containers also what is in them: gzip,
/// zlib, zip, tar, xz, zstd, bzip2, ar, and git's objects and packs, within each other. They are
/// known by their first bytes, not by their names.
#[derive(Debug)]
pub struct FileSearcher<'n> {
    walk: Walk<'n>,
}

impl<'n> FileSearcher<'n> {
    /// A searcher for these needles.
    pub fn new(needles: &'n Needles, limits: Limits) -> Self {
        Self { walk: Walk::new(needles, limits) }
    }

    /// Searches all that a reader gives; fails only if the reader does.
    pub fn search(&mut self, mut file: impl Read) -> io::Result<Report> {
        self.walk.file(None, &mut file)
    }

    /// Likewise, and looks for secrets that nobody told us of, for some of which the path counts.
    pub fn search_all(&mut self, path: &str, mut file: impl Read) -> io::Result<Report> {
        self.walk.file(Some(path), &mut file)
    }
}

#[cfg(test)]
mod tests;
