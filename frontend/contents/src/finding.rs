//! What speaks against an image.

use std::collections::{BTreeMap, BTreeSet};

use crate::kept::Place;

/// Paths that one finding names.
const NAMED: usize = 10;

/// One thing that speaks against an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// What is wrong, one sentence in lower case without a full stop; the paths are not in it.
    pub message: String,
    /// The layer that brought it, counted from zero; `None` when it is about the configuration.
    pub layer: Option<usize>,
    /// Where, as absolute paths in text form; the first few.
    pub paths: Vec<String>,
    /// How many more there are.
    pub more: usize,
    /// What to do about it.
    pub fix: String,
}

/// What is allowed, and what is done to the image after its layers were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Files that may keep their set-uid bit and capabilities, as absolute paths.
    pub keep: BTreeSet<String>,
    /// Whether all other set-uid and set-gid bits of files are stripped.
    pub strips_bits: bool,
    /// Whether all other capabilities are.
    pub strips_capabilities: bool,
}

impl Finding {
    pub(crate) fn new(rule: &'static str, message: impl Into<String>, fix: &str) -> Self {
        let (layer, paths, more) = (None, Vec::new(), 0);
        Self { rule, message: message.into(), layer, paths, more, fix: fix.into() }
    }

    pub(crate) fn at(mut self, layer: usize) -> Self {
        self.layer = Some(layer);
        self
    }

    pub(crate) fn paths(mut self, paths: impl IntoIterator<Item = String>) -> Self {
        let mut paths = paths.into_iter();
        self.paths = paths.by_ref().take(NAMED).collect();
        self.more += paths.count();
        self
    }

    pub(crate) fn and(mut self, more: u64) -> Self {
        self.more = self.more.saturating_add(usize::try_from(more).unwrap_or(usize::MAX));
        self
    }
}

/// Places by the layer that brought them.
pub(crate) fn by_layer<'a>(
    places: impl Iterator<Item = (usize, &'a Place)>,
) -> BTreeMap<usize, Vec<String>> {
    let mut layers: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (layer, place) in places {
        layers.entry(layer).or_default().push(shown(place.path()));
    }
    layers
}

/// A path as people write it.
pub(crate) fn shown(path: &str) -> String {
    format!("/{path}")
}

/// `one thing`, `3 things`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { one.to_string() } else { format!("{number} {many}") }
}
