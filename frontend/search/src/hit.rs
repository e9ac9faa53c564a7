//! What was found, bounded in memory however often it was.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::index::{Index, Match};
use crate::needles::Part;
use crate::transform::Transform;

/// One occurrence of a needle; holds nothing of its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Which needle: [`crate::Needles::id`] gives its name.
    pub needle: usize,
    /// Which part of its value.
    pub part: Part,
    /// What had been done to it.
    pub transform: Transform,
    /// Byte of the stream at which it begins.
    pub offset: u64,
    /// Bytes that it takes there.
    pub length: usize,
}

/// Everything that was found in one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The first few hits of each needle and transform.
    pub hits: Vec<Hit>,
    /// All hits, those that were not kept too.
    pub total: u64,
    /// Bytes that were searched.
    pub bytes: u64,
}

/// Hits kept of one needle under one transform.
const KEPT: u64 = 4;

/// How many hits of each kind there were.
#[derive(Debug, Default)]
pub(crate) struct Kept(HashMap<(usize, Transform), u64>);

impl Kept {
    /// Counts a hit, and says whether it is one of the first.
    pub(crate) fn keeps(&mut self, hit: &Hit) -> bool {
        let count = self.0.entry((hit.needle, hit.transform)).or_default();
        *count += 1;
        *count <= KEPT
    }
}

/// Keeps the first hits of each kind and counts the others.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    found: Found,
    kept: Kept,
}

impl Tally {
    /// Adds a match for each needle that it stands for; `offset` is that of the searched text.
    pub(crate) fn add_match(&mut self, index: &Index, found: &Match, offset: u64) {
        for owner in index.owners(found) {
            self.add(Hit {
                needle: owner.needle,
                part: owner.part,
                transform: owner.transform,
                offset: offset + found.start as u64,
                length: found.end - found.start,
            });
        }
    }

    /// What was kept so far.
    pub(crate) fn hits(&self) -> &[Hit] {
        &self.found.hits
    }

    fn add(&mut self, hit: Hit) {
        self.found.total += 1;
        if self.kept.keeps(&hit) {
            self.found.hits.push(hit);
        }
    }

    pub(crate) fn finish(mut self, bytes: u64) -> Found {
        self.found.bytes = bytes;
        self.found
    }
}
