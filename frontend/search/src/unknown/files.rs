//! Files whose purpose is to hold credentials.

use crate::shape::text::{decode_base64, is_base64, is_stand_in, run};

/// Bytes of such a file that are looked at; people's are small.
pub const LONGEST: usize = 64 * 1024;

/// A file that holds credentials if it holds anything, known by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialsFile {
    /// npm's and yarn's: `_authToken=`.
    Npmrc,
    /// curl's, git's and many others': `machine … password …`.
    Netrc,
    /// The Docker client's: `auths`.
    Docker,
    /// twine's: `password =`.
    Pypirc,
    /// git's store: URLs.
    Git,
    /// pip's: an index with a password.
    Pip,
    /// Maven's: `<password>`.
    Maven,
    /// cargo's: `token =`.
    Cargo,
    /// RubyGems': `:rubygems_api_key:`.
    Gem,
}

impl CredentialsFile {
    /// The kind that a path says; `None` for all others.
    pub fn of(path: &str) -> Option<Self> {
        let mut parts = path.rsplit('/');
        let name = parts.next().unwrap_or_default();
        let parent = parts.next().unwrap_or_default();
        Some(match (parent, name) {
            (_, ".npmrc" | ".yarnrc") => Self::Npmrc,
            (_, ".netrc" | "_netrc") => Self::Netrc,
            (".docker", "config.json") | (_, ".dockercfg" | ".dockerconfigjson") => Self::Docker,
            (_, ".pypirc") => Self::Pypirc,
            (_, ".git-credentials") | ("git", "credentials") => Self::Git,
            (_, "pip.conf" | "pip.ini") => Self::Pip,
            (".m2" | "conf", "settings.xml") => Self::Maven,
            (".cargo", "credentials" | "credentials.toml") => Self::Cargo,
            (".gem" | "gem", "credentials") => Self::Gem,
            _ => return None,
        })
    }

    /// What such a file with these contents holds, with an article; `None` for nothing secret.
    pub fn holds(self, contents: &[u8]) -> Option<&'static str> {
        let contents = contents.get(..LONGEST.min(contents.len())).unwrap_or_default();
        let text = String::from_utf8_lossy(contents);
        let any = |secret: fn(&str) -> Option<&str>| text.lines().filter_map(secret).any(is_secret);
        let (found, what) = match self {
            Self::Npmrc => (any(npmrc), "a .npmrc with a token"),
            Self::Netrc => (netrc(&text), "a .netrc with a password"),
            Self::Docker => (docker(&text), "a Docker configuration with a password"),
            Self::Pypirc => (any(|line| setting(line, "password")), "a .pypirc with a password"),
            Self::Git => (any(userinfo), "git credentials"),
            Self::Pip => (any(userinfo), "a pip.conf with a password"),
            Self::Maven => (any(element), "a Maven settings.xml with a password"),
            Self::Cargo => (any(|line| setting(line, "token")), "cargo credentials"),
            Self::Gem => (any(gem), "RubyGems credentials"),
        };
        found.then_some(what)
    }
}

/// Whether a value is one: no variable that is filled in later, no stand-in.
fn is_secret(value: &str) -> bool {
    value.len() >= 6
        && !value.contains(['$', '{', '<', '*'])
        && !value.contains(char::is_whitespace)
        && !is_stand_in(value)
}

/// `key = value`, for this key alone.
fn setting<'l>(line: &'l str, wanted: &str) -> Option<&'l str> {
    let (key, value) = line.split_once('=')?;
    (key.trim() == wanted).then(|| value.trim().trim_matches('"'))
}

fn npmrc(line: &str) -> Option<&str> {
    let line = line.trim();
    if line.starts_with(['#', ';']) {
        return None;
    }
    let (key, value) = line.split_once('=').or_else(|| line.split_once(' '))?;
    let key = key.trim().trim_matches('"').rsplit(':').next()?;
    matches!(key, "_authToken" | "_auth" | "_password").then(|| value.trim().trim_matches('"'))
}

fn gem(line: &str) -> Option<&str> {
    line.trim().strip_prefix(":rubygems_api_key:").map(str::trim)
}

/// The password of a URL, or its user if that is all there is: tokens are given so.
fn userinfo(line: &str) -> Option<&str> {
    let line = line.trim();
    if line.starts_with(['#', ';']) {
        return None;
    }
    let (_, rest) = line.split_once("://")?;
    let authority = rest.split(['/', ' ', '\t']).next()?;
    let (userinfo, _) = authority.rsplit_once('@')?;
    Some(userinfo.split_once(':').map_or(userinfo, |(_, password)| password))
}

fn element(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("<password>")?;
    Some(rest.split_once("</password>")?.0.trim())
}

fn netrc(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let machine = words.contains(&"machine") || words.contains(&"default");
    let password = words
        .iter()
        .zip(words.iter().skip(1))
        .any(|(key, value)| *key == "password" && is_secret(value));
    machine && password
}

fn docker(text: &str) -> bool {
    text.match_indices("\"auth\"").any(|(at, key)| {
        let rest = text.get(at + key.len()..).unwrap_or_default().trim_start();
        let rest = rest.strip_prefix(':').unwrap_or_default().trim_start();
        let secret = decode_base64(rest.strip_prefix('"').map_or("", |r| run(r, 8192, is_base64)));
        let secret = String::from_utf8_lossy(&secret).into_owned();
        secret.split_once(':').is_some_and(|(_, password)| is_secret(password))
    })
}
