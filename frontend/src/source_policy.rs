//! BuildKit's source policy: which sources a build may read, and what is read in their place.
//!
//! It is evaluated here and not in the engine: old engines pass over it without a word, and what is
//! judged is what runs.
//! Sources: moby/buildkit, sourcepolicy/ and sourcepolicy/pb/policy.proto.

use std::collections::BTreeMap;

use bollard_buildkit_proto::pb::SourceOp;
use serde::Deserialize;

mod graph;
mod matcher;
mod read;
#[cfg(test)]
mod tests;

pub(crate) use graph::Refusal;
pub use graph::violation;
pub use read::SourcePolicyError;

use matcher::Matcher;

/// How often one source may be converted before its rules are taken to go round in circles.
const ROUNDS: usize = 20;
/// Rule id of what a policy refuses.
pub const RULE: &str = "source-policy";

/// Rules about sources; the empty one lets everything through as it is.
#[derive(Clone, Debug, Default)]
pub struct SourcePolicy {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    action: Action,
    selector: Matcher,
    updates: Updates,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Allow,
    Deny,
    Convert,
}

/// What a rule puts in the place of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Updates {
    identifier: String,
    #[serde(deserialize_with = "read::nullable")]
    attrs: BTreeMap<String, String>,
}

/// Why a source may not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// A rule says so.
    #[error("the source policy denies {0}")]
    Source(String),
    /// Its conversions have no end.
    #[error("the source policy converts {0} without an end")]
    Endless(String),
}

impl SourcePolicy {
    /// Whether it has no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What is to be read in the place of a source; `None` when it is the source itself.
    ///
    /// # Errors
    /// It may not be read.
    pub fn evaluate(&self, source: &SourceOp) -> Result<Option<SourceOp>, Denied> {
        let mut now = source.clone();
        for _ in 0..=ROUNDS {
            if !self.round(&mut now)? {
                return Ok((now != *source).then_some(now));
            }
        }
        Err(Denied::Endless(source.identifier.clone()))
    }

    /// What a name of an image becomes; both are `docker-image://…`.
    ///
    /// # Errors
    /// It may not be read.
    pub fn image(&self, identifier: &str) -> Result<Option<String>, Denied> {
        let op = SourceOp { identifier: identifier.to_string(), ..SourceOp::default() };
        let now = self.evaluate(&op)?.map(|now| now.identifier);
        Ok(now.filter(|now| now != identifier))
    }

    /// One pass over the rules: a conversion ends it, and of the others the last one counts.
    fn round(&self, op: &mut SourceOp) -> Result<bool, Denied> {
        let mut denied = false;
        for Rule { action, selector, updates } in &self.rules {
            if !selector.matches(op) {
                continue;
            }
            match action {
                Action::Allow => denied = false,
                Action::Deny => denied = true,
                Action::Convert => {
                    if convert(op, selector, updates) {
                        return Ok(true);
                    }
                }
            }
        }
        if denied { Err(Denied::Source(op.identifier.clone())) } else { Ok(false) }
    }
}

fn convert(op: &mut SourceOp, selector: &Matcher, updates: &Updates) -> bool {
    let Updates { identifier, attrs } = updates;
    let before = op.clone();
    // Without a target only attributes are meant.
    if !identifier.is_empty() {
        op.identifier = selector.format(&op.identifier, identifier);
    }
    op.attrs.extend(attrs.iter().map(|(key, value)| (key.clone(), value.clone())));
    *op != before
}
