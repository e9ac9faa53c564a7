//! One pass over one stream.

use std::fmt;
use std::io::{self, Read};

use zeroize::Zeroizing;

use crate::hit::{Found, Tally};
use crate::index::Work;
use crate::needles::Needles;

/// Bytes that are searched at once; they stay in a processor's cache.
const BLOCK: usize = 64 * 1024;

/// Searches one stream of bytes for all needles, in fixed memory.
///
/// A match is told once, wherever the borders of chunks are.
pub struct Searcher<'n> {
    needles: &'n Needles,
    /// Bytes that are searched at once.
    block: usize,
    /// Searched bytes of which a match may go on, and new ones behind them.
    buffer: Zeroizing<Vec<u8>>,
    /// How many bytes of the buffer are filled, and how many of those have been searched.
    filled: usize,
    searched: usize,
    /// Where in the stream the buffer begins.
    offset: u64,
    tally: Tally,
    work: Work,
}

impl<'n> Searcher<'n> {
    /// Begins a stream.
    pub fn new(needles: &'n Needles) -> Self {
        Self::in_blocks(needles, BLOCK)
    }

    fn in_blocks(needles: &'n Needles, block: usize) -> Self {
        // Two blocks, so that what is kept of the last one is moved seldom.
        let size = 2 * block + needles.index().extent();
        Self {
            needles,
            block,
            buffer: Zeroizing::new(vec![0; size]),
            filled: 0,
            searched: 0,
            offset: 0,
            tally: Tally::default(),
            work: Work::default(),
        }
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let space = self.space();
            let (now, later) = rest.split_at(rest.len().min(space.len()));
            if let Some(space) = space.get_mut(..now.len()) {
                space.copy_from_slice(now);
            }
            self.took(now.len());
            rest = later;
        }
    }

    /// Takes up to a block from a reader, without copying it once more; zero at its end.
    pub fn feed_from(&mut self, reader: &mut impl Read) -> io::Result<usize> {
        let count = reader.read(self.space())?;
        self.took(count);
        Ok(count)
    }

    /// Ends the stream, tells what was found in it, and is ready for the next one.
    pub fn finish(&mut self) -> Found {
        self.search();
        let bytes = self.offset + self.filled as u64;
        (self.filled, self.searched, self.offset) = (0, 0, 0);
        std::mem::take(&mut self.tally).finish(bytes)
    }

    /// A short text without the values that stand in it: what is told of a place must not repeat
    /// them. Begins a stream of its own, and ends it.
    pub fn masked(&mut self, mut text: Vec<u8>) -> Vec<u8> {
        loop {
            self.feed(&text);
            let found = self.finish();
            // One after the other: hits may overlap, and not all of them are kept.
            let Some(hit) = found.hits.first() else { return text };
            let start = usize::try_from(hit.offset).unwrap_or(0).min(text.len());
            let end = start.saturating_add(hit.length).min(text.len());
            text.splice(start..end, *b"***");
        }
    }

    /// Free bytes of the buffer, at least half a block.
    fn space(&mut self) -> &mut [u8] {
        if self.buffer.len() - self.filled < self.block.div_ceil(2) {
            self.search();
            let kept = self.needles.index().extent().saturating_sub(1).min(self.filled);
            let from = self.filled - kept;
            self.buffer.copy_within(from..self.filled, 0);
            (self.filled, self.searched) = (kept, kept);
            self.offset += from as u64;
        }
        self.buffer.get_mut(self.filled..).unwrap_or_default()
    }

    fn took(&mut self, count: usize) {
        self.filled = (self.filled + count).min(self.buffer.len());
        if self.filled - self.searched >= self.block {
            self.search();
        }
    }

    /// Searches what is new, together with as much before it as a match may begin in.
    fn search(&mut self) {
        if self.searched == self.filled {
            return;
        }
        let index = self.needles.index();
        let start = (self.searched + 1).saturating_sub(index.extent().max(1));
        let text = self.buffer.get(start..self.filled).unwrap_or_default();
        let searched = self.searched - start;
        let (offset, tally) = (self.offset + start as u64, &mut self.tally);
        index.scan(text, &mut self.work, &mut |found| {
            // Others were told when their last byte came.
            if found.end > searched {
                tally.add_match(index, &found, offset);
            }
        });
        self.searched = self.filled;
    }
}

#[cfg(test)]
impl Searcher<'_> {
    pub(crate) fn work(&self) -> Work {
        self.work
    }
}

impl Needles {
    /// Searches bytes that are there at once: a name, a label, a document.
    pub fn search(&self, bytes: &[u8]) -> Found {
        let mut tally = Tally::default();
        let index = self.index();
        index.scan(bytes, &mut Work::default(), &mut |found| tally.add_match(index, &found, 0));
        tally.finish(bytes.len() as u64)
    }
}

impl fmt::Debug for Searcher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Searcher").field("bytes", &(self.offset + self.filled as u64)).finish()
    }
}

#[cfg(test)]
mod tests;
