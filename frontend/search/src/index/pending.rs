//! Which end of a text may be the beginning of a pattern.

use zeroize::Zeroizing;

use super::{Index, Pattern, verify};
use crate::needles::SHORTEST;
use crate::transform::Secret;

impl Index {
    /// Where the longest end of a text begins that a pattern may go on from.
    ///
    /// Where a pattern may be broken into lines, fewer than [`SHORTEST`] letters before the break
    /// do not count: nearly every line would end in the beginning of some pattern.
    pub(crate) fn pending(&self, text: &[u8]) -> usize {
        let from = (text.len() + 1).saturating_sub(self.extent.max(1));
        let tail = text.get(from..).unwrap_or_default();
        let plain = (0..tail.len()).find(|at| {
            let end = tail.get(*at..).unwrap_or_default();
            self.heads.may_begin(end) && self.begins(end, false)
        });
        from + self.pending_lines(tail).unwrap_or(tail.len()).min(plain.unwrap_or(tail.len()))
    }

    /// Likewise, of patterns that are broken into lines.
    fn pending_lines(&self, tail: &[u8]) -> Option<usize> {
        let (letters, places) = joined(tail);
        if letters.len() == tail.len() {
            return None;
        }
        let at = (0..letters.len().saturating_sub(SHORTEST - 1)).find(|at| {
            let end = letters.get(*at..).unwrap_or_default();
            self.heads.may_begin(end) && self.begins(end, true)
        })?;
        places.get(at).copied()
    }

    /// Whether some pattern begins with these bytes and goes on.
    fn begins(&self, bytes: &[u8], wraps: bool) -> bool {
        // Patterns are in order, and so those with a common beginning are beside each other.
        let first = self.patterns.partition_point(|pattern| pattern.bytes.as_slice() <= bytes);
        let after = self.patterns.get(first..).unwrap_or_default();
        after
            .iter()
            .take_while(|pattern| pattern.bytes.starts_with(bytes))
            .any(|pattern| pattern.wraps || !wraps)
    }
}

/// The first two bytes of all patterns: nearly every end of a text is turned away by them.
pub(super) struct Heads(Zeroizing<Vec<bool>>);

impl Heads {
    pub(super) fn new(patterns: &[Pattern]) -> Self {
        let mut heads = Zeroizing::new(vec![false; 1 << 16]);
        for pattern in patterns {
            if let Some(head) = slot(&pattern.bytes).and_then(|slot| heads.get_mut(slot)) {
                *head = true;
            }
        }
        Self(heads)
    }

    /// Whether some pattern may begin with these bytes.
    fn may_begin(&self, bytes: &[u8]) -> bool {
        slot(bytes).is_none_or(|slot| self.0.get(slot).copied().unwrap_or_default())
    }
}

/// The first two bytes as a number.
fn slot(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk().map(|two| usize::from(u16::from_le_bytes(*two)))
}

/// The bytes of a text that are no line breaks, and their places; an unfinished break at its end is
/// one.
fn joined(text: &[u8]) -> (Secret, Vec<usize>) {
    let mut letters = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut places = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        let cut = verify::break_after(rest);
        if cut > 0 {
            at += cut;
        } else if verify::may_become_break(rest) {
            break;
        } else {
            letters.push(*byte);
            places.push(at);
            at += 1;
        }
    }
    (letters, places)
}
