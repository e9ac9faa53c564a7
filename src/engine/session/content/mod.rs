//! Images of OCI layouts for the engine: the `containerd.services.content.v1.Content` service of the
//! session, read only.
//!
//! Sources: moby/buildkit, session/content; containerd, api/services/content/v1; OCI image-spec,
//! image-layout.md.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

mod blob;
mod index;
mod layout;
mod message;
mod service;

pub use index::Wanted;
pub use layout::{Layout, LayoutError};
pub(super) use service::METHODS;

/// The layouts that a build may read, by the id that the frontend knows them by; clones share what
/// was checked.
#[derive(Clone, Debug, Default)]
pub struct ContentStores(BTreeMap<String, Arc<Layout>>);

impl ContentStores {
    /// Offers the layout in a directory under an id.
    ///
    /// # Errors
    /// It is no layout.
    pub fn add(&mut self, id: String, directory: &Path) -> Result<(), LayoutError> {
        self.0.insert(id, Arc::new(Layout::open(directory)?));
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The layout of an id as the engine names it.
    fn get(&self, id: &str) -> Option<Arc<Layout>> {
        self.0.get(id.strip_prefix(PREFIX)?).cloned()
    }
}

/// Before every id of a layout, so that it is not taken for another kind of store.
const PREFIX: &str = "oci:";

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
