//! A small JSON reader that keeps positions: exec-form arrays, and `{"syntax": …}` files.
//!
//! It accepts exactly what Go's decoder accepts, because "is this valid JSON" decides between exec
//! form and shell form. Nesting is counted, not recursed.

use super::span::Span;
use super::srcmap::SourceMap;
use super::text;

/// Go refuses deeper nesting.
const MAX_DEPTH: usize = 10_000;

/// A string value: its meaning, the range between its quotes, and the map back to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonString {
    pub(crate) text: String,
    pub(crate) inner: Span,
    pub(crate) map: SourceMap,
}

/// What an exec-form array turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JsonArray {
    Strings(Vec<JsonString>),
    /// Valid JSON, but some element is not a string.
    Mixed,
    /// Not a JSON array: shell form.
    No,
}

/// Reads `range` of `bytes` as an array of strings.
pub(crate) fn array(bytes: &[u8], range: Span) -> JsonArray {
    let mut reader = Reader { bytes, at: range.start, end: range.end };
    reader.top_array().unwrap_or(JsonArray::No)
}

/// The last member `key` of the object that is all of `bytes`, when it is a string.
pub(crate) fn member(bytes: &[u8], start: usize, key: &str) -> Option<JsonString> {
    let mut reader = Reader { bytes, at: start, end: bytes.len() };
    reader.top_member(key)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        if self.at < self.end { self.bytes.get(self.at).copied() } else { None }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn finished(&mut self) -> Option<()> {
        self.blank();
        (self.at >= self.end).then_some(())
    }

    fn top_array(&mut self) -> Option<JsonArray> {
        if !self.eat(b'[') {
            return None;
        }
        let mut strings = Some(Vec::new());
        self.blank();
        if !self.eat(b']') {
            loop {
                self.blank();
                if self.peek() == Some(b'"') {
                    let string = self.string()?;
                    if let Some(strings) = strings.as_mut() {
                        strings.push(string);
                    }
                } else {
                    self.value(1)?;
                    strings = None;
                }
                self.blank();
                if self.eat(b']') {
                    break;
                }
                if !self.eat(b',') {
                    return None;
                }
            }
        }
        self.finished()?;
        Some(strings.map_or(JsonArray::Mixed, JsonArray::Strings))
    }

    fn top_member(&mut self, key: &str) -> Option<JsonString> {
        self.blank();
        if !self.eat(b'{') {
            return None;
        }
        let mut found = None;
        self.blank();
        if !self.eat(b'}') {
            loop {
                self.blank();
                let name = self.string()?;
                self.blank();
                if !self.eat(b':') {
                    return None;
                }
                self.blank();
                if self.peek() == Some(b'"') {
                    let string = self.string()?;
                    if name.text == key {
                        found = Some(string);
                    }
                } else {
                    self.value(1)?;
                    if name.text == key {
                        found = None;
                    }
                }
                self.blank();
                if self.eat(b'}') {
                    break;
                }
                if !self.eat(b',') {
                    return None;
                }
            }
        }
        self.finished()?;
        found
    }

    /// Skips one value of any type; `depth` is the nesting it stands in.
    fn value(&mut self, depth: usize) -> Option<()> {
        // Each open bracket, `true` for an object.
        let mut open: Vec<bool> = Vec::new();
        loop {
            self.blank();
            match self.peek()? {
                byte @ (b'[' | b'{') => {
                    self.at += 1;
                    if depth + open.len() >= MAX_DEPTH {
                        return None;
                    }
                    self.blank();
                    let object = byte == b'{';
                    if self.eat(if object { b'}' } else { b']' }) {
                        // an empty one is a finished value
                    } else {
                        open.push(object);
                        if object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                b'"' => {
                    self.string()?;
                }
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                _ => self.number()?,
            }
            loop {
                let Some(object) = open.last().copied() else {
                    return Some(());
                };
                self.blank();
                if self.eat(b',') {
                    if object {
                        self.blank();
                        self.key()?;
                    }
                    break;
                }
                if !self.eat(if object { b'}' } else { b']' }) {
                    return None;
                }
                open.pop();
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        self.string()?;
        self.blank();
        self.eat(b':').then_some(())
    }

    fn literal(&mut self, word: &[u8]) -> Option<()> {
        let range = Span::new(self.at, (self.at + word.len()).min(self.end));
        if range.of(self.bytes) != word {
            return None;
        }
        self.at = range.end;
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        let text = std::str::from_utf8(Span::new(start, self.at).of(self.bytes)).ok()?;
        // A number that does not fit is an error in Go, so the whole text is not JSON.
        text.parse::<f64>().ok()?.is_finite().then_some(())
    }

    fn string(&mut self) -> Option<JsonString> {
        if !self.eat(b'"') {
            return None;
        }
        let start = self.at;
        let mut out = String::new();
        let mut map = SourceMap::default();
        loop {
            let from = self.at;
            let ch = match self.peek()? {
                b'"' => {
                    let inner = Span::new(start, self.at);
                    self.at += 1;
                    return Some(JsonString { text: out, inner, map });
                }
                b'\\' => {
                    self.at += 1;
                    self.escape()?
                }
                0..0x20 => return None,
                _ => {
                    let (ch, width) = text::decode(Span::new(from, self.end).of(self.bytes))?;
                    self.at += width;
                    ch
                }
            };
            out.push(ch);
            map.push(ch.len_utf8(), Span::new(from, self.at));
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex4()?;
                let resume = self.at;
                if (0xd800..0xdc00).contains(&unit)
                    && self.eat(b'\\')
                    && self.eat(b'u')
                    && let Some(low) = self.hex4()
                    && (0xdc00..0xe000).contains(&low)
                {
                    let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                    return char::from_u32(code);
                }
                self.at = resume;
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return None,
        })
    }

    fn hex4(&mut self) -> Option<u32> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()?).to_digit(16)?;
            value = value * 16 + digit;
            self.at += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> JsonArray {
        array(text.as_bytes(), Span::new(0, text.len()))
    }

    fn strings(text: &str) -> Option<Vec<String>> {
        match read(text) {
            JsonArray::Strings(list) => Some(list.into_iter().map(|item| item.text).collect()),
            _ => None,
        }
    }

    #[test]
    fn arrays() {
        assert_eq!(strings("[]"), Some(vec![]));
        assert_eq!(
            strings(r#"[ "a" , "\u00e9\ud83d\ude00\ud800x" ] "#).unwrap(),
            ["a", "é😀\u{fffd}x"]
        );
        for mixed in ["[1]", "[null]", "[[]]", r#"["a",{"b":[1,2.5e3,true]}]"#] {
            assert_eq!(read(mixed), JsonArray::Mixed, "{mixed}");
        }
        for no in [
            "",
            "[",
            "['a']",
            "[\"a\",]",
            "[\"a\"] x",
            "[01]",
            "[1e999]",
            "[\"\\x\"]",
            "[{\"a\"}]",
            "[-]",
            "[\"\t\"]",
            "[,]",
            "[tru]",
        ] {
            assert_eq!(read(no), JsonArray::No, "{no}");
        }
    }

    #[test]
    fn deep_nesting_is_not_json() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        assert_eq!(read(&deep), JsonArray::No);
    }

    #[test]
    fn members() {
        let file = br#"{"a": {"syntax": "no"}, "syntax": "x\/y:1"}"#;
        let found = member(file, 0, "syntax").unwrap();
        assert_eq!(found.text, "x/y:1");
        assert_eq!(found.inner.of(file), br"x\/y:1");
        assert_eq!(member(b"{\"syntax\":1}", 0, "syntax"), None);
    }
}
