//! An image in a registry.

use std::io::{self, Cursor, Read};

use bytes::{Buf as _, Bytes};
use cofferdam_frontend::pins::Reference;
use tokio::runtime::Handle;

use super::blobs::Blobs;
use super::error::ImageError;
use super::manifest::Descriptor;
use crate::registry::{Body, Manifest, Repository};

/// One repository, asked by threads that wait for it.
pub(super) struct Remote<'a> {
    repository: Repository<'a>,
    handle: Handle,
    /// What the name stands for, and its digest.
    first: Option<(String, Manifest)>,
}

impl<'a> Remote<'a> {
    pub(super) fn new(repository: Repository<'a>, handle: Handle) -> Self {
        Self { repository, handle, first: None }
    }

    /// What a name stands for now.
    pub(super) fn resolve(&mut self, reference: &Reference) -> Result<Descriptor, ImageError> {
        let digest = match &reference.digest {
            Some(digest) => digest.as_str().to_string(),
            None => {
                let tag = reference.tag_or_latest();
                let first = self.handle.block_on(self.repository.resolve(tag))?;
                let (digest, _) = self.first.insert(first);
                digest.clone()
            }
        };
        Ok(Descriptor::of_digest(digest))
    }
}

impl Blobs for Remote<'_> {
    fn manifest(&self, what: &Descriptor) -> Result<Box<dyn Read + '_>, ImageError> {
        let first = self.first.as_ref().filter(|(digest, _)| *digest == what.digest);
        let bytes = match first {
            Some((_, manifest)) => manifest.bytes.clone(),
            None => self.handle.block_on(self.repository.manifest(&what.digest))?.bytes,
        };
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn blob(&self, what: &Descriptor) -> Result<Box<dyn Read + '_>, ImageError> {
        let body = self.handle.block_on(self.repository.open_blob(&what.digest))?;
        Ok(Box::new(Arriving { handle: &self.handle, body, now: Bytes::new() }))
    }
}

/// A blob that arrives.
struct Arriving<'h> {
    handle: &'h Handle,
    body: Body,
    now: Bytes,
}

impl Read for Arriving<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.now.is_empty() {
            match self.handle.block_on(self.body.next()).map_err(io::Error::other)? {
                Some(next) => self.now = next,
                None => return Ok(0),
            }
        }
        let count = self.now.len().min(into.len());
        if let Some(into) = into.get_mut(..count) {
            self.now.copy_to_slice(into);
        }
        Ok(count)
    }
}
