//! One repository of a registry: manifests are read from it and put under names.
//!
//! Source: opencontainers/distribution-spec, spec.md.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cofferdam_frontend::graph::digest;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use url::Url;
use zeroize::Zeroizing;

use super::body::Body;
use super::challenge::{self, Challenge};
use super::http::{Answer, Ask, Http, HttpError};
use super::manifest::{MEDIA_TYPES, Manifest};
use super::token::{TokenError, TokenRequest, fetch};
use crate::docker_config::Login;

/// Docker Hub's registry has another name than its images.
const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");
/// How much of a refusal is repeated, in characters.
const WORDS: usize = 300;

/// Why a registry did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It does not answer.
    #[error("the registry {0}")]
    Unreachable(#[from] HttpError),
    /// Its name makes no address.
    #[error("{0:?} is no registry's address")]
    Address(String),
    /// There is no token for it.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// It answers, and says no.
    #[error("the registry {host} answered {method} {path} with {status}{words}")]
    Refused {
        /// Whom it was asked of.
        host: String,
        /// GET or PUT.
        method: Method,
        /// What was asked for.
        path: String,
        /// The answer.
        status: StatusCode,
        /// Its words, after a colon.
        words: String,
    },
    /// What it sent is not what it was asked for.
    #[error("the registry {host} sent something else than {digest}")]
    Damaged {
        /// Whom it was asked of.
        host: String,
        /// What was asked for.
        digest: String,
    },
}

/// A repository that answered.
#[derive(Debug)]
pub struct Repository<'a> {
    http: &'a Http,
    base: Url,
    path: String,
    login: Option<Arc<Login>>,
    unverified: bool,
    /// What is asked of a token server.
    actions: &'static str,
    authorization: Mutex<Option<HeaderValue>>,
}

/// What a refusal means to the person who has to do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has no such name, or does not show it to us.
    Absent,
    /// It wants credentials, or others.
    Denied,
    /// There is no answer, or no good one.
    Unreachable,
}

impl Refusal {
    /// What to do next.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Absent => "check the name and its tag",
            Self::Denied => {
                "log in with `docker login`, and check the name: registries answer so for what does not exist"
            }
            Self::Unreachable => "start the registry, or check its address and the network",
        }
    }
}

impl RegistryError {
    /// What it means.
    pub fn refusal(&self) -> Refusal {
        let by_status = |status: &StatusCode| match *status {
            StatusCode::NOT_FOUND => Refusal::Absent,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Refusal::Denied,
            _ => Refusal::Unreachable,
        };
        match self {
            Self::Refused { status, .. } | Self::Token(TokenError::Refused { status, .. }) => {
                by_status(status)
            }
            _ => Refusal::Unreachable,
        }
    }
}

impl<'a> Repository<'a> {
    /// Finds the way to the registry `domain`, and what it wants for reading and writing `path`.
    ///
    /// Registries of this machine and `insecure` ones are asked with http first, as BuildKit does;
    /// of an insecure one any certificate is believed.
    pub async fn open(
        http: &'a Http,
        (domain, path): (&str, &str),
        login: Option<Arc<Login>>,
        insecure: bool,
    ) -> Result<Self, RegistryError> {
        Self::find(http, (domain, path), login, insecure, "pull,push").await
    }

    /// The same for reading only, from a registry that is not insecure.
    pub async fn reading(
        http: &'a Http,
        name: (&str, &str),
        login: Option<Arc<Login>>,
    ) -> Result<Self, RegistryError> {
        Self::find(http, name, login, false, "pull").await
    }

