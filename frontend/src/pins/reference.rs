//! Image references, with the grammar and the normalisation of `distribution/reference`.

use std::fmt;

use super::digest::{Digest, DigestError};

const DEFAULT_DOMAIN: &str = "docker.io";
const LEGACY_DOMAIN: &str = "index.docker.io";
const OFFICIAL: &str = "library/";
const MAX_PATH: usize = 255;
const MAX_TAG: usize = 128;

/// A fully qualified reference, such as `docker.io/library/debian:bookworm`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Host and port of the registry.
    pub domain: String,
    /// The repository within the registry.
    pub path: String,
    pub tag: Option<String>,
    pub digest: Option<Digest>,
}

/// Why a text is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    #[error("invalid reference format")]
    Format,
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    Uppercase(String),
    #[error("invalid repository name ({0}), cannot specify 64-byte hexadecimal strings")]
    Identifier(String),
    #[error("repository name must not be more than {MAX_PATH} characters")]
    TooLong,
    #[error("invalid tag format: {0:?}")]
    Tag(String),
    #[error("invalid digest: {0}")]
    Digest(#[from] DigestError),
    #[error("refusing to create a tag with a digest reference: {0}")]
    DigestAsTag(String),
}

impl Reference {
    /// Whether an entry of a list of registries and repositories covers it: `docker.io/library`,
    /// `registry.example.com`, `*.example.com`.
    pub fn is_listed(&self, entries: &[String]) -> bool {
        entries.iter().any(|entry| self.is_within(entry))
    }

    fn is_within(&self, entry: &str) -> bool {
        let entry = entry.trim_end_matches('*').trim_end_matches('/');
        let (domain, path) = entry.split_once('/').unwrap_or((entry, ""));
        let domain_fits = match domain.strip_prefix("*.") {
            Some(parent) => {
                self.domain.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'))
            }
            None => self.domain == domain,
        };
        let rest = self.path.strip_prefix(path);
        domain_fits
            && rest.is_some_and(|rest| path.is_empty() || rest.is_empty() || rest.starts_with('/'))
    }

    /// Reads a reference as people write it: `debian` is `docker.io/library/debian`.
    pub fn parse_normalized(text: &str) -> Result<Self, ReferenceError> {
        if text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(ReferenceError::Identifier(text.to_owned()));
        }
        let (domain, remainder) = split_domain(text);
        let remote = remainder.split(':').next().unwrap_or_default();
        if remote.chars().any(char::is_uppercase) {
            return Err(ReferenceError::Uppercase(remote.to_owned()));
        }
        let (named, digest) = match remainder.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (remainder.as_str(), None),
        };
        let (path, tag) = match named.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (named, None),
        };
        if !is_domain(domain) || !path.split('/').all(is_path_component) {
            return Err(ReferenceError::Format);
        }
        if let Some(tag) = tag
            && !is_tag(tag)
        {
            return Err(ReferenceError::Format);
        }
        if path.len() > MAX_PATH {
            return Err(ReferenceError::TooLong);
        }
        Ok(Self {
            domain: domain.to_owned(),
            path: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::parse).transpose()?,
        })
    }

    /// Reads a name to give to an image (`-t NAME`); without a tag it gets `latest`.
    pub fn parse_tag_name(text: &str) -> Result<Self, ReferenceError> {
        let mut reference = Self::parse_normalized(text)?;
        if reference.digest.is_some() {
            return Err(ReferenceError::DigestAsTag(text.to_owned()));
        }
        let tag = reference.tag_or_latest().to_owned();
        reference.tag = Some(tag);
        Ok(reference)
    }

    /// The name without tag and digest: `docker.io/library/debian`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The tag, `latest` without one.
    pub fn tag_or_latest(&self) -> &str {
        self.tag.as_deref().unwrap_or("latest")
    }

    /// The key of the lock file: `docker.io/library/debian:bookworm`, never with a digest.
    pub fn canonical(&self) -> String {
        format!("{}:{}", self.name(), self.tag_or_latest())
    }

    /// As Docker shows it: `debian:bookworm`, with its digest if there is one.
    pub fn familiar(&self) -> String {
        let name = if self.domain == DEFAULT_DOMAIN {
            match self.path.strip_prefix(OFFICIAL) {
                Some(short) if !short.contains('/') => short.to_owned(),
                _ => self.path.clone(),
            }
        } else {
            self.name()
        };
        self.suffixed(name)
    }

    /// The same reference with this digest.
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    fn suffixed(&self, mut name: String) -> String {
        if let Some(tag) = &self.tag {
            name.push(':');
            name.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            name.push('@');
            name.push_str(digest.as_str());
        }
        name
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.suffixed(self.name()))
    }
}

/// The registry and the rest; the first part is a registry only when it looks like one.
fn split_domain(text: &str) -> (&str, String) {
    let Some((first, rest)) = text.split_once('/') else {
        return (DEFAULT_DOMAIN, format!("{OFFICIAL}{text}"));
    };
    let (domain, remainder) = if first == LEGACY_DOMAIN {
        (DEFAULT_DOMAIN, rest)
    } else if first == "localhost"
        || first.contains(['.', ':'])
        || first.chars().any(char::is_uppercase)
    {
        (first, rest)
    } else {
        (DEFAULT_DOMAIN, text)
    };
    if domain == DEFAULT_DOMAIN && !remainder.contains('/') {
        return (domain, format!("{OFFICIAL}{remainder}"));
    }
    (domain, remainder.to_owned())
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.strip_prefix('[') {
        Some(rest) => {
            let Some((address, tail)) = rest.split_once(']') else {
                return false;
            };
            let hex = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
            if address.is_empty() || !address.bytes().all(hex) {
                return false;
            }
            match tail.strip_prefix(':') {
                Some(port) => (None, Some(port)),
                None if tail.is_empty() => (None, None),
                None => return false,
            }
        }
        None => match domain.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(domain), None),
        },
    };
    let digits = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let component = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.is_none_or(|host| host.split('.').all(component)) && port.is_none_or(digits)
}

/// Lower-case letters and digits, joined by `.`, `_`, `__` or any number of `-`.
fn is_path_component(part: &str) -> bool {
    let alnum = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    alnum(*first)
        && alnum(*last)
        && bytes.split(|byte| alnum(*byte)).all(|gap| {
            matches!(gap, b"" | b"." | b"_" | b"__") || gap.iter().all(|byte| *byte == b'-')
        })
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}
