//! `manifest.json`, in which Docker lists the images of an archive.
//!
//! Source: moby/moby, image/spec/v1.2.md.

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::MANIFEST;
use super::blobs::Plan;
use super::config::Config;
use super::error::ImageError;
use super::manifest::{Descriptor, Wanted, platform_of};

/// Images that a message lists.
const SHOWN: usize = 5;

/// An image of the archive.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry {
    /// Members of the archive.
    pub(super) config: String,
    #[serde(default)]
    pub(super) layers: Vec<String>,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
}

impl Entry {
    /// The names that it has.
    pub(super) fn names(&self) -> &[String] {
        self.repo_tags.as_deref().unwrap_or_default()
    }

    fn is_called(&self, name: &str) -> bool {
        let whole = |given: &str| match given.strip_prefix("docker.io/") {
            Some(path) => path.strip_prefix("library/").unwrap_or(path).to_string(),
            None => given.to_string(),
        };
        let same = |given: &str| {
            let (given, name) = (whole(given), whole(name));
            given == name || given == format!("{name}:latest")
        };
        self.names().iter().any(|given| same(given))
    }

    /// What it is made of, if its configuration is `config`; layers are named by their members.
    pub(super) fn plan(&self, config: Vec<u8>, wanted: &Wanted) -> Result<Plan, ImageError> {
        let platform = platform_of(&config);
        wanted.check(platform.as_ref())?;
        let layers = self.layers.iter().map(|member| Descriptor::of_member(member)).collect();
        Ok(Plan {
            manifest: None,
            document: Vec::new(),
            id: format!("sha256:{:x}", Sha256::digest(&config)),
            config,
            names: self.names().to_vec(),
            platform,
            layers,
        })
    }
}

/// The image that is meant: the one of the name, else the only one.
pub(super) fn choose(manifest: &[u8], name: Option<&str>) -> Result<Entry, ImageError> {
    let entries: Vec<Entry> = serde_json::from_slice(manifest)
        .map_err(|error| ImageError::Damaged { what: MANIFEST.into(), cause: error.to_string() })?;
    let names = entries.iter().flat_map(Entry::names).take(SHOWN).cloned().collect::<Vec<_>>();
    let known = format!("it has {}", names.join(", "));
    let mut meant: Vec<Entry> = match name {
        Some(name) => entries.into_iter().filter(|entry| entry.is_called(name)).collect(),
        None => entries,
    };
    let count = meant.len();
    match (meant.pop(), count, name) {
        (Some(only), 1, _) => Ok(only),
        (None, _, Some(name)) => {
            Err(ImageError::Several(format!("there is no image {name:?}; {known}")))
        }
        (None, _, None) => Err(ImageError::Several("there is no image in it".into())),
        _ => Err(ImageError::Several(format!("there are {count} images; {known}"))),
    }
}

/// Reads a configuration.
pub(super) fn config(what: &str, bytes: &[u8]) -> Result<Config, ImageError> {
    serde_json::from_slice(bytes)
        .map_err(|error| ImageError::Damaged { what: what.into(), cause: error.to_string() })
}
