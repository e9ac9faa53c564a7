//! What is looked for in a layer, and what is found, in one pass over its bytes.

use std::io::{self, Read};

use cofferdam_contents::{Contents, Gather};
use cofferdam_inventory::Layer;
use cofferdam_search::Needles;
use serde::{Deserialize, Serialize};

use super::layer;
use super::leaks::{Leaks, Searched};

/// What is looked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looking<'n> {
    /// Values that should be nowhere; none for no search.
    pub(super) needles: Option<&'n Needles>,
    /// Whether what stands out matters, and not only what is installed.
    pub(super) contents: bool,
}

/// What was found in a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Looked {
    /// Bytes of its archive.
    pub(super) size: u64,
    /// What is installed by it.
    pub(super) packages: Layer,
    /// What stands out in it, if that mattered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) contents: Option<Contents>,
    /// What is not kept: it depends on what was searched for.
    #[serde(skip)]
    pub(super) searched: Searched,
}

impl<'n> Looking<'n> {
    /// Whether what is found depends on the layer alone.
    pub(super) fn may_be_kept(&self) -> bool {
        self.needles.is_none()
    }

    /// Whether what was found before is all that is looked for.
    pub(super) fn is_answered_by(&self, found: &Looked) -> bool {
        !self.contents || found.contents.is_some()
    }

    /// Looks through a layer that is not packed any more, to its archive's end.
    pub(super) fn layer(&self, number: usize, archive: &mut dyn Read) -> io::Result<Looked> {
        let leaks = self.needles.map(|needles| Leaks::new(number, needles));
        let gather = self.contents.then(|| match leaks {
            // Bytes are searched once, for what is known and what is not.
            Some(_) => Gather::new().without_secrets(),
            None => Gather::new(),
        });
        layer::look(archive, gather, leaks)
    }
}

impl Looked {
    /// The same as the layer of this number, which an archive tells only at its end.
    pub(super) fn numbered(mut self, number: usize) -> Self {
        self.searched.leaks.iter_mut().for_each(|leak| leak.layer = number);
        self
    }
}
