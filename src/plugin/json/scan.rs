//! Where the members of an object stand in a text that is known to be JSON.

use std::ops::Range;

/// One `"key": value`.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// The key with its quotes.
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// An object and its members, in their order.
#[derive(Debug)]
pub(super) struct Object {
    /// Between its braces.
    pub(super) inside: Range<usize>,
    pub(super) members: Vec<Member>,
}

impl Object {
    /// The object that begins at a place or behind the blanks there; `None` for anything else.
    pub(super) fn at(text: &str, place: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut at = blanks(bytes, place);
        if bytes.get(at) != Some(&b'{') {
            return None;
        }
        let start = at + 1;
        let mut members = Vec::new();
        at = blanks(bytes, start);
        while bytes.get(at)? != &b'}' {
            let key = at..string(bytes, at)?;
            let colon = blanks(bytes, key.end);
            let value_start = blanks(bytes, colon + 1);
            let value = value_start..self::value(bytes, value_start)?;
            at = blanks(bytes, value.end);
            if bytes.get(at) == Some(&b',') {
                at = blanks(bytes, at + 1);
            }
            let name = serde_json::from_str(text.get(key.clone())?).ok()?;
            members.push(Member { name, key, value });
        }
        Some(Self { inside: start..at, members })
    }
}

fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The end of the string that begins at a place.
fn string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The end of the value that begins at a place.
fn value(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = start;
    loop {
        match bytes.get(at) {
            Some(b'"') => at = string(bytes, at)?,
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b'}' | b']') if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r') | None if depth == 0 => {
                return Some(at);
            }
            Some(_) => {
                at += 1;
                continue;
            }
            None => return None,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}
