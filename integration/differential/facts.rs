//! What is known of the result of a case: facts, each with a name and a text.

use std::collections::BTreeMap;

/// Facts by their names, such as `exit`, `image/latest/config/User`, `image/latest/tree/etc/passwd`.
#[derive(Debug, Default)]
pub struct Facts(BTreeMap<String, String>);

/// A fact that the two do not share; `None` where one lacks it.
#[derive(Debug)]
pub struct Difference<'a> {
    pub fact: &'a str,
    pub buildx: Option<&'a str>,
    pub cofferdam: Option<&'a str>,
}

impl Facts {
    /// Adds a fact.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.0.insert(name.into(), text.into());
    }

    /// The text of a fact.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Everything that is not the same in both. What one of them lacks is told once, without what
    /// is known of its parts.
    pub fn differences<'a>(buildx: &'a Self, cofferdam: &'a Self) -> Vec<Difference<'a>> {
        let mut names: Vec<&str> =
            buildx.0.keys().chain(cofferdam.0.keys()).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let all = names.into_iter().map(|fact| Difference {
            fact,
            buildx: buildx.get(fact),
            cofferdam: cofferdam.get(fact),
        });
        let mut found: Vec<Difference<'a>> = Vec::new();
        for difference in all.filter(|difference| difference.buildx != difference.cofferdam) {
            let told = found.last().is_some_and(|whole: &Difference<'_>| {
                let lacks = whole.buildx.is_none() || whole.cofferdam.is_none();
                let part = difference.fact.strip_prefix(whole.fact);
                lacks && part.is_some_and(|part| part.starts_with('/'))
            });
            if !told {
                found.push(difference);
            }
        }
        found
    }
}
