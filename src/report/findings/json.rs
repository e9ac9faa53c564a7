//! Everything, for programs. Fields may be added; none goes away within a version.

use std::io::Write;

use cofferdam_frontend::policy::{Fix, Safety};
use serde::Serialize;

use super::{Checked, CheckedFile, Position, Row, see};

/// The form of the report.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    summary: Summary,
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Summary {
    files: usize,
    denied: usize,
    warnings: usize,
    fixed: usize,
    silenced: usize,
    baseline: usize,
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'a str,
    severity: &'a str,
    level: &'a str,
    message: &'a str,
    file: &'a str,
    start: Place,
    end: Place,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Note<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<FixOf<'a>>,
    /// What it is about, whatever line it is on.
    key: &'a str,
    see: String,
}

#[derive(Serialize)]
struct Place {
    line: usize,
    /// In characters.
    column: usize,
    /// In bytes, from 0.
    offset: usize,
}

#[derive(Serialize)]
struct Note<'a> {
    start: Place,
    message: &'a str,
}

#[derive(Serialize)]
struct FixOf<'a> {
    safety: &'a str,
    title: &'a str,
    edits: Vec<EditOf<'a>>,
}

#[derive(Serialize)]
struct EditOf<'a> {
    /// In bytes.
    start: usize,
    end: usize,
    text: &'a str,
}

pub(super) fn write(checked: &Checked, out: &mut dyn Write) -> std::io::Result<()> {
    let denied = checked.denied();
    let findings: Vec<Finding<'_>> = checked.rows().map(|(file, row)| finding(file, row)).collect();
    let report = Report {
        version: VERSION,
        summary: Summary {
            files: checked.names.len(),
            denied,
            warnings: findings.len() - denied,
            fixed: checked.fixed,
            silenced: checked.silenced,
            baseline: checked.known,
        },
        findings,
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

fn finding<'a>(file: &'a CheckedFile, row: &'a Row) -> Finding<'a> {
    Finding {
        rule: row.rule,
        severity: row.severity.name(),
        level: if row.denied { "deny" } else { "warn" },
        message: &row.message,
        file: &file.name,
        start: place(row.start),
        end: place(row.end),
        notes: row.notes.iter().map(|(at, message)| Note { start: place(*at), message }).collect(),
        help: row.help.as_deref(),
        fix: row.fix.as_ref().map(fix),
        key: &row.key,
        see: see(row.rule),
    }
}

fn place(at: Position) -> Place {
    let Position { line, column, offset } = at;
    Place { line, column, offset }
}

fn fix(fix: &Fix) -> FixOf<'_> {
    let edit = |edit: &'_ cofferdam_frontend::policy::Edit| (edit.span.start, edit.span.end);
    FixOf {
        safety: match fix.safety {
            Safety::Safe => "safe",
            Safety::Unsafe => "unsafe",
        },
        title: &fix.title,
        edits: fix
            .edits
            .iter()
            .map(|change| {
                let (start, end) = edit(change);
                EditOf { start, end, text: &change.text }
            })
            .collect(),
    }
}
