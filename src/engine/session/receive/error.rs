//! What can go wrong when the engine sends a result.

use std::path::PathBuf;

/// Why a result did not arrive where it was wanted.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// This machine refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The place cannot take this kind of result.
    #[error("{message}")]
    Destination {
        /// What is wrong with it.
        message: String,
    },
    /// The engine sent something that no engine sends; nothing of it was put in place.
    #[error("the engine sent a damaged result: {what} at {path:?}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
        /// The entry that it is about.
        path: String,
    },
    /// The stream ended early.
    #[error("the engine stopped sending the result: {message}")]
    Interrupted {
        /// The engine's words.
        message: String,
    },
    /// The build succeeded and the engine did not send what it was asked for.
    #[error("the engine sent nothing for {}", path.display())]
    NothingSent {
        /// The destination.
        path: PathBuf,
    },
}

impl ReceiveError {
    /// An I/O error of `action` on `path`.
    pub(super) fn io<E: Into<std::io::Error>>(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(E) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source: source.into() }
    }

    /// A stream that no engine sends.
    pub(super) fn damaged(what: &'static str, path: &[u8]) -> Self {
        // A hostile name may be long.
        let shown = path.get(..256).unwrap_or(path);
        Self::Damaged { what, path: String::from_utf8_lossy(shown).into_owned() }
    }
}
