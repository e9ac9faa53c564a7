//! What a check found, in the formats that people and programs read: one file each.

mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod rules;
mod sarif;

use std::io::Write;

use cofferdam_frontend::policy::{Fix, Severity};

use super::style::Style;

pub use rules::{page, rules_json, rules_table};

/// Everything that a report tells, as plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// All files that were looked at.
    pub names: Vec<String>,
    /// Those with findings, in order; behind them configurations whose exceptions have ended.
    pub files: Vec<CheckedFile>,
    /// Findings that were mended.
    pub fixed: usize,
    /// Findings that comments and exceptions silenced.
    pub silenced: usize,
    /// Findings that a baseline knows.
    pub known: usize,
}

/// A file with findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedFile {
    /// As a path that leads there from here; `-` is standard input.
    pub name: String,
    /// Its bytes.
    pub source: Vec<u8>,
    /// In source order.
    pub rows: Vec<Row>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it makes the check fail.
    pub denied: bool,
    /// One sentence.
    pub message: String,
    /// Where it begins.
    pub start: Position,
    /// The place behind its last character.
    pub end: Position,
    /// Other places that belong to it.
    pub notes: Vec<(Position, String)>,
    /// What to write instead.
    pub help: Option<String>,
    /// The same as edits.
    pub fix: Option<Fix>,
    /// What it is about, whatever line it is on.
    pub key: String,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In bytes, from 0.
    pub offset: usize,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// Everything, for programs.
    Json,
    /// For code hosts.
    Sarif,
    /// For servers that show tests.
    Junit,
    /// For the log of GitHub Actions.
    Github,
    /// For GitLab's code quality report.
    Gitlab,
}

impl Format {
    /// All of them, with their names on the command line.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Human, "human"),
        (Self::Json, "json"),
        (Self::Sarif, "sarif"),
        (Self::Junit, "junit"),
        (Self::Github, "github"),
        (Self::Gitlab, "gitlab"),
    ];
}

impl Checked {
    /// All findings with their files.
    pub fn rows(&self) -> impl Iterator<Item = (&CheckedFile, &Row)> {
        self.files.iter().flat_map(|file| file.rows.iter().map(move |row| (file, row)))
    }

    /// How many make the check fail.
    pub fn denied(&self) -> usize {
        self.rows().filter(|(_, row)| row.denied).count()
    }

    /// Writes the report.
    pub fn write(&self, format: Format, style: Style, out: &mut dyn Write) -> std::io::Result<()> {
        match format {
            Format::Human => human::write(self, style, out),
            Format::Json => json::write(self, out),
            Format::Sarif => sarif::write(self, out),
            Format::Junit => junit::write(self, out),
            Format::Github => github::write(self, out),
            Format::Gitlab => gitlab::write(self, out),
        }
    }

    /// The last line of the report for people.
    pub fn summary(&self, style: Style) -> String {
        human::summary(self, style)
    }
}

/// What a rule's page is called for people.
fn see(rule: &str) -> String {
    format!("cofferdam explain {rule}")
}

/// A path as a URI: relative as it is, absolute with its scheme.
fn uri(path: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'.')
        .remove(b'-')
        .remove(b'_')
        .remove(b'~');
    let encoded = percent_encoding::utf8_percent_encode(path, KEPT);
    match path {
        "-" => "stdin".into(),
        _ if path.starts_with('/') => format!("file://{encoded}"),
        _ => encoded.to_string(),
    }
}
