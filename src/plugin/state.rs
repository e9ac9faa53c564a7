//! What an installation changed, so that it can be taken back.
//!
//! It stands in Docker's configuration directory, beside what was changed. Nothing of the
//! configuration is copied but the alias itself: the file holds credentials.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::json::Splice;
use crate::error::Error;

/// Its name in Docker's configuration directory.
const FILE: &str = "cofferdam-install.json";
/// The version that is written and read.
const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    version: u32,
    /// What was done to `config.json`.
    pub(super) alias: Option<Alias>,
    /// The plugin's file.
    pub(super) plugin: Option<PathBuf>,
    /// The shims.
    #[serde(default)]
    pub(super) shims: Vec<PathBuf>,
    /// Directories that were made for all this, outermost first.
    #[serde(default)]
    pub(super) directories: Vec<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Alias {
    /// Whether there was no `config.json`.
    pub(super) created: bool,
    pub(super) change: Splice,
    /// The alias of before.
    pub(super) before: Option<String>,
}

impl Default for State {
    fn default() -> Self {
        let (alias, plugin, shims, directories) = Default::default();
        Self { version: VERSION, alias, plugin, shims, directories }
    }
}

impl State {
    /// Where it is.
    pub(super) fn path(config_dir: &Path) -> PathBuf {
        config_dir.join(FILE)
    }

    /// Reads it; nothing installed is the default.
    pub(super) fn read(config_dir: &Path) -> Result<Self, Error> {
        let path = Self::path(config_dir);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(Error::io(format!("read {}", path.display()))(error)),
        };
        let state: Result<Self, _> = serde_json::from_slice(&bytes);
        state.ok().filter(|state| state.version == VERSION).ok_or_else(|| {
            Error::usage_hint(
                format!("{} is not what this version of cofferdam writes", path.display()),
                "use the version that installed, or remove that file and undo by hand what docs/install.md lists",
            )
        })
    }

    /// Its text.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Whether it says that nothing is installed.
    pub(super) fn is_empty(&self) -> bool {
        let Self { version: _, alias, plugin, shims, directories } = self;
        alias.is_none() && plugin.is_none() && shims.is_empty() && directories.is_empty()
    }
}

/// The alias for builds that was there before us.
pub(super) fn alias_before(config_dir: &Path) -> Option<String> {
    State::read(config_dir).ok()?.alias?.before
}
