//! Commands of GitHub Actions, which become annotations. Source: "Workflow commands for GitHub
//! Actions", setting an error, a warning and a notice message.

use std::io::Write;

use cofferdam_frontend::policy::Severity;

use super::{Checked, see};

pub(super) fn write(checked: &Checked, out: &mut dyn Write) -> std::io::Result<()> {
    for (file, row) in checked.rows() {
        let command = match row.severity {
            _ if row.denied => "error",
            Severity::Info | Severity::Low => "notice",
            _ => "warning",
        };
        let mut message = row.message.clone();
        if let Some(help) = &row.help {
            message.push_str(&format!("\nfix: {help}"));
        }
        message.push_str(&format!("\nsee: {}", see(row.rule)));
        write!(out, "::{command} file={},line={}", property(&file.name), row.start.line)?;
        write!(out, ",col={}", row.start.column)?;
        if row.end.offset > row.start.offset {
            write!(out, ",endLine={}", row.end.line)?;
            // Columns count within one line only.
            if row.end.line == row.start.line {
                write!(out, ",endColumn={}", row.end.column)?;
            }
        }
        writeln!(out, ",title={}::{}", property(row.rule), data(&message))?;
    }
    Ok(())
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
