//! Registry tokens: what a registry's token server gives for a login, or for none.
//!
//! Source: distribution/distribution, docs/content/spec/auth/{token,oauth}.md; the order of
//! attempts is that of moby/buildkit, session/auth/authprovider.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::http::{Answer, Ask, Http, HttpError};
use crate::docker_config::Login;

/// Who asks, in the registry's logs.
const CLIENT: &str = "buildkit-client";
/// Seconds that a token lives when nobody says how long.
const DEFAULT_LIFE: i64 = 60;
/// How much of a refusal is repeated, in characters.
const WORDS: usize = 200;

/// What a registry asked for in its challenge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRequest {
    /// The token server's address.
    pub realm: String,
    /// The registry's name there.
    pub service: String,
    /// `repository:NAME:pull` and the like.
    pub scopes: Vec<String>,
    /// Who asks; empty for the usual.
    pub client: String,
}

/// A token; not shown.
pub struct Token {
    /// For the header `Authorization: Bearer`.
    pub token: Zeroizing<String>,
    /// Seconds that it is good for.
    pub expires_in: i64,
    /// Since when, in seconds since 1970; 0 where nobody says.
    pub issued_at: i64,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[token for {} s]", self.expires_in)
    }
}

/// The token server gave none.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The registry named a server that is none.
    #[error("cannot fetch a registry token: {0:?} is no token server's address")]
    Realm(String),
    /// It does not answer.
    #[error("cannot fetch a registry token from {0}")]
    Unreachable(#[from] HttpError),
    /// It says no.
    #[error("cannot fetch a registry token: {method} {realm} was answered with {status}{words}")]
    Refused {
        /// GET or POST.
        method: Method,
        /// The server, without what was asked.
        realm: String,
        /// The answer.
        status: StatusCode,
        /// Its words, after a colon.
        words: String,
    },
    /// It answers with something else.
    #[error("cannot fetch a registry token: the answer of {0} holds none")]
    NoToken(String),
}

#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    token: Option<Zeroizing<String>>,
    #[serde(default)]
    access_token: Option<Zeroizing<String>>,
    #[serde(default)]
    expires_in: Option<i64>,
    #[serde(default)]
    issued_at: Option<String>,
}

/// Gets a token for a login, or without one.
///
/// A registry token is one already. A login is shown in an OAuth POST first, and in a GET where
/// the server does not know that; without one it is a GET.
pub async fn fetch(
    http: &Http,
    request: &TokenRequest,
    login: Option<&Login>,
) -> Result<Token, TokenError> {
    if let Some(login) = login.filter(|login| !login.registry_token.is_empty()) {
        let token = login.registry_token.clone();
        return Ok(Token { token, expires_in: DEFAULT_LIFE, issued_at: 0 });
    }
    let realm = Url::parse(&request.realm).ok().filter(|url| url.host().is_some());
    let realm = realm.ok_or_else(|| TokenError::Realm(request.realm.clone()))?;
    let (user, secret) = login.map(Login::for_tokens).unwrap_or_default();
    if secret.is_empty() {
        return read(&realm, &Method::GET, &http.send(get(realm.clone(), request, None)).await?);
    }
    let answer = http.send(post(realm.clone(), request, user, secret)).await?;
    let unknown = matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::UNAUTHORIZED)
        || answer.status == StatusCode::METHOD_NOT_ALLOWED && !user.is_empty();
    if !unknown {
        return read(&realm, &Method::POST, &answer);
    }
    let answer = http.send(get(realm.clone(), request, Some((user, secret)))).await?;
    read(&realm, &Method::GET, &answer)
}

fn post(url: Url, request: &TokenRequest, user: &str, secret: &str) -> Ask {
    let client = if request.client.is_empty() { CLIENT } else { &request.client };
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    if !request.scopes.is_empty() {
        form.append_pair("scope", &request.scopes.join(" "));
    }
    form.append_pair("service", &request.service).append_pair("client_id", client);
    if user.is_empty() {
        form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", secret);
    } else {
        form.append_pair("grant_type", "password");
        form.append_pair("username", user).append_pair("password", secret);
    }
    let body = Bytes::from_owner(Zeroizing::new(form.finish().into_bytes()));
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
    Ask {
        method: Method::POST,
        url,
        headers: HeaderMap::from_iter([(CONTENT_TYPE, kind)]),
        body,
        unverified: false,
    }
}

fn get(mut url: Url, request: &TokenRequest, login: Option<(&str, &str)>) -> Ask {
    {
        let mut query = url.query_pairs_mut();
        if !request.service.is_empty() {
            query.append_pair("service", &request.service);
        }
        for scope in &request.scopes {
            query.append_pair("scope", scope);
        }
    }
    if url.query() == Some("") {
        url.set_query(None);
    }
    let mut headers = HeaderMap::new();
    if let Some((user, secret)) = login {
        let pair = Zeroizing::new(format!("{user}:{secret}"));
        let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        if let Ok(mut value) = HeaderValue::from_str(&basic) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
    }
    Ask { method: Method::GET, url, headers, body: Bytes::new(), unverified: false }
}

fn read(realm: &Url, method: &Method, answer: &Answer) -> Result<Token, TokenError> {
    let shown = shown(realm);
    if !answer.status.is_success() {
        let words: String =
            String::from_utf8_lossy(&answer.body).split_whitespace().collect::<Vec<_>>().join(" ");
        let words: String = words.chars().filter(|c| !c.is_control()).take(WORDS).collect();
        let words = if words.is_empty() { words } else { format!(": {words}") };
        let (method, status) = (method.clone(), answer.status);
        return Err(TokenError::Refused { method, realm: shown, status, words });
    }
    let Ok(told) = serde_json::from_slice::<Told>(&answer.body) else {
        return Err(TokenError::NoToken(shown));
    };
    let some = |token: Option<Zeroizing<String>>| token.filter(|token| !token.is_empty());
    let Some(token) = some(told.access_token).or_else(|| some(told.token)) else {
        return Err(TokenError::NoToken(shown));
    };
    let issued = told.issued_at.and_then(|text| humantime::parse_rfc3339_weak(&text).ok());
    let issued = issued.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    Ok(Token {
        token,
        expires_in: told.expires_in.filter(|life| *life > 0).unwrap_or(DEFAULT_LIFE),
        issued_at: issued.and_then(|at| i64::try_from(at.as_secs()).ok()).unwrap_or_default(),
    })
}

/// The server without user, password or query.
fn shown(realm: &Url) -> String {
    let authority = realm.host_str().unwrap_or_default();
    let port = realm.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{authority}{port}{}", realm.scheme(), realm.path())
}

#[cfg(test)]
mod tests;
