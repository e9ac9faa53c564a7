//! Cutting a logical line into keyword, flags and arguments.

use super::logical::{Logical, Word};
use super::span::Span;
use super::srcmap::SourceMap;
use super::text;

/// One `--name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Without the dashes; case matters.
    pub name: String,
    /// What follows the first `=`, quotes and escapes undone; `None` without `=`.
    pub value: Option<Word>,
    /// The whole flag as written.
    pub span: Span,
    /// The value and the map from it to the joined line, for what is nested inside of it.
    pub(crate) decoded: Decoded,
}

/// A text with quotes and escapes undone, and where its pieces stood in the joined line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    pub(crate) map: SourceMap,
    /// Where the value begins in `text`.
    pub(crate) value: usize,
}

/// The keyword and what follows it.
pub(crate) struct Split {
    pub(crate) keyword: Span,
    pub(crate) rest: Span,
}

/// Cuts off the first word of `range`.
pub(crate) fn keyword(line: &Logical, range: Span) -> Split {
    let range = text::trim(&line.bytes, range);
    let bytes = range.of(&line.bytes);
    let end = bytes.iter().position(|byte| text::is_separator(*byte));
    let keyword = Span::new(range.start, end.map_or(range.end, |at| range.start + at));
    let mut rest = Span::new(keyword.end, range.end);
    while rest.of(&line.bytes).first().is_some_and(|byte| text::is_separator(*byte)) {
        rest.start += 1;
    }
    Split { keyword, rest }
}

/// A byte counts as the character of the same number here, as BuildKit has it.
fn is_byte_space(byte: u8) -> bool {
    char::from(byte).is_whitespace()
}

/// Cuts the leading `--flags` off `range`; gives them and what is left, trimmed.
pub(crate) fn flags(line: &Logical, range: Span, escape: u8) -> (Vec<Flag>, Span) {
    let bytes = range.of(&line.bytes);
    let at = |index: usize| bytes.get(index).copied();
    let mut flags = Vec::new();
    let mut pos = 0;
    let rest = loop {
        while at(pos).is_some_and(is_byte_space) {
            pos += 1;
        }
        if at(pos) != Some(b'-') || at(pos + 1) != Some(b'-') {
            break pos;
        }
        let start = pos;
        let mut decoded = Decoded::default();
        let mut quoted = false;
        let mut quote = None;
        while let Some(byte) = at(pos) {
            let from = pos;
            let mut value = byte;
            match quote {
                None if is_byte_space(byte) => break,
                None if byte == b'\'' || byte == b'"' => {
                    quote = Some(byte);
                    quoted = true;
                    pos += 1;
                    continue;
                }
                Some(open) if byte == open => {
                    quote = None;
                    pos += 1;
                    continue;
                }
                _ => {}
            }
            if byte == escape {
                pos += 1;
                match at(pos) {
                    // An escape that ends the line is dropped.
                    None => break,
                    Some(escaped) => value = escaped,
                }
            }
            pos += 1;
            let ch = char::from(value);
            decoded.text.push(ch);
            decoded.map.push(ch.len_utf8(), Span::new(range.start + from, range.start + pos));
        }
        if decoded.text == "--" {
            break pos;
        }
        if quoted || !decoded.text.is_empty() {
            let span = line.span(Span::new(range.start + start, range.start + pos));
            flags.push(flag(line, decoded, span));
        }
    };
    let rest = Span::new(range.start + rest.min(range.len()), range.end);
    (flags, text::trim(&line.bytes, rest))
}

fn flag(line: &Logical, mut decoded: Decoded, span: Span) -> Flag {
    let name = decoded.text.strip_prefix("--").unwrap_or(&decoded.text);
    let (name, value) = match name.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(decoded.text.len() - value.len())),
        None => (name.to_owned(), None),
    };
    decoded.value = value.unwrap_or(decoded.text.len());
    let value = value.map(|start| {
        line.decoded(&decoded.text, &decoded.map, Span::new(start, decoded.text.len()))
    });
    Flag { name, value, span, decoded }
}

