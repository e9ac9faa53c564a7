//! What layers were found to hold, kept by their digests: a layer never changes.
//!
//! Nothing is lost with the cache, and nothing wrong is told because of it: an entry that is not
//! exactly what was written is none.

use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::blobs::known;

/// Grows with every change of what is kept, or of how layers are read.
const FORMAT: &str = concat!("1-", env!("CARGO_PKG_VERSION"));
/// Largest entry, and all of them together, bytes.
const LARGEST: u64 = 64 << 20;
const ALL: u64 = 512 << 20;
/// Of how much the oldest are removed when there are too many.
const AFTER: u64 = ALL / 4 * 3;

/// A directory of entries.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// The cache below the user's cache directory; nothing is made before the first entry.
    pub(super) fn new(cache_dir: &Path) -> Self {
        Self { directory: cache_dir.join("layers") }
    }

    /// What is kept of a layer.
    pub(super) fn get<T: DeserializeOwned>(&self, diff_id: &str) -> Option<T> {
        let path = self.path(diff_id)?;
        let file = File::open(&path).ok()?;
        let mut bytes = Vec::new();
        (&file).take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
        let at = bytes.iter().position(|byte| *byte == b'\n')?;
        let (head, content) = (bytes.get(..at)?, bytes.get(at + 1..)?);
        if head != seal(diff_id, content).as_bytes() {
            tracing::debug!(path = %path.display(), "a damaged entry of the cache");
            return None;
        }
        // Who is used goes last.
        let _ = file.set_modified(SystemTime::now());
        serde_json::from_slice(content).ok()
    }

    /// Keeps what was found in a layer, if that works: nobody depends on it.
    pub(super) fn put(&self, diff_id: &str, found: &impl Serialize) {
        if let Err(error) = self.write(diff_id, found) {
            tracing::debug!(%error, "nothing is kept of a layer");
        }
    }

    fn write(&self, diff_id: &str, found: &impl Serialize) -> io::Result<()> {
        let Some(path) = self.path(diff_id) else { return Ok(()) };
        let content = serde_json::to_vec(found)?;
        if content.len() as u64 > LARGEST {
            return Ok(());
        }
        // What is in somebody's images is their business alone.
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&self.directory)?;
        file.write_all(seal(diff_id, &content).as_bytes())?;
        file.write_all(b"\n")?;
        file.write_all(&content)?;
        // No sync: what a lost machine leaves half written has another seal.
        file.persist(path).map_err(|error| error.error)?;
        self.shrink()
    }

    fn path(&self, diff_id: &str) -> Option<PathBuf> {
        known("", diff_id).ok()?;
        Some(self.directory.join(diff_id.replace(':', "-")))
    }

    /// Removes the oldest entries when there is too much, other formats' among them.
    fn shrink(&self) -> io::Result<()> {
        let mut entries = Vec::new();
        let mut all = 0;
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            // Another process may have removed it.
            let Ok(metadata) = entry.metadata() else { continue };
            all += metadata.len();
            entries.push((metadata.modified()?, metadata.len(), entry.path()));
        }
        if all <= ALL {
            return Ok(());
        }
        entries.sort();
        for (_, size, path) in entries {
            if all <= AFTER {
                break;
            }
            let _ = std::fs::remove_file(path);
            all -= size;
        }
        Ok(())
    }
}

/// What proves an entry to be about this layer, of this format, and whole.
fn seal(diff_id: &str, content: &[u8]) -> String {
    let mut digest = Sha256::new();
    for part in [FORMAT.as_bytes(), b"\n", diff_id.as_bytes(), b"\n", content] {
        digest.update(part);
    }
    format!("cofferdam layer {FORMAT} {:x}", digest.finalize())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn id(number: u32) -> String {
        format!("sha256:{number:064}")
    }

    #[test]
    fn entries_come_back_or_are_none() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path());
        assert_eq!(cache.get::<String>(&id(1)), None);
        cache.put(&id(1), &"found");
        assert_eq!(cache.get::<String>(&id(1)).as_deref(), Some("found"));
        let mode = std::fs::metadata(&cache.directory).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let path = cache.path(&id(1)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        // Cut anywhere, changed, of another layer, of another format, no file at all.
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(cache.get::<String>(&id(1)), None, "{cut}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            assert_eq!(cache.get::<String>(&id(1)), None, "{at}");
        }
        std::fs::write(cache.path(&id(2)).unwrap(), &whole).unwrap();
        assert_eq!(cache.get::<String>(&id(2)), None);
        // It is written again.
        cache.put(&id(1), &"found");
        assert_eq!(cache.get::<String>(&id(1)).as_deref(), Some("found"));
        assert_eq!(cache.get::<u32>(&id(1)), None);
        for odd in ["", "sha256:", "../../x", "sha512:00"] {
            cache.put(odd, &1);
            assert_eq!(cache.get::<u32>(odd), None);
        }
        assert_eq!(std::fs::read_dir(&cache.directory).unwrap().count(), 2);
    }

    #[test]
    fn what_was_not_used_for_long_goes_first() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path());
        cache.put(&id(0), &0);
        for number in 1..=3 {
            // Files of their size that take no room.
            let path = cache.path(&id(number)).unwrap();
            let file = File::create(path).unwrap();
            file.set_len(ALL / 2).unwrap();
            let age = std::time::Duration::from_secs(60 * u64::from(number));
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        cache.put(&id(4), &4);
        let left = |number| cache.path(&id(number)).unwrap().exists();
        assert_eq!([0, 1, 2, 3, 4].map(left), [true, true, false, false, true]);
    }
}
