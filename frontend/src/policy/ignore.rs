//! Comments that silence findings: our own, which need a reason, and those of other tools.
//!
//! ```text
//! # cofferdam: ignore[sudo] the vendor's script calls it until=2027-02-01
//! # cofferdam: ignore-file[no-user] a tool that runs in CI only
//! # hadolint ignore=DL3004
//! # hadolint global ignore=DL3004
//! # check=skip=SecretsUsedInArgOrEnv
//! ```
//!
//! A comment counts for the instruction right below it or around it. It silences what the text's
//! check reports, never what refuses a build.

mod read;

use std::collections::BTreeMap;

use self::read::{Comment, Names, Scope, comment, skipped};
use super::catalog::{self, BAD_IGNORE, UNUSED_IGNORE};
use super::finding::{Finding, Findings};
use super::rule::{About, Place};
use crate::day::Day;
use crate::dockerfile::{Dockerfile, ItemKind, Span};

/// Findings after the file's comments had their say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// What is left, and what is wrong with the comments themselves; in source order.
    pub findings: Vec<Finding>,
    /// What was silenced.
    pub silenced: Vec<Finding>,
}

/// One rule in one comment.
struct Entry {
    rule: &'static str,
    /// What it silences; `None` for the whole file.
    reach: Option<Span>,
    /// Its name in the comment.
    span: Span,
    /// Whether it is our own, which has to be of use.
    own: bool,
}

/// Applies the comments of a file to its findings; `today` decides which have ended, and `ran`
/// which rules looked at all.
pub fn heed(
    file: &Dockerfile,
    findings: Vec<Finding>,
    today: Day,
    ran: impl Fn(&About) -> bool,
) -> Heard {
    let mut found = Findings::default();
    let entries = entries(file, today, &mut found);
    // Instructions stand apart, so that at most one reach of a rule has a place in it.
    let mut used = BTreeMap::<Key, (Option<Span>, bool)>::new();
    for entry in &entries {
        used.entry(entry.key()).or_insert((entry.reach, false));
    }
    let mut heard = Heard::default();
    for finding in findings {
        let (rule, at) = (finding.rule, finding.span.start);
        let mut silenced = false;
        if !catalog::is_own(rule) {
            let below = used.range((rule, Some(0))..=(rule, Some(at))).next_back();
            let below = below.map(|(key, _)| *key);
            for key in [Some((rule, None)), below].into_iter().flatten() {
                let Some((reach, used)) = used.get_mut(&key) else { continue };
                if reach.is_none_or(|reach| (reach.start..reach.end).contains(&at)) {
                    *used = true;
                    silenced = true;
                }
            }
        }
        if silenced { heard.silenced.push(finding) } else { heard.findings.push(finding) }
    }
    let is_used = |entry: &Entry| used.get(&entry.key()).is_some_and(|(_, used)| *used);
    let unused = entries.iter().filter(|entry| entry.own && !is_used(entry));
    for entry in unused.filter(|entry| catalog::about(entry.rule).is_some_and(&ran)) {
        let message = format!("nothing here is against {}", entry.rule);
        found.report(&UNUSED_IGNORE, entry.span, message).help(match entry.reach {
            Some(_) => "remove it, or put it right above the instruction that it is for",
            None => "remove it",
        });
    }
    heard.findings.extend(found.sorted());
    heard.findings.sort_by(|a, b| (a.span.start, a.rule).cmp(&(b.span.start, b.rule)));
    heard
}

/// A rule, and where the reach of a comment begins; `None` for the whole file.
type Key = (&'static str, Option<usize>);

impl Entry {
    /// What it silences.
    fn key(&self) -> Key {
        (self.rule, self.reach.map(|reach| reach.start))
    }
}

fn entries(file: &Dockerfile, today: Day, found: &mut Findings) -> Vec<Entry> {
    let mut entries = Vec::new();
    for rule in file.check.iter().flat_map(|check| skipped(&check.value)) {
        let span = Span::default();
        entries.push(Entry { rule, reach: None, span, own: false });
    }
    // Comments that wait for the instruction below them.
    let mut waiting: Vec<Span> = Vec::new();
    for item in &file.items {
        match item.kind {
            ItemKind::Comment => waiting.push(item.span),
            ItemKind::Instruction(index) => {
                let inner = file.instructions.get(index).map(|node| node.comments.as_slice());
                waiting.extend(inner.unwrap_or_default());
                for span in waiting.drain(..) {
                    take(file, span, item.span, today, &mut entries, found);
                }
            }
            ItemKind::Blank | ItemKind::Directive(_) => {
                for span in waiting.drain(..) {
                    take(file, span, Span::new(span.end, span.end), today, &mut entries, found);
                }
            }
        }
    }
    for span in waiting {
        take(file, span, Span::new(span.end, span.end), today, &mut entries, found);
    }
    entries
}

/// Reads one comment, for the instruction at `below`.
fn take(
    file: &Dockerfile,
    span: Span,
    below: Span,
    today: Day,
    entries: &mut Vec<Entry>,
    found: &mut Findings,
) {
    let Some(Comment { scope, names }) = comment(file.source(), span) else { return };
    let reach = (scope == Scope::Below).then_some(below);
    match names {
        Names::Foreign(rules) => {
            entries.extend(rules.into_iter().map(|rule| Entry { rule, reach, span, own: false }))
        }
        Names::Bad { span, message, help } => {
            found.report(&BAD_IGNORE, span, message).help(help);
        }
        Names::Own { rules, ends } => {
            if let Some((at, end)) = ends.filter(|(_, end)| *end < today) {
                let help = "look again: remove it, or give it a new day and reason";
                found.report(&BAD_IGNORE, at, format!("this ended on {end}")).help(help);
                return;
            }
            for (name, at) in rules {
                match known(&name) {
                    Ok(rule) => {
                        entries.push(Entry { rule, reach, span: at, own: true });
                    }
                    Err((message, help)) => {
                        found.report(&BAD_IGNORE, at, message).help(help);
                    }
                }
            }
        }
    }
}

/// The rule of this name, if a comment may silence it.
fn known(name: &str) -> Result<&'static str, (String, String)> {
    let Some(about) = catalog::about(name) else {
        let other = catalog::every_about().into_iter().find(|about| about.also.contains(&name));
        let help = match other {
            Some(about) => format!("here it is called {}", about.id),
            None => "`cofferdam rules` lists all".to_string(),
        };
        return Err((format!("there is no rule {name:?}"), help));
    };
    if catalog::is_own(about.id) {
        return Err((format!("{name} cannot be ignored"), "mend the file".into()));
    }
    if !about.places.contains(&Place::Text) {
        return Err((
            format!("{name} is not decided by the text, and no comment silences it"),
            "write an [[exception]] into cofferdam.toml, if the rule knows any".into(),
        ));
    }
    Ok(about.id)
}

#[cfg(test)]
mod tests;
