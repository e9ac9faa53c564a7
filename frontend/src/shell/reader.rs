//! The bytes of a script and the place in them.

use super::{Command, Script};

/// Groups and substitutions deeper than this are left out; the stack is finite and people stop at five.
pub(super) const MAX_DEPTH: usize = 48;

pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) pos: usize,
    pub(super) depth: usize,
    /// How many substitutions are open.
    pub(super) substitutions: usize,
    /// Whether the innermost of them is in backquotes.
    pub(super) backquote: bool,
    pub(super) script: Script,
    /// Here-documents whose bodies begin behind the next newline.
    pub(super) pending: Vec<Pending>,
}

/// A here-document that was announced: by which redirection, how it ends, whether tabs before its
/// lines are cut.
pub(super) struct Pending {
    pub(super) command: usize,
    pub(super) redirect: usize,
    pub(super) chomp: bool,
    pub(super) delimiter: String,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            pos: 0,
            depth: 0,
            substitutions: 0,
            backquote: false,
            script: Script::default(),
            pending: Vec::new(),
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    pub(super) fn at(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.pos + ahead).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.pos..).unwrap_or_default()
    }

    pub(super) fn starts_with(&self, text: &[u8]) -> bool {
        self.rest().starts_with(text)
    }

    /// Steps over `text` if it comes next.
    pub(super) fn take(&mut self, text: &[u8]) -> bool {
        let there = self.starts_with(text);
        if there {
            self.pos += text.len();
        }
        there
    }

    /// Steps over blanks, escaped newlines and a comment, up to the end of the line.
    pub(super) fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | 0x0b | 0x0c) => self.pos += 1,
                Some(b'\\') if self.at(1) == Some(b'\n') => self.pos += 2,
                Some(b'\\') if self.starts_with(b"\\\r\n") => self.pos += 3,
                Some(b'#') => {
                    let line = self.rest().iter().position(|byte| *byte == b'\n');
                    self.pos += line.unwrap_or(self.rest().len());
                }
                _ => return,
            }
        }
    }

    /// Steps over a newline and the bodies of the here-documents that it begins.
    pub(super) fn newline(&mut self) {
        self.pos += 1;
        for pending in std::mem::take(&mut self.pending) {
            let start = self.pos;
            let mut end = start;
            while self.pos < self.bytes.len() {
                let rest = self.rest();
                let length = rest.iter().position(|byte| *byte == b'\n');
                let line = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
                end = self.pos;
                self.pos += length.map_or(rest.len(), |length| length + 1);
                let tabs = line.iter().take_while(|byte| **byte == b'\t').count();
                let seen = line.get(if pending.chomp { tabs } else { 0 }..).unwrap_or_default();
                if seen == pending.delimiter.as_bytes() {
                    break;
                }
                end = self.pos;
            }
            let redirect = self
                .script
                .commands
                .get_mut(pending.command)
                .and_then(|command| command.redirects.get_mut(pending.redirect));
            if let Some(redirect) = redirect {
                redirect.body = start..end;
            }
        }
    }

    pub(super) fn push(&mut self, mut command: Command) -> usize {
        // Scripts are kept, and most commands are short.
        command.words.shrink_to_fit();
        self.script.commands.push(command);
        self.script.commands.len() - 1
    }
}
