//! A directory in the form of an OCI layout.
//!
//! Source: OCI image specification, image-layout.md.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use super::INDEX;
use super::blobs::{Blobs, known};
use super::error::ImageError;
use super::manifest::Descriptor;

/// Bytes that are read of a file at once.
const BUFFER: usize = 256 << 10;
/// Largest `index.json`, bytes.
const LARGEST: u64 = 4 << 20;

pub(super) struct Layout {
    pub(super) directory: PathBuf,
}

impl Layout {
    /// Its list of images.
    pub(super) fn index(&self) -> Result<Vec<u8>, ImageError> {
        let path = self.directory.join(INDEX);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ImageError::NoManifest);
            }
            Err(error) => return Err(ImageError::read(INDEX)(error)),
        };
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).map_err(ImageError::read(INDEX))?;
        Ok(bytes)
    }
}

impl Blobs for Layout {
    fn blob(&self, what: &Descriptor) -> Result<Box<dyn Read + '_>, ImageError> {
        let named = format!("the blob {}", what.digest);
        // Nothing but digits becomes a part of a path.
        known(&named, &what.digest)?;
        let hex = what.digest.trim_start_matches("sha256:");
        let path = self.directory.join("blobs").join("sha256").join(hex);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ImageError::Missing(named));
            }
            Err(error) => return Err(ImageError::read(named)(error)),
        };
        // A directory, a pipe or a device is no blob.
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(ImageError::read(named)(io::Error::other("it is no regular file")));
        }
        Ok(Box::new(BufReader::with_capacity(BUFFER, file)))
    }
}
