//! One word: quotes, escapes and expansions.

use super::Word;
use super::reader::{MAX_DEPTH, Reader};

/// How far the end of an expression is looked for, in bytes.
const LONGEST_ARITHMETIC: usize = 4096;

/// Bytes that end a word.
fn ends(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')')
}

struct Text {
    bytes: Vec<u8>,
    expands: bool,
    quoted: bool,
}

impl Reader<'_> {
    /// The word that begins here; `None` when none does.
    pub(super) fn word(&mut self) -> Option<Word> {
        let start = self.pos;
        let mut text = Text { bytes: Vec::new(), expands: false, quoted: false };
        while let Some(byte) = self.peek() {
            match byte {
                // `<(…)` is a word of its own.
                b'<' | b'>' if self.at(1) == Some(b'(') => {
                    let from = self.pos;
                    self.pos += 2;
                    self.substitution(b')');
                    text.raw(self.bytes.get(from..self.pos));
                }
                byte if ends(byte) => break,
                b'\\' => self.escape(&mut text),
                b'\'' => self.single(&mut text),
                b'"' => self.double(&mut text),
                b'$' if self.at(1) == Some(b'\'') => {
                    self.pos += 1;
                    self.ansi(&mut text);
                }
                b'$' if self.at(1) == Some(b'"') => self.pos += 1,
                // It closes the substitution that this word stands in.
                b'`' if self.backquote => break,
                b'$' | b'`' => self.expansion(&mut text),
                other => {
                    text.bytes.push(other);
                    self.pos += 1;
                }
            }
        }
        (self.pos > start).then(|| Word {
            text: String::from_utf8_lossy(&text.bytes).into_owned(),
            expands: text.expands,
            quoted: text.quoted,
            span: start..self.pos,
        })
    }

    fn escape(&mut self, text: &mut Text) {
        self.pos += 1;
        match self.peek() {
            Some(b'\n') => self.pos += 1,
            Some(byte) => {
                text.quoted = true;
                text.bytes.push(byte);
                self.pos += 1;
            }
            // The last byte of the script.
            None => text.bytes.push(b'\\'),
        }
    }

    fn single(&mut self, text: &mut Text) {
        text.quoted = true;
        self.pos += 1;
        let rest = self.rest();
        let end = rest.iter().position(|byte| *byte == b'\'');
        text.bytes.extend_from_slice(rest.get(..end.unwrap_or(rest.len())).unwrap_or_default());
        self.script.incomplete |= end.is_none();
        self.pos += end.map_or(rest.len(), |end| end + 1);
    }

    /// `$'…'`: only what hides nothing is undone; other escapes stay as written.
    fn ansi(&mut self, text: &mut Text) {
        text.quoted = true;
        self.pos += 1;
        while let Some(byte) = self.peek() {
            self.pos += 1;
            match (byte, self.peek()) {
                (b'\'', _) => return,
                (b'\\', Some(b'n')) => text.bytes.push(b'\n'),
                (b'\\', Some(b't')) => text.bytes.push(b'\t'),
                (b'\\', Some(next @ (b'\\' | b'\'' | b'"'))) => text.bytes.push(next),
                _ => {
                    text.bytes.push(byte);
                    continue;
                }
            }
            self.pos += 1;
        }
        self.script.incomplete = true;
    }

    fn double(&mut self, text: &mut Text) {
        text.quoted = true;
        self.pos += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.pos += 1;
                    return;
                }
                b'\\' => {
                    self.pos += 1;
                    match self.peek() {
                        Some(b'\n') => self.pos += 1,
                        Some(byte @ (b'$' | b'`' | b'"' | b'\\')) => {
                            text.bytes.push(byte);
                            self.pos += 1;
                        }
                        _ => text.bytes.push(b'\\'),
                    }
                }
                b'`' if self.backquote => break,
                b'$' | b'`' => self.expansion(text),
                other => {
                    text.bytes.push(other);
                    self.pos += 1;
                }
            }
        }
        self.script.incomplete = true;
    }

    /// `$name`, `${…}`, `$(…)`, `$((…))` or backquotes; a lone `$` is itself.
    fn expansion(&mut self, text: &mut Text) {
        let start = self.pos;
        if self.peek() == Some(b'`') {
            self.pos += 1;
            self.substitution(b'`');
            return text.raw(self.bytes.get(start..self.pos));
        }
        match self.at(1) {
            Some(b'(') if self.at(2) == Some(b'(') && self.arithmetic(1) => {}
            Some(b'(') => {
                self.pos += 2;
                self.substitution(b')');
            }
            Some(b'{') => {
                self.pos += 2;
                self.parameter();
            }
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                self.pos += 1;
                let name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
                self.pos += self.rest().iter().take_while(name).count();
            }
            Some(b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => self.pos += 2,
            _ => {
                self.pos += 1;
                text.bytes.push(b'$');
                return;
            }
        }
        text.raw(self.bytes.get(start..self.pos));
    }

    /// Behind `${`, up to and with the `}` that closes it.
    fn parameter(&mut self) {
        if self.depth >= MAX_DEPTH {
            return self.give_up();
        }
        self.depth += 1;
        let mut unused = Text { bytes: Vec::new(), expands: false, quoted: false };
        while let Some(byte) = self.peek() {
            match byte {
                b'}' => {
                    self.pos += 1;
                    self.depth -= 1;
                    return;
                }
                b'\\' => self.pos = self.bytes.len().min(self.pos + 2),
                b'\'' => self.single(&mut unused),
                b'"' => self.double(&mut unused),
                b'$' | b'`' => self.expansion(&mut unused),
                _ => self.pos += 1,
            }
        }
        self.depth -= 1;
        self.script.incomplete = true;
    }

    /// The commands of a substitution whose opening was stepped over, up to and with its end.
    pub(super) fn substitution(&mut self, close: u8) {
        if self.depth >= MAX_DEPTH {
            return self.give_up();
        }
        self.depth += 1;
        self.substitutions += 1;
        let outer = std::mem::replace(&mut self.backquote, close == b'`');
        self.list(Some(close));
        self.backquote = outer;
        self.substitutions -= 1;
        self.depth -= 1;
    }

    /// Steps over `((…))` if that is what stands `ahead` of here.
    pub(super) fn arithmetic(&mut self, ahead: usize) -> bool {
        let mut open = 0usize;
        for (index, byte) in self.rest().iter().enumerate().take(LONGEST_ARITHMETIC).skip(ahead) {
            match byte {
                b'(' => open += 1,
                b')' => open = open.saturating_sub(1),
                // An expression stays on its line and holds no commands.
                b'\n' | b';' => return false,
                _ => {}
            }
            if open == 1 && *byte == b')' {
                let closed = self.at(index + 1) == Some(b')');
                if closed {
                    self.pos += index + 2;
                }
                return closed;
            }
        }
        false
    }

    /// Leaves the rest of the script out.
    pub(super) fn give_up(&mut self) {
        self.script.incomplete = true;
        self.pos = self.bytes.len();
    }
}

impl Text {
    fn raw(&mut self, written: Option<&[u8]>) {
        self.expands = true;
        self.bytes.extend_from_slice(written.unwrap_or_default());
    }
}
