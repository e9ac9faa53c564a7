//! What an export made, read from the exporter's answer.
//!
//! Each generation of engines says it with other keys (moby/buildkit,
//! exporter/containerimage/exptypes/keys.go).

use std::collections::HashMap;

use super::ImageStore;

const DIGEST: &str = "containerimage.digest";
const CONFIG_DIGEST: &str = "containerimage.config.digest";

/// The ID under which the engine's store holds the image, and the digests that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// What `docker run` accepts.
    pub image_id: String,
    /// Digest of the image configuration.
    pub config_digest: Option<String>,
    /// Digest of the manifest or index, on stores that have one before a push.
    pub manifest_digest: Option<String>,
    /// BuildKit's version, where the engine tells it.
    pub buildkit_version: Option<String>,
}

/// Reads the exporter's answer.
pub(super) fn exported(answer: &HashMap<String, String>, store: ImageStore) -> Option<Exported> {
    let digest = answer.get(DIGEST).cloned();
    let config = answer.get(CONFIG_DIGEST).cloned();
    match store {
        // Docker 20.10 calls the configuration's digest `containerimage.digest`.
        ImageStore::Classic => {
            let id = config.or(digest)?;
            Some(Exported {
                image_id: id.clone(),
                config_digest: Some(id),
                manifest_digest: None,
                buildkit_version: None,
            })
        }
        ImageStore::Containerd | ImageStore::None => Some(Exported {
            image_id: digest.clone()?,
            config_digest: config,
            manifest_digest: digest,
            buildkit_version: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generation_is_understood() {
        let answer = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
        };
        let id = |pairs: &[(&str, &str)], store| {
            exported(&answer(pairs), store).map(|exported| exported.image_id)
        };
        assert_eq!(id(&[(DIGEST, "c")], ImageStore::Classic).as_deref(), Some("c"));
        let both = [(DIGEST, "m"), (CONFIG_DIGEST, "c")];
        assert_eq!(id(&both, ImageStore::Classic).as_deref(), Some("c"));
        assert_eq!(id(&both, ImageStore::Containerd).as_deref(), Some("m"));
        assert_eq!(id(&[], ImageStore::Containerd), None);
    }
}
