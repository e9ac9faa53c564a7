//! Blobs by their digests, wherever they are, and the image that they make.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use super::error::ImageError;
use super::manifest::{Descriptor, Document, Kept, Wanted, named, platform_of};
use crate::builders::Platform;

/// Largest index, manifest or configuration, bytes; engines have the same bound.
const DOCUMENT: u64 = 4 << 20;
/// How many indexes may stand in one another.
const DEPTH: usize = 8;

/// Where blobs are.
pub(super) trait Blobs: Sync {
    /// A manifest, or an index; nobody has checked it.
    fn manifest(&self, what: &Descriptor) -> Result<Box<dyn Read + '_>, ImageError> {
        self.blob(what)
    }

    /// Any other blob; nobody has checked it.
    fn blob(&self, what: &Descriptor) -> Result<Box<dyn Read + '_>, ImageError>;
}

/// What an image is made of; nothing of its layers was read.
#[derive(Debug)]
pub(super) struct Plan {
    /// The digest of its manifest; `None` where layers are named by members of an archive.
    pub(super) manifest: Option<String>,
    /// The manifest itself.
    pub(super) document: Vec<u8>,
    pub(super) config: Vec<u8>,
    /// The digest of that.
    pub(super) id: String,
    /// The names that its archive or layout gives it.
    pub(super) names: Vec<String>,
    pub(super) platform: Option<Platform>,
    pub(super) layers: Vec<Descriptor>,
}

/// The image of a layout: what `index.json` says, and which of it is meant.
pub(super) fn of_layout(
    blobs: &dyn Blobs,
    index: &[u8],
    name: Option<&str>,
    wanted: &Wanted,
) -> Result<Plan, ImageError> {
    let Document::Index(entries) = Document::parse(super::INDEX, index)? else {
        let cause = "it is no index".to_string();
        return Err(ImageError::Damaged { what: super::INDEX.into(), cause });
    };
    let meant = named(&entries, name)?;
    let called = meant.first().and_then(|entry| entry.name()).map(String::from);
    let entry = match meant.as_slice() {
        [only] => only,
        several => wanted.choose(several.iter().copied())?,
    };
    let mut plan = plan(blobs, entry, wanted)?;
    plan.names.extend(called);
    Ok(plan)
}

/// Follows a manifest or index to what the image is made of.
pub(super) fn plan(
    blobs: &dyn Blobs,
    first: &Descriptor,
    wanted: &Wanted,
) -> Result<Plan, ImageError> {
    let mut at = first.clone();
    for _ in 0..DEPTH {
        let what = format!("the manifest {}", at.digest);
        let bytes = document(&what, &at, || blobs.manifest(&at))?;
        match Document::parse(&what, &bytes)? {
            Document::Index(entries) => at = wanted.choose(&entries)?.clone(),
            Document::Manifest { config, layers } => {
                let what = format!("the configuration {}", config.digest);
                let text = document(&what, &config, || blobs.blob(&config))?;
                let platform = platform_of(&text).or_else(|| at.platform());
                wanted.check(platform.as_ref())?;
                return Ok(Plan {
                    manifest: Some(at.digest),
                    id: config.digest,
                    document: bytes,
                    config: text,
                    names: Vec::new(),
                    platform,
                    layers,
                });
            }
        }
    }
    let cause = format!("more than {DEPTH} indexes stand in one another");
    Err(ImageError::Damaged { what: format!("the index {}", first.digest), cause })
}

/// Reads a description, and compares it with its digest.
fn document<'b>(
    what: &str,
    descriptor: &Descriptor,
    open: impl FnOnce() -> Result<Box<dyn Read + 'b>, ImageError>,
) -> Result<Vec<u8>, ImageError> {
    known(what, &descriptor.digest)?;
    let mut bytes = Vec::new();
    open()?.take(DOCUMENT + 1).read_to_end(&mut bytes).map_err(ImageError::read(what))?;
    if bytes.len() as u64 > DOCUMENT {
        let cause = "it is larger than 4 MiB".to_string();
        return Err(ImageError::Damaged { what: what.into(), cause });
    }
    let found = format!("sha256:{:x}", Sha256::digest(&bytes));
    match found == descriptor.digest {
        true => Ok(bytes),
        false => {
            Err(ImageError::Other { what: what.into(), found, wanted: descriptor.digest.clone() })
        }
    }
}

/// Refuses digests that cannot be checked here, or are none.
pub(super) fn known(what: &str, digest: &str) -> Result<(), ImageError> {
    let digits = |hex: &str| hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match digest.strip_prefix("sha256:") {
        Some(hex) if hex.len() == 64 && digits(hex) => Ok(()),
        _ => {
            let cause = format!("its digest {digest:?} is no sha256");
            Err(ImageError::Damaged { what: what.into(), cause })
        }
    }
}

/// Opens a layer; a foreign one is only taken where it is kept all the same.
pub(super) fn layer<'b>(
    blobs: &'b dyn Blobs,
    what: &str,
    layer: &Descriptor,
) -> Result<Box<dyn Read + 'b>, ImageError> {
    let kept = layer.layer()?;
    if !layer.is_member() {
        known(what, &layer.digest)?;
    }
    let opened = blobs.blob(layer);
    match (kept, opened) {
        (Kept::Elsewhere, Err(_)) => Err(ImageError::Foreign(layer.digest.clone())),
        (_, opened) => opened,
    }
}

/// A file that is read to its end and no further, by whoever else reads it.
pub(super) struct Range<'f> {
    pub(super) file: &'f std::fs::File,
    pub(super) at: u64,
    pub(super) end: u64,
}

impl Read for Range<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        use std::os::unix::fs::FileExt as _;
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(into.len());
        let count = self.file.read_at(into.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
