//! The flags of `lock`.

use std::ffi::OsString;

use clap::Args;

use crate::request::LockFormat;

/// The flags of `lock`, those of `build` among them that say what is read.
#[derive(Debug, Args)]
pub struct LockFlags {
    /// Directory of the Dockerfile
    #[arg(value_name = "PATH", default_value = ".")]
    pub(in crate::request) context: OsString,
    /// Dockerfile: path or `-` [default: PATH/Dockerfile]
    #[arg(short, long, value_name = "FILE", allow_hyphen_values = true)]
    pub(in crate::request) file: Option<OsString>,
    /// Lock only what this stage needs
    #[arg(long, value_name = "STAGE", allow_hyphen_values = true)]
    pub(in crate::request) target: Option<String>,
    /// Platforms that are built, `os/arch[/variant]`; several with commas [default: all]
    #[arg(long = "platform", value_name = "PLATFORM", allow_hyphen_values = true)]
    pub(in crate::request) platforms: Vec<String>,
    /// Value of an ARG; without `=VALUE` the variable of that name
    #[arg(long = "build-arg", value_name = "KEY[=VALUE]", allow_hyphen_values = true)]
    pub(in crate::request) build_args: Vec<String>,
    /// Another context of the build
    #[arg(long = "build-context", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(in crate::request) build_contexts: Vec<String>,
    /// Resolve everything again; `--upgrade=REF` only that, repeat for several
    #[arg(long, value_name = "REF", num_args = 0..=1, require_equals = true,
          default_missing_value = "")]
    pub(in crate::request) upgrade: Vec<String>,
    /// Write nothing; exit with 1 when the lock would change
    #[arg(long)]
    pub(in crate::request) check: bool,
    /// Write nothing; print what would change
    #[arg(long, conflicts_with = "check")]
    pub(in crate::request) diff: bool,
    /// Pin in the Dockerfile instead of in the lock
    #[arg(long, conflicts_with_all = ["check", "diff", "prune"])]
    pub(in crate::request) write_dockerfile: bool,
    /// Drop every entry that this Dockerfile does not name
    #[arg(long)]
    pub(in crate::request) prune: bool,
    /// Ask registries from here, not the engine
    #[arg(long)]
    pub(in crate::request) no_engine: bool,
    /// Output: text or json
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(in crate::request) format: LockFormat,
    /// Builder of buildx's store
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(in crate::request) builder: Option<String>,
}
