//! What an export made, read from the exporter's answer.
//!
//! Each generation of engines says it with other keys (moby/buildkit,
//! exporter/containerimage/exptypes/keys.go).

use std::collections::{BTreeMap, HashMap};

use super::ImageStore;

const DIGEST: &str = "containerimage.digest";
const CONFIG_DIGEST: &str = "containerimage.config.digest";

/// What an export made: an image in the engine's store or elsewhere, or files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// What `docker run` accepts; `None` when no image was made.
    pub image_id: Option<String>,
    /// Digest of the image configuration.
    pub config_digest: Option<String>,
    /// Digest of the manifest or index, on stores that have one before a push.
    pub manifest_digest: Option<String>,
    /// BuildKit's version, where the engine tells it.
    pub buildkit_version: Option<String>,
    /// Everything that the exporters answered.
    pub answer: BTreeMap<String, String>,
}

impl Exported {
    /// Reads the exporters' answer.
    pub(super) fn read(answer: HashMap<String, String>, store: ImageStore) -> Self {
        let digest = answer.get(DIGEST).cloned();
        let config = answer.get(CONFIG_DIGEST).cloned();
        let answer = answer.into_iter().collect();
        match store {
            // Docker 20.10 calls the configuration's digest `containerimage.digest`.
            ImageStore::Classic => {
                let id = config.or(digest);
                let config_digest = id.clone();
                Self { image_id: id, config_digest, answer, ..Self::default() }
            }
            ImageStore::Containerd | ImageStore::None => Self {
                image_id: digest.clone(),
                config_digest: config,
                manifest_digest: digest,
                answer,
                ..Self::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generation_is_understood() {
        let id = |pairs: &[(&str, &str)], store| {
            let answer = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            Exported::read(answer, store).image_id
        };
        assert_eq!(id(&[(DIGEST, "c")], ImageStore::Classic).as_deref(), Some("c"));
        let both = [(DIGEST, "m"), (CONFIG_DIGEST, "c")];
        assert_eq!(id(&both, ImageStore::Classic).as_deref(), Some("c"));
        assert_eq!(id(&both, ImageStore::Containerd).as_deref(), Some("m"));
        assert_eq!(id(&[], ImageStore::Containerd), None);
    }
}
