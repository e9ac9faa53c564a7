//! Where the result goes and what is said about it.

use std::ffi::OsString;

use clap::Args;

/// Where the result goes and what is said about it.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub(in crate::request) struct OutputFlags {
    /// A directory, `-` for a tar on stdout, or type=TYPE,dest=PATH
    #[arg(short, long = "output", value_name = "DEST", allow_hyphen_values = true)]
    pub(in crate::request) outputs: Vec<String>,
    /// Into the Docker engine's store; short for --output type=docker
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    pub(in crate::request) load: Option<bool>,
    /// To the registry of each name; short for --output type=registry
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    pub(in crate::request) push: Option<bool>,
    /// Print only the image's ID
    #[arg(short, long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    pub(in crate::request) quiet: Option<bool>,
    /// Write the image's ID to a file
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    pub(in crate::request) iidfile: Option<OsString>,
    /// Write what was built to a file, as JSON
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    pub(in crate::request) metadata_file: Option<OsString>,
    /// Progress: auto, tty, plain, rawjson, quiet or none
    #[arg(long, value_name = "MODE", allow_hyphen_values = true)]
    pub(in crate::request) progress: Option<String>,
}
