//! Logins that are written down: `auths` of `config.json`, and `DOCKER_AUTH_CONFIG`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{ConfigError, Login};

/// Docker Hub's credentials are filed under its first API's address.
pub(super) const HUB_KEY: &str = "https://index.docker.io/v1/";
/// Names under which engines and people ask for Docker Hub's credentials.
const HUB_HOSTS: [&str; 3] = ["registry-1.docker.io", "docker.io", "index.docker.io"];
/// The user name of a login whose password is an identity token.
const TOKEN_USER: &str = "<token>";

/// A login as it is written.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Entry {
    auth: Option<Zeroizing<String>>,
    username: Option<String>,
    password: Option<Zeroizing<String>>,
    identitytoken: Option<Zeroizing<String>>,
    registrytoken: Option<Zeroizing<String>>,
}

impl Entry {
    /// What it says; nothing where it says nothing, or nothing that can be read.
    pub(super) fn login(self) -> Option<Login> {
        let mut login = match self.auth.as_ref().filter(|auth| !auth.is_empty()) {
            Some(auth) => decode(auth).ok()?,
            None => Login {
                username: self.username.unwrap_or_default(),
                password: self.password.unwrap_or_default(),
                ..Login::default()
            },
        };
        login.identity_token = self.identitytoken.unwrap_or_default();
        login.registry_token = self.registrytoken.unwrap_or_default();
        login.tidy()
    }
}

impl Login {
    /// A user named `<token>` has an identity token instead of a password; nothing is no login.
    pub(super) fn tidy(mut self) -> Option<Self> {
        if self.username == TOKEN_USER {
            self.username.clear();
            let token = std::mem::take(&mut self.password);
            if self.identity_token.is_empty() {
                self.identity_token = token;
            }
        }
        let secrets = [&self.password, &self.identity_token, &self.registry_token];
        let said = !self.username.is_empty() || secrets.iter().any(|secret| !secret.is_empty());
        said.then_some(self)
    }
}

/// Reads base64 of `user:password`; the error is a reason without the text.
fn decode(auth: &str) -> Result<Login, &'static str> {
    let decoded = STANDARD.decode(auth.trim()).map(Zeroizing::new);
    let decoded = decoded.map_err(|_| "its `auth` is no base64")?;
    let text = std::str::from_utf8(&decoded).map_err(|_| "its `auth` is no text")?;
    match text.split_once(':') {
        Some((username, password)) if !username.is_empty() => Ok(Login {
            username: username.to_string(),
            // Docker pads old entries with NULs.
            password: Zeroizing::new(password.trim_matches('\0').to_string()),
            ..Login::default()
        }),
        _ => Err("its `auth` is not user:password"),
    }
}

/// Reads `DOCKER_AUTH_CONFIG`, which knows `auths` with `auth` and nothing else.
pub(super) fn of_variable(text: &str) -> Result<BTreeMap<String, Login>, ConfigError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Variable {
        #[serde(default)]
        auths: BTreeMap<String, Auth>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Auth {
        #[serde(default)]
        auth: Zeroizing<String>,
    }
    let damaged = |error: serde_json::Error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => {
                "it may hold `auths` with `auth` and nothing else, "
            }
            _ => "it is no JSON, ",
        };
        ConfigError::Variable(format!("{what}line {}", error.line()))
    };
    let variable: Variable = serde_json::from_str(text).map_err(damaged)?;
    let mut logins = BTreeMap::new();
    for (registry, Auth { auth }) in variable.auths {
        let wrong = |why: &str| ConfigError::Variable(format!("the entry of {registry}: {why}"));
        if auth.is_empty() {
            return Err(wrong("it has no `auth`"));
        }
        let login = decode(&auth).map_err(wrong)?;
        if let Some(login) = login.tidy() {
            logins.insert(key(&registry), login);
        }
    }
    Ok(logins)
}

/// One key for all the ways in which a registry is written.
pub(super) fn key(registry: &str) -> String {
    let host = registry.trim_start_matches("https://").trim_start_matches("http://");
    let host = host.split('/').next().unwrap_or(host);
    if HUB_HOSTS.contains(&host) { HUB_KEY.to_string() } else { host.to_string() }
}

/// The logins of `config.json` by [`key`]; the form that `docker login` writes now beats old ones.
pub(super) fn by_key(auths: BTreeMap<String, Entry>) -> BTreeMap<String, Login> {
    let mut logins = BTreeMap::new();
    for (registry, entry) in auths {
        let Some(login) = entry.login() else { continue };
        let key = key(&registry);
        if key == registry || !logins.contains_key(&key) {
            logins.insert(key, login);
        }
    }
    logins
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> BTreeMap<String, Login> {
        by_key(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn entries_are_found_by_host() {
        let hub = STANDARD.encode("me:pass:word");
        let logins = read(&format!(
            r#"{{"https://index.docker.io/v1/":{{"auth":"{hub}"}},
                "https://r.example/v2/":{{"username":"u","password":"p"}},"empty":{{}},
                "two":{{"username":"new","password":"p"}},"http://two":{{"username":"old"}}}}"#
        ));
        let user = |host: &str| logins.get(&key(host)).map(|login| login.username.as_str());
        for name in ["registry-1.docker.io", "docker.io", "index.docker.io", HUB_KEY] {
            assert_eq!(user(name), Some("me"), "{name}");
        }
        assert_eq!(logins[HUB_KEY].password.as_str(), "pass:word");
        assert_eq!(user("r.example"), Some("u"));
        assert_eq!(user("empty"), None);
        assert_eq!(user("two"), Some("new"));
    }

    #[test]
    fn tokens_are_read_in_all_their_forms() {
        let token = STANDARD.encode("<token>:idt");
        let logins = read(&format!(
            r#"{{"a":{{"auth":"{token}"}},"b":{{"identitytoken":"idt","auth":"{token}"}},
                "c":{{"registrytoken":"rt"}},"d":{{"auth":"!"}},"e":{{"auth":"bm9jb2xvbg=="}}}}"#
        ));
        for name in ["a", "b"] {
            assert_eq!(logins[name].identity_token.as_str(), "idt");
            assert!(logins[name].username.is_empty() && logins[name].password.is_empty());
        }
        assert_eq!(logins["c"].registry_token.as_str(), "rt");
        assert!(!logins.contains_key("d") && !logins.contains_key("e"));
    }

    #[test]
    fn the_variable_is_as_strict_as_dockers() {
        let good = STANDARD.encode("u:p");
        let logins = of_variable(&format!(r#"{{"auths":{{"r:1":{{"auth":"{good}"}}}}}}"#)).unwrap();
        assert_eq!(logins["r:1"].password.as_str(), "p");
        for (text, reason) in [
            ("hunter2".to_string(), "no JSON"),
            (r#"{"auths":{"r":{}}}"#.into(), "no `auth`"),
            (r#"{"auths":{"r":{"auth":"hunter2!"}}}"#.into(), "base64"),
            (format!(r#"{{"auths":{{"r":{{"auth":"{good}","hunter2":1}}}}}}"#), "nothing else"),
            (r#"{} {"hunter2":1}"#.into(), "no JSON"),
        ] {
            let error = of_variable(&text).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("DOCKER_AUTH_CONFIG"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = decode(&text);
            let _ = of_variable(&text);
            let _ = key(&text);
        }
    }
}
