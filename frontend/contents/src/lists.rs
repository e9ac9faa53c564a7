//! What is remarkable about entries, one list for each kind of thing.

use serde::{Deserialize, Serialize};

/// Entries by what is remarkable about them; one may be in several lists. `L` is a list of entries,
/// `S` one of files with secrets: of one layer, or over all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Lists<L, S> {
    /// Files with a set-uid or set-gid bit.
    pub(crate) setuid: L,
    /// Files with capabilities.
    pub(crate) capabilities: L,
    /// Directories with a set-gid bit.
    pub(crate) setgid: L,
    /// Devices.
    pub(crate) devices: L,
    /// Files and directories that everybody may change.
    pub(crate) open: L,
    /// Directories and programs that somebody but root may change.
    pub(crate) owned: L,
    /// Programs and links in directories of programs, and links near the root.
    pub(crate) programs: L,
    /// Histories of shells and the like.
    pub(crate) histories: L,
    /// The file by which a `.git` is known.
    pub(crate) repositories: L,
    /// Secrets that nobody told us of, by the file that they are in.
    pub(crate) secrets: S,
}

impl<L, S> Lists<L, S> {
    /// All lists of entries, always in this order.
    pub(crate) fn items(&self) -> [&L; 9] {
        [
            &self.setuid,
            &self.capabilities,
            &self.setgid,
            &self.devices,
            &self.open,
            &self.owned,
            &self.programs,
            &self.histories,
            &self.repositories,
        ]
    }

    /// The same, in the same order.
    pub(crate) fn items_mut(&mut self) -> [&mut L; 9] {
        [
            &mut self.setuid,
            &mut self.capabilities,
            &mut self.setgid,
            &mut self.devices,
            &mut self.open,
            &mut self.owned,
            &mut self.programs,
            &mut self.histories,
            &mut self.repositories,
        ]
    }
}