    async fn find(
        http: &'a Http,
        (domain, path): (&str, &str),
        login: Option<Arc<Login>>,
        insecure: bool,
        actions: &'static str,
    ) -> Result<Self, RegistryError> {
        let host = if domain == HUB.0 { HUB.1 } else { domain };
        let schemes: &[&str] =
            if insecure || is_local(host) { &["http", "https"] } else { &["https"] };
        let mut failed = None;
        for scheme in schemes {
            let base = Url::parse(&format!("{scheme}://{host}/v2/"))
                .map_err(|_| RegistryError::Address(domain.into()))?;
            let repository = Self {
                http,
                base,
                path: path.into(),
                login: login.clone(),
                unverified: insecure,
                actions,
                authorization: Mutex::default(),
            };
            match repository.send(Method::GET, "", HeaderMap::new(), Bytes::new()).await {
                // A server for https says so to http.
                Ok(answer) if answer.status == StatusCode::BAD_REQUEST && *scheme == "http" => {}
                Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => {
                    return Err(repository.refused(&Method::GET, "/v2/", &answer));
                }
                Ok(_) => return Ok(repository),
                Err(error @ RegistryError::Token(_)) => return Err(error),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| RegistryError::Address(domain.into())))
    }

    /// Reads a manifest or index by its digest, which is checked.
    pub async fn manifest(&self, wanted: &str) -> Result<Manifest, RegistryError> {
        let (manifest, _) = self.get_manifest(wanted).await?;
        if digest(&manifest.bytes) != wanted {
            return Err(RegistryError::Damaged { host: self.host(), digest: wanted.into() });
        }
        Ok(manifest)
    }

    /// What a tag stands for now: the digest of what came, and that.
    pub async fn resolve(&self, tag: &str) -> Result<(String, Manifest), RegistryError> {
        let (manifest, told) = self.get_manifest(tag).await?;
        let own = digest(&manifest.bytes);
        // What a header says counts only where it says the same.
        match told.filter(|told| told.starts_with("sha256:") && *told != own) {
            Some(told) => Err(RegistryError::Damaged { host: self.host(), digest: told }),
            None => Ok((own, manifest)),
        }
    }

    /// Reads a small blob by its digest, which is checked.
    pub async fn blob(&self, wanted: &str) -> Result<Bytes, RegistryError> {
        let path = format!("{}/blobs/{wanted}", self.path);
        let answer = self.send(Method::GET, &path, HeaderMap::new(), Bytes::new()).await?;
        if answer.status != StatusCode::OK {
            return Err(self.refused(&Method::GET, &path, &answer));
        }
        match digest(&answer.body) == wanted {
            true => Ok(answer.body),
            false => Err(RegistryError::Damaged { host: self.host(), digest: wanted.into() }),
        }
    }

    /// A blob of any size as it comes; nobody has checked it.
    pub async fn open_blob(&self, wanted: &str) -> Result<Body, RegistryError> {
        let path = format!("{}/blobs/{wanted}", self.path);
        let ask = || self.ask(&Method::GET, &path, &HeaderMap::new(), &Bytes::new());
        let mut answer = self.http.begin(ask()?).await?;
        if answer.status == StatusCode::UNAUTHORIZED && self.login(&answer.headers).await? {
            answer = self.http.begin(ask()?).await?;
        }
        match answer.status {
            StatusCode::OK => Ok(answer.body),
            _ => Err(self.refused(&Method::GET, &path, &answer.whole().await?)),
        }
    }

    /// A manifest, and the digest that a header names.
    async fn get_manifest(
        &self,
        reference: &str,
    ) -> Result<(Manifest, Option<String>), RegistryError> {
        let path = format!("{}/manifests/{reference}", self.path);
        let accept = HeaderValue::from_static(MEDIA_TYPES);
        let headers = HeaderMap::from_iter([(ACCEPT, accept)]);
        let answer = self.send(Method::GET, &path, headers, Bytes::new()).await?;
        if answer.status != StatusCode::OK {
            return Err(self.refused(&Method::GET, &path, &answer));
        }
        let text = |value: Option<&HeaderValue>| Some(value?.to_str().ok()?.trim().to_string());
        let kind = text(answer.headers.get(CONTENT_TYPE));
        let told = text(answer.headers.get("docker-content-digest"));
        Ok((Manifest::new(&kind.unwrap_or_default(), answer.body), told))
    }

