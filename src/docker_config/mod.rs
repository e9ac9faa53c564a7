//! Docker's own configuration: `config.json`, its store of contexts, and where credentials are.
//!
//! It is read once and never written. Source: docker/cli, cli/config and cli/context/store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

mod auths;
mod contexts;
mod credentials;
mod helper;
mod proxies;

pub use contexts::{ContextError, StoredContext};
pub use credentials::{CredentialError, Credentials, Login};
pub use helper::HelperError;
pub use proxies::{ProxyArg, unset};

use auths::Entry;
use proxies::Proxies;

/// Largest configuration that is read, in bytes.
const MAX_SIZE: u64 = 16 << 20;

/// A file of Docker's, or a variable that holds one, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is there and cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what Docker writes. The text is not repeated: it holds credentials.
    #[error("{} is not Docker's configuration (line {line})", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// 1-based line of the first error.
        line: usize,
    },
    /// `DOCKER_AUTH_CONFIG` is not what Docker reads. Its text is not repeated.
    #[error("DOCKER_AUTH_CONFIG cannot be used: {0}")]
    Variable(String),
}

/// What `config.json` says, credentials included; shows none of them.
#[derive(Default)]
pub struct DockerConfig {
    directory: PathBuf,
    file: File,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct File {
    #[serde(deserialize_with = "or_default")]
    auths: BTreeMap<String, Entry>,
    #[serde(deserialize_with = "or_default")]
    creds_store: String,
    #[serde(deserialize_with = "or_default")]
    cred_helpers: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    current_context: String,
    #[serde(rename = "HttpHeaders", deserialize_with = "or_default")]
    http_headers: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    proxies: BTreeMap<String, Proxies>,
}

/// Go reads `null` as nothing.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

impl std::fmt::Debug for DockerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DockerConfig").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl DockerConfig {
    /// Reads `config.json` in Docker's configuration directory; a missing or empty file says
    /// nothing.
    pub fn load(directory: &Path) -> Result<Self, ConfigError> {
        let path = directory.join("config.json");
        let file = match read(&path) {
            Ok(text) if text.trim_ascii().is_empty() => File::default(),
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| ConfigError::Damaged { path, line: error.line() })?,
            Err(error) if absent(&error) => File::default(),
            Err(source) => return Err(ConfigError::Read { path, source }),
        };
        Ok(Self { directory: directory.to_path_buf(), file })
    }

    /// Docker's configuration directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// `currentContext`, if it names one.
    pub fn current_context(&self) -> Option<&str> {
        Some(self.file.current_context.as_str()).filter(|name| !name.is_empty())
    }

    /// `HttpHeaders`: sent with every request to the engine.
    pub fn http_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.file.http_headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Build arguments for the proxies of the engine at `host`, as it is written in `proxies`
    /// (`DOCKER_HOST` or a context's host), else of `default`.
    pub fn proxy_args(&self, host: &str) -> Vec<ProxyArg> {
        let proxies = self.file.proxies.get(host).or_else(|| self.file.proxies.get("default"));
        proxies.map(Proxies::args).unwrap_or_default()
    }

    /// Reads a context of the store.
    pub fn context(&self, name: &str) -> Result<StoredContext, ContextError> {
        contexts::read(&self.directory, name)
    }

    /// The names of the store's contexts, sorted; those that cannot be read are left out.
    pub fn context_names(&self) -> Vec<String> {
        contexts::names(&self.directory)
    }

    /// Hands over where credentials are found; `variable` is `DOCKER_AUTH_CONFIG`. Nothing is
    /// looked up yet.
    pub fn credentials(&mut self, variable: Option<&str>) -> Result<Credentials, ConfigError> {
        let own = variable.filter(|text| !text.trim().is_empty()).map(auths::of_variable);
        let own = own.transpose()?.unwrap_or_default();
        let File { auths, creds_store, cred_helpers, .. } = &mut self.file;
        let (auths, helpers) = (std::mem::take(auths), std::mem::take(cred_helpers));
        Ok(Credentials::new(own, auths, std::mem::take(creds_store), helpers))
    }
}

/// The whole file, wiped when dropped.
fn read(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    use std::io::Read as _;
    let mut bytes = Zeroizing::new(Vec::new());
    std::fs::File::open(path)?.take(MAX_SIZE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file that is not there, also because a directory on the way is none.
fn absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<DockerConfig, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.json"), text).unwrap();
        DockerConfig::load(dir.path())
    }

    #[test]
    fn everything_has_its_default() {
        for text in ["", " \n", "{}", r#"{"auths":null,"proxies":null,"currentContext":null}"#] {
            let config = load(text).unwrap();
            assert_eq!(config.current_context(), None, "{text}");
            assert_eq!(config.http_headers().count(), 0);
            assert!(config.proxy_args("unix:///x").is_empty());
        }
        assert!(DockerConfig::load(Path::new("/nonexistent")).is_ok());
        assert!(DockerConfig::load(Path::new("/dev/null")).is_ok());
    }

    #[test]
    fn what_docker_writes_is_read_and_what_others_wrote_does_not_matter() {
        let config = load(
            r#"{"currentContext":"far","HttpHeaders":{"X-A":"b"},"psFormat":"table",
                "features":{"buildkit":"true"},"plugins":{"x":{"y":"z"}}}"#,
        );
        let config = config.unwrap();
        assert_eq!(config.current_context(), Some("far"));
        assert_eq!(config.http_headers().collect::<Vec<_>>(), [("X-A", "b")]);
    }

    #[test]
    fn a_damaged_file_is_an_error_without_its_text() {
        for text in ["{\"auths\": {\"r\": {\"auth\": \"c2VjcmV0\"", "[\"c2VjcmV0\"]", "c2VjcmV0"] {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains("config.json") && !error.contains("c2VjcmV0"), "{error}");
        }
    }
}
