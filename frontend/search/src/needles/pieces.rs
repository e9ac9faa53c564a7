//! Cuts a value into the parts that are searched for.
//!
//! Whatever holds the whole value holds each of its parts under the same transform, so that parts
//! are enough; and they also find a value of which only some was written.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Gap, Part, Reason, SHORTEST, fields, ordinary, public, rarity};

/// Lines of one value that are searched one by one: more than a private key has.
const MOST_LINES: usize = 64;
/// Longer parts are searched by excerpts, so that patterns stay small.
const LONGEST: usize = 256;
/// Bytes of an excerpt; nobody writes so many by accident.
const EXCERPT: usize = 64;
/// Excerpts of one part, from all over it.
const EXCERPTS: usize = 12;

#[derive(Debug)]
pub(super) struct Piece {
    pub(super) part: Part,
    pub(super) range: Range<usize>,
}

#[derive(Debug)]
pub(super) struct Cut {
    pub(super) pieces: Vec<Piece>,
    pub(super) gaps: Vec<Gap>,
}

/// What is searched for of a value, and what is not.
pub(super) fn cut(needle: usize, value: &[u8]) -> Cut {
    let whole = trimmed(value, 0..value.len());
    let bytes = value.get(whole.clone()).unwrap_or_default();
    let mut gaps = BTreeMap::new();
    let mut pieces = Vec::new();
    let lines = lines(value, whole.clone());
    // Only text has lines; a newline within a key of random bytes is none.
    if lines.len() > 1 && is_text(bytes) {
        cut_lines(value, &lines, &mut pieces, &mut gaps);
    } else if let Some(reason) = unprovable(bytes) {
        gaps.insert(reason, (Part::Whole, 1));
    } else {
        excerpts(value, Part::Whole, whole.clone(), &mut pieces);
        cut_field(value, 1, &whole, &mut pieces);
    }
    if pieces.is_empty() && gaps.keys().any(|reason| *reason != Reason::Ordinary) {
        // Short lines only: together they may be long enough.
        match unprovable(bytes) {
            None => excerpts(value, Part::Whole, whole, &mut pieces),
            Some(reason) => gaps = BTreeMap::from([(reason, (Part::Whole, 1))]),
        }
    }
    let mut gaps: Vec<Gap> = gaps
        .into_iter()
        .map(|(reason, (part, parts))| Gap { needle, reason, part, parts })
        .collect();
    if let (true, Some(gap)) = (pieces.is_empty(), gaps.first_mut()) {
        gap.part = Part::Whole;
    }
    Cut { pieces, gaps }
}

fn cut_lines(
    value: &[u8],
    lines: &[(usize, Range<usize>)],
    pieces: &mut Vec<Piece>,
    gaps: &mut BTreeMap<Reason, (Part, usize)>,
) {
    let mut armour = ordinary::Armour::default();
    let halves = public::lines(value, lines);
    let mut gap = |reason, part| gaps.entry(reason).or_insert((part, 0)).1 += 1;
    let mut provable = Vec::new();
    for (number, range) in lines {
        let line = value.get(range.clone()).unwrap_or_default();
        let public = armour.is_public(line) || halves.contains(number);
        cut_field(value, *number, range, pieces);
        if public || ordinary::is_line(line) {
            gap(Reason::Ordinary, Part::Line(*number));
        } else if let Some(reason) = unprovable(line) {
            gap(reason, Part::Line(*number));
        } else {
            provable.push((*number, range.clone()));
        }
    }
    // From all over a long value, so that some of any leaked part of it is among them.
    let step = provable.len().div_ceil(MOST_LINES).max(1);
    for (index, (number, range)) in provable.into_iter().enumerate() {
        if index % step == 0 {
            excerpts(value, Part::Line(number), range, pieces);
        } else {
            gap(Reason::Many, Part::Line(number));
        }
    }
}