/// Words between separators, quotes without meaning (FROM, EXPOSE, COPY, ADD, VOLUME).
pub(crate) fn plain_words(line: &Logical, range: Span) -> Vec<Word> {
    let bytes = range.of(&line.bytes);
    let mut words = Vec::new();
    let mut start = None;
    for (index, byte) in bytes.iter().enumerate() {
        match (text::is_separator(*byte), start) {
            (false, None) => start = Some(index),
            (true, Some(from)) => {
                words.push(line.word(Span::new(range.start + from, range.start + index)));
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        words.push(line.word(Span::new(range.start + from, range.end)));
    }
    // There may be as many lists as lines.
    words.shrink_to_fit();
    words
}

/// Words with quotes kept, split outside of quotes only (ENV, ARG, LABEL).
pub(crate) fn quoted_words(line: &Logical, range: Span, escape: u8) -> Vec<Span> {
    let bytes = range.of(&line.bytes);
    let mut words = Vec::new();
    let mut pos = 0;
    let char_at = |pos: usize| text::decode(bytes.get(pos..).unwrap_or_default());
    while let Some((first, width)) = char_at(pos) {
        if first.is_whitespace() {
            pos += width;
            continue;
        }
        let start = pos;
        let mut end = pos;
        let mut quote = None;
        while let Some((ch, width)) = char_at(pos) {
            if quote.is_none() && ch.is_whitespace() {
                break;
            }
            let escaping = ch == char::from(escape) && quote != Some('\'');
            pos += width;
            if escaping {
                match char_at(pos) {
                    // An escape that ends the line is dropped.
                    None => break,
                    Some((_, width)) => pos += width,
                }
            } else if quote == Some(ch) {
                quote = None;
            } else if quote.is_none() && (ch == '\'' || ch == '"') {
                quote = Some(ch);
            }
            end = pos;
        }
        if end > start {
            words.push(Span::new(range.start + start, range.start + end));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Logical {
        let mut line = Logical::default();
        line.push(text.as_bytes(), Span::new(0, text.len()));
        line
    }

    fn read(text: &str) -> (Vec<(String, Option<String>)>, String) {
        let line = line(text);
        let (flags, rest) = flags(&line, line.all(), b'\\');
        let flags =
            flags.into_iter().map(|flag| (flag.name, flag.value.map(|word| word.text))).collect();
        (flags, text::lossy(rest.of(&line.bytes)))
    }

    fn one(name: &str, value: &str) -> Vec<(String, Option<String>)> {
        vec![(name.to_owned(), Some(value.to_owned()))]
    }

    #[test]
    fn flags_are_unquoted() {
        assert_eq!(read("--from=a b c"), (one("from", "a"), "b c".to_owned()));
        assert_eq!(read("--from=\"a b\" c"), (one("from", "a b"), "c".to_owned()));
        assert_eq!(read("--fr\"om=a\"b c"), (one("from", "ab"), "c".to_owned()));
        assert_eq!(read("--a=b\\ c\\d"), (one("a", "b cd"), String::new()));
        assert_eq!(read("--a=b -- --c=d"), (one("a", "b"), "--c=d".to_owned()));
        assert_eq!(read("-a --b"), (vec![], "-a --b".to_owned()));
        assert_eq!(read("--b"), (vec![("b".to_owned(), None)], String::new()));
        assert_eq!(read("--a=b\\"), (one("a", "b"), String::new()));
        assert_eq!(read("--a='b"), (one("a", "b"), String::new()));
    }

    #[test]
    fn flag_parts_leave_quotes_alone() {
        let text = "--fr\"om=de\"b\\ian x";
        let line = line(text);
        let (flags, _) = flags(&line, line.all(), b'\\');
        let value = flags[0].value.clone().unwrap();
        assert_eq!(value.text, "debian");
        let parts: Vec<_> = value.parts.iter().map(|part| part.of(text.as_bytes())).collect();
        assert_eq!(parts, [&b"de"[..], b"b\\ian"]);
    }

    #[test]
    fn words_keep_quotes() {
        let text = "a=\"b c\" d='e\\' f=g\\ h i\\";
        let line = line(text);
        let words: Vec<_> = quoted_words(&line, line.all(), b'\\')
            .into_iter()
            .map(|span| span.of(text.as_bytes()))
            .collect();
        assert_eq!(words, [&b"a=\"b c\""[..], b"d='e\\'", b"f=g\\ h", b"i"]);
    }
}
