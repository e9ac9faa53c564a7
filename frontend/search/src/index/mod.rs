//! Finds many patterns at once while looking at few bytes.
//!
//! Each pattern is found by a *window* of `width` bytes within it. A text is looked at every
//! `stride = width - 3` bytes: whatever window stands in it, exactly one of these places is one of
//! the window's first `stride` bytes, and the four bytes from there are among the *grams* of the
//! window. A bitmap of all grams, which fits the fastest cache, turns away nearly every place; the
//! few others are asked for the windows that would stand around them, and those for their patterns.
//!
//! The work for one place is bounded by `width` and not by how many patterns there are, whatever
//! the text: the windows around a place are looked up by a hash of all their bytes.

mod bitmap;
mod grams;
mod pending;
mod scan;
mod verify;
mod windows;

use std::collections::HashSet;

use crate::needles::{Part, SHORTEST, rarest};
use crate::transform::{Secret, Transform};

use self::bitmap::Bitmap;
use self::grams::Grams;
use self::pending::Heads;
pub(crate) use self::scan::Work;
use self::windows::{Window, Windows};

/// The widest window: wider ones save little and cost patterns their choice.
const WIDEST: usize = 16;
/// Windows of a pattern among which one is chosen.
const LOOKS: usize = 24;
/// Bytes that are looked at of one place.
const GRAM: usize = 4;

/// What a pattern stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    pub(crate) needle: usize,
    pub(crate) part: Part,
    pub(crate) transform: Transform,
}

/// Bytes to find; equal ones of several owners are one pattern.
pub(crate) struct Pattern {
    pub(crate) bytes: Secret,
    /// Whether line breaks may stand within it.
    pub(crate) wraps: bool,
    pub(crate) owners: Vec<Owner>,
}

impl Pattern {
    /// `None` for one that is found everywhere: too short, or one byte over and over.
    pub(crate) fn new(bytes: Secret, owner: Owner) -> Option<Self> {
        let first = bytes.first()?;
        let usable = bytes.len() >= SHORTEST && bytes.iter().any(|byte| byte != first);
        let wraps = owner.transform.wraps() && bytes.len() >= 2 * SHORTEST;
        usable.then(|| Self { bytes, wraps, owners: vec![owner] })
    }

    /// Bytes that the pattern takes at most, line breaks and their indents included.
    fn extent(&self) -> usize {
        let breaks = if self.wraps { verify::most_breaks(self.bytes.len()) } else { 0 };
        self.bytes.len() + breaks * verify::LONGEST_BREAK
    }
}

/// A place where a pattern stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Match {
    pub(crate) pattern: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Patterns, ready to be found.
pub(crate) struct Index {
    patterns: Vec<Pattern>,
    width: usize,
    extent: usize,
    bitmap: Bitmap,
    grams: Grams,
    windows: Windows,
    heads: Heads,
}

impl Index {
    pub(crate) fn new(patterns: Vec<Pattern>) -> Self {
        let patterns = merged(patterns);
        let room = |pattern: &Pattern| {
            if pattern.wraps { pattern.bytes.len() / 2 } else { pattern.bytes.len() }
        };
        let width = patterns.iter().map(room).min().unwrap_or(WIDEST).min(WIDEST);
        let stride = width + 1 - GRAM;
        let chosen = choose(&patterns, width);
        let windows = Windows::new(&chosen, &patterns, width);
        let grams = Grams::new(chosen.iter().flat_map(|window| {
            let bytes = window.bytes(&patterns, width);
            let grams = bytes.windows(GRAM).filter_map(|four| four.first_chunk());
            (0..stride).zip(grams.map(|four| u32::from_le_bytes(*four)))
        }));
        let bitmap = Bitmap::new(grams.iter(), grams.len());
        let extent = patterns.iter().map(Pattern::extent).max().unwrap_or_default();
        let heads = Heads::new(&patterns);
        Self { patterns, width, extent, bitmap, grams, windows, heads }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// What a match stands for.
    pub(crate) fn owners(&self, found: &Match) -> &[Owner] {
        self.patterns.get(found.pattern).map_or(&[], |pattern| &pattern.owners)
    }

    /// The most bytes that a match takes.
    pub(crate) fn extent(&self) -> usize {
        self.extent
    }
}

#[cfg(test)]
impl Index {
    pub(crate) fn bytes(&self) -> impl Iterator<Item = &[u8]> {
        self.patterns.iter().map(|pattern| pattern.bytes.as_slice())
    }
}

/// One pattern for equal bytes, one owner for each needle and the simplest of its forms.
fn merged(mut patterns: Vec<Pattern>) -> Vec<Pattern> {
    patterns.sort_by(|one, two| (&*one.bytes, &one.owners).cmp(&(&*two.bytes, &two.owners)));
    patterns.dedup_by(|next, kept| {
        let same = next.bytes == kept.bytes;
        if same {
            kept.wraps |= next.wraps;
            kept.owners.append(&mut next.owners);
        }
        same
    });
    for pattern in &mut patterns {
        pattern.owners.sort_unstable_by_key(|owner| (owner.needle, owner.transform, owner.part));
        pattern.owners.dedup_by_key(|owner| owner.needle);
    }
    patterns
}

/// The windows of all patterns: rare ones, and if possible none of two patterns.
///
/// One that may be broken into lines gets two beside each other, of which a line break leaves one
/// whole.
fn choose(patterns: &[Pattern], width: usize) -> Vec<Window> {
    let mut taken: HashSet<u64> = HashSet::new();
    let mut chosen = Vec::new();
    for (pattern, this) in patterns.iter().enumerate() {
        // One byte over and over stands in every empty file.
        let uneven = |part: &[u8]| part.iter().any(|byte| Some(byte) != part.first());
        let free = |part: &[u8]| uneven(part) && !taken.contains(&windows::hash(part));
        let among = |length, good: &dyn Fn(&[u8]) -> bool| {
            let all = |stretch: &[u8]| stretch.chunks(width).all(good);
            rarest(&this.bytes, length, width, LOOKS, all).map(|(at, _)| (at, length))
        };
        let two = if this.wraps { 2 * width } else { width };
        let stretch = among(two, &free)
            .or_else(|| among(two, &uneven))
            .or_else(|| among(width, &free))
            .or_else(|| among(width, &uneven));
        // A pattern is more than one byte over and over, and so is one of its windows.
        let Some((at, length)) = stretch else { continue };
        for (index, at) in (at..at + length).step_by(width).enumerate() {
            let window = Window { pattern, at, second: index == 1 };
            let bytes = window.bytes(patterns, width);
            taken.insert(windows::hash(bytes));
            chosen.push(window);
        }
    }
    chosen
}
