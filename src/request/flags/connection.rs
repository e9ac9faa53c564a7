//! The flags before the command, as docker's: which engine, which credentials.

use std::ffi::OsString;

use clap::Args;

/// Which engine and which configuration; docker's global flags.
#[derive(Clone, Debug, Default, Args)]
pub struct ConnectionFlags {
    /// Directory of config.json [default: DOCKER_CONFIG, else ~/.docker]
    #[arg(long, value_name = "DIR", allow_hyphen_values = true)]
    pub config: Option<OsString>,
    /// Docker context to use
    #[arg(short = 'c', long, value_name = "NAME", allow_hyphen_values = true)]
    pub context: Option<String>,
    /// Engine to use: unix:///path, tcp://host:port or ssh://user@host
    #[arg(short = 'H', long, value_name = "URL", allow_hyphen_values = true)]
    pub host: Vec<String>,
    /// Show warnings of the engine in full
    #[arg(short = 'D', long, hide = true, value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    pub debug: Option<bool>,
    /// Accepted for scripts
    #[arg(short = 'l', long, hide = true, value_name = "LEVEL", allow_hyphen_values = true)]
    pub log_level: Option<String>,
    /// Use TLS; implied by --tlsverify
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    pub tls: Option<bool>,
    /// Use TLS and verify the engine
    #[arg(long = "tlsverify", hide = true, value_name = "BOOL", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    pub tls_verify: Option<bool>,
    /// Trust certificates of this authority only
    #[arg(long = "tlscacert", hide = true, value_name = "FILE", allow_hyphen_values = true)]
    pub tls_ca_cert: Option<OsString>,
    /// Certificate to show
    #[arg(long = "tlscert", hide = true, value_name = "FILE", allow_hyphen_values = true)]
    pub tls_cert: Option<OsString>,
    /// Its key
    #[arg(long = "tlskey", hide = true, value_name = "FILE", allow_hyphen_values = true)]
    pub tls_key: Option<OsString>,
    /// Builder of buildx's store
    #[arg(long, hide = true, value_name = "NAME", allow_hyphen_values = true)]
    pub builder: Option<String>,
}
