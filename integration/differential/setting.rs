//! Where a case runs: an engine, and the builder that both tools reach it by.

use std::sync::Mutex;

use crate::corpus::Case;
use crate::daemon::Daemon;
use crate::lab::{self, Engine};

/// An engine under test.
pub struct Setting {
    /// First part of the tests' names.
    pub name: String,
    pub engine: &'static Engine,
    pub daemon: Daemon,
    /// Images to remove when all is over: containerd of 26.1 loses content under builds that run
    /// while another image is removed.
    made: Mutex<Vec<String>>,
}

/// Those of this run. Listing must work without an engine.
pub fn all(offline: bool) -> Vec<&'static Setting> {
    let up = |name: &String| if offline { lab::offline(name) } else { lab::up(name) };
    let settings = lab::names().into_iter().map(|name| {
        let engine = up(&name);
        let daemon = Daemon::new(engine.host.trim_start_matches("unix://"));
        let made = Mutex::default();
        &*Box::leak(Box::new(Setting { name: name.replace('-', "_"), engine, daemon, made }))
    });
    settings.collect()
}

impl Setting {
    /// Whether the case is for this engine.
    pub fn takes(&self, case: &Case) -> bool {
        case.engines.is_empty() || case.engines.contains(&self.engine.name)
    }

    /// Leaves an image, by name or ID, to [`Self::tidy`].
    pub fn owns(&self, image: &str) {
        self.made.lock().unwrap().push(image.into());
    }

    /// Removes what the tests made.
    pub fn tidy(&self) {
        for image in self.made.lock().unwrap().drain(..) {
            let _ = self.daemon.remove_image(&image);
        }
    }
}
