//! What a build has put into the engine that must not stay there.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cofferdam_frontend::graph::cache_eraser;

use crate::engine::{BuildId, Engine, EngineError};
use crate::record::Slot;

/// Filled in while the build goes on, so that it is true at any moment it may be cut off.
/// Clones share everything.
#[derive(Clone, Debug, Default)]
pub(super) struct Leftovers(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    build: Option<Begun>,
    nameless: Vec<(Engine, String)>,
}

#[derive(Debug)]
struct Begun {
    id: BuildId,
    slot: Slot,
}

impl Leftovers {
    /// A build begins that will send directories and use cache mounts: in the returned namespace.
    pub(super) fn begin(&self, id: &BuildId, engine: &Engine, state_dir: Option<&Path>) -> String {
        let slot = Slot::take(state_dir, &engine.endpoint().to_string(), id.as_str());
        let namespace = slot.name().to_string();
        self.state().build = Some(Begun { id: id.clone(), slot });
        namespace
    }

    /// It will use these cache mounts.
    pub(super) fn remember(&self, caches: &[String]) {
        if let Some(begun) = &mut self.state().build {
            begun.slot.remember(caches);
        }
    }

    /// This engine's store holds its image, and nobody has named it.
    pub(super) fn nameless(&self, engine: &Engine, image_id: &str) {
        self.state().nameless.push((engine.clone(), image_id.to_string()));
    }

    /// The images are to stay.
    pub(super) fn keep(&self) {
        self.state().nameless.clear();
    }

    /// Takes it all away; what cannot be taken away costs space and nothing else.
    pub(super) async fn tidy(self, engine: &Engine) {
        let nameless = std::mem::take(&mut self.state().nameless);
        for (engine, image) in nameless {
            log(&engine.remove_nameless(&image).await);
        }
        self.forget_inputs(engine).await;
    }

    /// Takes away what the build read, which nobody needs once it was exported.
    pub(super) async fn forget_inputs(&self, engine: &Engine) {
        let build = self.state().build.take();
        let Some(Begun { id, mut slot }) = build else { return };
        let cleaned = engine.clean_up(cache_eraser(slot.ids()), &id).await;
        if cleaned.is_ok() {
            slot.forget();
        }
        log(&cleaned);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log(result: &Result<(), EngineError>) {
    if let Err(error) = result {
        tracing::debug!(%error, "left something in the engine");
    }
}
