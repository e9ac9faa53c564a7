//! An archive of an image in a file: its members are found first, and only what is needed is read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};

use super::blobs::{Blobs, Plan, Range, of_layout};
use super::error::ImageError;
use super::manifest::{Descriptor, Wanted};
use super::members::{self, Links};
use super::tar::{Kind, Members};
use super::{INDEX, MANIFEST, saved};

/// Bytes that are read of a layer at once.
const BUFFER: usize = 256 << 10;
/// Largest description, bytes.
const TEXT: u64 = 8 << 20;
/// Most members of an archive.
const MEMBERS: usize = 100_000;

pub(super) struct Packed {
    file: File,
    /// Where members begin and end.
    members: BTreeMap<String, (u64, u64)>,
    links: Links,
}

impl Packed {
    /// Finds the members of an archive that is not packed itself.
    pub(super) fn open(file: File) -> Result<Self, ImageError> {
        let failed = |error| ImageError::read("the archive")(error);
        let size = file.metadata().map_err(failed)?.len();
        let mut packed = Self { file, members: BTreeMap::new(), links: Links::default() };
        let mut at = 0;
        loop {
            let mut rest = Members::new(Range { file: &packed.file, at, end: size });
            let Some(member) = rest.next().map_err(failed)? else { return Ok(packed) };
            let begin = rest.into_inner().at;
            let end = begin.saturating_add(member.size);
            if end > size {
                let cut = std::io::ErrorKind::UnexpectedEof;
                return Err(failed(std::io::Error::new(cut, "it ends too early")));
            }
            let name = members::name(&member.path);
            match member.kind {
                Kind::File => drop(packed.members.insert(name, (begin, end))),
                Kind::HardLink => packed.links.add(name, &member.target, false),
                Kind::SymbolicLink => packed.links.add(name, &member.target, true),
                _ => {}
            }
            if packed.members.len() > MEMBERS {
                return Err(ImageError::NoManifest);
            }
            at = begin + member.size.next_multiple_of(512);
        }
    }

    /// What the image is made of that is meant.
    pub(super) fn plan(&self, name: Option<&str>, wanted: &Wanted) -> Result<Plan, ImageError> {
        // Only the index knows more platforms than one.
        let index = self.text(INDEX)?;
        let manifest = match (wanted.asked, &index) {
            (true, Some(_)) => None,
            _ => self.text(MANIFEST)?,
        };
        if let Some(manifest) = manifest {
            let entry = saved::choose(&manifest, name)?;
            let config = self.text(&entry.config)?.ok_or_else(|| {
                let cause = "its configuration is not there".to_string();
                ImageError::Damaged { what: MANIFEST.into(), cause }
            })?;
            return entry.plan(config, wanted);
        }
        match index {
            Some(index) => of_layout(self, &index, name, wanted),
            None => Err(ImageError::NoManifest),
        }
    }

    fn range(&self, name: &str) -> Option<Range<'_>> {
        let (at, end) = *self.members.get(self.links.resolved(name))?;
        Some(Range { file: &self.file, at, end })
    }

    fn text(&self, name: &str) -> Result<Option<Vec<u8>>, ImageError> {
        let Some(range) = self.range(name) else { return Ok(None) };
        if range.end - range.at > TEXT {
            let cause = "it is larger than 8 MiB".to_string();
            return Err(ImageError::Damaged { what: name.into(), cause });
        }
        let mut bytes = Vec::new();
        { range }.read_to_end(&mut bytes).map_err(ImageError::read(name))?;
        Ok(Some(bytes))
    }
}

impl Blobs for Packed {
    fn blob(&self, what: &Descriptor) -> Result<Box<dyn Read + '_>, ImageError> {
        let range = self.range(&what.member()).ok_or_else(|| {
            ImageError::Missing(match what.is_member() {
                true => format!("the member {}", what.digest),
                false => format!("the blob {}", what.digest),
            })
        })?;
        Ok(Box::new(BufReader::with_capacity(BUFFER, range)))
    }
}
