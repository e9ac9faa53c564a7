//! What a layer hides of those below it.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::contents::Contents;
use crate::text::parents;

/// The first half of a SHA-256: nobody may make two of the same.
fn digest(path: &str) -> u128 {
    let digest: [u8; 32] = Sha256::digest(path).into();
    u128::from_be_bytes(digest.first_chunk().copied().unwrap_or_default())
}

/// What lower layers hold that matters: only that can be hidden.
#[derive(Debug, Clone, Default)]
pub struct Known(HashSet<u128>);

impl Known {
    /// Adds what the contents of a layer name.
    pub fn add(&mut self, layer: &Contents) {
        self.add_paths(&layer.paths());
    }

    /// Adds what was asked of a layer, see [`Contents::paths`].
    pub fn add_paths(&mut self, paths: &BTreeSet<String>) {
        self.0.extend(paths.iter().map(|path| digest(path)));
    }

    /// What the contents of these layers name.
    #[must_use]
    pub fn of<'a>(layers: impl IntoIterator<Item = &'a Contents>) -> Self {
        Self(layers.into_iter().flat_map(Contents::paths).map(|path| digest(&path)).collect())
    }
}

/// Paths that cannot be seen any more below a layer, or not as they were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hidden {
    /// Names that are no directories; a layer has up to millions, so only digests are kept.
    #[serde(default, with = "digests", skip_serializing_if = "BTreeSet::is_empty")]
    covered: BTreeSet<u128>,
    /// Directories: they take the place of another directory, and leave what is in it.
    #[serde(default, with = "digests", skip_serializing_if = "BTreeSet::is_empty")]
    listed: BTreeSet<u128>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    removed: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    opaque: BTreeSet<String>,
}

impl Hidden {
    /// The layer has something here; with `known`, anything else is not remembered.
    pub(crate) fn has(&mut self, path: &str, is_directory: bool, known: Option<&Known>) {
        // Most layers that are asked so are the first.
        if known.is_some_and(|known| known.0.is_empty()) {
            return;
        }
        let digest = digest(path);
        if known.is_some_and(|known| !known.0.contains(&digest)) {
            return;
        }
        if is_directory { &mut self.listed } else { &mut self.covered }.insert(digest);
    }

    pub(crate) fn remove(&mut self, path: String) {
        self.removed.insert(path);
    }

    pub(crate) fn opaque(&mut self, path: String) {
        self.opaque.insert(path);
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        let Self { covered, listed, removed, opaque } = other;
        self.covered.extend(covered);
        self.listed.extend(listed);
        self.removed.extend(removed);
        self.opaque.extend(opaque);
    }

    /// Whether what lower layers have at this path is not seen any more.
    pub(crate) fn hides(&self, path: &str) -> bool {
        let gone = |path: &str| self.removed.contains(path) || self.covered.contains(&digest(path));
        gone(path)
            || self.listed.contains(&digest(path))
            || (self.opaque.contains("") && !path.is_empty())
            || parents(path).any(|parent| gone(parent) || self.opaque.contains(parent))
    }
}

/// Digests as one string: a million of them are read and written often.
mod digests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    const DIGITS: usize = 32;

    pub(super) fn serialize<S: Serializer>(
        set: &BTreeSet<u128>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(set.len() * DIGITS);
        for digest in set {
            // Writing to a String cannot fail.
            let _ = write!(text, "{digest:032x}");
        }
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeSet<u128>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digest = |digits: &[u8]| {
            let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == DIGITS);
            let digest = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
            digest.ok_or_else(|| D::Error::custom("a list of digests is damaged"))
        };
        text.as_bytes().chunks(DIGITS).map(digest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_what_is_replaced_removed_or_below_an_opaque_directory() {
        let mut hidden = Hidden::default();
        hidden.has("app/file", false, None);
        hidden.has("app/dir", true, None);
        hidden.remove("gone".into());
        hidden.opaque("new".into());
        for path in ["app/file", "app/file/below", "app/dir", "gone", "gone/below", "new/below"] {
            assert!(hidden.hides(path), "{path}");
        }
        for path in ["app", "app/dir/below", "new", "gon", "", "other"] {
            assert!(!hidden.hides(path), "{path}");
        }
        hidden.opaque(String::new());
        assert!(hidden.hides("other"));
    }

    #[test]
    fn it_can_be_written_and_read() {
        let mut hidden = Hidden::default();
        ["a", "b", "c"].into_iter().for_each(|path| hidden.has(path, path == "a", None));
        hidden.remove("x".into());
        let text = serde_json::to_string(&hidden).unwrap();
        assert_eq!(serde_json::from_str::<Hidden>(&text).unwrap(), hidden);
        let damaged = text.replacen("\"covered\":\"", "\"covered\":\"é", 1);
        assert!(serde_json::from_str::<Hidden>(&damaged).is_err());
    }
}
