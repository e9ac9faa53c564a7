//! The warnings of the engine, summed up after the progress.

use std::collections::HashSet;

use bollard_buildkit_proto::moby::buildkit::v1::VertexWarning;
use bollard_buildkit_proto::pb;

use super::excerpt::{Span, excerpt};
use super::filter::Filter;
use super::style::{Paint, Style};
use super::text::printable;

/// Most lines of a summary without details, below its title.
const MOST_LINES: usize = 10;

/// The warnings of a build, each once however many steps reported it.
#[derive(Clone, Debug, Default)]
pub struct Warnings {
    seen: HashSet<Identity>,
    list: Vec<VertexWarning>,
}

/// Everything that tells one warning from another; the step does not.
type Identity =
    ((i64, Vec<u8>, Vec<Vec<u8>>, String), Option<(String, Vec<u8>)>, Vec<[Option<(i32, i32)>; 2]>);

impl Warnings {
    /// Adds the warnings of one message of the status stream.
    pub fn extend(&mut self, warnings: &[VertexWarning]) {
        for warning in warnings {
            if self.seen.insert(identity(warning)) {
                self.list.push(warning.clone());
            }
        }
    }

    /// The warnings in the order in which they came.
    pub fn list(&self) -> &[VertexWarning] {
        &self.list
    }

    /// The summary as buildx prints it, the warnings of one rule together: one line each, at most
    /// [`MOST_LINES`], and with `details` all of them with the explanation, the link and the
    /// excerpt.
    pub fn summary(&self, details: bool, style: Style, filter: &impl Filter) -> Vec<u8> {
        let rules = self.rules();
        let title = match self.list.len() {
            0 => return Vec::new(),
            1 => "1 warning found".to_owned(),
            count => format!("{count} warnings found"),
        };
        let hint = if details { "" } else { " (use --debug to expand)" };
        let title = style.paint(Paint::Warning, &format!("{title}{hint}:"));
        let mut out = format!("\n {title}\n").into_bytes();
        if details {
            rules.iter().flatten().for_each(|warning| in_detail(warning, filter, &mut out));
            return out;
        }
        for line in lines(&rules, self.list.len(), filter) {
            out.extend_from_slice(format!(" - {line}\n").as_bytes());
        }
        out
    }

    /// The warnings by rule, in the order in which the rules were met first.
    fn rules(&self) -> Vec<Vec<&VertexWarning>> {
        let mut rules: Vec<Vec<&VertexWarning>> = Vec::new();
        for warning in &self.list {
            let same = |rule: &&mut Vec<&VertexWarning>| {
                rule.first().is_some_and(|first| rule_of(first) == rule_of(warning))
            };
            match rules.iter_mut().find(same) {
                Some(rule) => rule.push(warning),
                None => rules.push(vec![warning]),
            }
        }
        rules
    }
}

/// What stands before the colon: the name of the rule.
fn rule_of(warning: &VertexWarning) -> &[u8] {
    warning.short.split(|&byte| byte == b':').next().unwrap_or_default()
}

/// One line for each warning; where that is too much, one for each rule.
fn lines(rules: &[Vec<&VertexWarning>], count: usize, filter: &impl Filter) -> Vec<String> {
    if count <= MOST_LINES {
        return rules.iter().flatten().map(|warning| line(&warning.short, filter)).collect();
    }
    let shown = if rules.len() > MOST_LINES { MOST_LINES - 1 } else { rules.len() };
    let (rules, rest) = rules.split_at(shown);
    let mut lines: Vec<String> = Vec::new();
    for rule in rules {
        let first = rule.first().map(|warning| line(&warning.short, filter)).unwrap_or_default();
        lines.push(match rule.len() {
            1 => first,
            all => format!("{first}, and {} more", all - 1),
        });
    }
    match rest.iter().map(Vec::len).sum() {
        0 => {}
        rest => lines.push(format!("{rest} more")),
    }
    lines
}

/// A text of the engine on one line.
fn line(bytes: &[u8], filter: &impl Filter) -> String {
    printable(&filter.text(&String::from_utf8_lossy(bytes)))
}

