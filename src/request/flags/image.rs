//! The flags of commands that look through an image.

use clap::Args;

/// Which image, and how it is read.
#[derive(Debug, Args)]
pub struct ImageFlags {
    /// Name or ID in the engine or a registry, an archive, an OCI layout, or `-`
    #[arg(value_name = "IMAGE")]
    pub(in crate::request) image: String,
    /// Platform of an image that has several, `os/arch[/variant]` [default: this machine's]
    #[arg(long, value_name = "PLATFORM", allow_hyphen_values = true)]
    pub(in crate::request) platform: Option<String>,
    /// Look through every layer again, and keep nothing
    #[arg(long)]
    pub(in crate::request) no_cache: bool,
}
