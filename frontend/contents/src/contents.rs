//! What stands out in one layer.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::accounts::AccountFile;
use crate::caches::Caches;
use crate::entry::Item;
use crate::hidden::Hidden;
use crate::kept::Kept;

/// What stands out in one layer. It depends on the layer alone, and may be kept by its digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// How much the layer holds.
    pub sums: Sums,
    pub(crate) lists: Lists,
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

/// Entries by what is remarkable about them; one may be in several lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Lists {
    /// Files with a set-uid or set-gid bit.
    pub(crate) setuid: Kept<Item>,
    /// Files with capabilities.
    pub(crate) capabilities: Kept<Item>,
    /// Directories with a set-gid bit.
    pub(crate) setgid: Kept<Item>,
    /// Devices.
    pub(crate) devices: Kept<Item>,
    /// Files and directories that everybody may change.
    pub(crate) open: Kept<Item>,
    /// Directories and programs that somebody but root may change.
    pub(crate) owned: Kept<Item>,
    /// Programs and links in directories of programs, and links near the root.
    pub(crate) programs: Kept<Item>,
    /// Histories of shells and the like.
    pub(crate) histories: Kept<Item>,
    /// The file by which a `.git` is known.
    pub(crate) repositories: Kept<Item>,
    /// Secrets that nobody told us of, by the file that they are in.
    pub(crate) secrets: Kept<Secrets>,
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

macro_rules! each_list {
    ($lists:expr, $list:ident => $do:expr) => {{
        let Lists {
            setuid,
            capabilities,
            setgid,
            devices,
            open,
            owned,
            programs,
            histories,
            repositories,
            secrets,
        } = $lists;
        {
            let $list = secrets;
            $do;
        }
        for $list in
            [setuid, capabilities, setgid, devices, open, owned, programs, histories, repositories]
        {
            $do;
        }
    }};
}

impl Contents {
    /// The paths that are remembered, in text form: those of which it matters whether they are
    /// still there, as they are, in the next layer. For a caller that sees whole file systems and no
    /// whiteouts: what is gone, it tells the next [`crate::Gather`] with `remove_text`.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<String> {
        let mut paths = BTreeSet::new();
        each_list!(&self.lists, list => paths.extend(list.iter().map(|(place, _)| place.0.clone())));
        paths.extend(self.accounts.keys().cloned());
        let names = self.caches.iter().flat_map(|(_, cache)| cache.names());
        paths.extend(names.map(ToString::to_string));
        paths
    }

    /// Leaves out all but the gravest, where there is no room for more.
    pub fn shorten(&mut self) {
        let lists = std::mem::take(&mut self.lists);
        let Lists { setuid, secrets, .. } = lists;
        self.lists = Lists { setuid, secrets, ..Lists::default() };
        self.caches = Caches::default();
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        let Self { sums, lists, caches, accounts, hidden } = other;
        self.sums.names += sums.names;
        self.sums.files += sums.files;
        self.sums.bytes = self.sums.bytes.saturating_add(sums.bytes);
        self.lists.absorb(lists);
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
        each_list!(&mut self.lists, list => list.finish());
        self
    }
}

impl Lists {
    fn absorb(&mut self, other: Self) {
        let Self {
            setuid,
            capabilities,
            setgid,
            devices,
            open,
            owned,
            programs,
            histories,
            repositories,
            secrets,
        } = other;
        self.setuid.absorb(setuid);
        self.capabilities.absorb(capabilities);
        self.setgid.absorb(setgid);
        self.devices.absorb(devices);
        self.open.absorb(open);
        self.owned.absorb(owned);
        self.programs.absorb(programs);
        self.histories.absorb(histories);
        self.repositories.absorb(repositories);
        self.secrets.absorb(secrets);
    }
}
