//! A result that is a directory in the form of an OCI layout (`tar=false`).
//!
//! The engine sends it as the archive that others get, and it is unpacked here: that works with every
//! engine that makes such archives, and what comes is checked before anything of it is in place.
//!
//! Source: OCI image-spec, image-layout.md and annotations.md.

use std::fs::File;
use std::io::{BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::ReceiveError;
use super::destination::existing_ancestor;

/// Upper bound of `index.json`, in bytes; engines have the same.
const INDEX_LIMIT: u64 = 4 << 20;
/// How much is hashed at once, in bytes.
const CHUNK: usize = 256 * 1024;
const BLOBS: &str = "blobs/sha256";
const INDEX: &str = "index.json";
const MARKER: &str = "oci-layout";
const VERSION: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
/// The tag of an image, and what it is when none was given.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
const DEFAULT_TAG: &str = "latest";

/// A layout on its way; dropped, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct PendingLayout {
    target: PathBuf,
    archive: File,
}

impl PendingLayout {
    /// Begins a layout that is to be at `target`, or to be added to what is there.
    pub(super) fn begin(target: &Path) -> Result<Self, ReceiveError> {
        let beside = if target.is_dir() { target.into() } else { existing_ancestor(target) };
        let archive =
            tempfile::tempfile_in(&beside).map_err(ReceiveError::io("write in", &beside))?;
        Ok(Self { target: target.into(), archive })
    }

    /// Appends bytes of the archive.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), ReceiveError> {
        self.archive.write_all(bytes).map_err(ReceiveError::io("write", &self.target))
    }

    /// Puts the blobs in place, and then the index that knows them.
    pub(super) fn commit(mut self) -> Result<(), ReceiveError> {
        let blobs = self.target.join(BLOBS);
        std::fs::create_dir_all(&blobs).map_err(ReceiveError::io("make the directory", &blobs))?;
        let mut index = None;
        self.archive.seek(SeekFrom::Start(0)).map_err(ReceiveError::io("read", &self.target))?;
        let wrong = || ReceiveError::io("unpack", &self.target);
        let mut archive = tar::Archive::new(BufReader::with_capacity(CHUNK, &self.archive));
        for entry in archive.entries().map_err(wrong())? {
            let mut entry = entry.map_err(wrong())?;
            let path = entry.path_bytes().into_owned();
            match std::str::from_utf8(&path).map_err(|_| damaged("an unknown name", &path))? {
                INDEX => index = Some(bounded(&mut entry, &path)?),
                // Docker's own list of the same, and what is written here anyhow.
                "manifest.json" | MARKER | "blobs" | "blobs/" | "blobs/sha256"
                | "blobs/sha256/" => {}
                name => {
                    let hex = name.strip_prefix(BLOBS).and_then(|rest| rest.strip_prefix('/'));
                    let hex = hex.filter(|hex| is_digest(hex));
                    let hex = hex.ok_or_else(|| damaged("an unknown name", &path))?;
                    blob(&mut entry, &blobs, hex)?;
                }
            }
        }
        let index = index.ok_or_else(|| damaged("no index", INDEX.as_bytes()))?;
        let path = self.target.join(INDEX);
        let index = merged(read(&path)?, &index)?;
        replace(&self.target, MARKER, VERSION)?;
        replace(&self.target, INDEX, index.to_string().as_bytes())
    }
}

fn damaged(what: &'static str, path: &[u8]) -> ReceiveError {
    ReceiveError::damaged(what, path)
}

fn is_digest(hex: &str) -> bool {
    hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn bounded(entry: &mut impl Read, path: &[u8]) -> Result<Vec<u8>, ReceiveError> {
    let mut bytes = Vec::new();
    let read = entry.take(INDEX_LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|_| damaged("a broken file", path))?;
    if bytes.len() as u64 > INDEX_LIMIT {
        return Err(damaged("a file that is too large", path));
    }
    Ok(bytes)
}

/// Copies one blob to its name when it is what the name says.
fn blob(entry: &mut impl Read, blobs: &Path, hex: &str) -> Result<(), ReceiveError> {
    let target = blobs.join(hex);
    let wrong = || ReceiveError::io("write", &target);
    let mut file = beside(blobs).map_err(wrong())?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        match entry.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                let bytes = buffer.get(..n).unwrap_or_default();
                hasher.update(bytes);
                file.write_all(bytes).map_err(wrong())?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(wrong()(error)),
        }
    }
    let found: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if found != hex {
        return Err(damaged("a blob that is not what its name says", hex.as_bytes()));
    }
    file.persist(&target).map_err(|error| wrong()(error.error))?;
    Ok(())
}

/// A file with the usual mode, on its way into this directory.
fn beside(directory: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".cofferdam-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
        .tempfile_in(directory)
}

fn replace(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), ReceiveError> {
    let target = directory.join(name);
    let wrong = || ReceiveError::io("write", &target);
    let mut file = beside(directory).map_err(wrong())?;
    file.write_all(bytes).map_err(wrong())?;
    file.persist(&target).map_err(|error| wrong()(error.error))?;
    Ok(())
}

