//! What a build has put into the engine that must not stay there.

use cofferdam_frontend::graph::cache_eraser;

use super::plan::Locals;
use crate::engine::{BuildId, Engine};
use crate::record::Slot;

/// Filled in while the build goes on, so that it is true at any moment it may be cut off.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    build: Option<(BuildId, Vec<String>, Slot)>,
    nameless: Option<String>,
}

impl Leftovers {
    /// A build begins that will send directories and use cache mounts.
    pub(super) fn begin(&mut self, id: &BuildId, locals: &Locals, slot: Slot) {
        self.build = Some((id.clone(), locals.names().to_vec(), slot));
    }

    /// It will use these cache mounts.
    pub(super) fn remember(&mut self, caches: &[String]) {
        if let Some((_, _, slot)) = &mut self.build {
            slot.remember(caches);
        }
    }

    /// The engine holds its image, and nobody has named it.
    pub(super) fn nameless(&mut self, image_id: &str) {
        self.nameless = Some(image_id.to_string());
    }

    /// The image is to stay.
    pub(super) fn keep(&mut self) {
        self.nameless = None;
    }

    /// Takes it all away; what cannot be taken away costs space and nothing else.
    pub(super) async fn tidy(mut self, engine: &Engine, failed: bool) {
        if let Some(image) = self.nameless.take().filter(|_| failed) {
            log(engine.remove(&image).await);
        }
        let Some((id, locals, mut slot)) = self.build.take() else { return };
        let cleaned = engine.clean_up(&locals, cache_eraser(slot.ids()), &id).await;
        if cleaned.is_ok() {
            slot.forget();
        }
        log(cleaned);
    }
}

fn log(result: Result<(), crate::engine::EngineError>) {
    if let Err(error) = result {
        tracing::debug!(%error, "left something in the engine");
    }
}
