//! Which image of a layout is meant, and whether it is whole.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

use super::blob;
use super::layout::{INDEX, Layout, LayoutError};

/// Upper bound of an index, a manifest or a configuration, in bytes; engines have the same.
const DOCUMENT_LIMIT: u64 = 4 << 20;
/// How many indexes may stand in one another.
const DEPTH: usize = 8;
/// Images that a message lists.
const SHOWN: usize = 5;
/// The tag of an image, or its whole name.
///
/// Source: OCI image-spec, annotations.md.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The tag when nothing is said.
const DEFAULT_TAG: &str = "latest";

/// The image that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// `latest`, or the only one.
    Default,
    /// By its tag.
    Tag(&'a str),
    /// By the digest of its manifest or index, which `index.json` need not name.
    Digest(&'a str),
}

#[derive(Debug, Deserialize)]
struct Descriptor {
    digest: String,
    /// In bytes.
    size: u64,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

/// An index or a manifest: engines tell them apart by what is in them, too.
#[derive(Debug, Deserialize)]
struct Document {
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
}

impl Layout {
    /// The digest of the image that is meant, after everything that it consists of was looked for.
    ///
    /// Indexes, manifests and configurations are read and compared with their digests, layers only
    /// looked at: their content is compared when the engine asks for it.
    ///
    /// # Errors
    /// There is no such image, or it is damaged.
    pub fn find(&self, wanted: Wanted<'_>) -> Result<String, LayoutError> {
        let digest = match wanted {
            Wanted::Digest(digest) => digest.to_string(),
            Wanted::Default | Wanted::Tag(_) => {
                let found = self.named(wanted)?;
                self.check_size(&found)?;
                found.digest
            }
        };
        self.check(&digest, DEPTH)?;
        Ok(digest)
    }

    fn named(&self, wanted: Wanted<'_>) -> Result<Descriptor, LayoutError> {
        let path = self.directory().join(INDEX);
        let bytes = read_bounded(&path).map_err(|source| LayoutError::Io { path, source })?;
        let index: Document = self.parse(INDEX, &bytes)?;
        let Some(mut images) = index.manifests else {
            return Err(self.malformed(INDEX, "it lists no manifests"));
        };
        let known = known(&images);
        let layout = || self.directory().to_path_buf();
        let (tag, explicit) = match wanted {
            Wanted::Tag(tag) => (tag, true),
            Wanted::Default | Wanted::Digest(_) => (DEFAULT_TAG, false),
        };
        let tagged: Vec<usize> =
            (0..images.len()).filter(|at| images.get(*at).is_some_and(|i| has(i, tag))).collect();
        let at = match (tagged.as_slice(), images.len()) {
            (_, 0) => return Err(LayoutError::Empty(layout())),
            ([first, others @ ..], _) => {
                let digest = |at: &usize| images.get(*at).map(|image| image.digest.clone());
                // Which of them is meant cannot be guessed.
                if others.iter().any(|other| digest(other) != digest(first)) {
                    return Err(LayoutError::Several { layout: layout(), known });
                }
                *first
            }
            ([], 1) if !explicit => 0,
            ([], _) if !explicit => return Err(LayoutError::Several { layout: layout(), known }),
            ([], _) => {
                return Err(LayoutError::NoTag { layout: layout(), tag: tag.into(), known });
            }
        };
        Ok(images.swap_remove(at))
    }

    /// Everything that a manifest or an index refers to.
    fn check(&self, digest: &str, depth: usize) -> Result<(), LayoutError> {
        let blob = self.blob(digest)?;
        if blob.size > DOCUMENT_LIMIT {
            return Err(self.malformed(digest, "it is too large for a manifest"));
        }
        let bytes = blob
            .read_at(0, DOCUMENT_LIMIT as usize)
            .map_err(|source| LayoutError::Io { path: self.directory().join(digest), source })?;
        let document: Document = self.parse(digest, &bytes)?;
        match document {
            Document { manifests: Some(manifests), .. } => {
                self.check_index(digest, &manifests, depth)
            }
            Document { config: Some(config), layers: Some(layers), manifests: None } => {
                self.check_size(&config)?;
                self.blob(&config.digest)?;
                layers.iter().try_for_each(|layer| self.check_size(layer))
            }
            Document { .. } => Err(self.malformed(digest, "it is neither a manifest nor an index")),
        }
    }

    /// Layouts may hold some platforms of an index and not the others; one is the least.
    fn check_index(
        &self,
        digest: &str,
        manifests: &[Descriptor],
        depth: usize,
    ) -> Result<(), LayoutError> {
        if depth == 0 {
            return Err(self.malformed(digest, "too many indexes stand in one another"));
        }
        let mut missing = None;
        let mut present = 0;
        for manifest in manifests {
            match self.check_size(manifest) {
                Ok(()) => {
                    self.check(&manifest.digest, depth - 1)?;
                    present += 1;
                }
                Err(error @ LayoutError::Missing { .. }) => missing = Some(error),
                Err(error) => return Err(error),
            }
        }
        match missing {
            Some(error) if present == 0 => Err(error),
            None if present == 0 => Err(self.malformed(digest, "it lists no manifests")),
            _ => Ok(()),
        }
    }

    fn check_size(&self, descriptor: &Descriptor) -> Result<(), LayoutError> {
        let Descriptor { digest, size, annotations: _ } = descriptor;
        let (layout, digest) = (self.directory().to_path_buf(), digest.clone());
        let path = blob::path(&layout, &digest)?;
        match std::fs::metadata(&path) {
            Ok(found) if found.len() == *size => Ok(()),
            Ok(found) => {
                Err(LayoutError::Size { layout, digest, expected: *size, found: found.len() })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(LayoutError::Missing { layout, digest })
            }
            Err(source) => Err(LayoutError::Io { path, source }),
        }
    }

    fn parse(&self, what: &str, bytes: &[u8]) -> Result<Document, LayoutError> {
        serde_json::from_slice(bytes).map_err(|error| self.malformed(what, &error.to_string()))
    }

    fn malformed(&self, what: &str, problem: &str) -> LayoutError {
        let layout = self.directory().to_path_buf();
        LayoutError::Malformed { layout, what: what.into(), problem: problem.into() }
    }
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(DOCUMENT_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > DOCUMENT_LIMIT {
        return Err(std::io::Error::other("it is too large"));
    }
    Ok(bytes)
}

/// Whether an image has a tag; some tools write its whole name.
fn has(image: &Descriptor, tag: &str) -> bool {
    let Some(name) = image.annotations.get(REF_NAME) else { return false };
    name == tag || name.rsplit_once(':').is_some_and(|(_, end)| end == tag)
}

fn known(images: &[Descriptor]) -> String {
    let names: Vec<&str> = images
        .iter()
        .map(|image| image.annotations.get(REF_NAME).unwrap_or(&image.digest).as_str())
        .collect();
    match names.len() {
        0 => "it has none".into(),
        1..=SHOWN => format!("it has {}", names.join(", ")),
        more => format!("it has {more}, among them {}", names[..SHOWN].join(", ")),
    }
}
