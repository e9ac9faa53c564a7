//! Which sources a rule is about.

use bollard_buildkit_proto::pb::SourceOp;
use regex::bytes::{Regex, RegexBuilder};

/// An expression as Go reads it: `\d` and `\w` are of ASCII.
pub(super) fn expression(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).unicode(false).build()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A selector that was understood.
#[derive(Clone, Debug)]
pub(super) struct Matcher {
    identifier: String,
    /// For wildcards and expressions; an exact one has none.
    pattern: Option<Pattern>,
    constraints: Vec<Constraint>,
}

#[derive(Clone, Debug)]
enum Pattern {
    /// `*` stands for any text, which the target may name `$1`, `$2`, …
    Wildcard(Regex),
    /// A regular expression, which may match anywhere.
    Regex(Regex),
}

/// What an attribute must be.
#[derive(Clone, Debug)]
pub(super) enum Constraint {
    Equal(String, String),
    NotEqual(String, String),
    Matches(String, Regex),
}

impl Matcher {
    pub(super) fn exact(identifier: String) -> Self {
        Self { identifier, pattern: None, constraints: Vec::new() }
    }

    pub(super) fn regex(identifier: String) -> Result<Self, regex::Error> {
        let pattern = Some(Pattern::Regex(expression(&identifier)?));
        Ok(Self { identifier, pattern, constraints: Vec::new() })
    }

    pub(super) fn wildcard(identifier: String) -> Result<Self, regex::Error> {
        let pattern = format!("^{}$", regex::escape(&identifier).replace("\\*", "(.*)"));
        let pattern = Some(Pattern::Wildcard(expression(&pattern)?));
        Ok(Self { identifier, pattern, constraints: Vec::new() })
    }

    pub(super) fn with(self, constraints: Vec<Constraint>) -> Self {
        Self { constraints, ..self }
    }

    pub(super) fn matches(&self, op: &SourceOp) -> bool {
        if !self.constraints.iter().all(|constraint| constraint.holds(op)) {
            return false;
        }
        self.identifier == op.identifier
            || match &self.pattern {
                None => false,
                Some(Pattern::Wildcard(regex) | Pattern::Regex(regex)) => {
                    regex.is_match(op.identifier.as_bytes())
                }
            }
    }

    /// The target for a source, with what the pattern's groups took.
    pub(super) fn format(&self, source: &str, target: &str) -> String {
        match &self.pattern {
            None => target.to_string(),
            Some(Pattern::Regex(regex)) => {
                text(&regex.replace_all(source.as_bytes(), target.as_bytes()))
            }
            Some(Pattern::Wildcard(regex)) => match regex.captures(source.as_bytes()) {
                Some(groups) => {
                    let mut bytes = Vec::new();
                    groups.expand(target.as_bytes(), &mut bytes);
                    text(&bytes)
                }
                None => source.to_string(),
            },
        }
    }
}

impl Constraint {
    fn holds(&self, op: &SourceOp) -> bool {
        let value = |key: &String| op.attrs.get(key).map_or("", String::as_str);
        match self {
            Self::Equal(key, expected) => value(key) == expected,
            Self::NotEqual(key, expected) => value(key) != expected,
            Self::Matches(key, regex) => regex.is_match(value(key).as_bytes()),
        }
    }
}
