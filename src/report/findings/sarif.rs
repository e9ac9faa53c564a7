//! SARIF 2.1.0 (OASIS), which code hosts show beside the lines. Columns are code points.

use std::collections::HashMap;
use std::io::Write;

use cofferdam_frontend::dockerfile::LineIndex;
use cofferdam_frontend::policy::{About, Fix, Severity, every_about};
use serde_json::{Value, json};

use super::{Checked, CheckedFile, Position, Row, uri};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const HOME: &str = "https://github.com/cofferdam/cofferdam";
/// Paths are seen from there; whoever reads the file knows where it is.
const ROOT: &str = "%SRCROOT%";

pub(super) fn write(checked: &Checked, out: &mut dyn Write) -> std::io::Result<()> {
    let rules = every_about();
    let places: HashMap<&str, usize> =
        rules.iter().enumerate().map(|(at, about)| (about.id, at)).collect();
    let results: Vec<Value> =
        checked.files.iter().flat_map(|file| results(file, &places)).collect();
    let report = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "cofferdam",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": HOME,
                "rules": rules.iter().map(|about| rule(about)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

fn rule(about: &About) -> Value {
    let mut tags = vec!["security", "dockerfile"];
    tags.extend(about.also);
    let mut properties = json!({"tags": tags});
    // The scale of CVSS, as code hosts sort by it.
    let weight = match about.severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.0"),
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("2.0"),
        Severity::Info => None,
    };
    if let (Some(weight), Some(properties)) = (weight, properties.as_object_mut()) {
        properties.insert("security-severity".into(), weight.into());
    }
    json!({
        "id": about.id,
        "shortDescription": {"text": about.title},
        "fullDescription": {"text": about.title},
        "helpUri": format!("{HOME}/blob/main/docs/rules/{}.md", about.id),
        "help": {"text": about.page, "markdown": about.page},
        "defaultConfiguration": {"level": level(about.severity, false)},
        "properties": properties,
    })
}

fn level(severity: Severity, denied: bool) -> &'static str {
    match severity {
        _ if denied => "error",
        Severity::Critical | Severity::High | Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn results(file: &CheckedFile, rules: &HashMap<&str, usize>) -> Vec<Value> {
    let lines = Lines { index: LineIndex::new(&file.source), source: &file.source };
    // Findings of one rule about one instruction are told apart by their order.
    let mut seen: HashMap<(&str, &str), usize> = HashMap::new();
    let mut list = Vec::new();
    for row in &file.rows {
        let nth = seen.entry((row.rule, &row.key)).or_insert(0);
        *nth += 1;
        let mut result = json!({
            "ruleId": row.rule,
            "level": level(row.severity, row.denied),
            "message": {"text": message(row)},
            "locations": [{"physicalLocation": location(file, row.start, row.end)}],
            "partialFingerprints": {"cofferdamInstruction/v1": format!("{}:{nth}", row.key)},
        });
        let Some(fields) = result.as_object_mut() else { continue };
        if let Some(at) = rules.get(row.rule) {
            fields.insert("ruleIndex".into(), json!(at));
        }
        if !row.notes.is_empty() {
            let notes = row.notes.iter().map(|(at, words)| {
                json!({"physicalLocation": location(file, *at, *at), "message": {"text": words}})
            });
            fields.insert("relatedLocations".into(), notes.collect());
        }
        if let Some(fix) = &row.fix {
            fields.insert("fixes".into(), json!([fixed(file, fix, &lines)]));
        }
        list.push(result);
    }
    list
}

fn message(row: &Row) -> String {
    match &row.help {
        Some(help) => format!("{}; {help}", row.message),
        None => row.message.clone(),
    }
}

fn artifact(file: &CheckedFile) -> Value {
    match uri(&file.name) {
        absolute if absolute.starts_with("file:") => json!({"uri": absolute}),
        relative => json!({"uri": relative, "uriBaseId": ROOT}),
    }
}

fn location(file: &CheckedFile, start: Position, end: Position) -> Value {
    json!({"artifactLocation": artifact(file), "region": region(start, end)})
}

fn region(start: Position, end: Position) -> Value {
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

fn fixed(file: &CheckedFile, fix: &Fix, lines: &Lines<'_>) -> Value {
    let replacements: Vec<Value> = fix
        .edits
        .iter()
        .map(|edit| {
            let (start, end) = (lines.position(edit.span.start), lines.position(edit.span.end));
            json!({"deletedRegion": region(start, end), "insertedContent": {"text": edit.text}})
        })
        .collect();
    json!({
        "description": {"text": fix.title},
        "artifactChanges": [{
            "artifactLocation": artifact(file),
            "replacements": replacements,
        }],
    })
}

/// The way from an offset to a line.
struct Lines<'a> {
    index: LineIndex,
    source: &'a [u8],
}

impl Lines<'_> {
    fn position(&self, offset: usize) -> Position {
        let at = self.index.line_col(offset);
        let start = (offset + 1).saturating_sub(at.column);
        let before = self.source.get(start..offset).unwrap_or_default();
        let column = String::from_utf8_lossy(before).chars().count() + 1;
        Position { line: at.line, column, offset }
    }
}
