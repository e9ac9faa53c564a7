//! One blob of a layout: open, hashed once, and read in pieces.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::layout::LayoutError;

/// How much is hashed at once, in bytes.
const CHUNK: usize = 256 * 1024;
const ALGORITHM: &str = "sha256";

/// A blob whose content is what its name says; what is read later is of the same open file.
#[derive(Debug)]
pub(super) struct Blob {
    file: File,
    /// In bytes.
    pub(super) size: u64,
}

/// Where a blob lies in a layout.
///
/// # Errors
/// The digest is none, or of a kind that cannot be checked here.
pub(super) fn path(layout: &Path, digest: &str) -> Result<PathBuf, LayoutError> {
    let hex = digest.strip_prefix(ALGORITHM).and_then(|rest| rest.strip_prefix(':'));
    // Nothing but such digits becomes a part of a path.
    let digits =
        |hex: &&str| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match hex.filter(digits) {
        Some(hex) => Ok(layout.join("blobs").join(ALGORITHM).join(hex)),
        None => Err(LayoutError::Digest { layout: layout.into(), digest: digest.into() }),
    }
}

impl Blob {
    /// Opens a blob and compares its content with its name.
    pub(super) fn open(layout: &Path, digest: &str) -> Result<Self, LayoutError> {
        let path = path(layout, digest)?;
        let io = |source| LayoutError::Io { path: path.clone(), source };
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LayoutError::Missing { layout: layout.into(), digest: digest.into() });
            }
            Err(error) => return Err(io(error)),
        };
        // A directory, a pipe or a device is no blob.
        if !file.metadata().map_err(io)?.is_file() {
            return Err(io(io::Error::other("it is no regular file")));
        }
        let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0, vec![0; CHUNK]);
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    hasher.update(buffer.get(..n).unwrap_or_default());
                    size += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io(error)),
            }
        }
        let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let found = format!("{ALGORITHM}:{hex}");
        if found != digest {
            let (layout, digest) = (layout.into(), digest.into());
            return Err(LayoutError::Damaged { layout, digest, found });
        }
        Ok(Self { file, size })
    }

    /// Reads at most `length` bytes from `offset` on; nothing at the end.
    pub(super) fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let rest = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; length.min(rest)];
        self.file.read_exact_at(&mut buffer, offset)?;
        Ok(buffer)
    }
}
