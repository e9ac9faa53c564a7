//! `BUILDX_METADATA_PROVENANCE` and `BUILDX_METADATA_WARNINGS`: what `--metadata-file` tells beyond
//! the image.

use super::boolean;
use super::environment::Environment;

/// How much of the build's provenance the file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetadataProvenance {
    /// What it was made of.
    #[default]
    Min,
    /// That, and when and with what it was made.
    Max,
    /// Nothing.
    Disabled,
}

/// What the file tells beyond the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetadataContent {
    /// How much of the provenance.
    pub provenance: MetadataProvenance,
    /// Whether it holds the engine's warnings.
    pub warnings: bool,
}

impl MetadataContent {
    /// Reads the variables; what makes no sense is the default, as with buildx.
    pub(super) fn read(environment: &Environment) -> Self {
        let provenance = match environment.var("BUILDX_METADATA_PROVENANCE").as_deref() {
            Some("max") => MetadataProvenance::Max,
            Some("disabled") => MetadataProvenance::Disabled,
            Some(text) if boolean::parse(text) == Ok(false) => MetadataProvenance::Disabled,
            _ => MetadataProvenance::Min,
        };
        Self { provenance, warnings: environment.flag("BUILDX_METADATA_WARNINGS") }
    }
}
