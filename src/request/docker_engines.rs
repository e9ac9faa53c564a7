//! Docker engines that results can be loaded into.

use std::collections::BTreeMap;

use super::output::{Output, Outputs};
use crate::engine::Connection;
use crate::error::Error;

/// The engine in use, and those of the contexts that outputs name (`type=docker,context=NAME`).
#[derive(Clone, Debug)]
pub struct DockerEngines {
    current: Connection,
    contexts: BTreeMap<String, Connection>,
}

impl DockerEngines {
    /// Finds them; `engine_at` finds a context's. `context` is the one in use; a Docker engine that
    /// itself `builds` takes what it built into its own store, whatever an output says.
    pub(super) fn read(
        outputs: &Outputs,
        current: Connection,
        (context, builds): (&str, bool),
        engine_at: impl Fn(&str) -> Result<Connection, Error>,
    ) -> Result<Self, Error> {
        let mut contexts = BTreeMap::new();
        for output in &outputs.asked {
            let Output::Docker { dest: None, context: Some(name), .. } = output else { continue };
            if !builds && !name.is_empty() && name != context {
                contexts.insert(name.clone(), engine_at(name)?);
            }
        }
        Ok(Self { current, contexts })
    }

    /// The engine of a context; the one in use where none is named.
    pub fn of(&self, context: Option<&str>) -> &Connection {
        context.and_then(|name| self.contexts.get(name)).unwrap_or(&self.current)
    }
}
