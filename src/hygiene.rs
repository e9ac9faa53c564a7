//! What this process takes care of before it knows anything.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core dumps: memory holds secrets.
pub fn no_core_dumps() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::debug!(%error, "core dumps stay possible");
    }
}
