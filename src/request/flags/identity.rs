//! What the image is.

use std::ffi::OsString;

use clap::Args;

/// What the image is.
#[derive(Debug, Default, Args)]
pub(in crate::request) struct IdentityFlags {
    /// Name of the image, `name:tag`; repeat for several
    #[arg(short, long = "tag", value_name = "NAME", allow_hyphen_values = true)]
    pub(in crate::request) tags: Vec<String>,
    /// Dockerfile: path, URL or `-` [default: PATH/Dockerfile]
    #[arg(short, long, value_name = "FILE", allow_hyphen_values = true)]
    pub(in crate::request) file: Option<OsString>,
    /// Stage to build
    #[arg(long, value_name = "STAGE", allow_hyphen_values = true)]
    pub(in crate::request) target: Option<String>,
    /// Platforms, `os/arch[/variant]`; several with commas
    #[arg(long = "platform", value_name = "PLATFORM", allow_hyphen_values = true)]
    pub(in crate::request) platforms: Vec<String>,
    /// Label of the image
    #[arg(long = "label", value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub(in crate::request) labels: Vec<String>,
    /// Annotation of the manifest, with `index:` of the index
    #[arg(long = "annotation", value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub(in crate::request) annotations: Vec<String>,
}
