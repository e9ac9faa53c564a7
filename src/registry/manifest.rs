//! Manifests and indexes, as registries keep them.
//!
//! Source: opencontainers/image-spec, manifest.md and image-index.md; the media types of Docker's
//! own: distribution/distribution, manifest/schema2 and manifest/manifestlist.

use bytes::Bytes;

/// Everything that is understood, as the header `Accept` wants it.
pub(super) const MEDIA_TYPES: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// A manifest or an index, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What it is.
    pub media_type: String,
    /// Its text, which its digest is of.
    pub bytes: Bytes,
}

impl Manifest {
    /// A manifest that came as `media_type`; what it says of itself counts more.
    pub fn new(media_type: &str, bytes: Bytes) -> Self {
        let told = serde_json::from_slice::<serde_json::Value>(&bytes).ok();
        let own = told.as_ref().and_then(|told| told.get("mediaType")?.as_str());
        let plain = media_type.split(';').next().unwrap_or_default().trim();
        Self { media_type: own.unwrap_or(plain).to_string(), bytes }
    }
}
