//! What stands out in one layer.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::accounts::AccountFile;
use crate::caches::Caches;
use crate::entry::Item;
use crate::hidden::Hidden;
use crate::kept::Kept;
use crate::lists::Lists;

/// What stands out in one layer. It depends on the layer alone, and may be kept by its digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// How much the layer holds.
    pub sums: Sums,
    pub(crate) lists: Lists<Kept<Item>, Kept<Secrets>>,
    #[serde(default)]
    pub(crate) caches: Caches,
    #[serde(default)]
    pub(crate) accounts: BTreeMap<String, AccountFile>,
    pub(crate) hidden: Hidden,
}

/// How much a layer holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sums {
    /// Names, directories included.
    pub names: u64,
    /// Regular files.
    pub files: u64,
    /// Bytes of those.
    pub bytes: u64,
}

/// The secrets in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secrets(pub(crate) BTreeSet<Secret>);

/// A secret that was found by its shape; nothing of its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Secret {
    /// What it is, with an article.
    pub(crate) what: String,
    /// Members of archives that lead to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) trail: Vec<String>,
}

impl Contents {
    /// The paths that are remembered, in text form: those of which it matters whether they are
    /// still there, as they are, in the next layer. For a caller that sees whole file systems and no
    /// whiteouts: what is gone, it tells the next [`crate::Gather`] with `remove_text`.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<String> {
        let mut paths = BTreeSet::new();
        for list in self.lists.items() {
            paths.extend(list.iter().map(|(place, _)| place.path().to_string()));
        }
        paths.extend(self.lists.secrets.iter().map(|(place, _)| place.path().to_string()));
        paths.extend(self.accounts.keys().cloned());
        let names = self.caches.iter().flat_map(|(_, cache)| cache.names());
        paths.extend(names.map(ToString::to_string));
        paths
    }

    /// Leaves out all but the gravest, where there is no room for more.
    pub fn shorten(&mut self) {
        let Lists { setuid, secrets, .. } = std::mem::take(&mut self.lists);
        self.lists = Lists { setuid, secrets, ..Lists::default() };
        self.caches = Caches::default();
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        let Self { sums, mut lists, caches, accounts, hidden } = other;
        self.sums.names += sums.names;
        self.sums.files += sums.files;
        self.sums.bytes = self.sums.bytes.saturating_add(sums.bytes);
        for (own, other) in self.lists.items_mut().into_iter().zip(lists.items_mut()) {
            own.absorb(std::mem::take(other));
        }
        self.lists.secrets.absorb(lists.secrets);
        self.caches.absorb(caches);
        for (path, file) in accounts {
            // One walk has seen the name, another the bytes.
            if file != AccountFile::Unread || !self.accounts.contains_key(&path) {
                self.accounts.insert(path, file);
            }
        }
        self.hidden.absorb(hidden);
    }

    pub(crate) fn finish(mut self) -> Self {
        self.lists.items_mut().into_iter().for_each(Kept::finish);
        self.lists.secrets.finish();
        self
    }
}
