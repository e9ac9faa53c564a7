//! `--output`, `--load`, `--push`: where the result goes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::Error;

mod destination;
mod read;
mod resolve;

pub use resolve::Driver;

/// Attributes that only an exporter reads, by lower-case name.
pub type Attrs = BTreeMap<String, String>;

/// One place that the result goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The image's files in a directory.
    Local {
        /// The directory, which may not exist yet.
        dest: PathBuf,
        /// Whether each platform has a directory of its own; by their number when nothing is said.
        platform_split: Option<bool>,
        /// What happens to files that are there already.
        mode: LocalMode,
        /// The rest.
        attrs: Attrs,
    },
    /// The image's files in an archive.
    Tar {
        /// Standard output or a file.
        dest: Dest,
        /// The rest.
        attrs: Attrs,
    },
    /// An OCI layout, as an archive or a directory.
    Oci {
        /// Where it goes.
        dest: Dest,
        /// The rest.
        attrs: Attrs,
    },
    /// What `docker load` reads: loaded when it goes nowhere.
    Docker {
        /// Where it goes; into the Docker engine when nothing is said.
        dest: Option<Dest>,
        /// The Docker context whose engine loads it.
        context: Option<String>,
        /// The rest.
        attrs: Attrs,
    },
    /// An image, in the engine's store or a registry.
    Image {
        /// Its names.
        names: Vec<String>,
        /// Whether it goes to the registries of its names.
        push: bool,
        /// Whether it is pushed without its tags.
        push_by_digest: bool,
        /// The rest.
        attrs: Attrs,
    },
    /// Nothing is kept.
    CacheOnly,
}

/// Where bytes go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dest {
    /// Standard output.
    Stdout,
    /// A file; its directory may not exist yet.
    File(PathBuf),
    /// A directory, which may not exist yet.
    Dir(PathBuf),
}

/// What a directory's old files become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalMode {
    /// They stay unless the image has a file of that name.
    #[default]
    Copy,
    /// They are deleted.
    Delete,
}

/// What was asked for; what it means depends on the engine's driver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// `--output`, in order.
    pub asked: Vec<Output>,
    /// `--load`.
    pub load: bool,
    /// `--push`.
    pub push: bool,
    /// `BUILDX_NO_DEFAULT_LOAD`: without an output, nothing is kept.
    pub no_default: bool,
}

impl Output {
    /// The type that an exporter of BuildKit has for it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Local { .. } => "local",
            Self::Tar { .. } => "tar",
            Self::Oci { .. } => "oci",
            Self::Docker { .. } => "docker",
            Self::Image { .. } => "image",
            Self::CacheOnly => "cacheonly",
        }
    }

    /// Whether it goes to standard output.
    pub fn is_stdout(&self) -> bool {
        match self {
            Self::Tar { dest, .. } | Self::Oci { dest, .. } => *dest == Dest::Stdout,
            Self::Docker { dest, .. } => *dest == Some(Dest::Stdout),
            Self::Local { .. } | Self::Image { .. } | Self::CacheOnly => false,
        }
    }

    /// Whether an image is made of it, which has an ID.
    pub fn is_image(&self) -> bool {
        match self {
            Self::Oci { .. } | Self::Docker { .. } | Self::Image { .. } => true,
            Self::Local { .. } | Self::Tar { .. } | Self::CacheOnly => false,
        }
    }

    /// The attributes that only an exporter reads.
    pub fn attrs(&self) -> Attrs {
        match self {
            Self::Local { attrs, platform_split, .. } => {
                let mut attrs = attrs.clone();
                if let Some(split) = platform_split {
                    attrs.insert("platform-split".into(), split.to_string());
                }
                attrs
            }
            Self::Tar { attrs, .. } | Self::Oci { attrs, .. } => attrs.clone(),
            Self::Docker { attrs, .. } | Self::Image { attrs, .. } => attrs.clone(),
            Self::CacheOnly => Attrs::new(),
        }
    }
}

impl Outputs {
    /// Refuses to empty a directory that is not below the working directory.
    pub(super) fn check_deletes(&self, allowed: bool) -> Result<(), Error> {
        let here = std::env::current_dir().map_err(Error::io("read the working directory"))?;
        destination::check_deletes(&self.asked, &here, allowed)
    }

    /// Reads the flags and looks at every destination, before anything starts.
    pub(super) fn read(
        typed: &[String],
        (load, push): (bool, bool),
        no_default: bool,
        stdout_is_terminal: bool,
    ) -> Result<Self, Error> {
        let asked = typed
            .iter()
            .filter(|text| !text.is_empty())
            .map(|text| {
                read::one(text).map_err(|reason| {
                    Error::usage_hint(
                        format!("--output {text:?}: {reason}"),
                        "write --output DIR, or type=TYPE,dest=PATH with a type of local, tar, \
                         oci, docker, image, registry, cacheonly",
                    )
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let outputs = Self { asked, load, push, no_default };
        destination::check(&outputs.asked, stdout_is_terminal)?;
        Ok(outputs)
    }
}
