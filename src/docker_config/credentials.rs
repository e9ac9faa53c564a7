//! Where a registry's login comes from, looked up when a registry is needed and not before.
//!
//! `DOCKER_AUTH_CONFIG` comes first, then the registry's helper or the store of all registries,
//! then what `config.json` holds itself. Source: docker/cli, cli/config/configfile/file.go.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use super::auths::{Entry, by_key, key};
use super::helper::{self, HelperError};

/// How long a helper's answer is good: some registries' logins live for five minutes.
const FRESH: Duration = Duration::from_secs(4 * 60 + 50);

/// Credentials of one registry; shows none of them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// The user; empty with a token.
    pub username: String,
    /// The password; empty with a token.
    pub password: Zeroizing<String>,
    /// Buys registry tokens at the registry's token server.
    pub identity_token: Zeroizing<String>,
    /// Goes to the registry as it is.
    pub registry_token: Zeroizing<String>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[login]")
    }
}

impl Login {
    /// What a token server wants to see: user and password, or no user and the identity token.
    pub fn for_tokens(&self) -> (&str, &str) {
        if self.identity_token.is_empty() {
            (&self.username, &self.password)
        } else {
            ("", &self.identity_token)
        }
    }
}

/// No login could be found out.
pub type CredentialError = HelperError;

type Looked = Result<Option<Arc<Login>>, CredentialError>;
/// What a helper says, once it has said it.
type Cell = Arc<OnceCell<Looked>>;

/// Credentials by registry; shows none of them.
#[derive(Clone, Default)]
pub struct Credentials(Arc<Inner>);

#[derive(Default)]
struct Inner {
    variable: BTreeMap<String, Arc<Login>>,
    file: BTreeMap<String, Arc<Login>>,
    /// The helper of every registry that has none of its own; empty for none.
    store: String,
    helpers: BTreeMap<String, String>,
    /// What helpers said, and since when it is known.
    looked: Mutex<BTreeMap<String, (Instant, Cell)>>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hosts = self.0.variable.keys().chain(self.0.file.keys());
        f.debug_set().entries(hosts).finish()
    }
}

impl Credentials {
    pub(super) fn new(
        variable: BTreeMap<String, Login>,
        auths: BTreeMap<String, Entry>,
        store: String,
        helpers: BTreeMap<String, String>,
    ) -> Self {
        let shared = |logins: BTreeMap<String, Login>| {
            logins.into_iter().map(|(key, login)| (key, Arc::new(login))).collect()
        };
        Self(Arc::new(Inner {
            variable: shared(variable),
            file: shared(by_key(auths)),
            store,
            helpers: helpers.into_iter().map(|(host, name)| (key(&host), name)).collect(),
            looked: Mutex::default(),
        }))
    }

    /// The login for a registry's host; a helper is asked once, however many ask for it.
    pub async fn login(&self, host: &str) -> Looked {
        let key = key(host);
        if let Some(login) = self.0.variable.get(&key) {
            return Ok(Some(login.clone()));
        }
        let written = self.0.file.get(&key);
        // A registry with an empty name of a helper is one without a helper.
        let helper = self.0.helpers.get(&key).unwrap_or(&self.0.store);
        if helper.is_empty() {
            return Ok(written.cloned());
        }
        self.cell(&key).get_or_init(|| look(helper, &key, written.map(Arc::as_ref))).await.clone()
    }

    fn cell(&self, key: &str) -> Cell {
        let mut looked = self.0.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |since: &Instant| since.elapsed() < FRESH;
        match looked.get(key) {
            Some((since, cell)) if fresh(since) => cell.clone(),
            _ => {
                let cell = Arc::new(OnceCell::new());
                looked.insert(key.to_string(), (Instant::now(), cell.clone()));
                cell
            }
        }
    }
}

/// The helper's word counts; what the file holds beside it is a registry token at most.
async fn look(helper: &str, key: &str, written: Option<&Login>) -> Looked {
    let kept = helper::get(helper, key).await?;
    let mut login = kept.unwrap_or_default();
    if let Some(written) = written {
        login.registry_token = written.registry_token.clone();
    }
    Ok(login.tidy().map(Arc::new))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::docker_config::DockerConfig;

    fn credentials(config: &str, variable: Option<&str>) -> Credentials {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.json"), config).unwrap();
        DockerConfig::load(dir.path()).unwrap().credentials(variable).unwrap()
    }

    async fn user(credentials: &Credentials, host: &str) -> Option<String> {
        credentials.login(host).await.unwrap().map(|login| login.username.clone())
    }

    #[tokio::test]
    async fn the_variable_beats_the_file() {
        let auth = |text: &str| STANDARD.encode(text);
        let file = format!(
            r#"{{"auths":{{"r":{{"auth":"{}"}},"s":{{"auth":"{}"}}}}}}"#,
            auth("file:p"),
            auth("file:p")
        );
        let variable = format!(r#"{{"auths":{{"r":{{"auth":"{}"}}}}}}"#, auth("variable:p"));
        let found = credentials(&file, Some(&variable));
        assert_eq!(user(&found, "r").await.as_deref(), Some("variable"));
        assert_eq!(user(&found, "s").await.as_deref(), Some("file"));
        assert_eq!(user(&found, "t").await, None);
        assert_eq!(user(&credentials(&file, Some(" ")), "r").await.as_deref(), Some("file"));
        assert!(!format!("{found:?}").contains("file:p"));
    }

    #[tokio::test]
    async fn a_helper_is_named_when_it_fails_and_its_registry_only_suffers() {
        let found = credentials(
            r#"{"auths":{"r":{"username":"file"},"own":{"username":"file"}},
                "credsStore":"cofferdam-none","credHelpers":{"own":"","docker.io":"cofferdam-hub"}}"#,
            None,
        );
        let error = |host: &'static str| {
            let found = found.clone();
            async move { found.login(host).await.unwrap_err().to_string() }
        };
        assert!(error("r").await.contains("docker-credential-cofferdam-none for r"));
        let hub = error("registry-1.docker.io").await;
        assert!(hub.contains("cofferdam-hub for https://index.docker.io/v1/"), "{hub}");
        assert_eq!(user(&found, "own").await.as_deref(), Some("file"));
    }
}
