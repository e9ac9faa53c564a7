//! A layer as it is kept becomes the archive that it is: unpacked, digested, and bounded.

use std::cell::{Cell, RefCell};
use std::io::{self, BufReader, Read};

use cofferdam_search::zstd_frames;
use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use super::digester::Digester;
use super::error::ImageError;

/// Largest window of a layer that is packed with zstd, bytes: what its own tools take unasked.
const WINDOW: u64 = 128 << 20;
/// How much of a layer is looked at to see how it is packed.
pub(super) const BEGINNING: usize = 262;
/// Bytes that a layer may unpack to without a reason, and for each packed byte beyond.
const FREE: u64 = 4 << 30;
const RATIO: u64 = 256;

/// How a layer is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Packing {
    /// By its first bytes; an archive that is not packed begins with a name, or with zeros.
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// What is in it.
    pub(super) fn unpack<'r>(self, packed: impl Read + 'r) -> Box<dyn Read + 'r> {
        match self {
            Self::None => Box::new(packed),
            Self::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Self::Zstd => Box::new(zstd_frames(BufReader::new(packed), WINDOW)),
        }
    }
}

/// What is known of a blob before it is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    pub(super) digest: &'a str,
    /// In bytes.
    pub(super) size: u64,
}

/// A layer that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passed<T> {
    /// The digest of the archive, `sha256:…`.
    pub(super) diff_id: String,
    /// Bytes of the archive.
    pub(super) size: u64,
    pub(super) found: T,
}

/// Reads a layer to its end, which `look` need not do.
///
/// What is damaged is told by the blob's digest where that is known: a blob that was cut on its way
/// must not look like an image that was built wrongly.
pub(super) fn pass<T>(
    what: &str,
    raw: impl Read,
    expected: Option<Expected<'_>>,
    look: impl FnOnce(&mut dyn Read) -> io::Result<T>,
) -> Result<Passed<T>, ImageError> {
    let mut raw = raw;
    let mut head = Vec::with_capacity(BEGINNING);
    (&mut raw).take(BEGINNING as u64).read_to_end(&mut head).map_err(ImageError::read(what))?;
    let packing = Packing::of(&head);
    // Of a layer that is not packed both digests are one.
    let digest = (packing != Packing::None && expected.is_some()).then(Sha256::new);
    let count = Cell::new(0);
    let packed = RefCell::new(Packed {
        inner: head.chain(raw),
        count: &count,
        limit: expected.map_or(u64::MAX, |expected| expected.size),
        digest,
        failed: false,
    });
    let mut inner = packing.unpack(Shared(&packed));
    let mut unpacked = Unpacked {
        inner: inner.as_mut(),
        digest: Digester::new(),
        size: 0,
        packed: &count,
        bomb: false,
    };
    // What stands behind the end of the archive belongs to the digest.
    let looked = look(&mut unpacked)
        .and_then(|found| io::copy(&mut unpacked, &mut io::sink()).map(|_| found));
    if looked.is_err() && !unpacked.bomb {
        // Whether it is the blob that was named says more than where reading it ended.
        let _ = io::copy(&mut unpacked, &mut io::sink());
    }
    let Unpacked { digest, size, bomb, .. } = unpacked;
    drop(inner);
    if bomb {
        return Err(ImageError::Bomb { what: what.into(), limit: size, packed: count.get() });
    }
    let diff_id = digest.finish();
    // What stands behind the last frame belongs to the blob's.
    let failed = packed.borrow().failed;
    let rest = match failed {
        true => Ok(0),
        false => io::copy(&mut Shared(&packed), &mut io::sink()),
    };
    let packed = packed.into_inner();
    if let Some(expected) = expected.filter(|_| !packed.failed && rest.is_ok()) {
        let found = match packed.digest {
            Some(digest) => format!("sha256:{:x}", digest.finalize()),
            None => diff_id.clone(),
        };
        let (what, wanted) = (what.to_string(), expected.digest.to_string());
        if count.get() != expected.size {
            let (found, wanted) =
                (format!("{} bytes", count.get()), format!("{} bytes", expected.size));
            return Err(ImageError::Other { what, found, wanted });
        }
        if found != wanted {
            return Err(ImageError::Other { what, found, wanted });
        }
    }
    let found = looked.map_err(ImageError::read(what))?;
    rest.map_err(ImageError::read(what))?;
    Ok(Passed { diff_id, size, found })
}