/// The index that is there; `None` when there is none.
fn read(path: &Path) -> Result<Option<Value>, ReceiveError> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| ReceiveError::io("add to", path)(std::io::Error::other(error))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ReceiveError::io("read", path)(error)),
    }
}

/// The images that were there and the new ones; a tag moves to the new image.
fn merged(old: Option<Value>, new: &[u8]) -> Result<Value, ReceiveError> {
    let broken = || damaged("a broken index", INDEX.as_bytes());
    let mut index: Value = serde_json::from_slice(new).map_err(|_| broken())?;
    let mut images = index["manifests"].as_array().ok_or_else(broken)?.clone();
    for image in &mut images {
        if !image.is_object() {
            return Err(broken());
        }
        if image["annotations"][REF_NAME].is_null() {
            if !image["annotations"].is_object() {
                image["annotations"] = json!({});
            }
            image["annotations"][REF_NAME] = DEFAULT_TAG.into();
        }
    }
    let tag = |image: &Value| image["annotations"][REF_NAME].as_str().map(String::from);
    let tags: Vec<_> = images.iter().filter_map(tag).collect();
    let before = old.as_ref().and_then(|old| old["manifests"].as_array());
    let kept = before.into_iter().flatten().filter(|image| match tag(image) {
        Some(tag) => !tags.contains(&tag),
        None => true,
    });
    let mut all: Vec<Value> = kept.cloned().collect();
    all.extend(images);
    index["manifests"] = all.into();
    Ok(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Unpacks an archive of these files below `target`.
    fn unpack(target: &Path, files: &[(String, &[u8])]) -> Result<(), ReceiveError> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            // As an attacker writes it: the library refuses such names.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append(&header, *bytes).unwrap();
        }
        let mut pending = PendingLayout::begin(target)?;
        for bytes in archive.into_inner().unwrap().chunks(1000) {
            pending.write(bytes)?;
        }
        pending.commit()
    }

    fn image(content: &[u8], tag: Option<&str>) -> [(String, Vec<u8>); 2] {
        let annotations = tag.map_or(json!({}), |tag| json!({ REF_NAME: tag }));
        let digest = format!("sha256:{}", hex(content));
        let manifests = json!([{ "digest": digest, "annotations": annotations }]);
        let index = json!({ "schemaVersion": 2, "manifests": manifests }).to_string();
        [
            (format!("{BLOBS}/{}", hex(content)), content.to_vec()),
            (INDEX.into(), index.into_bytes()),
        ]
    }

    fn add(target: &Path, content: &[u8], tag: Option<&str>) {
        let files = image(content, tag);
        let files: Vec<_> = files.iter().map(|(name, b)| (name.clone(), b.as_slice())).collect();
        unpack(target, &files).unwrap();
    }

    fn known(target: &Path) -> Vec<(String, String)> {
        let index: Value =
            serde_json::from_slice(&std::fs::read(target.join(INDEX)).unwrap()).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let images = index["manifests"].as_array().unwrap().iter();
        images.map(|i| (text(&i["annotations"][REF_NAME]), text(&i["digest"]))).collect()
    }

    #[test]
    fn images_are_added_and_tags_move() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("a/layout");
        let digest = |content: &[u8]| format!("sha256:{}", hex(content));
        add(&target, b"one", None);
        assert_eq!(known(&target), [("latest".into(), digest(b"one"))]);
        add(&target, b"two", Some("v2"));
        add(&target, b"three", None);
        assert_eq!(
            known(&target),
            [("v2".into(), digest(b"two")), ("latest".into(), digest(b"three"))]
        );
        for content in [b"one".as_slice(), b"two", b"three"] {
            let blob = target.join(BLOBS).join(hex(content));
            assert_eq!(std::fs::read(blob).unwrap(), content, "blobs stay");
        }
        assert_eq!(std::fs::read(target.join(MARKER)).unwrap(), VERSION);
        let left = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(left, 1, "nothing is left beside it");
    }

    #[test]
    fn what_no_engine_sends_leaves_the_index_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("layout");
        add(&target, b"one", None);
        let before = std::fs::read(target.join(INDEX)).unwrap();
        let [blob, index] = image(b"two", None);
        let (index, wrong) = (index.1.as_slice(), b"another".as_slice());
        let attacks: [Vec<(String, &[u8])>; 6] = [
            vec![(INDEX.into(), index), ("../out".into(), wrong)],
            vec![(INDEX.into(), index), ("/tmp/out".into(), wrong)],
            vec![(INDEX.into(), index), (format!("{BLOBS}/../../out"), wrong)],
            vec![(INDEX.into(), index), (blob.0.clone(), wrong)],
            vec![(blob.0.clone(), b"two")],
            vec![(INDEX.into(), b"{")],
        ];
        for files in attacks {
            let error = unpack(&target, &files).unwrap_err();
            assert!(matches!(error, ReceiveError::Damaged { .. }), "{error}");
            assert_eq!(std::fs::read(target.join(INDEX)).unwrap(), before);
        }
        let blobs = std::fs::read_dir(target.join(BLOBS)).unwrap();
        assert!(blobs.count() <= 2, "nothing unfinished is left");
        assert!(!directory.path().join("out").exists());
    }
}
