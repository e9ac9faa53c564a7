//! Standard input as a context: an archive goes to a file without a name, a Dockerfile to memory.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::sniff::{self, Archive};

/// Largest Dockerfile that is read from a stream, in bytes.
pub const MAX_DOCKERFILE: usize = 64 << 20;

/// What came through standard input.
#[derive(Debug)]
pub enum Stdin {
    /// A context.
    Archive(Spool),
    /// Anything else, which is taken for a Dockerfile.
    Dockerfile(Vec<u8>),
}

/// A file that only this process has; clones share it.
#[derive(Clone, Debug)]
pub struct Spool {
    file: Arc<File>,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of what it holds, which is what the engine gets.
    pub sha256: [u8; 32],
    /// SHA-256 of what was read; another one when it was unpacked on the way.
    pub read_sha256: [u8; 32],
    /// How the archive was packed when it came.
    pub packed: Archive,
}

/// Why a stream could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// It broke.
    #[error("cannot read the context from standard input: {0}")]
    Read(#[source] io::Error),
    /// There is no room for it.
    #[error("cannot keep the context from standard input: {0}; TMPDIR names another place")]
    Write(#[source] io::Error),
    /// It is packed with zstd and damaged.
    #[error("the context from standard input is damaged: {0}")]
    Damaged(String),
    /// It is no archive, and no Dockerfile is as long.
    #[error("standard input is no archive and too long for a Dockerfile (64 MiB)")]
    TooLong,
}

impl Stdin {
    /// Reads a stream to its end.
    ///
    /// # Errors
    /// What the stream and the temporary directory say, and a Dockerfile without an end.
    pub fn read(mut stream: impl Read) -> Result<Self, SpoolError> {
        let mut start = Vec::with_capacity(sniff::ENOUGH);
        let first = stream.by_ref().take(sniff::ENOUGH as u64).read_to_end(&mut start);
        first.map_err(SpoolError::Read)?;
        let whole = start.chain(stream);
        match sniff::archive(whole.get_ref().0) {
            Some(packed) => Spool::fill(whole, packed).map(Self::Archive),
            None => {
                let mut text = Vec::new();
                let limit = MAX_DOCKERFILE as u64 + 1;
                whole.take(limit).read_to_end(&mut text).map_err(SpoolError::Read)?;
                if text.len() > MAX_DOCKERFILE {
                    return Err(SpoolError::TooLong);
                }
                Ok(Self::Dockerfile(text))
            }
        }
    }
}

impl Spool {
    fn fill(stream: impl Read, packed: Archive) -> Result<Self, SpoolError> {
        let file = tempfile::tempfile().map_err(SpoolError::Write)?;
        let (read_sha256, sha256) = pour(stream, &file, packed)?;
        let size = file.metadata().map_err(SpoolError::Write)?.len();
        Ok(Self { file: Arc::new(file), size, sha256, read_sha256, packed })
    }

    /// Up to `most` bytes from `at` on; none at the end.
    ///
    /// # Errors
    /// What the file system says.
    pub fn read_at(&self, at: u64, most: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.size.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut data = vec![0; left.min(most)];
        self.file.read_exact_at(&mut data, at)?;
        Ok(data)
    }
}

/// Fills the file; returns the SHA-256 of what was read and of what was written.
fn pour(
    stream: impl Read,
    file: &File,
    packed: Archive,
) -> Result<([u8; 32], [u8; 32]), SpoolError> {
    let mut read = Hashed { inner: stream, hash: Sha256::new(), failed: None };
    let out = BufWriter::with_capacity(1 << 18, file);
    let mut written = Hashed { inner: out, hash: Sha256::new(), failed: None };
    let copied = if packed == Archive::Zstd {
        unpack(&mut read, &mut written)
    } else {
        copy(&mut read, &mut written)
    };
    if let Some(error) = read.failed {
        return Err(SpoolError::Read(error));
    }
    let flushed = written.inner.flush();
    if let Some(error) = written.failed.take().or(flushed.err()) {
        return Err(SpoolError::Write(error));
    }
    copied.map_err(|error| SpoolError::Damaged(error.to_string()))?;
    Ok((read.hash.finalize().into(), written.hash.finalize().into()))
}

fn copy(read: &mut impl Read, write: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 18];
    loop {
        match read.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => write.write_all(buffer.get(..n).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Unpacks every frame of a zstd stream.
fn unpack(read: &mut impl Read, write: &mut impl Write) -> io::Result<()> {
    let mut read = io::BufReader::with_capacity(1 << 18, read);
    while !io::BufRead::fill_buf(&mut read)?.is_empty() {
        let mut frame =
            ruzstd::decoding::StreamingDecoder::new(&mut read).map_err(io::Error::other)?;
        copy(&mut frame, write)?;
    }
    Ok(())
}

/// Hashes what passes and remembers whose fault a failure was.
struct Hashed<T> {
    inner: T,
    hash: Sha256,
    failed: Option<io::Error>,
}

impl<T> Hashed<T> {
    fn note(&mut self, error: io::Error) -> io::Error {
        let kind = error.kind();
        if kind != io::ErrorKind::Interrupted {
            self.failed = Some(error);
        }
        kind.into()
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(n) => {
                self.hash.update(buffer.get(..n).unwrap_or_default());
                Ok(n)
            }
            Err(error) => Err(self.note(error)),
        }
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self.inner.write(data) {
            Ok(n) => {
                self.hash.update(data.get(..n).unwrap_or_default());
                Ok(n)
            }
            Err(error) => Err(self.note(error)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(bytes: &[u8]) -> Result<Spool, SpoolError> {
        match Stdin::read(bytes)? {
            Stdin::Archive(spool) => Ok(spool),
            Stdin::Dockerfile(_) => panic!("no archive"),
        }
    }

    #[test]
    fn an_archive_is_kept_as_it_came_and_can_be_read_again() {
        let bytes = [b"BZh9".to_vec(), vec![7; 700_000]].concat();
        let spool = archive(&bytes).unwrap();
        assert_eq!((spool.size, spool.packed), (bytes.len() as u64, Archive::Bzip2));
        assert_eq!(spool.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
        assert_eq!(spool.sha256, spool.read_sha256);
        for _ in 0..2 {
            assert_eq!(spool.read_at(3, 3).unwrap(), bytes[3..6]);
            assert_eq!(spool.read_at(700_000, 100).unwrap(), bytes[700_000..]);
            assert!(spool.read_at(1 << 40, 9).unwrap().is_empty());
        }
    }

    #[test]
    fn zstd_is_unpacked_and_damage_is_told() {
        // One frame with one raw block.
        let frame = b"\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello";
        let spool = archive(frame).unwrap();
        assert_eq!(spool.read_at(0, 99).unwrap(), b"hello");
        assert_eq!(spool.sha256, <[u8; 32]>::from(Sha256::digest(b"hello")));
        assert_eq!(spool.read_sha256, <[u8; 32]>::from(Sha256::digest(frame)));
        assert_eq!(archive(&frame.repeat(2)).unwrap().read_at(0, 99).unwrap(), b"hellohello");
        assert!(matches!(archive(&frame[..10]), Err(SpoolError::Damaged(_))));
    }

    #[test]
    fn everything_else_is_a_dockerfile_with_an_end() {
        let read = Stdin::read(&b"FROM scratch\n"[..]).unwrap();
        assert!(matches!(read, Stdin::Dockerfile(text) if text == b"FROM scratch\n"));
        assert!(matches!(Stdin::read(&b""[..]), Ok(Stdin::Dockerfile(text)) if text.is_empty()));
        assert!(matches!(Stdin::read(io::repeat(b'#')), Err(SpoolError::TooLong)));
    }
}
