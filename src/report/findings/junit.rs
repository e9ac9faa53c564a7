//! JUnit's XML: a suite for each file, a failed case for each finding that is denied.

use std::collections::HashSet;
use std::io::Write;

use super::{Checked, CheckedFile, Row, see};

pub(super) fn write(checked: &Checked, out: &mut dyn Write) -> std::io::Result<()> {
    let rows = checked.rows().count();
    let found: HashSet<&str> = checked.files.iter().map(|file| file.name.as_str()).collect();
    let clean = checked.names.iter().filter(|name| !found.contains(name.as_str())).count();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"cofferdam check\" tests=\"{}\" failures=\"{}\">",
        rows + clean,
        checked.denied()
    )?;
    let mut files = checked.files.iter().peekable();
    for name in &checked.names {
        match files.next_if(|file| file.name == *name) {
            Some(file) => suite(file, out)?,
            None => {
                let name = escaped(name);
                writeln!(
                    out,
                    "  <testsuite name=\"{name}\" tests=\"1\" failures=\"0\" errors=\"0\">\n    \
                     <testcase name=\"nothing found\" classname=\"{name}\"/>\n  </testsuite>"
                )?;
            }
        }
    }
    // Configurations were no files to look at.
    for file in files {
        suite(file, out)?;
    }
    writeln!(out, "</testsuites>")
}

fn suite(file: &CheckedFile, out: &mut dyn Write) -> std::io::Result<()> {
    let name = escaped(&file.name);
    let denied = file.rows.iter().filter(|row| row.denied).count();
    let tests = file.rows.len();
    writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{denied}\" errors=\"0\">"
    )?;
    for row in &file.rows {
        let case = escaped(&format!("{} in line {}", row.rule, row.start.line));
        let (message, told) = (escaped(&row.message), escaped(&told(file, row)));
        writeln!(out, "    <testcase name=\"{case}\" classname=\"{name}\">")?;
        if row.denied {
            let severity = row.severity.name();
            writeln!(
                out,
                "      <failure message=\"{message}\" type=\"{severity}\">{told}</failure>"
            )?;
        } else {
            writeln!(out, "      <system-out>{told}</system-out>")?;
        }
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>")
}

fn told(file: &CheckedFile, row: &Row) -> String {
    let (line, column) = (row.start.line, row.start.column);
    let level = if row.denied { "error" } else { "warning" };
    let mut text = format!("{}:{line}:{column}: {level}[{}]: {}", file.name, row.rule, row.message);
    if let Some(help) = &row.help {
        text.push_str(&format!("\nfix: {help}"));
    }
    text + "\nsee: " + &see(row.rule)
}

/// Text as XML takes it; characters that XML has no way to write become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(c),
            _ if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}
