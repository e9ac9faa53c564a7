//! Whether the rest of a pattern stands around one of its windows.

use super::Pattern;
use super::windows::Window;

/// Bytes of a line break with what may belong to it: `\r\n`, or the same as escapes, and an indent.
pub(super) const LONGEST_BREAK: usize = 4 + MOST_INDENT;
/// Blanks at the beginning of a line: text within YAML.
const MOST_INDENT: usize = 24;
/// Encoders write no shorter lines; two windows beside each other are no longer.
const SHORTEST_LINE: usize = 32;
/// How lines end in text, and in text within a string.
const BREAKS: [&[u8]; 4] = [b"\r\n", b"\n", br"\r\n", br"\n"];

/// Line breaks within so many letters.
pub(super) fn most_breaks(letters: usize) -> usize {
    1 + letters / SHORTEST_LINE
}

/// Where the pattern begins and ends, if it stands around its window, which begins at `start`.
pub(super) fn around(
    pattern: &Pattern,
    window: Window,
    width: usize,
    text: &[u8],
    start: usize,
) -> Option<(usize, usize)> {
    let bytes = &*pattern.bytes;
    let (head, rest) = bytes.split_at_checked(window.at)?;
    let (middle, tail) = rest.split_at_checked(width)?;
    let (before, from) = text.split_at_checked(start)?;
    let after = from.strip_prefix(middle)?;
    if window.second {
        let first = head.get(head.len().checked_sub(width)?..)?;
        let line = before.get(..before.len() - break_before(before))?;
        if before.ends_with(first) || line.ends_with(first) {
            // The first window stands here as well, and has told.
            return None;
        }
    }
    let mut breaks = if pattern.wraps { most_breaks(bytes.len()) } else { 0 };
    let start = backwards(head, before, &mut breaks)?;
    let end = text.len() - forwards(tail, after, &mut breaks)?.len();
    Some((start, end))
}

/// The text before a pattern's head, with which it ends; given as its length.
fn backwards(head: &[u8], text: &[u8], breaks: &mut usize) -> Option<usize> {
    if text.ends_with(head) {
        return Some(text.len() - head.len());
    }
    let mut text = text;
    for (index, byte) in head.iter().enumerate().rev() {
        // No letter of these patterns is a backslash, so the `n` of an escape is none of theirs;
        // unless the pattern begins with that `n`.
        let cut = if index == 0 && text.last() == Some(byte) { 0 } else { break_before(text) };
        if cut > 0 {
            *breaks = breaks.checked_sub(1)?;
            text = text.get(..text.len() - cut)?;
        }
        text = text.strip_suffix(std::slice::from_ref(byte))?;
    }
    Some(text.len())
}

/// The text behind a pattern's tail, with which it begins.
fn forwards<'t>(tail: &[u8], text: &'t [u8], breaks: &mut usize) -> Option<&'t [u8]> {
    if let Some(rest) = text.strip_prefix(tail) {
        return Some(rest);
    }
    let mut text = text;
    for byte in tail {
        let cut = break_after(text);
        if cut > 0 {
            *breaks = breaks.checked_sub(1)?;
            text = text.get(cut..)?;
        }
        text = text.strip_prefix(std::slice::from_ref(byte))?;
    }
    Some(text)
}

/// Bytes of the line break that a text ends with.
fn break_before(text: &[u8]) -> usize {
    let indent = blanks(text.iter().rev());
    let text = text.get(..text.len() - indent).unwrap_or_default();
    BREAKS.iter().find(|end| text.ends_with(end)).map_or(0, |end| end.len() + indent)
}

/// Bytes of the line break that a text begins with.
pub(super) fn break_after(text: &[u8]) -> usize {
    let Some(end) = BREAKS.iter().find(|end| text.starts_with(end)) else { return 0 };
    end.len() + blanks(text.iter().skip(end.len()))
}

/// Whether a text is the beginning of a line break.
pub(super) fn may_become_break(text: &[u8]) -> bool {
    BREAKS.iter().any(|end| end.starts_with(text))
}

fn blanks<'b>(bytes: impl Iterator<Item = &'b u8>) -> usize {
    bytes.take(MOST_INDENT).take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}
