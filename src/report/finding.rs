//! Findings of the rules, as blocks a person can act on.

use std::collections::HashMap;

use super::snippet::Snippet;
use super::style::{Paint, Style};
use super::text::{count, printable};

/// How many warnings are shown, and how many places of one.
const SHOWN: usize = 10;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// It refuses the build.
    Error,
    /// It is worth a look.
    Warning,
}

/// What one rule found in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the rule, as `secret-in-layer`.
    pub rule: String,
    /// How much it weighs.
    pub level: Level,
    /// What is wrong, in one line.
    pub message: String,
    /// Where, when there is such a place.
    pub snippet: Option<Snippet>,
    /// Other places that belong to it.
    pub notes: Vec<String>,
    /// A line to paste, or the lines of a diff; may be empty.
    pub fix: Vec<String>,
    /// Where to read more, as `cofferdam explain secret-in-layer`.
    pub see: Option<String>,
}

impl Finding {
    /// The lines of the block; `also` names further places of the same finding.
    pub(super) fn lines(&self, style: Style, also: &[String]) -> Vec<String> {
        let (word, paint) = match self.level {
            Level::Error => ("error", Paint::Bad),
            Level::Warning => ("warning", Paint::Warning),
        };
        let head = style.paint(paint, &format!("{word}[{}]:", printable(&self.rule)));
        let message = style.paint(Paint::Strong, &printable(&self.message));
        let mut lines = vec![format!("{head} {message}")];
        let mut gutter = 1;
        if let Some(snippet) = &self.snippet {
            gutter = snippet.gutter();
            lines.extend(snippet.lines(style));
        }
        let sign = style.paint(Paint::Frame, &format!("{:gutter$}  =", ""));
        let mut note = |word: &str, texts: &[String]| {
            let mut lead = format!("{sign} {word}: ");
            for text in texts {
                lines.push(format!("{lead}{}", printable(text)));
                lead = " ".repeat(gutter + word.len() + 6);
            }
        };
        note("note", &self.notes);
        note("also", also);
        note("fix", &self.fix);
        note("see", self.see.as_slice());
        lines
    }
}

/// The lines that show findings: errors first and all of them, then one block per
/// rule that warned, at most ten; the rest is counted, and `all` says how to see it.
pub fn findings(findings: &[Finding], style: Style, all: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in findings.iter().filter(|f| f.level == Level::Error) {
        lines.extend(finding.lines(style, &[]));
    }

    let groups = by_rule(findings.iter().filter(|f| f.level == Level::Warning));
    for group in groups.iter().take(SHOWN) {
        if let Some((first, others)) = group.split_first() {
            lines.extend(first.lines(style, &places(others)));
        }
    }
    let hidden: usize = groups.iter().skip(SHOWN).map(Vec::len).sum();
    if hidden > 0 {
        let warnings = count(hidden, "more warning");
        let rules = count(groups.len().saturating_sub(SHOWN), "more rule");
        lines.push(format!("{warnings} of {rules}: {all}"));
    }
    lines
}

/// Findings of the same rule together, in the order in which the rules appear.
fn by_rule<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<Vec<&'a Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let mut place: HashMap<&str, usize> = HashMap::new();
    for finding in findings {
        let at = *place.entry(&finding.rule).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

fn places(findings: &[&Finding]) -> Vec<String> {
    let place = |finding: &&Finding| match &finding.snippet {
        Some(snippet) => snippet.place(),
        None => finding.message.clone(),
    };
    let mut places: Vec<String> = findings.iter().take(SHOWN).map(place).collect();
    if findings.len() > SHOWN {
        places.push(format!("{} more", findings.len() - SHOWN));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: &str, level: Level, line: usize) -> Finding {
        Finding {
            rule: rule.into(),
            level,
            message: format!("{rule} is wrong"),
            snippet: Some(Snippet {
                file: "Dockerfile".into(),
                line,
                column: 1,
                ..Snippet::default()
            }),
            notes: Vec::new(),
            fix: vec!["- a".into(), "+ b".into()],
            see: Some(format!("cofferdam explain {rule}")),
        }
    }

    #[test]
    fn a_finding_without_a_place_still_has_its_fix() {
        let mut alone = finding("no-user", Level::Error, 1);
        alone.snippet = None;
        assert_eq!(
            findings(&[alone], Style::PLAIN, "").join("\n"),
            "error[no-user]: no-user is wrong\n   = fix: - a\n          + b\n   \
             = see: cofferdam explain no-user"
        );
    }

    #[test]
    fn warnings_of_one_rule_are_one_block() {
        let all: Vec<Finding> = (1..=3)
            .map(|line| finding("unpinned", Level::Warning, line))
            .chain([finding("root", Level::Error, 9)])
            .collect();
        let lines = findings(&all, Style::PLAIN, "");
        assert_eq!(lines[0], "error[root]: root is wrong");
        let text = lines.join("\n");
        assert_eq!(text.matches("warning[unpinned]").count(), 1);
        assert!(text.contains("   = also: Dockerfile:2:1\n           Dockerfile:3:1\n"));
    }

    #[test]
    fn errors_are_all_shown_and_warnings_are_counted_after_ten() {
        let rules = |level, number: usize| {
            (0..number).map(move |at| finding(&format!("rule-{at}"), level, 1))
        };
        let all: Vec<Finding> = rules(Level::Error, 14).chain(rules(Level::Warning, 14)).collect();
        let lines = findings(&all, Style::PLAIN, "cofferdam check --format json");
        let starting = |text: &str| lines.iter().filter(|line| line.starts_with(text)).count();
        assert_eq!(starting("error["), 14);
        assert_eq!(starting("warning["), 10);
        assert_eq!(
            lines.last().map(String::as_str),
            Some("4 more warnings of 4 more rules: cofferdam check --format json")
        );
    }
}
