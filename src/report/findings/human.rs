//! For people: the worst first, one rule together, never more than one reads.

use std::collections::BTreeMap;
use std::io::Write;

use cofferdam_frontend::policy::Safety;

use super::{Checked, CheckedFile, Row, see};
use crate::report::finding::{Finding, Level};
use crate::report::snippet::Snippet;
use crate::report::style::{Paint, Style};
use crate::report::text::{count, printable};
use crate::report::verdict;

/// Most rules that are shown, most findings of a rule that denies, and most places of one that warns.
const SHOWN: usize = 10;

type Found<'a> = (&'a CheckedFile, &'a Row);

pub(super) fn write(checked: &Checked, style: Style, out: &mut dyn Write) -> std::io::Result<()> {
    let mut groups: BTreeMap<(bool, &str), Vec<Found<'_>>> = BTreeMap::new();
    for (file, row) in checked.rows() {
        groups.entry((!row.denied, row.rule)).or_default().push((file, row));
    }
    let mut groups: Vec<Vec<Found<'_>>> = groups.into_values().collect();
    groups.sort_by_key(|group| {
        let worst = group.iter().map(|(_, row)| (row.denied, row.severity)).max();
        std::cmp::Reverse(worst)
    });
    for group in groups.iter().take(SHOWN) {
        let denied = group.first().is_some_and(|(_, row)| row.denied);
        if denied { show_all(group, style, out)? } else { show_first(group, style, out)? }
    }
    let hidden: usize = groups.iter().skip(SHOWN).map(Vec::len).sum();
    if hidden > 0 {
        let (findings, rules) =
            (count(hidden, "more finding"), count(groups.len() - SHOWN, "more rule"));
        writeln!(out, "{findings} of {rules}: see --format json\n")?;
    }
    writeln!(out, "{}", summary(checked, style))
}

/// Each finding with its lines.
fn show_all(group: &[Found<'_>], style: Style, out: &mut dyn Write) -> std::io::Result<()> {
    for (file, row) in group.iter().take(SHOWN) {
        block(file, row, &[], style, out)?;
    }
    if let Some((_, row)) = group.get(SHOWN) {
        let more = format!("{} more of {}", group.len() - SHOWN, row.rule);
        writeln!(out, "{more}: see --format json\n")?;
    }
    Ok(())
}

/// The first finding with its lines, of the others the place.
fn show_first(group: &[Found<'_>], style: Style, out: &mut dyn Write) -> std::io::Result<()> {
    let Some(((file, row), others)) = group.split_first() else { return Ok(()) };
    let place = |(file, other): &Found<'_>| {
        let place = format!("{}:{}:{}", file.name, other.start.line, other.start.column);
        if other.message == row.message { place } else { format!("{place}  {}", other.message) }
    };
    let mut also: Vec<String> = others.iter().take(SHOWN - 1).map(place).collect();
    if others.len() >= SHOWN {
        also.push(format!("{} more", others.len() - (SHOWN - 1)));
    }
    block(file, row, &also, style, out)
}

fn block(
    file: &CheckedFile,
    row: &Row,
    also: &[String],
    style: Style,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    for line in finding(file, row).lines(style, also) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)
}

fn finding(file: &CheckedFile, row: &Row) -> Finding {
    let whole_file = row.start.offset == 0 && row.end.offset == 0;
    let length = match row.end.line == row.start.line {
        true => row.end.column.saturating_sub(row.start.column),
        false => first_line(file, row),
    };
    let mut snippet =
        Snippet::of_file(&file.name, &file.source, row.start.line, row.start.column, length);
    if whole_file {
        // What is missing as a whole stands nowhere.
        snippet.source.clear();
    }
    let note = |(at, words): &(super::Position, String)| {
        format!("{}:{}:{}  {words}", file.name, at.line, at.column)
    };
    Finding {
        rule: row.rule.to_string(),
        level: if row.denied { Level::Error } else { Level::Warning },
        message: row.message.clone(),
        snippet: Some(snippet),
        notes: row.notes.iter().map(note).collect(),
        fix: fix(row),
        see: Some(see(row.rule)),
    }
}

/// How many characters of the first line a longer finding is about.
fn first_line(file: &CheckedFile, row: &Row) -> usize {
    let rest = file.source.get(row.start.offset..row.end.offset).unwrap_or_default();
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(line).trim_end().chars().count()
}

fn fix(row: &Row) -> Vec<String> {
    let mut lines: Vec<String> =
        row.help.iter().flat_map(|help| help.lines()).map(String::from).collect();
    if let Some(fix) = &row.fix {
        let flag = match fix.safety {
            Safety::Safe => "--fix",
            Safety::Unsafe => "--fix=unsafe",
        };
        match lines.last_mut() {
            Some(last) => last.push_str(&format!(" ({flag} does it)")),
            None => lines.push(format!("{} ({flag} does it)", fix.title)),
        }
    }
    lines
}

/// `denied    3 files: 2 findings deny, 5 warn; 4 can be mended with --fix`.
pub(super) fn summary(checked: &Checked, style: Style) -> String {
    let denied = checked.denied();
    let total = checked.rows().count();
    let files = count(checked.names.len(), "file");
    let mut parts = Vec::new();
    if denied > 0 {
        parts.push(format!("{} denied", count(denied, "finding")));
    }
    if total > denied {
        parts.push(count(total - denied, "warning"));
    }
    if parts.is_empty() {
        parts.push("nothing found".into());
    }
    let fixable = |safety| {
        let fixes = checked.rows().filter_map(|(_, row)| row.fix.as_ref());
        fixes.filter(|fix| fix.safety == safety).count()
    };
    for (number, words) in [
        (checked.fixed, "fixed"),
        (fixable(Safety::Safe), "for --fix"),
        (fixable(Safety::Unsafe), "for --fix=unsafe"),
        (checked.silenced, "silenced"),
        (checked.known, "in the baseline"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {words}"));
        }
    }
    let text = printable(&format!("{files}: {}", parts.join(", ")));
    let (paint, word) = match (denied, total) {
        (0, 0) => (Paint::Good, "clean"),
        (0, _) => (Paint::Warning, "checked"),
        _ => (Paint::Bad, "denied"),
    };
    verdict::line(style, paint, word, &text)
}
