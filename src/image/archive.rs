//! The archive that `docker save` writes, in its older form and as an OCI layout.
//!
//! Source: moby/moby, image/spec/v1.2.md (`manifest.json`); OCI image specification, image-layout.md.
//! What the members are is known at the end only, so each is looked at for what it is.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

use cofferdam_inventory::Layer;
use cofferdam_search::zstd_frames;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tar::{Archive, EntryType};

use super::composed::{Image, compose};
use super::config::Config;
use super::layer;

/// Where Docker lists images, configurations and layers.
const MANIFEST: &str = "manifest.json";
/// Largest member that may be such a description, and all of them, bytes.
const TEXT: u64 = 8 << 20;
const TEXTS: usize = 64 << 20;
/// Largest window of a layer that is packed with zstd, bytes: what its own tools take unasked.
const WINDOW: u64 = 128 << 20;
/// How much of a member is looked at to see what it is.
const BEGINNING: usize = 262;

/// Why an archive is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Reading failed, or the archive is cut or damaged.
    #[error("cannot read {what}: {source}")]
    Read {
        /// What was being read.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// It is an archive of something else.
    #[error("this is no archive of an image: it has no {MANIFEST}")]
    NoManifest,
    /// A description is not what it should be.
    #[error("{what} is damaged: {cause}")]
    Damaged {
        /// Which.
        what: String,
        /// What is wrong.
        cause: String,
    },
    /// It holds several images.
    #[error("the archive holds {0} images")]
    Several(usize),
    /// A layer is not in it.
    #[error("the archive lacks the layer {0}")]
    NoLayer(String),
    /// A layer is not the one that the configuration names.
    #[error("the layer {member} is {found}, and should be {wanted}")]
    OtherLayer {
        /// Its name in the archive.
        member: String,
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
}

/// An archive that has been read.
#[derive(Debug, Default)]
pub struct Saved {
    texts: BTreeMap<String, Vec<u8>>,
    size: usize,
    /// Layers by member, each with its digest.
    layers: BTreeMap<String, (String, Layer)>,
    /// Members that stand for others.
    links: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

impl Saved {
    /// Reads an archive to its end.
    pub fn read(archive: impl Read) -> Result<Self, ImageError> {
        let failed = |what: &str| {
            let what = what.to_string();
            move |source| ImageError::Read { what, source }
        };
        let mut saved = Self::default();
        let mut archive = Archive::new(archive);
        for entry in archive.entries().map_err(failed("the archive"))? {
            let mut entry = entry.map_err(failed("the archive"))?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").into();
            match entry.header().entry_type() {
                EntryType::Symlink | EntryType::Link => {
                    let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                    let target = String::from_utf8_lossy(&target).into_owned();
                    let symbolic = entry.header().entry_type() == EntryType::Symlink;
                    saved.link(name, &target, symbolic);
                }
                kind if kind.is_file() => {
                    let size = entry.size();
                    saved.member(&name, size, &mut entry).map_err(failed(&name))?;
                }
                _ => {}
            }
        }
        Ok(saved)
    }

    /// Its only image.
    pub fn image(&self) -> Result<Image, ImageError> {
        let manifest = self.texts.get(MANIFEST).ok_or(ImageError::NoManifest)?;
        let entries: Vec<Entry> = parse(MANIFEST, manifest)?;
        let entry = match entries.as_slice() {
            [only] => only,
            several => return Err(ImageError::Several(several.len())),
        };
        let bytes = self.texts.get(self.resolved(&entry.config)).ok_or_else(|| {
            ImageError::Damaged { what: MANIFEST.into(), cause: "its config is not there".into() }
        })?;
        let config: Config = parse(&entry.config, bytes)?;
        if config.diff_ids().len() != entry.layers.len() {
            let cause = "it has another number of layers than its configuration".to_string();
            return Err(ImageError::Damaged { what: MANIFEST.into(), cause });
        }
        let mut layers = Vec::new();
        for (member, wanted) in entry.layers.iter().zip(config.diff_ids()) {
            let (found, layer) = self
                .layers
                .get(self.resolved(member))
                .ok_or_else(|| ImageError::NoLayer(member.clone()))?;
            if found != wanted {
                let (member, found, wanted) = (member.clone(), found.clone(), wanted.clone());
                return Err(ImageError::OtherLayer { member, found, wanted });
            }
            layers.push(layer);
        }
        let (inventory, layer_of) = compose(&layers);
        Ok(Image {
            id: format!("sha256:{:x}", Sha256::digest(bytes)),
            names: entry.repo_tags.clone().unwrap_or_default(),
            created: config.created.clone(),
            inventory,
            layer_of,
            diff_ids: config.diff_ids().to_vec(),
            instructions: config.instructions(),
        })
    }

    /// The member that a name stands for; a link of a link is none.
    fn resolved<'a>(&'a self, name: &'a str) -> &'a str {
        self.links.get(name).map_or(name, String::as_str)
    }

    fn link(&mut self, name: String, target: &str, symbolic: bool) {
        let base = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        let mut parts: Vec<&str> = if symbolic { base.split('/').collect() } else { Vec::new() };
        for part in target.split('/') {
            match part {
                ".." => drop(parts.pop()),
                "" | "." => {}
                part => parts.push(part),
            }
        }
        let target =
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        self.links.insert(name, target);
    }

    /// Looks at a file of the archive for what it is.
    fn member(&mut self, name: &str, size: u64, file: &mut impl Read) -> io::Result<()> {
        let mut head = Vec::with_capacity(BEGINNING);
        file.take(BEGINNING as u64).read_to_end(&mut head)?;
        let is_text = matches!(head.trim_ascii_start().first(), Some(b'{' | b'['));
        if is_text && size <= TEXT {
            return self.text(name, head, file);
        }
        let whole = head.chain(file);
        let layer = match head.as_slice() {
            [0x1f, 0x8b, ..] => looked(MultiGzDecoder::new(whole))?,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => looked(zstd_frames(BufReader::new(whole), WINDOW))?,
            head if is_tar(head, name) => looked(whole)?,
            _ => return Ok(()),
        };
        self.layers.insert(name.to_string(), layer);
        Ok(())
    }

    fn text(&mut self, name: &str, head: Vec<u8>, file: &mut impl Read) -> io::Result<()> {
        let mut bytes = head;
        file.read_to_end(&mut bytes)?;
        self.size += bytes.len();
        if self.size > TEXTS {
            return Err(io::Error::other("the archive holds more than 64 MiB of descriptions"));
        }
        self.texts.insert(name.to_string(), bytes);
        Ok(())
    }
}

fn parse<T: for<'a> Deserialize<'a>>(what: &str, bytes: &[u8]) -> Result<T, ImageError> {
    serde_json::from_slice(bytes)
        .map_err(|error| ImageError::Damaged { what: what.into(), cause: error.to_string() })
}

/// An empty layer is nothing but zeros, and known by its name alone.
fn is_tar(head: &[u8], name: &str) -> bool {
    let empty = || head.iter().all(|byte| *byte == 0);
    let named = || name.ends_with("/layer.tar") || name.starts_with("blobs/");
    head.get(257..262) == Some(b"ustar") || (named() && empty())
}

/// A layer's digest and what is in it.
fn looked(unpacked: impl Read) -> io::Result<(String, Layer)> {
    let mut hashing = Hashing { inner: unpacked, digest: Sha256::new() };
    let layer = layer::look(&mut hashing)?;
    // What stands behind the end of the archive belongs to the digest.
    io::copy(&mut hashing, &mut io::sink())?;
    Ok((format!("sha256:{:x}", hashing.digest.finalize()), layer))
}

struct Hashing<R> {
    inner: R,
    digest: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.digest.update(into.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use tar::{Builder, Header};

    use super::*;

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
        let config = format!(r#"{{"rootfs":{{"diff_ids":["{diff_id}"]}}}}"#);
        let manifest = br#"[{"Config":"blobs/c","RepoTags":["a:1"],"Layers":["blobs/l"]}]"#;
        let members: [(&str, &[u8]); 3] =
            [("blobs/l", packed), ("blobs/c", config.as_bytes()), (MANIFEST, manifest)];
        Saved::read(archive(&members).as_slice())?.image()
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
        assert!(matches!(other, ImageError::OtherLayer { .. }), "{other}");
    }
}
