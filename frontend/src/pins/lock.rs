//! `cofferdam.lock`: which digest each image name stood for, who resolved it and when.
//!
//! The file is TOML with a `version`; each kind of input has its own array of tables, so that
//! later versions can add git and http sources beside `[[image]]`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::digest::Digest;
use super::reference::Reference;
use super::render;
use super::timestamp::Timestamp;

/// The version this program reads and writes.
pub const VERSION: i64 = 1;

/// All pins of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    images: BTreeMap<String, LockedImage>,
}

/// The pin of one image name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedImage {
    name: String,
    pub source: ImageSource,
    pub resolved: Timestamp,
    /// The program that resolved it, such as `cofferdam 0.1.0`.
    pub by: Option<String>,
}

/// Where the image is, and what identifies it there.
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

/// Why a lock file cannot be used. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    #[error("the lock file is not UTF-8")]
    NotUtf8,
    #[error(
        "line {line}: unresolved merge conflict: keep one side of each entry, then build again"
    )]
    Conflict { line: usize },
    #[error("line {line}, column {column}: {message}")]
    Syntax { line: usize, column: usize, message: String },
    #[error("no lock version: the file needs `version = {VERSION}`")]
    NoVersion,
    #[error("written by a newer cofferdam: lock version {found}, this one reads {VERSION}")]
    Newer { found: i64 },
    #[error("unknown lock version {found}, this cofferdam reads {VERSION}")]
    BadVersion { found: i64 },
    #[error("line {line}, column {column}: {name} is locked twice")]
    Duplicate { line: usize, column: usize, name: String },
    #[error("line {line}, column {column}: {message}")]
    Invalid { line: usize, column: usize, message: String },
}

/// One difference between two locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockChange {
    Added(LockedImage),
    Removed(LockedImage),
    /// The same name stands for something else now; a new date alone is no change.
    Changed {
        before: LockedImage,
        after: LockedImage,
    },
}

