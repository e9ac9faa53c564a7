//! What an export made, read from the exporter's answer.
//!
//! Each generation of engines says it with other keys (moby/buildkit,
//! exporter/containerimage/exptypes/keys.go).

use std::collections::{BTreeMap, HashMap};

use bollard_buildkit_proto::moby::buildkit::v1::VertexWarning;

use super::ImageStore;

const DIGEST: &str = "containerimage.digest";
/// How the containerd store names an image that nobody has named, before its digest.
const NAMELESS: &str = "image \"moby-dangling@";
const CONFIG_DIGEST: &str = "containerimage.config.digest";

/// What an export made: an image in the engine's store or elsewhere, or files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exported {
    /// What `docker run` accepts; `None` when no image was made.
    pub image_id: Option<String>,
    /// Digest of the image configuration.
    pub config_digest: Option<String>,
    /// Digest of the manifest or index, on stores that have one before a push.
    pub manifest_digest: Option<String>,
    /// BuildKit's version, where the engine tells it.
    pub buildkit_version: Option<String>,
    /// What the engine warned of.
    pub warnings: Vec<VertexWarning>,
    /// Everything that the exporters answered.
    pub answer: BTreeMap<String, String>,
}

impl Exported {
    /// What the exporter would have answered, had another build not made the very same image in the
    /// same moment: Docker 26 looks whether a nameless image is there and makes it in two steps.
    pub(super) fn already_there(failure: &str) -> Option<HashMap<String, String>> {
        let (_, rest) = failure.split_once(NAMELESS)?;
        let (digest, words) = rest.split_once('"')?;
        let hex = digest.strip_prefix("sha256:")?;
        let whole = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        (whole && words.starts_with(": already exists"))
            .then(|| [(DIGEST.to_string(), digest.to_string())].into())
    }

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
    fn an_image_that_another_build_has_just_made_is_known_by_its_digest() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let failure = format!("failed to solve: image \"moby-dangling@{digest}\": already exists");
        assert_eq!(Exported::already_there(&failure).unwrap()[DIGEST], digest);
        for other in [
            "image \"moby-dangling@sha256:1\": already exists".to_string(),
            failure.replace("already exists", "not found"),
            failure.replace("moby-dangling", "app"),
        ] {
            assert!(Exported::already_there(&other).is_none(), "{other}");
        }
    }

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
