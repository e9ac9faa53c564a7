//! Lists of commands: operators, groups, loops and `case`.

use super::reader::{MAX_DEPTH, Pending, Reader};
use super::{Assignment, Command, Joint, Redirect, Script, Word};

pub(super) fn parse(bytes: &[u8]) -> Script {
    let mut reader = Reader::new(bytes);
    while reader.pos < bytes.len() {
        reader.list(None);
        // What closes nothing is stepped over.
        reader.pos += 1;
    }
    reader.script.commands.shrink_to_fit();
    reader.script
}

/// Words behind which a command begins.
const OPENING: [&str; 10] =
    ["if", "then", "elif", "else", "while", "until", "do", "!", "time", "{"];
/// Words behind which only redirections and operators stand.
const CLOSING: [&str; 3] = ["fi", "done", "}"];

/// What a list knows on its way to its end.
#[derive(Default)]
struct Way {
    /// The command before, until an operator says how the two are joined.
    last: Option<usize>,
    /// The command whose output the next one reads.
    pipe: Option<usize>,
    /// How many `case` are open.
    cases: usize,
}

impl Reader<'_> {
    /// Reads commands up to `close`, which is stepped over, or to the end of the script.
    pub(super) fn list(&mut self, close: Option<u8>) {
        let mut way = Way::default();
        loop {
            self.blanks();
            let Some(byte) = self.peek() else {
                self.script.incomplete |= close.is_some();
                return;
            };
            match byte {
                byte if Some(byte) == close => {
                    self.pos += 1;
                    return;
                }
                b')' | b'`' if close != Some(b'`') || byte == b'`' => return,
                b'\n' => {
                    self.newline();
                    self.join(&mut way, Joint::Then);
                }
                b';' => self.semicolon(&mut way),
                b'&' | b'|' => self.operator(&mut way),
                b'(' => self.group(&mut way),
                _ => self.command(&mut way),
            }
        }
    }

    fn join(&mut self, way: &mut Way, joint: Joint) {
        let last = way.last.take();
        if let Some(command) = last.and_then(|last| self.script.commands.get_mut(last)) {
            command.joint = joint;
        }
        way.pipe = last.filter(|_| joint == Joint::Pipe);
    }

    fn semicolon(&mut self, way: &mut Way) {
        let ends_case = self.take(b";;&") || self.take(b";;") || self.take(b";&");
        if !ends_case {
            self.pos += 1;
        }
        self.join(way, Joint::Then);
        if ends_case && way.cases > 0 {
            self.patterns(way);
        }
    }

    fn operator(&mut self, way: &mut Way) {
        // A redirection without a command: `&> file`.
        if self.starts_with(b"&>") {
            return self.command(way);
        }
        let joint = if self.take(b"&&") {
            Joint::And
        } else if self.take(b"||") {
            Joint::Or
        } else if self.take(b"|&") || self.take(b"|") {
            Joint::Pipe
        } else {
            self.pos += 1;
            Joint::Background
        };
        self.join(way, joint);
    }

    /// `( … )`, or an arithmetic command.
    fn group(&mut self, way: &mut Way) {
        if self.at(1) == Some(b'(') && self.arithmetic(0) {
            return;
        }
        if self.depth >= MAX_DEPTH {
            return self.give_up();
        }
        self.pos += 1;
        self.depth += 1;
        let first = self.script.commands.len();
        self.list(Some(b')'));
        self.depth -= 1;
        self.group_ends(way, first);
    }

    /// The last command of a group stands for it.
    fn group_ends(&mut self, way: &mut Way, first: usize) {
        if self.script.commands.len() == first {
            return;
        }
        if let (Some(pipe), Some(command)) = (way.pipe, self.script.commands.get_mut(first)) {
            command.reads_from.get_or_insert(pipe);
        }
        way.last = Some(self.script.commands.len() - 1);
    }

    /// Everything up to the next operator.
    fn command(&mut self, way: &mut Way) {
        let start = self.pos;
        let mut command = Command {
            depth: self.depth,
            substituted: self.substitutions > 0,
            reads_from: way.pipe,
            span: start..start,
            ..Command::default()
        };
        let mut bodies = Vec::new();
        // Behind `fi` and its like stand only redirections.
        let mut closed = false;
        loop {
            self.blanks();
            let before = self.pos;
            if self.redirect(&mut command, &mut bodies) {
                command.span.end = self.pos;
                continue;
            }
            let Some(word) = self.word() else { break };
            if closed {
                continue;
            }
            let bare = if word.quoted || word.expands { "" } else { word.text.as_str() };
            if command.words.is_empty() && command.assignments.is_empty() {
                if OPENING.contains(&bare) {
                    self.blanks();
                    command.span.start = self.pos;
                    continue;
                }
                closed = CLOSING.contains(&bare);
                match bare {
                    "for" | "select" => return self.loop_head(),
                    "case" => return self.case(way),
                    "esac" => {
                        way.cases = way.cases.saturating_sub(1);
                        closed = true;
                    }
                    "function" => {
                        self.blanks();
                        self.word();
                        self.blanks();
                        self.take(b"()");
                        return;
                    }
                    "[[" => return self.test(),
                    _ => {}
                }
                if closed {
                    continue;
                }
            }
            self.blanks();
            // A function's head: its body is read like any group.
            if command.words.is_empty() && self.starts_with(b"(") && !bare.ends_with('=') {
                self.pos += 1;
                self.blanks();
                self.take(b")");
                return;
            }
            command.span.end = word.span.end;
            match assignment(&word, self.bytes).filter(|_| command.words.is_empty()) {
                Some(assignment) => {
                    command.assignments.push(assignment);
                    self.array();
                }
                None => command.words.push(word),
            }
            if self.pos == before {
                break;
            }
        }
        // `}` and `done` end the command before, which then stands for the group.
        if command.words.is_empty()
            && command.assignments.is_empty()
            && command.redirects.is_empty()
        {
            if self.pos == start {
                self.pos += 1;
            }
            return;
        }
        let index = self.push(command);
        self.pending.extend(bodies.into_iter().map(|(redirect, chomp, delimiter)| Pending {
            command: index,
            redirect,
            chomp,
            delimiter,
        }));
        way.last = Some(index);
    }

    /// `NAME=( … )` of bash.
    fn array(&mut self) {
        if self.peek() == Some(b'(') {
            self.pos += 1;
            while let Some(byte) = self.peek() {
                match byte {
                    b')' => {
                        self.pos += 1;
                        return;
                    }
                    b'\n' => self.pos += 1,
                    _ => {
                        self.blanks();
                        if self.word().is_none() && self.peek() != Some(b')') {
                            self.pos += 1;
                        }
                    }
                }
            }
            self.script.incomplete = true;
        }
    }

    /// Behind `for`: everything up to the `do`.
    fn loop_head(&mut self) {
        self.blanks();
        if let Some(end) = self.starts_with(b"((").then(|| find(self.rest(), b"))")).flatten() {
            self.pos += end + 2;
            return;
        }
        // The name, `in` and the values end at a newline or `;`, as a command does.
        while self.word().is_some() {
            self.blanks();
        }
    }

    /// Behind `case`: the word, `in`, and the first patterns.
    fn case(&mut self, way: &mut Way) {
        self.blanks();
        self.word();
        while let Some(b' ' | b'\t' | b'\r' | b'\n' | b'#' | b'\\') = self.peek() {
            let before = self.pos;
            self.blanks();
            if self.peek() == Some(b'\n') {
                self.newline();
            }
            if self.pos == before {
                break;
            }
        }
        if !self.take(b"in") {
            return;
        }
        way.cases += 1;
        self.patterns(way);
    }

    /// `a|b)`, or the `esac` that ends the `case`.
    fn patterns(&mut self, way: &mut Way) {
        loop {
            self.blanks();
            match self.peek() {
                Some(b'\n') => self.newline(),
                Some(b'(' | b'|') => self.pos += 1,
                Some(b')') => {
                    self.pos += 1;
                    return;
                }
                None => return,
                _ => match self.word() {
                    Some(word) if word.text == "esac" && !word.quoted => {
                        way.cases = way.cases.saturating_sub(1);
                        return;
                    }
                    Some(_) => {}
                    None => return,
                },
            }
        }
    }

    /// Behind `[[`: operators have another meaning up to `]]`.
    fn test(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => return,
                b' ' | b'\t' => self.pos += 1,
                _ => match self.word() {
                    Some(word) if word.text == "]]" && !word.quoted => return,
                    Some(_) => {}
                    None => self.pos += 1,
                },
            }
        }
    }

    /// A redirection, with its number; here-documents are noted in `bodies`.
    fn redirect(&mut self, command: &mut Command, bodies: &mut Vec<(usize, bool, String)>) -> bool {
        const OPERATORS: [&[u8]; 12] =
            [b"&>>", b"&>", b"<<<", b"<<-", b"<<", b"<&", b"<>", b">>", b">&", b">|", b"<", b">"];
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let after = self.rest().get(digits..).unwrap_or_default();
        // `<(…)` is a word.
        if after.starts_with(b"<(") || after.starts_with(b">(") {
            return false;
        }
        let Some(operator) = OPERATORS.iter().find(|operator| after.starts_with(operator)) else {
            return false;
        };
        if digits > 0 && operator.starts_with(b"&") {
            return false;
        }
        let fd =
            self.rest().get(..digits).and_then(|fd| std::str::from_utf8(fd).ok()?.parse().ok());
        self.pos += digits + operator.len();
        self.blanks();
        let target = self.word().unwrap_or_default();
        if matches!(operator, [b'<', b'<'] | [b'<', b'<', b'-']) {
            let delimiter = target.text.clone();
            bodies.push((command.redirects.len(), operator.len() == 3, delimiter));
        }
        command.redirects.push(Redirect {
            operator: String::from_utf8_lossy(operator).into_owned(),
            fd,
            target,
            body: 0..0,
        });
        true
    }
}

/// Where `needle` begins.
fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

/// `NAME=value` or `NAME+=value`, when the name is one.
fn assignment(word: &Word, bytes: &[u8]) -> Option<Assignment> {
    let written = bytes.get(word.span.clone())?;
    let equals = written.iter().position(|byte| *byte == b'=')?;
    let name = std::str::from_utf8(written.get(..equals)?).ok()?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let first = name.bytes().next()?;
    let is_name = (first.is_ascii_alphabetic() || first == b'_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let (_, value) = word.text.split_once('=').filter(|_| is_name)?;
    Some(Assignment {
        name: name.to_owned(),
        value: Word {
            text: value.to_owned(),
            span: word.span.start + equals + 1..word.span.end,
            ..*word
        },
    })
}
