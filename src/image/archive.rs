//! An archive of an image that arrives: what `docker save` writes, and OCI layouts in one file.
//!
//! Source: moby/moby, image/spec/v1.2.md (`manifest.json`); OCI image specification, image-layout.md.
//! What the members are is known at the end only, so each is looked at for what it is.

use std::collections::BTreeMap;
use std::io::Read;

use super::blobs::{Blobs, Plan, known, of_layout};
use super::cache::Cache;
use super::config::Config;
use super::error::ImageError;
use super::looking::{Looked, Looking};
use super::manifest::{Descriptor, Wanted};
use super::members::{self, Links};
use super::tar::{Kind, Members};
use super::unpack::{BEGINNING, Expected, Packing, pass};
use super::{INDEX, MANIFEST, saved};

/// Largest member that may be a description, and all of them, bytes.
const TEXT: u64 = 8 << 20;
const TEXTS: usize = 64 << 20;
/// Most layers of an archive.
const LAYERS: usize = 10_000;

/// An archive that has been read.
pub(super) struct Saved<'l> {
    looking: Looking<'l>,
    cache: Option<&'l Cache>,
    texts: BTreeMap<String, Vec<u8>>,
    size: usize,
    /// Layers by member, each with the digest of its archive.
    layers: BTreeMap<String, (String, Looked)>,
    links: Links,
}

impl<'l> Saved<'l> {
    /// Reads an archive to its end.
    pub(super) fn read(
        archive: impl Read,
        looking: Looking<'l>,
        cache: Option<&'l Cache>,
    ) -> Result<Self, ImageError> {
        let mut saved = Self {
            cache: cache.filter(|_| looking.may_be_kept()),
            looking,
            texts: BTreeMap::new(),
            size: 0,
            layers: BTreeMap::new(),
            links: Links::default(),
        };
        let mut members = Members::new(archive);
        while let Some(member) = members.next().map_err(ImageError::read("the archive"))? {
            let name = members::name(&member.path);
            match member.kind {
                Kind::SymbolicLink => saved.links.add(name, &member.target, true),
                Kind::HardLink => saved.links.add(name, &member.target, false),
                Kind::File => saved.member(name, member.size, &mut members)?,
                _ => {}
            }
        }
        Ok(saved)
    }

    /// What the image is made of that is meant, and what was found in its layers.
    pub(super) fn image(
        mut self,
        name: Option<&str>,
        wanted: &Wanted,
    ) -> Result<(Plan, Config, Vec<Looked>), ImageError> {
        let plan = self.plan(name, wanted)?;
        let config = saved::config("the configuration", &plan.config)?;
        let diff_ids = config.diff_ids();
        if diff_ids.len() != plan.layers.len() {
            let cause = "it has another number of layers than its configuration".to_string();
            return Err(ImageError::Damaged { what: MANIFEST.into(), cause });
        }
        let mut layers = Vec::new();
        for (number, (layer, wanted)) in plan.layers.iter().zip(diff_ids).enumerate() {
            layer.layer()?;
            let member = layer.member();
            let what = || format!("the layer {}", layer.digest);
            let (found, looked) = self
                .layers
                .get(self.links.resolved(&member))
                .ok_or_else(|| ImageError::Missing(what()))?;
            if found != wanted {
                let (found, wanted) = (found.clone(), wanted.clone());
                return Err(ImageError::Other { what: what(), found, wanted });
            }
            layers.push(looked.clone().numbered(number));
        }
        self.layers.clear();
        Ok((plan, config, layers))
    }

    fn plan(&self, name: Option<&str>, wanted: &Wanted) -> Result<Plan, ImageError> {
        let index = self.texts.get(INDEX);
        // Only the index knows more platforms than one.
        let manifest = self.texts.get(MANIFEST).filter(|_| !wanted.asked || index.is_none());
        if let Some(manifest) = manifest {
            let entry = saved::choose(manifest, name)?;
            let config = self.texts.get(self.links.resolved(&entry.config)).ok_or_else(|| {
                let cause = "its configuration is not there".to_string();
                ImageError::Damaged { what: MANIFEST.into(), cause }
            })?;
            return entry.plan(config.clone(), wanted);
        }
        match index {
            Some(index) => of_layout(self, index, name, wanted),
            None => Err(ImageError::NoManifest),
        }
    }

