//! What the build reads.

use clap::Args;

/// What the build reads.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Inputs")]
pub(in crate::request) struct InputFlags {
    /// Value of an ARG; without `=VALUE` the variable of that name
    #[arg(long = "build-arg", value_name = "KEY[=VALUE]", allow_hyphen_values = true)]
    pub(in crate::request) build_args: Vec<String>,
    /// Another context: directory, URL, docker-image://, oci-layout://
    #[arg(long = "build-context", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(in crate::request) build_contexts: Vec<String>,
    /// Secret for RUN: id=NAME,src=FILE or id=NAME,env=VARIABLE
    #[arg(long = "secret", value_name = "SPEC", allow_hyphen_values = true)]
    pub(in crate::request) secrets: Vec<String>,
    /// SSH agent for RUN: default, or ID=SOCKET|KEY,…
    #[arg(long, value_name = "SPEC", allow_hyphen_values = true)]
    pub(in crate::request) ssh: Vec<String>,
    /// Refuse inputs that cofferdam.lock lacks [default: in CI]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    pub(in crate::request) locked: Option<bool>,
    /// Leave a file's set-uid bit and capabilities, and say why
    #[arg(long, value_name = "PATH=REASON", allow_hyphen_values = true)]
    pub(in crate::request) keep_suid: Vec<String>,
    /// Always so for registry images; accepted for scripts
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    pub(in crate::request) pull: Option<bool>,
}
