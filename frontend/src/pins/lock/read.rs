//! Reading a lock file: every mistake has a line and a column.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::conflict::first_mark;
use super::{
    Elsewhere, Entry, GitPlace, IMAGES_ONLY, ImageSource, Lock, LockError, LockedGit, LockedHttp,
    LockedImage, VERSION, is_commit, is_public,
};
use crate::pins::{Digest, Reference, Timestamp};

pub(super) fn lock(bytes: &[u8]) -> Result<Lock, LockError> {
    let text = std::str::from_utf8(bytes).map_err(|_| LockError::NotUtf8)?;
    if let Some(line) = first_mark(text) {
        return Err(LockError::Conflict { line });
    }
    // The version comes first: a newer file may hold keys this program does not know.
    let version: RawVersion = read(text)?;
    match version.version {
        None => return Err(LockError::NoVersion),
        // A merge may keep the lower number and bring entries of the higher.
        Some(IMAGES_ONLY..=VERSION) => {}
        Some(found) if found > VERSION => return Err(LockError::Newer { found }),
        Some(found) => return Err(LockError::BadVersion { found }),
    }
    let RawLock { version: _, image, http, git } = read(text)?;
    let places = Places { text };
    let mut entries = Vec::new();
    for image in image {
        entries.push((image.name.span().start, Entry::Image(image.check(&places)?)));
    }
    for http in http {
        entries.push((http.url.span().start, Entry::Http(http.check(&places)?)));
    }
    for git in git {
        entries.push((git.url.span().start, Entry::Git(git.check(&places)?)));
    }
    let mut lock = Lock::default();
    let mut seen = std::collections::BTreeSet::new();
    for (at, entry) in entries {
        if !seen.insert(entry.key()) {
            let (line, column) = places.of(at);
            return Err(LockError::Duplicate { line, column, name: entry.name() });
        }
        lock.put(entry);
    }
    Ok(lock)
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
    #[serde(default)]
    http: Vec<RawHttp>,
    #[serde(default)]
    git: Vec<RawGit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawImage {
    name: Spanned<String>,
    digest: Option<Spanned<String>>,
    resolved: Spanned<String>,
    by: Option<String>,
    kind: Option<Spanned<String>>,
    named: Option<Spanned<String>>,
    image_id: Option<Spanned<String>>,
    #[serde(default)]
    platforms: BTreeMap<String, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHttp {
    url: Spanned<String>,
    checksum: Spanned<String>,
    resolved: Spanned<String>,
    by: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGit {
    url: Spanned<String>,
    #[serde(rename = "ref")]
    reference: Option<Spanned<String>>,
    commit: Spanned<String>,
    resolved: Spanned<String>,
    by: Option<String>,
}

/// The text, for positions in it.
struct Places<'a> {
    text: &'a str,
}

impl Places<'_> {
    /// Line and column of an offset.
    fn of(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset.min(self.text.len())).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        (line, column)
    }

    fn invalid(&self, at: usize, message: impl Into<String>) -> LockError {
        let (line, column) = self.of(at);
        LockError::Invalid { line, column, message: message.into() }
    }

    fn digest(&self, value: &Spanned<String>) -> Result<Digest, LockError> {
        let read = value.get_ref().parse::<Digest>();
        read.map_err(|error| self.invalid(value.span().start, error.to_string()))
    }

    fn moment(&self, value: &Spanned<String>) -> Result<Timestamp, LockError> {
        Timestamp::parse(value.get_ref()).ok_or_else(|| {
            self.invalid(value.span().start, "resolved has to look like 2026-11-21T23:00:00Z")
        })
    }

    /// An address that may be shown to everybody.
    fn address(&self, value: &Spanned<String>) -> Result<String, LockError> {
        let url = value.get_ref();
        let at = value.span().start;
        if url.is_empty() || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(self.invalid(at, "this is no address"));
        }
        if !is_public(url) {
            return Err(self.invalid(at, "an address in a lock holds no user and no password"));
        }
        Ok(url.clone())
    }
}