    /// Puts a manifest or index under a tag or its digest; everything that it names must be there.
    pub async fn put(&self, reference: &str, manifest: &Manifest) -> Result<(), RegistryError> {
        let path = format!("{}/manifests/{reference}", self.path);
        let kind = HeaderValue::from_str(&manifest.media_type)
            .map_err(|_| RegistryError::Damaged { host: self.host(), digest: reference.into() })?;
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind)]);
        let answer = self.send(Method::PUT, &path, headers, manifest.bytes.clone()).await?;
        match answer.status.is_success() {
            true => Ok(()),
            false => Err(self.refused(&Method::PUT, &path, &answer)),
        }
    }

    /// Asks, and asks once more with what the registry then wants.
    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, RegistryError> {
        let ask = || self.ask(&method, path, &headers, &body);
        let answer = self.http.send(ask()?).await?;
        if answer.status != StatusCode::UNAUTHORIZED || !self.login(&answer.headers).await? {
            return Ok(answer);
        }
        Ok(self.http.send(ask()?).await?)
    }

    fn ask(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Ask, RegistryError> {
        let url = self.base.join(path).map_err(|_| RegistryError::Address(path.into()))?;
        let mut headers = headers.clone();
        let known = self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone();
        headers.extend(known.map(|value| (AUTHORIZATION, value)));
        let (method, body) = (method.clone(), body.clone());
        Ok(Ask { method, url, headers, body, unverified: self.unverified })
    }

    /// Gets ready what a registry wants that has said no; `false` where there is nothing to show.
    async fn login(&self, headers: &HeaderMap) -> Result<bool, RegistryError> {
        let Some(challenge) = challenge::read(headers) else { return Ok(false) };
        let Some(value) = self.authorize(challenge).await? else { return Ok(false) };
        *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        Ok(true)
    }

    async fn authorize(&self, challenge: Challenge) -> Result<Option<HeaderValue>, RegistryError> {
        let login = self.login.as_deref();
        let text = match challenge {
            Challenge::Basic => {
                let Some(login) = login.filter(|login| !login.username.is_empty()) else {
                    return Ok(None);
                };
                let pair = Zeroizing::new(format!("{}:{}", login.username, &*login.password));
                Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
            }
            Challenge::Bearer { realm, service } => {
                let scopes = vec![format!("repository:{}:{}", self.path, self.actions)];
                let request = TokenRequest { realm, service, scopes, client: String::new() };
                let token = fetch(self.http, &request, login).await?;
                Zeroizing::new(format!("Bearer {}", &*token.token))
            }
        };
        let value = HeaderValue::from_str(&text).ok().map(|mut value| {
            value.set_sensitive(true);
            value
        });
        Ok(value)
    }

    fn host(&self) -> String {
        let port = self.base.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}{port}", self.base.host_str().unwrap_or_default())
    }

    fn refused(&self, method: &Method, path: &str, answer: &Answer) -> RegistryError {
        RegistryError::Refused {
            host: self.host(),
            method: method.clone(),
            path: path.into(),
            status: answer.status,
            words: words(&answer.body),
        }
    }
}

/// Whether a registry is on this machine: such ones speak http.
fn is_local(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let loopback = |name: &str| name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    name == "localhost" || name == "[::1]" || loopback(name)
}

/// What the registry says, after a colon: the messages of its errors, else the text.
fn words(body: &[u8]) -> String {
    let told = serde_json::from_slice::<serde_json::Value>(body).ok();
    let errors = told.as_ref().and_then(|told| told.get("errors")?.as_array());
    let said = |error: &serde_json::Value| error.get("message")?.as_str().map(String::from);
    let text = match errors {
        Some(errors) => errors.iter().filter_map(said).collect::<Vec<_>>().join("; "),
        None => String::from_utf8_lossy(body).split_whitespace().collect::<Vec<_>>().join(" "),
    };
    let text: String = text.chars().filter(|c| !c.is_control()).take(WORDS).collect();
    if text.is_empty() { text } else { format!(": {text}") }
}

#[cfg(test)]
mod tests;
