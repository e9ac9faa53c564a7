//! What a lock holds: images, downloads and git references, each with what it stands for.

use std::collections::BTreeMap;
use std::fmt;

use crate::graph::without_credentials;
use crate::pins::{Digest, Reference, Timestamp};

/// The pin of one image name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedImage {
    pub(super) name: String,
    pub source: ImageSource,
    /// Where it is named; `None` for the Dockerfile.
    pub named: Option<Elsewhere>,
    pub resolved: Timestamp,
    /// The program that resolved it, such as `cofferdam 0.1.0`.
    pub by: Option<String>,
}

/// Where an image is, and what identifies it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// In a registry, by the digest of its index or manifest.
    Registry {
        digest: Digest,
        /// The digests of the manifests of single platforms, such as `linux/amd64`.
        platforms: BTreeMap<String, Digest>,
    },
    /// Only in the engine's own store, by the digest of its config.
    Local { image_id: Digest },
}

/// A place that names an image and is not the Dockerfile: whoever reads only that one cannot tell
/// whether the image is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// Only the graph of a build: a trigger of a base, or another frontend.
    Graph,
    /// The command line of a build: a named context, a generator of SBOMs.
    CommandLine,
}

impl Elsewhere {
    /// The word of the format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::CommandLine => "command-line",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Graph, Self::CommandLine].into_iter().find(|place| place.as_str() == text)
    }
}

/// The pin of a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedHttp {
    /// The address, without credentials.
    pub url: String,
    /// The digest of what it gave, sha256.
    pub checksum: Digest,
    pub resolved: Timestamp,
    /// The program that resolved it.
    pub by: Option<String>,
}

/// The pin of a branch or tag of a git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedGit {
    pub at: GitPlace,
    /// The whole id of the commit.
    pub commit: String,
    pub resolved: Timestamp,
    /// The program that resolved it.
    pub by: Option<String>,
}

/// A branch or tag of a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GitPlace {
    /// What git is given, without credentials.
    pub url: String,
    /// `None` for the default branch.
    pub reference: Option<String>,
}

impl fmt::Display for GitPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reference {
            Some(reference) => write!(out, "{}#{reference}", self.url),
            None => out.write_str(&self.url),
        }
    }
}

impl LockedImage {
    /// The pin of `reference`, whose own digest is ignored.
    pub fn new(reference: &Reference, source: ImageSource, resolved: Timestamp) -> Self {
        Self { name: reference.canonical(), source, named: None, resolved, by: None }
    }

    /// The canonical name with its tag, `docker.io/library/debian:bookworm`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The digest to write behind the name; `None` for an image that is in no registry.
    pub fn digest(&self) -> Option<&Digest> {
        match &self.source {
            ImageSource::Registry { digest, .. } => Some(digest),
            ImageSource::Local { .. } => None,
        }
    }
}

/// One entry of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Image(LockedImage),
    Http(LockedHttp),
    Git(LockedGit),
}

impl Entry {
    /// `image`, `http` or `git`, as the format calls it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Image(_) => "image",
            Self::Http(_) => "http",
            Self::Git(_) => "git",
        }
    }

    /// What is locked: the canonical name of an image, an address, an address with its reference.
    pub fn name(&self) -> String {
        match self {
            Self::Image(image) => image.name.clone(),
            Self::Http(http) => http.url.clone(),
            Self::Git(git) => git.at.to_string(),
        }
    }

    /// The digest, image ID, checksum or commit.
    pub fn stands_for(&self) -> &str {
        match self {
            Self::Image(LockedImage { source, .. }) => match source {
                ImageSource::Registry { digest, .. } => digest.as_str(),
                ImageSource::Local { image_id } => image_id.as_str(),
            },
            Self::Http(http) => http.checksum.as_str(),
            Self::Git(git) => &git.commit,
        }
    }

    /// Where entries of all kinds are sorted.
    pub(super) fn key(&self) -> (u8, String) {
        let kind = match self {
            Self::Image(_) => 0,
            Self::Http(_) => 1,
            Self::Git(_) => 2,
        };
        (kind, self.name())
    }

    /// Whether both mean the same; when and by whom it was found out is no matter.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Image(one), Self::Image(two)) => {
                one.name == two.name && one.source == two.source
            }
            (Self::Http(one), Self::Http(two)) => {
                one.url == two.url && one.checksum == two.checksum
            }
            (Self::Git(one), Self::Git(two)) => one.at == two.at && one.commit == two.commit,
            _ => false,
        }
    }
}

/// Whether an address may stand in a file that everybody reads: the user of an ssh address may.
pub(crate) fn is_public(url: &str) -> bool {
    if without_credentials(url) == url {
        return true;
    }
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("ssh") => rest,
        Some(_) => return false,
        None => url,
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    authority.split_once('@').is_some_and(|(user, host)| !user.contains(':') && !host.contains('@'))
}

/// Whether this is the whole id of a commit, as git writes it.
pub(crate) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
