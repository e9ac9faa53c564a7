//! buildx's own store, read and never written.
//!
//! `instances/NAME` describes a builder, `current` says which one was chosen last, and
//! `defaults/HASH` which one belongs to an engine. Source: docker/buildx, store/store.go.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::BuilderError;

/// Characters of a hash that name a file of `defaults`.
const HASH: usize = 20;

/// A builder as buildx wrote it down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Instance {
    pub name: String,
    pub driver: String,
    pub nodes: Option<Vec<InstanceNode>>,
}

/// A node as buildx wrote it down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct InstanceNode {
    pub name: String,
    pub endpoint: String,
    pub platforms: Option<Vec<InstancePlatform>>,
    pub driver_opts: Option<BTreeMap<String, String>>,
}

/// A platform as the OCI image specification writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct InstancePlatform {
    pub os: String,
    pub architecture: String,
    pub variant: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Current {
    key: String,
    name: String,
    global: bool,
}

/// The store's directory; that it is missing means that it is empty.
#[derive(Clone, Debug)]
pub(super) struct Store {
    directory: PathBuf,
}

impl Store {
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_path_buf() }
    }

    /// The builder of that name, whatever its case; `None` when there is none, or can be none.
    pub fn instance(&self, name: &str) -> Result<Option<Instance>, BuilderError> {
        if !is_name(name) {
            return Ok(None);
        }
        self.json(&self.directory.join("instances").join(name.to_ascii_lowercase()))
    }

    /// The builder that was chosen for an engine: `key` is the context's name, or the default
    /// context's address.
    pub fn current(&self, key: &str) -> Result<Option<Instance>, BuilderError> {
        let current: Option<Current> = self.json(&self.directory.join("current"))?;
        if let Some(current) = current.filter(|current| !current.name.is_empty()) {
            let here = current.key == key;
            if current.global || here {
                let found = self.instance(&current.name)?;
                if found.is_some() || here {
                    return Ok(found);
                }
            }
        }
        let path = self.directory.join("defaults").join(hash(key));
        match self.bytes(&path)? {
            Some(name) => self.instance(&String::from_utf8_lossy(&name)),
            None => Ok(None),
        }
    }

    /// The names of all builders, sorted; what cannot be listed is left out.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.join("instances")).into_iter().flatten();
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| is_name(name)).collect();
        names.sort();
        names
    }

    /// Where the builder of that name is written down.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join("instances").join(name.to_ascii_lowercase())
    }

    fn json<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, BuilderError> {
        let Some(bytes) = self.bytes(path)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| BuilderError::Damaged {
            path: path.to_path_buf(),
            reason: error.to_string(),
        })
    }

    fn bytes(&self, path: &Path) -> Result<Option<Vec<u8>>, BuilderError> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(source) => Err(BuilderError::Unreadable { path: path.to_path_buf(), source }),
        }
    }
}

/// Whether buildx takes it as a builder's name; nothing that leads out of the directory is one.
fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn hash(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    let mut text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(HASH);
    text
}
