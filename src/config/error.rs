//! What can be wrong with `cofferdam.toml`.

use crate::error::{Error, Place};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Its path as it is shown.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It says something that it must not.
    #[error("{message}")]
    Wrong {
        /// What is wrong.
        message: String,
        /// Where.
        at: Place,
        /// The file's bytes.
        text: Vec<u8>,
        /// What to write instead.
        hint: Option<String>,
    },
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Read { path, source } => Self::io(format!("read {path}"))(source),
            ConfigError::Wrong { message, at, text, hint } => {
                Self::Source { message, at, text, hint }
            }
        }
    }
}
