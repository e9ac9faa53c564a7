//! Characters as BuildKit sees them: invalid UTF-8 is one U+FFFD per byte, white space is Unicode's.

use super::span::Span;

/// The first character and its width in bytes; an invalid byte is U+FFFD of width 1.
pub(crate) fn decode(bytes: &[u8]) -> Option<(char, usize)> {
    let first = *bytes.first()?;
    if first.is_ascii() {
        return Some((char::from(first), 1));
    }
    let head = bytes.get(..bytes.len().min(4)).unwrap_or(bytes);
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => head
            .get(..error.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or_default(),
    };
    Some(match valid.chars().next() {
        Some(ch) => (ch, ch.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, 1),
    })
}

/// Text with every invalid byte replaced by one U+FFFD.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

/// The white space that separates words: `[\t\v\f\r ]`.
pub(crate) fn is_separator(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x0b | 0x0c | b'\r' | b' ')
}

/// `range` of `bytes` without white space at its start.
pub(crate) fn trim_start(bytes: &[u8], range: Span) -> Span {
    let mut start = range.start;
    while let Some((ch, width)) = decode(Span::new(start, range.end).of(bytes)) {
        if !ch.is_whitespace() {
            break;
        }
        start += width;
    }
    Span::new(start, range.end)
}

/// `range` of `bytes` without white space at both ends.
pub(crate) fn trim(bytes: &[u8], range: Span) -> Span {
    let range = trim_start(bytes, range);
    let mut end = range.end;
    'outer: while end > range.start {
        for width in 1..=4usize.min(end - range.start) {
            let tail = Span::new(end - width, end).of(bytes);
            if let Some((ch, decoded)) = decode(tail)
                && decoded == width
                && ch.is_whitespace()
            {
                end -= width;
                continue 'outer;
            }
        }
        break;
    }
    Span::new(range.start, end)
}

/// Lower case by simple mapping, one character to one character.
pub(crate) fn lower(text: &str) -> String {
    text.chars()
        .map(|ch| {
            if ch == '\u{130}' {
                return 'i';
            }
            let mut mapped = ch.to_lowercase();
            match (mapped.next(), mapped.next()) {
                (Some(single), None) => single,
                _ => ch,
            }
        })
        .collect()
}

/// Upper case by simple mapping, one character to one character.
pub(crate) fn upper(text: &str) -> String {
    text.chars()
        .map(|ch| {
            let mut mapped = ch.to_uppercase();
            match (mapped.next(), mapped.next()) {
                (Some(single), None) => single,
                _ => ch,
            }
        })
        .collect()
}

/// Equality without regard to case, by simple folding (the long s and the Kelvin sign fold too).
pub(crate) fn equal_fold(left: &str, right: &str) -> bool {
    let fold = |text: &str| lower(text).replace('\u{17f}', "s");
    left == right || (!left.contains('\u{130}') && fold(left) == fold(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_bytes_are_one_replacement_each() {
        assert_eq!(lossy(b"a\xf0\x9f\x98b"), "a\u{fffd}\u{fffd}\u{fffd}b");
        assert_eq!(decode(b"\xf0\x9f\x98b"), Some((char::REPLACEMENT_CHARACTER, 1)));
    }

    #[test]
    fn trim_knows_unicode_space() {
        let bytes = "\u{a0} x \u{3000}".as_bytes();
        assert_eq!(trim(bytes, Span::new(0, bytes.len())).of(bytes), b"x");
    }

    #[test]
    fn case_is_simple() {
        assert_eq!(lower("WORKD\u{130}R"), "workdir");
        assert!(equal_fold("a\u{17f}", "AS"));
        assert_eq!(upper("onbu\u{131}ld \u{df}"), "ONBUILD \u{df}");
    }
}
