//! What `inspect --before` reads on standard input: what an earlier answer said of the layers below.

use std::collections::BTreeSet;

use cofferdam_contents::Contents;
use serde::{Deserialize, Serialize};

/// The names in lower layers of which it matters whether a layer takes them away or covers them, in
/// text form. Those that are not there any more do no harm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// Files that say something about packages.
    pub packages: BTreeSet<String>,
    /// What stands out, relative to the root.
    pub contents: BTreeSet<String>,
}

impl Before {
    /// Adds what stands out in a layer.
    pub(super) fn add(&mut self, contents: &Contents) {
        self.contents.extend(contents.paths());
    }

    /// As `inspect --before` reads it.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Two lists of text: there is nothing in it that could not be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
