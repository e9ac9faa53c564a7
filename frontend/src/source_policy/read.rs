//! The policy's file: JSON in the form of BuildKit's messages.

use serde::{Deserialize, Deserializer};

use super::matcher::{Constraint, Matcher, expression};
use super::{Action, Rule, SourcePolicy, Updates};

/// The only version there is; a file without one is of it.
const VERSION: i64 = 1;

/// Why a policy cannot be enforced.
#[derive(Debug, thiserror::Error)]
pub enum SourcePolicyError {
    /// It is no JSON of that form.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// It is of a later kind.
    #[error("it has version {0}, known is {VERSION}")]
    Version(i64),
    /// A rule makes no sense.
    #[error("rule {number}: {problem}")]
    Rule {
        /// Counted from 1.
        number: usize,
        /// What is wrong.
        problem: String,
    },
}

// A field that is unknown here could be the one that makes a rule strict: none is passed over.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    version: i64,
    #[serde(default, deserialize_with = "nullable")]
    rules: Vec<RuleText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    #[serde(default)]
    action: Word,
    selector: Selector,
    #[serde(default)]
    updates: Option<Updates>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Selector {
    #[serde(default)]
    identifier: String,
    #[serde(default, alias = "matchType")]
    match_type: Word,
    #[serde(default, deserialize_with = "nullable")]
    constraints: Vec<ConstraintText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConstraintText {
    key: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    condition: Word,
}

/// An enumeration's value, by name or by number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    Number(i64),
    Name(String),
}

impl Default for Word {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl Word {
    /// The value among those that there are, in the order of their numbers.
    fn of<const N: usize>(&self, what: &str, names: [&str; N]) -> Result<usize, String> {
        let found = match self {
            Self::Number(number) => usize::try_from(*number).ok().filter(|number| *number < N),
            Self::Name(name) => names.iter().position(|known| known == name),
        };
        found.ok_or_else(|| {
            let known = names.join(", ");
            match self {
                Self::Number(number) => format!("{what} {number} is none of {known}"),
                Self::Name(name) => format!("{what} {name:?} is none of {known}"),
            }
        })
    }
}

/// Takes `null` for what is left out, as Go does.
pub(super) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl SourcePolicy {
    /// Reads a policy.
    ///
    /// # Errors
    /// It is damaged, or says what is not known here.
    pub fn parse(json: &[u8]) -> Result<Self, SourcePolicyError> {
        // A list would be read as the fields in their order.
        let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(json)?;
        let File { version, rules } = serde_json::from_value(fields.into())?;
        if !(0..=VERSION).contains(&version) {
            return Err(SourcePolicyError::Version(version));
        }
        let rules = rules.into_iter().enumerate().map(|(at, rule)| {
            let wrong = |problem| SourcePolicyError::Rule { number: at + 1, problem };
            read(rule).map_err(wrong)
        });
        Ok(Self { rules: rules.collect::<Result<_, _>>()? })
    }
}

fn read(rule: RuleText) -> Result<Rule, String> {
    let RuleText { action, selector, updates } = rule;
    let action = match action.of("action", ["ALLOW", "DENY", "CONVERT"])? {
        0 => Action::Allow,
        1 => Action::Deny,
        _ => Action::Convert,
    };
    if action == Action::Convert && updates.is_none() {
        return Err("CONVERT needs updates".into());
    }
    let Selector { identifier, match_type, constraints } = selector;
    let wrong = |error: regex::Error| format!("selector: {error}");
    let selector = match match_type.of("match_type", ["WILDCARD", "EXACT", "REGEX"])? {
        0 if identifier.contains("**") => {
            return Err(format!("selector {identifier:?}: ** is no wildcard"));
        }
        0 => Matcher::wildcard(identifier).map_err(wrong)?,
        1 => Matcher::exact(identifier),
        _ => Matcher::regex(identifier).map_err(wrong)?,
    };
    let constraints = constraints.into_iter().map(constraint).collect::<Result<_, _>>()?;
    let updates = updates.unwrap_or_default();
    Ok(Rule { action, selector: selector.with(constraints), updates })
}

fn constraint(text: ConstraintText) -> Result<Constraint, String> {
    let ConstraintText { key, value, condition } = text;
    Ok(match condition.of("condition", ["EQUAL", "NOTEQUAL", "MATCHES"])? {
        0 => Constraint::Equal(key, value),
        1 => Constraint::NotEqual(key, value),
        _ => {
            let regex = expression(&value).map_err(|error| format!("constraint {key}: {error}"))?;
            Constraint::Matches(key, regex)
        }
    })
}
