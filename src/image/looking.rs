//! What is looked for in a layer, and what is found, in one pass over its bytes.

use std::io::{self, Read};

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
}

/// What was found in a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Looked {
    /// Bytes of its archive.
    pub(super) size: u64,
    /// What is installed by it.
    pub(super) packages: Layer,
    /// What is not kept: it depends on what was searched for.
    #[serde(skip)]
    pub(super) searched: Searched,
}

impl<'n> Looking<'n> {
    /// Whether what is found depends on the layer alone.
    pub(super) fn may_be_kept(&self) -> bool {
        self.needles.is_none()
    }

    /// Looks through a layer that is not packed any more, to its archive's end.
    pub(super) fn layer(&self, number: usize, archive: &mut dyn Read) -> io::Result<Looked> {
        layer::look(archive, self.needles.map(|needles| Leaks::new(number, needles)))
    }
}

impl Looked {
    /// The same as the layer of this number, which an archive tells only at its end.
    pub(super) fn numbered(mut self, number: usize) -> Self {
        let Searched { leaks, unread, .. } = &mut self.searched;
        leaks.iter_mut().for_each(|leak| leak.layer = number);
        unread.iter_mut().for_each(|unread| unread.layer = number);
        self
    }
}
