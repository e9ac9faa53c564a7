//! Takes secrets out of a log while it is being written.

use std::fmt;

use zeroize::Zeroizing;

use crate::hit::{Found, Hit, Tally};
use crate::index::Work;
use crate::needles::Needles;

/// What stands in place of a secret.
pub const MARK: &[u8] = b"***";

/// Bytes that are looked at together.
const BLOCK: usize = 16 * 1024;

/// Passes a stream on without the needles in it, and tells which there were.
///
/// Bytes are held back only while they may be the beginning of a needle. What was passed on is
/// remembered: a needle of which the beginning was let go is still found, and its rest kept back.
pub struct Redactor<'n> {
    needles: &'n Needles,
    /// What was passed on last, as much of it as a needle may have begun in; then what is held.
    buffer: Zeroizing<Vec<u8>>,
    /// Bytes of the buffer that were passed on, or replaced.
    passed: usize,
    /// Whether the mark was the last that was passed on.
    marked: bool,
    /// Where in the stream the buffer begins.
    offset: u64,
    tally: Tally,
}

impl<'n> Redactor<'n> {
    /// Begins a stream.
    pub fn new(needles: &'n Needles) -> Self {
        // Twice the extent: as much may have been passed on as is held.
        let size = BLOCK + 2 * needles.index().extent();
        Self {
            needles,
            buffer: Zeroizing::new(Vec::with_capacity(size)),
            passed: 0,
            marked: false,
            offset: 0,
            tally: Tally::default(),
        }
    }

    /// Takes the next bytes, and appends to `out` what of all bytes can be shown by now.
    pub fn feed(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        for block in chunk.chunks(BLOCK) {
            let seen = self.buffer.len();
            self.buffer.extend_from_slice(block);
            let covered = self.find(seen);
            let held = self.needles.index().pending(&self.buffer);
            self.pass(held, &covered, out);
            self.forget();
        }
    }

    /// Shows what is held back: nothing more may come for a while, and somebody waits for it.
    ///
    /// A needle that goes on later is found all the same, but its beginning has been shown.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        let covered = self.find(self.buffer.len());
        self.pass(self.buffer.len(), &covered, out);
        self.forget();
    }

    /// The first few hits of each needle and transform until now.
    pub fn hits(&self) -> &[Hit] {
        self.tally.hits()
    }

    /// Ends the stream: shows what is held back, and tells what was found.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Found {
        self.flush(out);
        self.tally.finish(self.offset + self.buffer.len() as u64)
    }

    /// Where needles stand in the buffer, by where they begin; counts those that are new.
    fn find(&mut self, seen: usize) -> Vec<(usize, usize)> {
        let mut covered = Vec::new();
        let index = self.needles.index();
        index.scan(&self.buffer, &mut Work::default(), &mut |found| {
            covered.push((found.start, found.end));
            if found.end > seen {
                self.tally.add_match(index, &found, self.offset);
            }
        });
        covered.sort_unstable();
        covered
    }

    /// Passes on what stands before `end`, with a mark for what is covered.
    fn pass(&mut self, end: usize, covered: &[(usize, usize)], out: &mut Vec<u8>) {
        for (from, to) in covered {
            if *from >= end.max(self.passed) {
                break;
            }
            if *to <= self.passed {
                continue;
            }
            self.show(*from, out);
            if !self.marked {
                out.extend_from_slice(MARK);
                self.marked = true;
            }
            self.passed = *to;
        }
        self.show(end, out);
    }

    /// Passes bytes on as they are.
    fn show(&mut self, end: usize, out: &mut Vec<u8>) {
        if let Some(text) = self.buffer.get(self.passed..end).filter(|text| !text.is_empty()) {
            out.extend_from_slice(text);
            self.passed = end;
            self.marked = false;
        }
    }

    /// Lets go of bytes in which no needle can begin that is not yet told.
    fn forget(&mut self) {
        let kept = self.needles.index().extent();
        let from = self.buffer.len().saturating_sub(kept).min(self.passed);
        let rest = self.buffer.len() - from;
        self.buffer.copy_within(from.., 0);
        self.buffer.truncate(rest);
        self.passed -= from;
        self.offset += from as u64;
    }
}

impl fmt::Debug for Redactor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("held", &(self.buffer.len() - self.passed)).finish()
    }
}

#[cfg(test)]
mod tests;
