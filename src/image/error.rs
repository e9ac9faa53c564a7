//! Why an image cannot be looked through.

use std::io;

use super::INDEX;
use crate::registry::RegistryError;

/// Why an image cannot be looked through.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Reading failed, or an archive is cut or damaged.
    #[error("cannot read {what}: {source}")]
    Read {
        /// What was being read.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// It is an archive or a directory of something else.
    #[error("this is no archive of an image: it has neither {manifest} nor {INDEX}", manifest = super::MANIFEST)]
    NoManifest,
    /// A description is not what it should be.
    #[error("{what} is damaged: {cause}")]
    Damaged {
        /// Which.
        what: String,
        /// What is wrong.
        cause: String,
    },
    /// It holds several images, or none of the name.
    #[error("{0}")]
    Several(String),
    /// What is named is no image.
    #[error("{what} is of the kind {kind:?}, which is no {wanted}")]
    Kind {
        /// What it is about.
        what: String,
        /// Its media type.
        kind: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A blob is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// A layer that its publisher keeps elsewhere.
    #[error("the layer {0} is a foreign one, which is kept elsewhere and is not fetched")]
    Foreign(String),
    /// A blob or layer is not the one that is named.
    #[error("{what} is damaged: it is {found}, and should be {wanted}")]
    Other {
        /// What it is about.
        what: String,
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// A layer that unpacks to more than it reasonably can.
    #[error("{what} unpacks to more than {limit} bytes from {packed}: it was not read further")]
    Bomb {
        /// What it is about.
        what: String,
        /// Unpacked bytes, at least.
        limit: u64,
        /// Packed bytes so far.
        packed: u64,
    },
    /// There is no image for the platform.
    #[error("there is no image for {wanted}; there are {known}")]
    Platform {
        /// The platform.
        wanted: String,
        /// The others.
        known: String,
    },
    /// A registry did not give it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl ImageError {
    /// An error of the reading of `what`.
    pub(super) fn read(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Read { what, source }
    }

    /// What to do next.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::NoManifest => "`docker save` and `docker buildx build -o type=oci` write images",
            Self::Several(_) => "name one behind a colon: oci-archive:PATH:TAG",
            Self::Kind { .. } => "name an image; other things that registries keep have no layers",
            Self::Platform { .. } => "choose one with --platform",
            Self::Foreign(_) => "images of Windows cannot be looked through",
            Self::Bomb { .. } => "do not unpack this image; ask whoever made it",
            Self::Read { .. } | Self::Damaged { .. } | Self::Missing(_) | Self::Other { .. } => {
                "fetch or save the image again, and see that nothing is cut off"
            }
            Self::Registry(error) => error.refusal().hint(),
        }
    }
}
