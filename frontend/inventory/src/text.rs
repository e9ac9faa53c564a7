//! Texts of package managers: lines, and `Key: value` headers.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// A text from an image, for a terminal: control characters are spelt out.
pub(crate) struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c.is_control() {
            true => write!(f, "{}", c.escape_default()),
            false => f.write_char(c),
        })
    }
}

/// Lines without their ends, carriage returns included; a last line needs no end.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text).filter(|text| !text.is_empty());
    std::iter::from_fn(move || {
        let text = rest?;
        let (line, after) = match memchr::memchr(b'\n', text) {
            Some(end) => (text.get(..end)?, text.get(end + 1..).filter(|after| !after.is_empty())),
            None => (text, None),
        };
        rest = after;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// Splits `Key: value`; the value is trimmed.
pub(crate) fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    Some((line.get(..colon)?, line.get(colon + 1..)?.trim_ascii()))
}

/// Text as text: bytes that are no UTF-8 become replacement characters.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// A path below the root: without the slash or `./` that archives put before it.
pub(crate) fn relative(path: &[u8]) -> &[u8] {
    let mut path = path;
    while let Some(rest) = path.strip_prefix(b"/").or_else(|| path.strip_prefix(b"./")) {
        path = rest;
    }
    if path == b"." { b"" } else { path }
}

/// The part behind the last slash.
pub(crate) fn file_name(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).and_then(|at| path.get(at + 1..)).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_spelt_out() {
        assert_eq!(Shown("a\u{1b}[2J\u{e9}\n").to_string(), "a\\u{1b}[2J\u{e9}\\n");
    }

    #[test]
    fn lines_end_with_or_without_a_carriage_return() {
        let found: Vec<_> = lines(b"a\r\n\nb\nc").collect();
        assert_eq!(found, [&b"a"[..], b"", b"b", b"c"]);
        assert_eq!(lines(b"").count(), 0);
        assert_eq!(lines(b"\n\n").count(), 2);
        assert_eq!(field(b"a: b: c "), Some((&b"a"[..], &b"b: c"[..])));
        assert_eq!(relative(b".//a/b"), b"a/b");
        assert_eq!(relative(b"./"), b"");
        assert_eq!(relative(b".a"), b".a");
        assert_eq!(file_name(b"a/b"), b"b");
        assert_eq!(file_name(b"b"), b"b");
    }
}