/// The password on a line, if it is one of a credentials file.
fn cut_field(value: &[u8], number: usize, range: &Range<usize>, pieces: &mut Vec<Piece>) {
    let line = value.get(range.clone()).unwrap_or_default();
    for field in fields::secrets(line) {
        let range = range.start + field.start..range.start + field.end;
        let lines: Vec<_> = fields::escaped_lines(value, &range).into_iter().enumerate().collect();
        let halves = public::lines(value, &lines);
        let several = lines.len() > 1;
        for (index, range) in lines {
            let line = value.get(range.clone()).unwrap_or_default();
            let public = several && (halves.contains(&index) || ordinary::is_line(line));
            if !public && unprovable(line).is_none() {
                excerpts(value, Part::Field(number), range, pieces);
            }
        }
    }
}

/// One piece, or for a long part the least ordinary ones from all over it.
fn excerpts(value: &[u8], part: Part, range: Range<usize>, pieces: &mut Vec<Piece>) {
    if range.len() <= LONGEST {
        return pieces.push(Piece { part, range });
    }
    let bytes = value.get(range.clone()).unwrap_or_default();
    let text = std::str::from_utf8(bytes).ok();
    let count = (range.len() / EXCERPT).min(EXCERPTS);
    let mut found: Vec<(u32, Range<usize>)> = Vec::new();
    for segment in bytes.chunks(range.len().div_ceil(count)).enumerate().map(|(index, segment)| {
        let start = index * range.len().div_ceil(count);
        start..start + segment.len()
    }) {
        let within = bytes.get(segment.clone()).unwrap_or_default();
        let Some((at, score)) = rarity::rarest(within, EXCERPT, EXCERPT, 4096, |_| true) else {
            continue;
        };
        let (mut start, mut end) = (segment.start + at, segment.start + at + EXCERPT);
        // Some transforms know letters, which must not be cut.
        if let Some(text) = text {
            while !text.is_char_boundary(start) {
                start += 1;
            }
            while !text.is_char_boundary(end) {
                end -= 1;
            }
        }
        found.push((score, range.start + start..range.start + end));
    }
    // What is much more ordinary than the rest may well be public: the frame of a JSON key file.
    let best = found.iter().map(|(score, _)| *score).max().unwrap_or_default();
    found.retain(|(score, range)| {
        let excerpt = value.get(range.clone()).unwrap_or_default();
        score * 4 >= best * 3 && unprovable(excerpt).is_none()
    });
    if found.is_empty() {
        // One stretch of bytes within nothing: the search looks for its rarest window anyway.
        let start = range.start;
        found.push((0, start..start + LONGEST));
    }
    for (_, range) in found {
        pieces.push(Piece { part: Part::Excerpt(range.start), range });
    }
}

/// Why bytes cannot be searched for.
fn unprovable(bytes: &[u8]) -> Option<Reason> {
    if bytes.len() < SHORTEST {
        Some(Reason::Short)
    } else if rarity::distinct(bytes) < 3 {
        Some(Reason::Uniform)
    } else if ordinary::is_word(bytes) {
        Some(Reason::Ordinary)
    } else {
        None
    }
}

/// Bytes that an editor would show as lines.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0)
}

/// The lines within a range that are not blank, trimmed, with their numbers in the value.
fn lines(value: &[u8], within: Range<usize>) -> Vec<(usize, Range<usize>)> {
    let before = value.get(..within.start).unwrap_or_default();
    let first = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let mut start = within.start;
    let mut found = Vec::new();
    let within = value.get(within).unwrap_or_default();
    for (number, line) in (first..).zip(within.split(|byte| *byte == b'\n')) {
        let range = trimmed(value, start..start + line.len());
        if !range.is_empty() {
            found.push((number, range));
        }
        start += line.len() + 1;
    }
    found
}

/// A range without the white space at its ends.
fn trimmed(value: &[u8], range: Range<usize>) -> Range<usize> {
    let bytes = value.get(range.clone()).unwrap_or_default();
    let rest = bytes.trim_ascii_start();
    let start = range.start + bytes.len() - rest.len();
    start..start + rest.trim_ascii_end().len()
}