/// The blob: counted, digested, and no longer than it should be.
struct Packed<'c, R> {
    inner: R,
    count: &'c Cell<u64>,
    limit: u64,
    digest: Option<Sha256>,
    /// Whether the way here broke: then nothing is known of the rest.
    failed: bool,
}

impl<R: Read> Read for Packed<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into);
        self.failed |=
            count.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        let count = count?;
        self.count.set(self.count.get() + count as u64);
        if self.count.get() > self.limit {
            self.failed = true;
            return Err(io::Error::other(format!("it is longer than {} bytes", self.limit)));
        }
        if let Some(digest) = &mut self.digest {
            digest.update(into.get(..count).unwrap_or_default());
        }
        Ok(count)
    }
}

/// Read by the decoder first, and by us what that leaves.
struct Shared<'s, R>(&'s RefCell<R>);

impl<R: Read> Read for Shared<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(into)
    }
}

/// The archive: digested, and no larger than its blob explains.
struct Unpacked<'r> {
    inner: &'r mut dyn Read,
    digest: Digester,
    size: u64,
    packed: &'r Cell<u64>,
    bomb: bool,
}

impl Read for Unpacked<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.digest.update(into.get(..count).unwrap_or_default());
        self.size += count as u64;
        if self.size > FREE.saturating_add(self.packed.get().saturating_mul(RATIO)) {
            self.bomb = true;
            return Err(io::Error::other("it unpacks to more than it can hold"));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn digest(bytes: &[u8]) -> String {
        format!("sha256:{:x}", Sha256::digest(bytes))
    }

    /// What is read of a blob that should be `expected`.
    fn read(blob: &[u8], expected: &[u8]) -> Result<Passed<Vec<u8>>, ImageError> {
        let digest = digest(expected);
        let expected = Expected { digest: &digest, size: expected.len() as u64 };
        pass("it", blob, Some(expected), |reader| {
            let mut start = vec![0; 5];
            reader.read_exact(&mut start)?;
            Ok(start)
        })
    }

    #[test]
    fn layers_are_the_same_however_they_are_packed() {
        let archive: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let zstd = compress_to_vec(archive.as_slice(), CompressionLevel::Uncompressed);
        for blob in [archive.clone(), gzip(&archive), zstd] {
            let passed = read(&blob, &blob).unwrap();
            assert_eq!(passed.diff_id, digest(&archive));
            assert_eq!((passed.size, passed.found.len()), (400_000, 5));
        }
    }

    #[test]
    fn what_is_not_the_blob_is_told_so_and_not_that_the_archive_is_odd() {
        let archive: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        for blob in [archive.clone(), gzip(&archive)] {
            let mut flipped = blob.clone();
            flipped[5000] ^= 0x55;
            let longer = [blob.as_slice(), b"more"].concat();
            for (other, words) in [
                (flipped.as_slice(), "should be sha256:"),
                (&blob[..blob.len() - 9], "bytes"),
                (&blob[..100], "bytes"),
                (&longer, "longer than"),
                (b"", "bytes"),
            ] {
                let error = read(other, &blob).unwrap_err().to_string();
                assert!(error.contains(words), "{error}");
            }
        }
        // The blob is whole, and holds nothing that can be read.
        let odd = gzip(b"abc");
        assert!(matches!(read(&odd, &odd), Err(ImageError::Read { .. })));
    }

    #[test]
    fn a_reader_that_breaks_is_no_wrong_digest() {
        struct Breaks;
        impl Read for Breaks {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the line is dead"))
            }
        }
        let expected = Expected { digest: "sha256:1", size: 1000 };
        let begin = [0; 500];
        let blob = begin.chain(Breaks);
        let error = pass("it", blob, Some(expected), |reader| io::copy(reader, &mut io::sink()));
        assert!(error.unwrap_err().to_string().contains("the line is dead"));
    }

    #[test]
    fn a_bomb_is_left_alone() {
        /// Zeros without end, in a blob of a few bytes.
        struct Zeros;
        impl Read for Zeros {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                into.fill(0);
                Ok(into.len())
            }
        }
        let packed = Cell::new(10);
        let mut bomb = Unpacked {
            inner: &mut Zeros,
            digest: Digester::new(),
            size: FREE + 9 * RATIO,
            packed: &packed,
            bomb: false,
        };
        let error = io::copy(&mut bomb, &mut io::sink()).unwrap_err();
        assert!(bomb.bomb && error.to_string().contains("more than"));
    }
}
