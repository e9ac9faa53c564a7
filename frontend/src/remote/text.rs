//! The Dockerfile of a remote context.

use super::{DOWNLOADED, Opened, RemoteError, TEXT_LIMIT, fetch};
use crate::bridge::Bridge;

const DEFAULT: &str = "Dockerfile";

/// A Dockerfile that was read through the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteText {
    /// Its path in the context.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The ignore file of its own name beside it.
    pub ignore: Option<Vec<u8>>,
}

impl Opened {
    /// Reads the Dockerfile `name`; without a name it is `Dockerfile`, or `dockerfile`.
    pub async fn dockerfile<B: Bridge>(
        &self,
        bridge: &B,
        name: Option<&str>,
    ) -> Result<RemoteText, RemoteError> {
        if self.is_file {
            let bytes = self.read(bridge, DOWNLOADED).await?.unwrap_or_default();
            return Ok(RemoteText { name: DOWNLOADED.into(), bytes, ignore: None });
        }
        let asked = name.unwrap_or(DEFAULT);
        let (directory, base) = match asked.rsplit_once('/') {
            Some((directory, base)) => (format!("{directory}/"), base),
            None => (String::new(), asked),
        };
        let mut candidates = vec![asked.to_string()];
        if base == DEFAULT {
            candidates.push(format!("{directory}{}", DEFAULT.to_lowercase()));
        }
        for name in candidates {
            if let Some(bytes) = self.read(bridge, &name).await? {
                let ignore = self.read(bridge, &format!("{name}.dockerignore")).await?;
                return Ok(RemoteText { name, bytes, ignore });
            }
        }
        Err(RemoteError::NoDockerfile { context: self.shown.clone(), name: asked.to_string() })
    }

    /// One file; `None` when there is none.
    async fn read<B: Bridge>(
        &self,
        bridge: &B,
        path: &str,
    ) -> Result<Option<Vec<u8>>, RemoteError> {
        match bridge.read_file(&self.reference, path, TEXT_LIMIT).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_missing_file() => Ok(None),
            Err(error) => Err(fetch(&self.shown, error)),
        }
    }
}
