//! Findings as reports have them: places for people, and a key that survives moved lines.

use cofferdam_frontend::dockerfile::{Dockerfile, ItemKind, LineIndex, Span};
use cofferdam_frontend::policy::{Finding, Severity};
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::report::findings::{CheckedFile, Position, Row};

/// How much of a key's digest is kept, in bytes.
const KEY: usize = 10;

/// Turns the findings of a file into rows; what the last one found out serves the next, so that
/// many findings on one long line cost no more than the line.
pub(super) struct Rows<'a> {
    file: &'a Dockerfile,
    /// Whether bytes are characters.
    ascii: bool,
    /// Where the last place was: its line's start, its byte, and the characters between.
    last: (usize, usize, usize),
    /// Where the last item began, and its key.
    key: Option<(usize, String)>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(file: &'a Dockerfile) -> Self {
        Self { file, ascii: file.source().is_ascii(), last: (0, 0, 0), key: None }
    }

    /// A finding of the file.
    pub(super) fn row(&mut self, finding: Finding, denied: bool) -> Row {
        let Finding { rule, severity, message, span, notes, help, fix } = finding;
        Row {
            key: self.key(span),
            start: self.position(span.start),
            end: self.position(span.end),
            notes: notes.into_iter().map(|(at, words)| (self.position(at.start), words)).collect(),
            rule,
            severity,
            denied,
            message,
            help,
            fix,
        }
    }

    /// Line and column for people, the column in characters.
    fn position(&mut self, offset: usize) -> Position {
        let at = self.file.line_col(offset);
        let line = self.file.lines().line_span(at.line).unwrap_or_default().start;
        let byte = line + at.column - 1;
        if self.ascii {
            return Position { line: at.line, column: at.column, offset };
        }
        let (from, counted) = match self.last {
            (start, last, counted) if start == line && last <= byte => (last, counted),
            _ => (line, 0),
        };
        let between = Span::new(from, byte).of(self.file.source());
        let count = counted + String::from_utf8_lossy(between).chars().count();
        // Within a character there is no place to go on from.
        if std::str::from_utf8(between).is_ok() {
            self.last = (line, byte, count);
        }
        Position { line: at.line, column: count + 1, offset }
    }

    /// What a finding is about, whatever stands around it: the digest of its instruction with all
    /// white space as one blank. The instruction itself may hold what must not be written down.
    fn key(&mut self, span: Span) -> String {
        let item = self
            .file
            .item_at(span.start)
            .filter(|item| matches!(item.kind, ItemKind::Instruction(_)) || !span.is_empty());
        let Some(item) = item else { return digest(b"") };
        match &self.key {
            Some((known, key)) if *known == item.span.start => key.clone(),
            _ => {
                let key = digest(item.span.of(self.file.source()));
                self.key = Some((item.span.start, key.clone()));
                key
            }
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    let mut digest = Sha256::new();
    for word in bytes.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        digest.update(word);
        digest.update(b" ");
    }
    digest.finalize().iter().take(KEY).map(|byte| format!("{byte:02x}")).collect()
}

/// An exception that has ended, in the configuration whose entry begins in that line.
pub(super) fn of_config(config: &Config, line: usize, message: String) -> CheckedFile {
    let index = LineIndex::new(config.text());
    let span = index.line_span(line).unwrap_or_default();
    let text = String::from_utf8_lossy(span.of(config.text()));
    let column = text.trim_end().chars().count() + 1;
    let row = Row {
        rule: "exception-expired",
        severity: Severity::High,
        denied: true,
        message,
        start: Position { line, column: 1, offset: span.start },
        end: Position { line, column, offset: span.start + text.trim_end().len() },
        notes: Vec::new(),
        help: Some("remove the entry, or give it a new date and reason".into()),
        fix: None,
        key: String::new(),
    };
    CheckedFile { name: config.shown().into(), source: config.text().to_vec(), rows: vec![row] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters_in_any_order_of_places() {
        let source = "FROM a\nRUN é日x y\nRUN \u{1f600}z".as_bytes();
        let file = Dockerfile::parse(source);
        let mut rows = Rows::new(&file);
        let mut place = |text: &str| {
            let at = source.windows(text.len()).position(|part| part == text.as_bytes()).unwrap();
            let place = rows.position(at);
            (place.line, place.column)
        };
        for (text, expected) in [
            ("y", (2, 9)),
            ("x", (2, 7)),
            ("y", (2, 9)),
            ("z", (3, 6)),
            ("é", (2, 5)),
            ("FROM", (1, 1)),
        ] {
            assert_eq!(place(text), expected, "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_counted_alike_from_anywhere() {
        let source = b"FROM a\nRUN \xff\xe6\x97 x \xff y\n";
        let file = Dockerfile::parse(source);
        for from in 7..source.len() {
            for to in from..source.len() {
                let mut rows = Rows::new(&file);
                rows.position(from);
                let alone = Rows::new(&file).position(to);
                assert_eq!(rows.position(to), alone, "{from} {to}");
            }
        }
    }
}
