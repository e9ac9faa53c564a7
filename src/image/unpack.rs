//! A layer as it is kept becomes the archive that it is: unpacked, digested, and bounded.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::thread::{self, ScopedJoinHandle};

use cofferdam_search::zstd_frames;
use flate2::bufread::MultiGzDecoder;

use super::blocks::{Arriving, BLOCK, Block, Blocks, queue};
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
    pub(super) fn unpack<'r>(self, packed: impl BufRead + 'r) -> Box<dyn Read + 'r> {
        match self {
            Self::None => Box::new(packed),
            Self::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Self::Zstd => Box::new(zstd_frames(packed, WINDOW)),
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

/// Reads a layer to its end, which `look` need not do; beyond its first block that is looked at
/// on a thread of its own.
///
/// What is damaged is told by the blob's digest where that is known: a blob that was cut on its way
/// must not look like an image that was built wrongly.
pub(super) fn pass<T: Send>(
    what: &str,
    raw: impl Read,
    expected: Option<Expected<'_>>,
    look: impl FnOnce(&mut dyn Read) -> io::Result<T> + Send,
) -> Result<Passed<T>, ImageError> {
    let mut raw = raw;
    let mut head = Vec::with_capacity(BEGINNING);
    (&mut raw).take(BEGINNING as u64).read_to_end(&mut head).map_err(ImageError::read(what))?;
    let packing = Packing::of(&head);
    let count = Cell::new(0);
    let mut packed = Packed {
        inner: head.chain(raw),
        blocks: Blocks::default(),
        now: Block::default(),
        at: 0,
        count: &count,
        limit: expected.map_or(u64::MAX, |expected| expected.size),
        // Of a layer that is not packed both digests are one.
        digest: (packing != Packing::None && expected.is_some()).then(Digester::default),
        failed: false,
    };
    let (looked, diff_id, size, bomb) = {
        let mut unpacked = Unpacked {
            inner: packing.unpack(&mut packed),
            blocks: Blocks::default(),
            digest: Digester::default(),
            size: 0,
            packed: &count,
            bomb: false,
        };
        let looked = unpacked.pass(look);
        (looked, unpacked.digest.finish(), unpacked.size, unpacked.bomb)
    };
    if bomb {
        return Err(ImageError::Bomb { what: what.into(), limit: size, packed: count.get() });
    }
    // What stands behind the last frame belongs to the blob's digest.
    let rest = match packed.failed {
        true => Ok(0),
        false => io::copy(&mut packed, &mut io::sink()),
    };
    if let Some(expected) = expected.filter(|_| !packed.failed) {
        let found = packed.digest.map_or_else(|| diff_id.clone(), Digester::finish);
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
    blocks: Blocks,
    now: Block,
    at: usize,
    /// Bytes that were read.
    count: &'c Cell<u64>,
    limit: u64,
    digest: Option<Digester>,
    /// Whether the way here broke: then nothing is known of the rest.
    failed: bool,
}

impl<R: Read> BufRead for Packed<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.now.len() {
            // Given back, to be read into again.
            (self.now, self.at) = (Block::default(), 0);
            let next = self.blocks.read(&mut self.inner);
            self.failed |= next.is_err();
            let next = next?;
            self.count.set(self.count.get() + next.len() as u64);
            if self.count.get() > self.limit {
                self.failed = true;
                return Err(io::Error::other(format!("it is longer than {} bytes", self.limit)));
            }
            if let Some(digest) = &mut self.digest {
                digest.update(&next);
            }
            self.now = next;
        }
        Ok(self.now.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at = self.now.len().min(self.at + count);
    }
}

impl<R: Read> Read for Packed<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

/// The archive: digested, and no larger than its blob explains.
struct Unpacked<'r> {
    inner: Box<dyn Read + 'r>,
    blocks: Blocks,
    digest: Digester,
    size: u64,
    packed: &'r Cell<u64>,
    bomb: bool,
}

impl Unpacked<'_> {
    /// Unpacks everything, what stands behind the end of the archive too, while that is looked at.
    fn pass<T: Send>(
        &mut self,
        look: impl FnOnce(&mut dyn Read) -> io::Result<T> + Send,
    ) -> io::Result<T> {
        let first = self.next()?;
        if first.len() < BLOCK {
            return look(&mut first.as_slice());
        }
        thread::scope(|scope| {
            let (sender, blocks) = queue();
            let look = move || look(&mut Arriving::new(blocks));
            let looking = thread::Builder::new().name("look".into()).spawn_scoped(scope, look);
            let mut next = Ok(first);
            let unpacked = loop {
                match next {
                    Ok(block) if block.is_empty() => break Ok(()),
                    // It may have seen enough.
                    Ok(block) => drop(sender.send(block)),
                    Err(error) => break Err(error),
                }
                next = self.next();
            };
            drop(sender);
            let joined = looking.map(ScopedJoinHandle::join);
            let looked = joined?.unwrap_or_else(|cause| std::panic::resume_unwind(cause));
            // What was looked at ends where unpacking it did.
            unpacked.and(looked)
        })
    }

    /// The next bytes, none at the end.
    fn next(&mut self) -> io::Result<Block> {
        let block = self.blocks.read(&mut self.inner)?;
        self.digest.update(&block);
        self.size += block.len() as u64;
        if self.size > FREE.saturating_add(self.packed.get().saturating_mul(RATIO)) {
            self.bomb = true;
            return Err(io::Error::other("it unpacks to more than it can hold"));
        }
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use sha2::{Digest as _, Sha256};

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
        let packed = Cell::new(10);
        let mut bomb = Unpacked {
            // In a blob of a few bytes.
            inner: Box::new(io::repeat(0)),
            blocks: Blocks::default(),
            digest: Digester::default(),
            size: FREE + 9 * RATIO,
            packed: &packed,
            bomb: false,
        };
        let error = bomb.pass(|reader| io::copy(reader, &mut io::sink())).unwrap_err();
        assert!(bomb.bomb && error.to_string().contains("more than"));
    }
}
