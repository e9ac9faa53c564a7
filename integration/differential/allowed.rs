//! `allowed.toml`: the differences that are meant, each with its reason.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;

use crate::corpus::Case;
use crate::facts::Difference;
use crate::setting::Setting;

/// The list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    difference: Vec<Entry>,
}

/// One kind of difference. `*` in a pattern stands for any text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Which fact may differ.
    fact: String,
    /// `THEME::NAME` of the cases; any where it is not said.
    #[serde(default)]
    cases: Vec<String>,
    /// Names of the settings; any where it is not said.
    #[serde(default)]
    on: Vec<String>,
    /// What buildx has; `(none)` when only cofferdam has the fact.
    #[serde(default = "any")]
    buildx: String,
    /// What cofferdam has; `(none)` when only buildx has the fact.
    #[serde(default = "any")]
    cofferdam: String,
    /// Why that is right.
    reason: String,
    #[serde(skip)]
    used: AtomicUsize,
}

impl Entry {
    fn is_on(&self, setting: &Setting) -> bool {
        self.on.is_empty() || self.on.contains(&setting.name)
    }
}

fn any() -> String {
    "*".into()
}

impl Allowed {
    /// Reads the file.
    pub fn read() -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("integration/differential/allowed.toml");
        let text = std::fs::read_to_string(path).unwrap();
        let list: Self =
            toml::from_str(&text).unwrap_or_else(|error| panic!("allowed.toml: {error}"));
        let empty = list.difference.iter().find(|entry| entry.reason.trim().is_empty());
        assert!(empty.is_none(), "allowed.toml: an entry needs a reason: {empty:?}");
        list
    }

    /// Whether a difference is meant.
    pub fn takes(&self, case: &Case, setting: &Setting, difference: &Difference<'_>) -> bool {
        let name = format!("{}::{}", case.theme, case.name);
        let of = |side: Option<&str>| side.unwrap_or("(none)").to_string();
        let fits = |entry: &&Entry| {
            matches(&entry.fact, difference.fact)
                && (entry.cases.is_empty() || entry.cases.iter().any(|case| matches(case, &name)))
                && entry.is_on(setting)
                && matches(&entry.buildx, &of(difference.buildx))
                && matches(&entry.cofferdam, &of(difference.cofferdam))
        };
        let entry = self.difference.iter().find(fits);
        entry.inspect(|entry| _ = entry.used.fetch_add(1, Ordering::Relaxed)).is_some()
    }

    /// Entries that nothing needed, of those that are for one of these settings.
    pub fn unused(&self, settings: &[&Setting]) -> Vec<String> {
        let ran = |entry: &&Entry| settings.iter().any(|setting| entry.is_on(setting));
        let entries = self.difference.iter().filter(ran);
        let idle = entries.filter(|entry| entry.used.load(Ordering::Relaxed) == 0);
        idle.map(|entry| {
            format!(
                "{} in {:?} on {:?}: {}",
                entry.fact,
                entry.cases,
                entry.on,
                entry.reason.trim()
            )
        })
        .collect()
    }
}

/// Whether the text is what the pattern describes.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    rest.is_empty() || ends.into_iter().any(|at| matches(rest, &text[at..]))
}
