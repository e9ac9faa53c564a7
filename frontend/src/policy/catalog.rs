//! Every finding has a name and a page: those of rules, and those of the check itself.

use super::finding::Severity;
use super::registry;
use super::rule::{About, Place};

/// What BuildKit would refuse to read.
pub static PARSE_ERROR: About = About {
    id: "parse-error",
    title: "a Dockerfile that no engine reads",
    severity: Severity::High,
    also: &["DL1000"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../docs/rules/parse-error.md"),
};

/// An ignore comment that cannot count.
pub static BAD_IGNORE: About = About {
    id: "bad-ignore",
    title: "an ignore comment that cannot count",
    severity: Severity::Medium,
    also: &[],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../docs/rules/bad-ignore.md"),
};

/// An ignore comment that silences nothing.
pub static UNUSED_IGNORE: About = About {
    id: "unused-ignore",
    title: "an ignore comment that silences nothing",
    severity: Severity::Low,
    also: &[],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../docs/rules/unused-ignore.md"),
};

/// Findings about a file's own form, which no comment in it can silence.
const OWN: [&About; 3] = [&BAD_IGNORE, &PARSE_ERROR, &UNUSED_IGNORE];

/// All names that a finding can have, sorted by id.
pub fn every_about() -> Vec<&'static About> {
    let mut list: Vec<&'static About> = registry::every_rule().map(|rule| rule.about()).collect();
    for own in OWN {
        if list.iter().all(|about| about.id != own.id) {
            list.push(own);
        }
    }
    list.sort_by_key(|about| about.id);
    list
}

/// What a finding of this name is about.
pub fn about(id: &str) -> Option<&'static About> {
    let own = OWN.into_iter().find(|about| about.id == id);
    own.or_else(|| registry::rule(id).map(|rule| rule.about()))
}

/// Whether this is about the file's own form.
pub(super) fn is_own(id: &str) -> bool {
    OWN.iter().any(|about| about.id == id)
}
