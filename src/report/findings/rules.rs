//! The rules themselves: a table, and a page each.

use cofferdam_frontend::policy::About;
use serde_json::json;

use crate::report::style::{Paint, Style};

/// One line for each rule: name, severity, where it looks, what it is about.
pub fn rules_table(rules: &[&About]) -> String {
    let rows: Vec<[String; 4]> = rules
        .iter()
        .map(|about| {
            let severity = about.severity.name().to_string();
            let title = match about.strict_only {
                true => format!("{} (strict)", about.title),
                false => about.title.to_string(),
            };
            [about.id.to_string(), severity, places(about).join(" "), title]
        })
        .collect();
    let head = ["RULE", "SEVERITY", "WHERE", "ABOUT"].map(String::from);
    let width = |column: usize| {
        let cells = std::iter::once(&head).chain(&rows);
        cells.filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2)];
    let line = |[id, severity, places, title]: &[String; 4]| {
        let [a, b, c] = widths;
        format!("{id:a$}  {severity:b$}  {places:c$}  {title}\n")
    };
    std::iter::once(&head).chain(&rows).map(line).collect()
}

/// The same for programs, with other tools' names.
pub fn rules_json(rules: &[&About]) -> String {
    let rules: Vec<serde_json::Value> = rules
        .iter()
        .map(|about| {
            json!({
                "id": about.id,
                "severity": about.severity.name(),
                "where": places(about),
                "title": about.title,
                "also": about.also,
                "strict": about.strict_only,
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Array(rules))
}

fn places(about: &About) -> Vec<&'static str> {
    about.places.iter().map(|place| place.name()).collect()
}

/// A rule's page: as it is written, or with its headings and examples set apart on a terminal.
pub fn page(about: &About, style: Style) -> String {
    if !style.color {
        return about.page.to_string();
    }
    let mut code = false;
    let mut out = String::new();
    for line in about.page.lines() {
        if line.starts_with("```") {
            code = !code;
            continue;
        }
        let painted = match line {
            _ if code && matches!(line.trim(), "# bad") => style.paint(Paint::Bad, "  bad"),
            _ if code && matches!(line.trim(), "# good") => style.paint(Paint::Good, "  good"),
            _ if code => format!("    {line}"),
            _ if line.starts_with('#') => {
                style.paint(Paint::Strong, line.trim_start_matches(['#', ' ']))
            }
            _ => line.to_string(),
        };
        out.push_str(&painted);
        out.push('\n');
    }
    out
}