fn in_detail(warning: &VertexWarning, filter: &impl Filter, out: &mut Vec<u8>) {
    out.extend_from_slice(format!(" - {}\n", line(&warning.short, filter)).as_bytes());
    for detail in &warning.detail {
        out.extend_from_slice(format!("{}\n", line(detail, filter)).as_bytes());
    }
    if !warning.url.is_empty() {
        let url = line(warning.url.as_bytes(), filter);
        out.extend_from_slice(format!("More info: {url}\n").as_bytes());
    }
    out.extend(source_of(warning, filter).unwrap_or_default());
    out.push(b'\n');
}

fn source_of(warning: &VertexWarning, filter: &impl Filter) -> Option<Vec<u8>> {
    let info = warning.info.as_ref()?;
    let spans: Vec<Span> = warning.ranges.iter().map(Span::from).collect();
    let source = excerpt(&info.filename, &info.data, &spans)?;
    let lines: Vec<_> = source.split(|&byte| byte == b'\n').map(|line| filter.line(line)).collect();
    Some(lines.join(&b'\n'))
}

fn identity(warning: &VertexWarning) -> Identity {
    let place = |position: Option<pb::Position>| position.map(|at| (at.line, at.character));
    let ranges = warning.ranges.iter();
    (
        (warning.level, warning.short.clone(), warning.detail.clone(), warning.url.clone()),
        warning.info.as_ref().map(|info| (info.filename.clone(), info.data.clone())),
        ranges.map(|range| [place(range.start), place(range.end)]).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::filter::Unfiltered;

    fn warning(vertex: &str, short: &str) -> VertexWarning {
        VertexWarning {
            vertex: vertex.into(),
            short: short.into(),
            detail: vec![b"The 'as' keyword should match".to_vec()],
            url: "https://docs.docker.com/go/dockerfile/rule/from-as-casing/".into(),
            info: Some(pb::SourceInfo {
                filename: "Dockerfile".into(),
                data: b"FROM a as b".to_vec(),
                ..Default::default()
            }),
            ranges: vec![pb::Range {
                start: Some(pb::Position { line: 1, character: 0 }),
                end: Some(pb::Position { line: 1, character: 0 }),
            }],
            ..Default::default()
        }
    }

    fn summary(warnings: &Warnings, details: bool) -> String {
        let bytes = warnings.summary(details, Style::PLAIN, &Unfiltered);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn the_same_warning_of_two_steps_counts_once() {
        let mut warnings = Warnings::default();
        assert_eq!(summary(&warnings, false), "");
        warnings.extend(&[warning("a", "FromAsCasing"), warning("b", "FromAsCasing")]);
        assert_eq!(
            summary(&warnings, false),
            "\n 1 warning found (use --debug to expand):\n - FromAsCasing\n"
        );
        warnings.extend(&[warning("b", "Other")]);
        assert!(summary(&warnings, false).starts_with("\n 2 warnings found"));
    }

    #[test]
    fn a_summary_is_short_and_the_warnings_of_a_rule_stand_together() {
        let mut warnings = Warnings::default();
        warnings.extend(&[warning("", "A: 1"), warning("", "B: 1"), warning("", "A: 2\x1b[2J")]);
        assert_eq!(
            summary(&warnings, false),
            "\n 3 warnings found (use --debug to expand):\n - A: 1\n - A: 2\\u{1b}[2J\n - B: 1\n"
        );
        let many = |rules: usize, each: usize| {
            let mut warnings = Warnings::default();
            for at in 0..rules * each {
                warnings.extend(&[warning("", &format!("R{}: {at}", at % rules))]);
            }
            summary(&warnings, false)
        };
        assert_eq!(many(10, 1).lines().count(), 12);
        assert!(many(2, 20).ends_with(" - R0: 0, and 19 more\n - R1: 1, and 19 more\n"));
        let text = many(30, 2);
        assert_eq!(text.lines().count(), 12);
        assert!(text.ends_with(" - R8: 8, and 1 more\n - 42 more\n"), "{text}");
    }

    #[test]
    fn details_show_the_place() {
        let mut warnings = Warnings::default();
        warnings.extend(&[warning("a", "FromAsCasing")]);
        assert_eq!(
            summary(&warnings, true),
            "\n 1 warning found:\n - FromAsCasing\n\
             The 'as' keyword should match\n\
             More info: https://docs.docker.com/go/dockerfile/rule/from-as-casing/\n\
             Dockerfile:1\n--------------------\n   1 | >>> FROM a as b\n\
             --------------------\n\n"
        );
    }
}