impl RawImage {
    fn check(self, places: &Places<'_>) -> Result<LockedImage, LockError> {
        let Self { name, digest, resolved, by, kind, named, image_id, platforms } = self;
        let entry = name.span().start;
        let canonical = Reference::parse_normalized(name.get_ref())
            .map_err(|error| places.invalid(entry, error.to_string()))?
            .canonical();
        if canonical != *name.get_ref() {
            let message = format!("the name has to be written as {canonical:?}");
            return Err(places.invalid(entry, message));
        }
        let resolved = places.moment(&resolved)?;
        let named = match &named {
            None => None,
            Some(word) => Some(Elsewhere::parse(word.get_ref()).ok_or_else(|| {
                let message = "named is \"graph\" or \"command-line\"";
                places.invalid(word.span().start, message)
            })?),
        };
        let source = match kind.as_ref().map(|kind| kind.get_ref().as_str()) {
            None | Some("registry") => {
                if let Some(extra) = &image_id {
                    let message = "image-id belongs to kind = \"local\"";
                    return Err(places.invalid(extra.span().start, message));
                }
                let digest = digest
                    .as_ref()
                    .ok_or_else(|| places.invalid(entry, format!("{canonical} has no digest")))?;
                ImageSource::Registry {
                    digest: places.digest(digest)?,
                    platforms: platforms
                        .iter()
                        .map(|(platform, digest)| Ok((platform.clone(), places.digest(digest)?)))
                        .collect::<Result<_, LockError>>()?,
                }
            }
            Some("local") => {
                let extra = digest.as_ref().or_else(|| platforms.values().next());
                if let Some(extra) = extra {
                    let message = "a local image has an image-id and no digest";
                    return Err(places.invalid(extra.span().start, message));
                }
                let image_id = image_id
                    .as_ref()
                    .ok_or_else(|| places.invalid(entry, format!("{canonical} has no image-id")))?;
                ImageSource::Local { image_id: places.digest(image_id)? }
            }
            Some(other) => {
                let at = kind.as_ref().map_or(entry, |kind| kind.span().start);
                return Err(places.invalid(at, format!("unknown kind {other:?}")));
            }
        };
        Ok(LockedImage { name: canonical, source, named, resolved, by })
    }
}

impl RawHttp {
    fn check(self, places: &Places<'_>) -> Result<LockedHttp, LockError> {
        let Self { url, checksum, resolved, by } = self;
        let address = places.address(&url)?;
        if !["http://", "https://"].iter().any(|scheme| address.starts_with(scheme)) {
            return Err(places.invalid(url.span().start, "a download begins with https://"));
        }
        let digest = places.digest(&checksum)?;
        if digest.algorithm() != "sha256" {
            let message = "engines check downloads by sha256 only";
            return Err(places.invalid(checksum.span().start, message));
        }
        Ok(LockedHttp { url: address, checksum: digest, resolved: places.moment(&resolved)?, by })
    }
}

impl RawGit {
    fn check(self, places: &Places<'_>) -> Result<LockedGit, LockError> {
        let Self { url, reference, commit, resolved, by } = self;
        let address = places.address(&url)?;
        if let Some(reference) = &reference
            && (reference.get_ref().is_empty()
                || reference.get_ref().chars().any(|c| c.is_control() || c.is_whitespace()))
        {
            return Err(places.invalid(reference.span().start, "ref is a branch or a tag"));
        }
        if !is_commit(commit.get_ref()) {
            let message = "a commit is 40 or 64 hex digits, in lower case";
            return Err(places.invalid(commit.span().start, message));
        }
        let at = GitPlace { url: address, reference: reference.map(Spanned::into_inner) };
        let commit = commit.into_inner();
        Ok(LockedGit { at, commit, resolved: places.moment(&resolved)?, by })
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, LockError> {
    toml::from_str(text).map_err(|error| {
        let places = Places { text };
        let (line, column) = places.of(error.span().map_or(0, |span| span.start));
        LockError::Syntax { line, column, message: error.message().trim().replace('\n', "; ") }
    })
}
