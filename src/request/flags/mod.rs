//! The flags of `build` as they are typed, grouped as the help shows them.

use std::ffi::OsString;

use clap::Args;

mod attest;
mod connection;
mod identity;
mod image;
mod inputs;
mod legacy;
mod lock;
mod output;
mod run;

pub(super) use attest::AttestFlags;
pub use connection::ConnectionFlags;
pub(super) use identity::IdentityFlags;
pub use image::ImageFlags;
pub(super) use inputs::InputFlags;
pub(super) use legacy::LegacyFlags;
pub use lock::LockFlags;
pub(super) use output::OutputFlags;
pub(super) use run::RunFlags;

/// All of them, and the context.
#[derive(Debug, Args)]
pub struct BuildFlags {
    /// Directory, archive or repository that COPY and ADD read from; `-` is stdin
    #[arg(value_name = "PATH | URL | -", hide = true)]
    pub(super) context: OsString,
    #[command(flatten)]
    pub(super) identity: IdentityFlags,
    #[command(flatten)]
    pub(super) inputs: InputFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
    #[command(flatten)]
    pub(super) run: RunFlags,
    #[command(flatten)]
    pub(super) attest: AttestFlags,
    #[command(flatten)]
    pub(super) legacy: LegacyFlags,
    #[command(flatten)]
    pub(super) builder: BuilderFlags,
}

/// Which builder builds; buildx takes these behind the command too.
#[derive(Debug, Default, Args)]
pub struct BuilderFlags {
    /// Builder of buildx's store
    #[arg(long, value_name = "NAME", allow_hyphen_values = true, help_heading = "Run")]
    pub builder: Option<String>,
    /// Show warnings of the engine in full
    #[arg(short = 'D', long, hide = true, value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = super::boolean::parse)]
    pub debug: Option<bool>,
}
