//! What the tests of rules share: a rule over a text, and its fixes made.

use super::{Finding, Fix, Rule, Settings, View, finding::Findings};
use crate::day::Day;
use crate::dockerfile::Dockerfile;

/// A day on which the tests look.
pub const TODAY: Day = Day::new(2026, 2, 1);

/// What one rule has against a text.
pub fn findings(rule: &dyn Rule, source: &str) -> Vec<Finding> {
    findings_with(rule, source, &Settings { today: Some(TODAY), ..Settings::default() })
}

/// The same, with settings.
pub fn findings_with(rule: &dyn Rule, source: &str, settings: &Settings) -> Vec<Finding> {
    let file = Dockerfile::parse(source.as_bytes());
    let mut found = Findings::default();
    rule.text(&View::new(&file, settings), &mut found);
    found.list().to_vec()
}

/// The texts that the findings point at.
pub fn places(rule: &dyn Rule, source: &str) -> Vec<String> {
    let of = |finding: Finding| String::from_utf8_lossy(finding.span.of(source.as_bytes())).into();
    findings(rule, source).into_iter().map(of).collect()
}

/// Each of these texts is none of the rule's business.
pub fn silent(rule: &dyn Rule, sources: &[&str]) {
    for source in sources {
        assert_eq!(findings(rule, source), [], "{source}");
    }
}

/// Each of these texts has exactly one finding.
pub fn speaks(rule: &dyn Rule, sources: &[&str]) {
    for source in sources {
        assert_eq!(findings(rule, source).len(), 1, "{source}");
    }
}

/// The text after all fixes, which has no fix left to make.
pub fn fixed(rule: &dyn Rule, source: &str) -> String {
    let apply = |source: &str| {
        let mut edits: Vec<_> = findings(rule, source)
            .into_iter()
            .filter_map(|finding| finding.fix)
            .flat_map(|Fix { edits, .. }| edits)
            .collect();
        edits.sort_by_key(|edit| edit.span);
        let mut text = source.to_owned();
        for edit in edits.iter().rev() {
            text.replace_range(edit.span.start..edit.span.end, &edit.text);
        }
        text
    };
    let once = apply(source);
    assert_eq!(apply(&once), once, "the fix of a fixed text");
    once
}
