//! The bytes of one level: searched as they are read.

use std::io::{self, BufRead, Read};

use super::Obstacle;
use super::level::Level;
use super::magic::HEAD;
use super::walk::Walk;

/// Bytes that are there together, if the stream has them: whoever knows a format by its first bytes
/// never sees them cut.
const LEAST: usize = 16;

/// A stream whose bytes are searched while a container's reader takes them.
pub(super) struct Input<'i, 'n> {
    walk: &'i Walk<'n>,
    source: &'i mut dyn Read,
    level: Level<'n>,
    depth: usize,
    /// What of the buffer is filled, and not yet taken.
    at: usize,
    end: usize,
    ended: bool,
    broken: bool,
}

impl<'i, 'n> Input<'i, 'n> {
    pub(super) fn new(
        walk: &'i Walk<'n>,
        source: &'i mut dyn Read,
        level: Level<'n>,
        depth: usize,
    ) -> Self {
        Self { walk, source, level, depth, at: 0, end: 0, ended: false, broken: false }
    }

    /// The first bytes, as many as are looked at or as there are.
    pub(super) fn head(&mut self) -> &[u8] {
        while self.end < HEAD && !self.ended {
            self.fill();
        }
        self.level.buffer.get(self.at..self.end).unwrap_or_default()
    }

    /// Whether the source has failed, so that nothing can be said of what it gave.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Reads and searches the rest, and gives the level back.
    pub(super) fn drain(mut self) -> Level<'n> {
        while !self.ended {
            (self.at, self.end) = (0, 0);
            self.fill();
        }
        self.level
    }

    /// Takes exactly so many bytes, few.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Obstacle> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes).map_err(|_| Obstacle::Truncated)?;
        Ok(bytes)
    }

    /// The next bytes, which stay.
    pub(super) fn ahead<const N: usize>(&mut self) -> Result<[u8; N], Obstacle> {
        const { assert!(N <= LEAST) };
        let here = self.fill_buf().map_err(|_| Obstacle::Truncated)?;
        here.first_chunk().copied().ok_or(Obstacle::Truncated)
    }

    /// Takes so many bytes as text, at most [`HEAD`] of which are kept.
    pub(super) fn text(&mut self, length: u64) -> Result<String, Obstacle> {
        let mut bytes = Vec::new();
        let kept = length.min(HEAD as u64);
        self.by_ref().take(kept).read_to_end(&mut bytes).map_err(|_| Obstacle::Truncated)?;
        self.skip(length - kept)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Passes over so many bytes.
    pub(super) fn skip(&mut self, length: u64) -> Result<(), Obstacle> {
        let mut left = length;
        while left > 0 {
            let here = self.fill_buf().map_err(|_| Obstacle::Truncated)?.len();
            if here == 0 {
                return Err(Obstacle::Truncated);
            }
            let now = here.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.consume(now);
            left -= now as u64;
        }
        Ok(())
    }

    /// Whether all was taken.
    pub(super) fn is_empty(&mut self) -> bool {
        !matches!(self.fill_buf(), Ok([_, ..]))
    }

    /// Reads once into the free part of the buffer.
    fn fill(&mut self) {
        if self.depth > 0 && self.walk.is_burst() {
            (self.broken, self.ended) = (true, true);
            return;
        }
        let space = self.level.buffer.get_mut(self.end..).unwrap_or_default();
        let count = match self.source.read(space) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
            Err(error) => {
                (self.broken, self.ended) = (true, true);
                if self.depth == 0 {
                    self.walk.fail(error);
                }
                return;
            }
        };
        let count = count.min(space.len());
        self.level.read(self.end, self.end + count);
        self.end += count;
        self.ended = count == 0;
        if !self.walk.count(self.depth, count as u64) {
            (self.broken, self.ended) = (true, true);
        }
    }
}

impl BufRead for Input<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.end - self.at < LEAST && !self.ended {
            // Only few are left: they move to the front.
            self.level.buffer.copy_within(self.at..self.end, 0);
            (self.at, self.end) = (0, self.end - self.at);
            self.fill();
        }
        if self.at == self.end && self.broken {
            return Err(io::Error::other("what it lies in cannot be read"));
        }
        Ok(self.level.buffer.get(self.at..self.end).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at = (self.at + count).min(self.end);
    }
}

impl Read for Input<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut here = self.fill_buf()?;
        let count = here.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

/// A decompressor or a part of an archive, and what it failed with.
pub(super) struct Member<R> {
    pub(super) reader: R,
    pub(super) obstacle: Option<Obstacle>,
}

impl<R: Read> Read for Member<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.reader.read(out).inspect_err(|error| {
            self.obstacle = match error.kind() {
                io::ErrorKind::Interrupted => None,
                io::ErrorKind::UnexpectedEof => Some(Obstacle::Truncated),
                io::ErrorKind::OutOfMemory => Some(Obstacle::TooMuchMemory),
                io::ErrorKind::Unsupported => Some(Obstacle::Unsupported),
                _ => Some(Obstacle::Damaged),
            };
        })
    }
}
