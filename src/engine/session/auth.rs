//! Registry credentials from Docker's `config.json`.
//!
//! Source: docker/cli, cli/config/configfile/file.go; moby/buildkit, session/auth/auth.proto.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard_buildkit_proto::moby::filesync::v1::auth_server::Auth;
use bollard_buildkit_proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse,
    GetTokenAuthorityRequest, GetTokenAuthorityResponse, VerifyTokenAuthorityRequest,
    VerifyTokenAuthorityResponse,
};
use serde::Deserialize;
use tonic::{Request, Response, Status};
use zeroize::Zeroizing;

/// Docker Hub's credentials are filed under its first API's address.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// Names under which engines ask for Docker Hub's credentials.
const HUB_HOSTS: [&str; 3] = ["registry-1.docker.io", "docker.io", "index.docker.io"];

/// `config.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthFileError {
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
}

#[derive(Deserialize, Default)]
struct ConfigFile {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Deserialize, Default)]
struct Entry {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

struct Login {
    username: String,
    password: Zeroizing<String>,
}

/// Credentials by registry; shows none of them.
#[derive(Clone, Default)]
pub struct RegistryAuth(Arc<BTreeMap<String, Login>>);

impl std::fmt::Debug for RegistryAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl RegistryAuth {
    /// Reads `config.json` in Docker's configuration directory; a missing file holds nothing.
    pub fn load(directory: &Path) -> Result<Self, AuthFileError> {
        let path = directory.join("config.json");
        let text = match std::fs::read(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(source) => return Err(AuthFileError::Read { path, source }),
        };
        let file: ConfigFile = serde_json::from_slice(&text)
            .map_err(|error| AuthFileError::Damaged { path, line: error.line() })?;
        let logins = file
            .auths
            .into_iter()
            .filter_map(|(registry, entry)| Some((registry_key(&registry), entry.login()?)))
            .collect();
        Ok(Self(Arc::new(logins)))
    }

    /// User and password for a registry's host, as Docker files them.
    pub fn login(&self, host: &str) -> Option<(&str, &str)> {
        let login = self.0.get(&registry_key(host))?;
        Some((&login.username, &login.password))
    }
}

impl Entry {
    fn login(self) -> Option<Login> {
        if self.auth.is_empty() {
            let password = Zeroizing::new(self.password);
            return (!self.username.is_empty())
                .then_some(Login { username: self.username, password });
        }
        let decoded = Zeroizing::new(STANDARD.decode(self.auth.trim()).ok()?);
        let (username, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some(Login {
            username: username.to_string(),
            // Docker pads old entries with NULs.
            password: Zeroizing::new(password.trim_end_matches('\0').to_string()),
        })
    }
}

/// One key for all the ways in which a registry is written.
fn registry_key(registry: &str) -> String {
    if registry == HUB_KEY || HUB_HOSTS.contains(&registry) {
        return HUB_KEY.to_string();
    }
    let host = registry.trim_start_matches("https://").trim_start_matches("http://");
    host.split('/').next().unwrap_or(host).to_string()
}

#[tonic::async_trait]
impl Auth for RegistryAuth {
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let host = request.into_inner().host;
        let (username, secret) = self.login(&host).unwrap_or_default();
        Ok(Response::new(CredentialsResponse {
            username: username.to_string(),
            secret: secret.to_string(),
        }))
    }

    async fn fetch_token(
        &self,
        _: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        Err(not_announced())
    }

    async fn get_token_authority(
        &self,
        _: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(not_announced())
    }

    async fn verify_token_authority(
        &self,
        _: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(not_announced())
    }
}

/// The engine fetches registry tokens itself, with the credentials it gets here.
fn not_announced() -> Status {
    Status::unimplemented("the engine fetches tokens itself")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<RegistryAuth, AuthFileError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.json"), text).unwrap();
        RegistryAuth::load(dir.path())
    }

    #[test]
    fn entries_are_found_by_host() {
        let hub = STANDARD.encode("me:pass:word");
        let text = format!(
            r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{hub}"}},
                "https://r.example/v2/":{{"username":"u","password":"p"}},"empty":{{}}}}}}"#
        );
        let auth = load(&text).unwrap();
        assert_eq!(auth.login("registry-1.docker.io"), Some(("me", "pass:word")));
        assert_eq!(auth.login("r.example"), Some(("u", "p")));
        assert_eq!(auth.login("empty"), None);
        assert!(!format!("{auth:?}").contains("pass"));
    }

    #[test]
    fn no_file_is_no_credentials_and_a_damaged_one_is_an_error_without_its_text() {
        assert!(RegistryAuth::load(Path::new("/nonexistent")).unwrap().login("x").is_none());
        let error = load("{\"auths\": {\"r\": {\"auth\": \"c2VjcmV0\"").unwrap_err().to_string();
        assert!(error.contains("config.json") && !error.contains("c2VjcmV0"), "{error}");
    }
}
