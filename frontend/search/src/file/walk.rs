//! Follows containers into each other, and keeps the account of it.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};

use super::input::{Input, Member};
use super::level::{Level, SUSPECTS};
use super::magic::Container;
use super::{FileHit, FileSuspect, Limits, Obstacle, Report, Unread, ar, git, packed, tar, zip};
use crate::hit::Kept;
use crate::needles::Needles;

/// Obstacles that are kept; others are counted.
const KEPT: usize = 16;
/// Bytes of a member's name that are kept.
const NAME: usize = 256;

/// One file's account; shared by all its levels, which lie within each other.
#[derive(Debug)]
pub(super) struct Walk<'n> {
    needles: &'n Needles,
    pub(super) limits: Limits,
    spare: RefCell<Vec<Level<'n>>>,
    trail: RefCell<Vec<String>>,
    /// The file's own path, if unknown secrets are looked for, and the trail behind it.
    names: RefCell<Option<Vec<String>>>,
    report: RefCell<Report>,
    kept: RefCell<Kept>,
    /// What the file's own reader failed with.
    failed: RefCell<Option<io::Error>>,
    /// Where too much was unpacked.
    burst: RefCell<Option<Vec<String>>>,
    /// Decompressors with memory of their own that lie within each other.
    pub(super) hungry: Cell<u32>,
}

impl<'n> Walk<'n> {
    pub(super) fn new(needles: &'n Needles, limits: Limits) -> Self {
        Self {
            needles,
            limits,
            spare: RefCell::default(),
            trail: RefCell::default(),
            names: RefCell::default(),
            report: RefCell::default(),
            kept: RefCell::default(),
            failed: RefCell::default(),
            burst: RefCell::default(),
            hungry: Cell::new(0),
        }
    }

    /// Searches a file and everything in it.
    pub(super) fn file(&mut self, path: Option<&str>, file: &mut dyn Read) -> io::Result<Report> {
        self.names = RefCell::new(path.map(|path| vec![path.to_owned()]));
        self.stream(file);
        self.trail.take();
        self.kept.take();
        let mut report = self.report.take();
        if let Some(trail) = self.burst.take() {
            report.unread_total += 1;
            report.unread.push(Unread { obstacle: Obstacle::TooLarge, trail });
        }
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(report),
        }
    }

    /// Searches a member of a container, to its end or to where it can be read.
    ///
    /// Whether it could be read to its end.
    pub(super) fn member(&self, name: &str, reader: impl Read) -> bool {
        self.member_or(name, reader, Some)
    }

    /// Likewise; `judge` says what of an obstacle is told.
    pub(super) fn member_or(
        &self,
        name: &str,
        reader: impl Read,
        judge: impl Fn(Obstacle) -> Option<Obstacle>,
    ) -> bool {
        self.enter(name);
        let mut member = Member { reader, obstacle: None };
        self.stream(&mut member);
        let read = member.obstacle.is_none();
        if let Some(obstacle) = member.obstacle.and_then(judge) {
            self.unread(obstacle);
        }
        self.leave();
        read
    }

    fn enter(&self, name: &str) {
        let name: String = name.chars().take(NAME).collect();
        if let Some(names) = self.names.borrow_mut().as_mut() {
            names.push(name.clone());
        }
        self.trail.borrow_mut().push(name);
    }

    fn leave(&self) {
        if let Some(names) = self.names.borrow_mut().as_mut() {
            names.pop();
        }
        self.trail.borrow_mut().pop();
    }

    /// Tells of an obstacle in a member that is not even begun with.
    pub(super) fn unread_member(&self, name: &str, obstacle: Obstacle) {
        self.enter(name);
        self.unread(obstacle);
        self.leave();
    }

    fn unread(&self, obstacle: Obstacle) {
        // Whatever fails after too much was unpacked fails because of that.
        if self.is_burst() {
            return;
        }
        let mut report = self.report.borrow_mut();
        report.unread_total += 1;
        if report.unread.len() < KEPT {
            let trail = self.trail.borrow().clone();
            report.unread.push(Unread { obstacle, trail });
        }
    }

    /// Searches a stream as it is, and what is in it.
    fn stream(&self, source: &mut dyn Read) {
        let depth = self.trail.borrow().len();
        let spare = self.spare.borrow_mut().pop();
        let mut level = spare.unwrap_or_else(|| Level::new(self.needles));
        level.begin(self.names.borrow().as_deref());
        let mut input = Input::new(self, source, level, depth);
        if let Some(container) = Container::of(input.head()) {
            let (kept, total) = {
                let report = self.report.borrow();
                (report.unread.len(), report.unread_total)
            };
            let obstacle = if depth < self.limits.depth {
                self.open(container, &mut input).err()
            } else {
                // What is no more than a guess is no obstacle.
                (container != Container::Zlib).then_some(Obstacle::TooDeep)
            };
            if input.is_broken() {
                // What it lies in has failed, and tells so itself.
                let mut report = self.report.borrow_mut();
                report.unread.truncate(kept);
                report.unread_total = total;
            } else if let Some(obstacle) = obstacle {
                self.unread(obstacle);
            }
        }
        let level = input.drain();
        self.close(level);
    }

    fn open(&self, container: Container, input: &mut Input<'_, 'n>) -> Result<(), Obstacle> {
        match container {
            Container::Gzip => packed::gzip(self, input),
            Container::Zlib => packed::zlib(self, input),
            Container::Xz => packed::xz(self, input),
            Container::Zstd => packed::zstd(self, input),
            Container::Bzip2 => packed::bzip2(self, input),
            Container::Zip => zip::read(self, input),
            Container::Tar => tar::read(self, input),
            Container::Ar => ar::read(self, input),
            Container::GitPack => git::read(self, input),
            Container::Other => Err(Obstacle::Unsupported),
        }
    }

    /// Takes over what was found on a level.
    fn close(&self, mut level: Level<'n>) {
        let (found, suspects) = level.finish();
        let mut report = self.report.borrow_mut();
        report.total += found.total;
        let trail = self.trail.borrow();
        for hit in found.hits {
            if self.kept.borrow_mut().keeps(&hit) {
                report.hits.push(FileHit { hit, trail: trail.clone() });
            }
        }
        report.suspects_total += suspects.total;
        for suspect in suspects.found {
            if report.suspects.len() < SUSPECTS {
                report.suspects.push(FileSuspect { suspect, trail: trail.clone() });
            }
        }
        self.spare.borrow_mut().push(level);
    }

    /// Counts bytes that a level has read; false if there are too many.
    pub(super) fn count(&self, depth: usize, bytes: u64) -> bool {
        let mut report = self.report.borrow_mut();
        if depth == 0 {
            report.bytes += bytes;
            return true;
        }
        report.unpacked += bytes;
        let Limits { ratio, free, total, .. } = self.limits;
        let most = free.saturating_add(report.bytes.saturating_mul(ratio)).min(total);
        if report.unpacked > most && !self.is_burst() {
            *self.burst.borrow_mut() = Some(self.trail.borrow().clone());
        }
        !self.is_burst()
    }

    /// Whether too much was unpacked, so that only the file itself is read on.
    pub(super) fn is_burst(&self) -> bool {
        self.burst.borrow().is_some()
    }

    pub(super) fn fail(&self, error: io::Error) {
        *self.failed.borrow_mut() = Some(error);
    }

    /// Bytes of memory that one more decompressor may take: most for the outermost one.
    pub(super) fn memory(&self) -> u64 {
        self.limits.memory >> (3 * self.hungry.get()).min(32)
    }
}