impl LockedImage {
    /// The pin of `reference`, whose own digest is ignored.
    pub fn new(reference: &Reference, source: ImageSource, resolved: Timestamp) -> Self {
        Self { name: reference.canonical(), source, resolved, by: None }
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

impl Lock {
    /// Reads a lock file.
    pub fn parse(bytes: &[u8]) -> Result<Self, LockError> {
        let text = std::str::from_utf8(bytes).map_err(|_| LockError::NotUtf8)?;
        if let Some(line) = conflict_marker(text) {
            return Err(LockError::Conflict { line });
        }
        // The version comes first: a newer file may hold keys this program does not know.
        let version: RawVersion = read(text)?;
        match version.version {
            None => return Err(LockError::NoVersion),
            Some(VERSION) => {}
            Some(found) if found > VERSION => return Err(LockError::Newer { found }),
            Some(found) => return Err(LockError::BadVersion { found }),
        }
        let raw: RawLock = read(text)?;
        let mut lock = Self::default();
        for image in raw.image {
            let at = image.name.span().start;
            let image = image.check(text)?;
            let name = image.name.clone();
            if lock.images.insert(name.clone(), image).is_some() {
                let (line, column) = position(text, at);
                return Err(LockError::Duplicate { line, column, name });
            }
        }
        Ok(lock)
    }

    /// The file's text; equal locks give equal bytes.
    pub fn render(&self) -> String {
        render::lock(self.images.values())
    }

    /// The pin of a canonical name.
    pub fn get(&self, name: &str) -> Option<&LockedImage> {
        self.images.get(name)
    }

    /// The pin of a reference; its own digest is ignored.
    pub fn lookup(&self, reference: &Reference) -> Option<&LockedImage> {
        self.get(&reference.canonical())
    }

    /// Adds or replaces a pin; gives the one it replaces.
    pub fn insert(&mut self, image: LockedImage) -> Option<LockedImage> {
        self.images.insert(image.name.clone(), image)
    }

    /// Drops the pin of a canonical name.
    pub fn remove(&mut self, name: &str) -> Option<LockedImage> {
        self.images.remove(name)
    }

    /// All pins, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &LockedImage> {
        self.images.values()
    }

    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Canonical name to digest, for writing pins; images in no registry are left out.
    pub fn digests(&self) -> BTreeMap<String, Digest> {
        self.iter()
            .filter_map(|image| Some((image.name.clone(), image.digest()?.clone())))
            .collect()
    }

    /// What `newer` adds, removes and changes, sorted by name.
    pub fn diff(&self, newer: &Self) -> Vec<LockChange> {
        let names: std::collections::BTreeSet<&String> =
            self.images.keys().chain(newer.images.keys()).collect();
        names
            .into_iter()
            .filter_map(|name| match (self.get(name), newer.get(name)) {
                (None, Some(after)) => Some(LockChange::Added(after.clone())),
                (Some(before), None) => Some(LockChange::Removed(before.clone())),
                (Some(before), Some(after)) if before.source != after.source => {
                    Some(LockChange::Changed { before: before.clone(), after: after.clone() })
                }
                _ => None,
            })
            .collect()
    }
}

#[derive(Deserialize)]
struct RawVersion {
    version: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    #[expect(dead_code, reason = "read before; named here so that it counts as known")]
    version: i64,
    #[serde(default)]
    image: Vec<RawImage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawImage {
    name: Spanned<String>,
    digest: Option<Spanned<String>>,
    resolved: Spanned<String>,
    by: Option<String>,
    kind: Option<Spanned<String>>,
    image_id: Option<Spanned<String>>,
    #[serde(default)]
    platforms: BTreeMap<String, Spanned<String>>,
}

impl RawImage {
    fn check(self, text: &str) -> Result<LockedImage, LockError> {
        let Self { name, digest, resolved, by, kind, image_id, platforms } = self;
        let invalid = |at: usize, message: String| {
            let (line, column) = position(text, at);
            LockError::Invalid { line, column, message }
        };
        let entry = name.span().start;
        let read_digest = |value: &Spanned<String>| {
            value
                .get_ref()
                .parse::<Digest>()
                .map_err(|error| invalid(value.span().start, error.to_string()))
        };
        let canonical = Reference::parse_normalized(name.get_ref())
            .map_err(|error| invalid(entry, error.to_string()))?
            .canonical();
        if canonical != *name.get_ref() {
            let message = format!("the name has to be written as {canonical:?}");
            return Err(invalid(entry, message));
        }
        let resolved_at = Timestamp::parse(resolved.get_ref()).ok_or_else(|| {
            let message = "resolved has to look like 2026-11-21T23:00:00Z".to_owned();
            invalid(resolved.span().start, message)
        })?;
        let source = match kind.as_ref().map(|kind| kind.get_ref().as_str()) {
            None | Some("registry") => {
                if let Some(extra) = &image_id {
                    let message = "image-id belongs to kind = \"local\"".to_owned();
                    return Err(invalid(extra.span().start, message));
                }
                let digest = digest
                    .as_ref()
                    .ok_or_else(|| invalid(entry, format!("{canonical} has no digest")))?;
                ImageSource::Registry {
                    digest: read_digest(digest)?,
                    platforms: platforms
                        .iter()
                        .map(|(platform, digest)| Ok((platform.clone(), read_digest(digest)?)))
                        .collect::<Result<_, LockError>>()?,
                }
            }
            Some("local") => {
                let extra = digest.as_ref().or_else(|| platforms.values().next());
                if let Some(extra) = extra {
                    let message = "a local image has an image-id and no digest".to_owned();
                    return Err(invalid(extra.span().start, message));
                }
                let image_id = image_id
                    .as_ref()
                    .ok_or_else(|| invalid(entry, format!("{canonical} has no image-id")))?;
                ImageSource::Local { image_id: read_digest(image_id)? }
            }
            Some(other) => {
                let at = kind.as_ref().map_or(entry, |kind| kind.span().start);
                return Err(invalid(at, format!("unknown kind {other:?}")));
            }
        };
        Ok(LockedImage { name: canonical, source, resolved: resolved_at, by })
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, LockError> {
    toml::from_str(text).map_err(|error| {
        let (line, column) = position(text, error.span().map_or(0, |span| span.start));
        LockError::Syntax { line, column, message: error.message().trim().replace('\n', "; ") }
    })
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, str::len) + 1;
    (line, column)
}

/// The first line git left behind from a merge.
fn conflict_marker(text: &str) -> Option<usize> {
    let marker = |line: &str| {
        ["<<<<<<<", "|||||||", ">>>>>>>"].iter().any(|mark| {
            line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        }) || line.trim_end() == "======="
    };
    text.lines().position(marker).map(|index| index + 1)
}