    /// Looks at a file of the archive for what it is.
    fn member(&mut self, name: String, size: u64, file: &mut impl Read) -> Result<(), ImageError> {
        let mut head = Vec::with_capacity(BEGINNING);
        file.take(BEGINNING as u64)
            .read_to_end(&mut head)
            .map_err(ImageError::read(name.as_str()))?;
        let is_text = matches!(head.trim_ascii_start().first(), Some(b'{' | b'['));
        if is_text && size <= TEXT {
            return self.text(name, head, file);
        }
        let packing = Packing::of(&head);
        if packing == Packing::None && !is_tar(&head, &name) {
            return Ok(());
        }
        if self.layers.len() >= LAYERS {
            let cause = format!("it has more than {LAYERS} layers");
            return Err(ImageError::Damaged { what: "the archive".into(), cause });
        }
        let digest = digest_in(&name);
        // The name of a layer that is not packed is the digest that the cache knows it by.
        let kept = digest.as_ref().filter(|_| packing == Packing::None);
        let kept = kept.and_then(|digest| self.cache?.get::<Looked>(digest));
        let kept = kept.filter(|kept| self.looking.is_answered_by(kept));
        let is_kept = kept.is_some();
        let expected = digest.as_deref().map(|digest| Expected { digest, size });
        let number = self.layers.len();
        let passed = pass(&name, head.chain(file), expected, |archive| match kept {
            Some(kept) => Ok(kept),
            None => self.looking.layer(number, archive),
        })?;
        let looked = Looked { size: passed.size, ..passed.found };
        if let Some(cache) = self.cache.filter(|_| !is_kept) {
            cache.put(&passed.diff_id, &looked);
        }
        self.layers.insert(name, (passed.diff_id, looked));
        Ok(())
    }

    fn text(
        &mut self,
        name: String,
        head: Vec<u8>,
        file: &mut impl Read,
    ) -> Result<(), ImageError> {
        let mut bytes = head;
        file.read_to_end(&mut bytes).map_err(ImageError::read(name.as_str()))?;
        self.size += bytes.len();
        if self.size > TEXTS {
            let cause = "it holds more than 64 MiB of descriptions".to_string();
            return Err(ImageError::Damaged { what: "the archive".into(), cause });
        }
        self.texts.insert(name, bytes);
        Ok(())
    }
}

/// Its descriptions; the layers were read when they came.
impl Blobs for Saved<'_> {
    fn blob(&self, what: &Descriptor) -> Result<Box<dyn Read + '_>, ImageError> {
        match self.texts.get(self.links.resolved(&what.member())) {
            Some(text) => Ok(Box::new(text.as_slice())),
            None => Err(ImageError::Missing(format!("the blob {}", what.digest))),
        }
    }
}

/// The digest in the name of a layout's blob.
fn digest_in(name: &str) -> Option<String> {
    let digest = name.strip_prefix("blobs/")?.replacen('/', ":", 1);
    known("", &digest).is_ok().then_some(digest)
}

/// An empty layer is nothing but zeros, and known by its name alone.
fn is_tar(head: &[u8], name: &str) -> bool {
    let empty = || head.iter().all(|byte| *byte == 0);
    let named = || name.ends_with("/layer.tar") || name.starts_with("blobs/");
    head.get(257..262) == Some(b"ustar") || (named() && empty())
}

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use sha2::{Digest as _, Sha256};
    use tar::{Builder, Header};

    use super::*;
    use crate::builders::Platform;
    use crate::image::Image;

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (name, bytes) in members {
            let mut header = Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    /// An archive of one layer that is packed like this and said to be that.
    fn read(packed: &[u8], diff_id: &str) -> Result<Image, ImageError> {
        let platform = Platform::parse("linux/amd64");
        let wanted = Wanted { platform, asked: false };
        let config = format!(r#"{{"rootfs":{{"diff_ids":["{diff_id}"]}}}}"#);
        let manifest = br#"[{"Config":"blobs/c","RepoTags":["a:1"],"Layers":["blobs/l"]}]"#;
        let members: [(&str, &[u8]); 3] =
            [("blobs/l", packed), ("blobs/c", config.as_bytes()), (MANIFEST, manifest)];
        let saved = Saved::read(archive(&members).as_slice(), Looking::default(), None)?;
        let (plan, config, layers) = saved.image(None, &wanted)?;
        Ok(Image::compose(plan, &config, layers))
    }

    #[test]
    fn a_layer_of_several_zstd_frames_is_read_to_its_end() {
        let npm = br#"{"name":"lodash","version":"4.17.21"}"#;
        let layer = archive(&[("app/node_modules/lodash/package.json", npm)]);
        let (one, other) = layer.split_at(700);
        let frame = |bytes: &[u8]| compress_to_vec(bytes, CompressionLevel::Uncompressed);
        let nothing = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2];
        let packed = [frame(one).as_slice(), &nothing, &frame(other)].concat();
        let diff_id = format!("sha256:{:x}", Sha256::digest(&layer));
        for packed in [&packed, &layer] {
            let image = read(packed, &diff_id).unwrap();
            assert_eq!(image.inventory.packages[0].to_string(), "lodash 4.17.21");
        }
        let other = read(&packed, "sha256:00").unwrap_err();
        assert!(matches!(other, ImageError::Other { .. }), "{other}");
    }
}
