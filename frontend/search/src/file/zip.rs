//! Archives of zip, from their beginning to their end: members tell of themselves in front of their
//! bytes, and the directory at the end is not needed.

use std::io::{self, BufRead, Read};

use bzip2::bufread::BzDecoder;
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use lzma_rust2::XzReader;

use super::Obstacle;
use super::input::Input;
use super::magic::script_before_zip;
use super::packed::{hungry, zstd_frames};
use super::walk::Walk;

/// A member's own header. Format: PKWARE's APPNOTE, 4.3.7.
struct Header {
    encrypted: bool,
    method: u16,
    /// Bytes that the member takes; `None` where only those behind it tell.
    size: Option<u64>,
    /// Of what is in it; zero where it is told behind the member, or not at all.
    sum: u32,
    name: String,
}

pub(super) fn read(walk: &Walk<'_>, input: &mut Input<'_, '_>) -> Result<(), Obstacle> {
    if let Some(script) = script_before_zip(input.head()) {
        input.skip(script as u64)?;
    }
    loop {
        match input.array::<4>()? {
            [b'P', b'K', 3, 4] => {
                let header = header(input)?;
                member(walk, input, &header)?;
            }
            // The directory, or the end of an empty archive.
            [b'P', b'K', 1, 2] | [b'P', b'K', 5, 6] => return Ok(()),
            // A table of digests in front of the directory.
            [b'P', b'K', 6, _] => return Ok(()),
            // Android aligns members with zeros.
            [0, 0, 0, 0] => resync(input)?,
            _ => return Err(Obstacle::Damaged),
        }
    }
}

fn header(input: &mut Input<'_, '_>) -> Result<Header, Obstacle> {
    let fixed = input.array::<26>()?;
    let short = |at: usize| {
        fixed
            .get(at..at + 2)
            .and_then(|two| two.first_chunk())
            .map_or(0, |two| u16::from_le_bytes(*two))
    };
    let long = |at: usize| u32::from(short(at)) | u32::from(short(at + 2)) << 16;
    let (flags, method) = (short(2), short(4));
    let (sum, packed, unpacked) = (long(10), long(14), long(18));
    let name = input.text(u64::from(short(22)))?;
    let mut extra = vec![0; usize::from(short(24))];
    input.read_exact(&mut extra).map_err(|_| Obstacle::Truncated)?;
    let size = match packed {
        u32::MAX => zip64(&extra, unpacked == u32::MAX),
        0 if flags & 8 != 0 => None,
        size => Some(u64::from(size)),
    };
    Ok(Header { encrypted: flags & 1 != 0, method, size, sum, name })
}

/// The packed size in the extra field of large members: APPNOTE, 4.5.3.
fn zip64(extra: &[u8], unpacked_first: bool) -> Option<u64> {
    let mut rest = extra;
    while let Some(([kind @ .., low, high], after)) = rest.split_first_chunk::<4>() {
        let (field, next) =
            after.split_at_checked(usize::from(u16::from_le_bytes([*low, *high])))?;
        if *kind == [1, 0] {
            let at = if unpacked_first { 8 } else { 0 };
            return field.get(at..)?.first_chunk().map(|eight| u64::from_le_bytes(*eight));
        }
        rest = next;
    }
    None
}

fn member(walk: &Walk<'_>, input: &mut Input<'_, '_>, header: &Header) -> Result<(), Obstacle> {
    let Header { encrypted, size, name, .. } = header;
    let Some(size) = *size else { return unsized_member(walk, input, header) };
    let mut packed = input.by_ref().take(size);
    if *encrypted {
        walk.unread_member(name, Obstacle::Encrypted);
    } else if size > 0 {
        unpack(walk, &mut packed, header);
    }
    let left = packed.limit();
    input.skip(left)
}

/// A member whose size is told behind it.
fn unsized_member(
    walk: &Walk<'_>,
    input: &mut Input<'_, '_>,
    header: &Header,
) -> Result<(), Obstacle> {
    if header.encrypted {
        walk.unread_member(&header.name, Obstacle::Encrypted);
    } else if header.method == 0 {
        // Where it ends is not certain. Its bytes are searched with those of the archive.
        walk.unread_member(&header.name, Obstacle::Unsupported);
    } else {
        unpack(walk, input, header);
    }
    resync(input)
}

/// Searches what is in a member; methods: APPNOTE, 4.4.5.
fn unpack(walk: &Walk<'_>, packed: &mut impl BufRead, header: &Header) -> bool {
    let Header { name, sum, .. } = header;
    match header.method {
        0 => walk.member(name, Summed::new(packed, *sum)),
        8 => walk.member(name, Summed::new(DeflateDecoder::new(packed), *sum)),
        12 => walk.member(name, Summed::new(BzDecoder::new(packed), *sum)),
        93 => {
            let memory = walk.memory();
            hungry(walk, name, Summed::new(zstd_frames(packed, memory), *sum))
        }
        95 => {
            let kib = u32::try_from(walk.memory() >> 10).unwrap_or(u32::MAX - 1);
            hungry(walk, name, Summed::new(XzReader::new_mem_limit(packed, true, kib), *sum))
        }
        _ => {
            walk.unread_member(name, Obstacle::Unsupported);
            false
        }
    }
}

/// Fails at the end of a member that is not what was packed: deflate alone does not notice.
struct Summed<R> {
    reader: R,
    sum: Crc,
    stated: u32,
}

impl<R> Summed<R> {
    fn new(reader: R, stated: u32) -> Self {
        Self { reader, sum: Crc::new(), stated }
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(out)?;
        self.sum.update(out.get(..count).unwrap_or_default());
        if count == 0 && !out.is_empty() && self.stated != 0 && self.sum.sum() != self.stated {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(count)
    }
}

/// Passes over bytes up to the next header of a member or of the directory.
fn resync(input: &mut Input<'_, '_>) -> Result<(), Obstacle> {
    loop {
        let here = input.fill_buf().map_err(|_| Obstacle::Truncated)?;
        if here.is_empty() {
            return Err(Obstacle::Truncated);
        }
        let other = here.iter().take_while(|byte| **byte != b'P').count();
        if other > 0 {
            input.consume(other);
        } else if matches!(input.ahead()?, [b'P', b'K', 3, 4] | [b'P', b'K', 1, 2]) {
            return Ok(());
        } else {
            input.consume(1);
        }
    }
}
