//! Records of builds, kept on this machine.

use std::path::{Path, PathBuf};

use crate::error::Error;

pub(crate) mod atomic;
mod slot;

pub use atomic::write as write_atomically;
pub use slot::Slot;

/// Provenance by image ID, one JSON file each; likewise packages.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// The store below the data directory; nothing is created before the first record.
    pub fn open(data_dir: PathBuf) -> Self {
        Self { directory: data_dir.join("provenance") }
    }

    /// The packages of images, kept beside it.
    pub fn of_bills(data_dir: PathBuf) -> Self {
        Self { directory: data_dir.join("sbom") }
    }

    /// Where the records are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Keeps a statement under an image's ID.
    pub fn write(&self, image_id: &str, statement: &[u8]) -> Result<PathBuf, Error> {
        let path = self.path(image_id);
        std::fs::create_dir_all(&self.directory)
            .map_err(Error::io(format!("create {}", self.directory.display())))?;
        write_atomically(&path, statement)
            .map_err(Error::io(format!("write the record {}", path.display())))?;
        Ok(path)
    }

    /// The statement of an image, if one was kept.
    pub fn read(&self, image_id: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(image_id);
        match std::fs::read(&path) {
            Ok(statement) => Ok(Some(statement)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(format!("read the record {}", path.display()))(error)),
        }
    }

    fn path(&self, image_id: &str) -> PathBuf {
        // An engine's ID is `sha256:` and hex; anything else must not leave the directory.
        let name: String =
            image_id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        self.directory.join(format!("{name}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_by_its_image_and_cannot_escape() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().into());
        assert_eq!(store.read("sha256:ab").unwrap(), None);
        let path = store.write("sha256:ab", b"{}").unwrap();
        assert_eq!(store.read("sha256:ab").unwrap().unwrap(), b"{}");
        assert!(path.ends_with("provenance/sha256-ab.json"));
        let odd = store.write("../../x", b"{}").unwrap();
        assert_eq!(odd.parent(), path.parent());
    }
}
