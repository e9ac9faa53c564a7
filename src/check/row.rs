//! Findings as reports have them: places for people, and a key that survives moved lines.

use cofferdam_frontend::dockerfile::{Dockerfile, ItemKind, Span};
use cofferdam_frontend::policy::{Finding, Severity};
use sha2::{Digest as _, Sha256};

use crate::report::findings::{Position, Row};

/// How much of a key's digest is kept, in bytes.
const KEY: usize = 10;

/// A finding of a file.
pub(super) fn row(file: &Dockerfile, finding: Finding, denied: bool) -> Row {
    let Finding { rule, severity, message, span, notes, help, fix } = finding;
    Row {
        key: key(file, span),
        start: position(file, span.start),
        end: position(file, span.end),
        notes: notes.into_iter().map(|(at, words)| (position(file, at.start), words)).collect(),
        rule,
        severity,
        denied,
        message,
        help,
        fix,
    }
}

/// An exception that has ended.
pub(super) fn of_config(message: &str) -> Row {
    let start = Position { line: 1, column: 1, offset: 0 };
    Row {
        rule: "exception-expired",
        severity: Severity::High,
        denied: true,
        message: message.to_string(),
        start,
        end: start,
        notes: Vec::new(),
        help: Some("remove the entry, or give it a new date and reason".into()),
        fix: None,
        key: String::new(),
    }
}

/// Line and column for people, the column in characters.
fn position(file: &Dockerfile, offset: usize) -> Position {
    let at = file.line_col(offset);
    let line = file.lines().line_span(at.line).unwrap_or_default();
    let before = Span::new(line.start, line.start + at.column - 1);
    let column = match before.of(file.source()) {
        // Long lines with many findings would be read again and again.
        bytes if bytes.is_ascii() => bytes.len(),
        bytes => String::from_utf8_lossy(bytes).chars().count(),
    };
    Position { line: at.line, column: column + 1, offset }
}

/// What a finding is about, whatever stands around it: the digest of its instruction with all white
/// space as one blank. The instruction itself may hold what must not be written down.
fn key(file: &Dockerfile, span: Span) -> String {
    let at = file.items.partition_point(|item| item.span.end <= span.start);
    let bytes = match file.items.get(at) {
        Some(item) if matches!(item.kind, ItemKind::Instruction(_)) => item.span.of(file.source()),
        Some(item) if !span.is_empty() => item.span.of(file.source()),
        _ => &[],
    };
    let mut digest = Sha256::new();
    for word in bytes.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        digest.update(word);
        digest.update(b" ");
    }
    digest.finalize().iter().take(KEY).map(|byte| format!("{byte:02x}")).collect()
}
