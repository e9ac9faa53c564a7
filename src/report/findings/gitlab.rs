//! GitLab's code quality report: the part of the Code Climate format that it reads.

use std::collections::HashMap;
use std::io::Write;

use cofferdam_frontend::policy::Severity;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Checked;

#[derive(Serialize)]
struct Issue<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    description: String,
    check_name: &'a str,
    /// The same for the same finding, whatever line it is on.
    fingerprint: String,
    severity: &'static str,
    categories: [&'static str; 1],
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

pub(super) fn write(checked: &Checked, out: &mut dyn Write) -> std::io::Result<()> {
    let mut seen: HashMap<(&str, &str, &str), usize> = HashMap::new();
    let mut issues = Vec::new();
    for (file, row) in checked.rows() {
        let nth = seen.entry((&file.name, row.rule, &row.key)).or_insert(0);
        *nth += 1;
        let key = format!("{}\0{}\0{}\0{nth}", file.name, row.rule, row.key);
        issues.push(Issue {
            kind: "issue",
            description: match &row.help {
                Some(help) => format!("{}; {help}", row.message),
                None => row.message.clone(),
            },
            check_name: row.rule,
            fingerprint: Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect(),
            severity: match row.severity {
                Severity::Info => "info",
                Severity::Low => "minor",
                Severity::Medium => "major",
                Severity::High => "critical",
                Severity::Critical => "blocker",
            },
            categories: ["Security"],
            location: Location {
                path: &file.name,
                lines: Lines { begin: row.start.line, end: row.end.line.max(row.start.line) },
            },
        });
    }
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    writeln!(out)
}
