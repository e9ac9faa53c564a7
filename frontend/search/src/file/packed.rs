//! Containers of one stream: what is in them has no name.

use std::io::{self, BufRead, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::{GzDecoder, ZlibDecoder};
use lzma_rust2::XzReader;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::Obstacle;
use super::input::Input;
use super::magic::Container;
use super::walk::Walk;

/// Members of gzip and frames of zstd behind each other are one stream; each is decoded by a new
/// decoder until what follows is none.
struct Chain<R, D> {
    source: Option<R>,
    decoder: Option<D>,
    more: fn(&[u8]) -> bool,
    open: fn(R) -> io::Result<D>,
    close: fn(D) -> R,
}

impl<R: BufRead, D: Read> Read for Chain<R, D> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                let count = decoder.read(out)?;
                if count > 0 || out.is_empty() {
                    return Ok(count);
                }
                self.source = self.decoder.take().map(self.close);
            }
            let Some(mut source) = self.source.take() else { return Ok(0) };
            if !(self.more)(source.fill_buf()?) {
                return Ok(0);
            }
            self.decoder = Some((self.open)(source)?);
        }
    }
}

pub(super) fn gzip<'i, 'n>(walk: &Walk<'n>, input: &mut Input<'i, 'n>) -> Result<(), Obstacle> {
    let chain = Chain {
        source: Some(input),
        decoder: None,
        more: |head| head.starts_with(b"\x1f\x8b"),
        open: |source| Ok(GzDecoder::new(source)),
        close: GzDecoder::into_inner,
    };
    walk.member(Container::Gzip.name(), chain);
    Ok(())
}

/// Two bytes are little to know a format by, so that what fails at once is none.
pub(super) fn zlib<'i, 'n>(walk: &Walk<'n>, input: &mut Input<'i, 'n>) -> Result<(), Obstacle> {
    /// Noise does not unpack to so many bytes.
    const SURE: u64 = 4096;
    let mut decoder = ZlibDecoder::new(input);
    let count = std::cell::Cell::new(0);
    let counted = Counted { reader: &mut decoder, count: &count };
    walk.member_or(Container::Zlib.name(), counted, |obstacle| {
        (count.get() >= SURE).then_some(obstacle)
    });
    Ok(())
}

struct Counted<'c, R> {
    reader: R,
    count: &'c std::cell::Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(out)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

pub(super) fn bzip2<'i, 'n>(walk: &Walk<'n>, input: &mut Input<'i, 'n>) -> Result<(), Obstacle> {
    let chain = Chain {
        source: Some(input),
        decoder: None,
        more: |head| head.starts_with(b"BZh"),
        open: |source| Ok(BzDecoder::new(source)),
        close: BzDecoder::into_inner,
    };
    walk.member(Container::Bzip2.name(), chain);
    Ok(())
}

pub(super) fn xz<'i, 'n>(walk: &Walk<'n>, input: &mut Input<'i, 'n>) -> Result<(), Obstacle> {
    let kib = u32::try_from(walk.memory() >> 10).unwrap_or(u32::MAX - 1);
    hungry(walk, Container::Xz.name(), XzReader::new_mem_limit(input, true, kib));
    Ok(())
}

pub(super) fn zstd<'i, 'n>(walk: &Walk<'n>, input: &mut Input<'i, 'n>) -> Result<(), Obstacle> {
    let memory = walk.memory();
    hungry(walk, Container::Zstd.name(), zstd_frames(input, memory));
    Ok(())
}

/// Unpacks all frames of a zstd stream, of which some may hold nothing, one after the other.
///
/// Fails where a frame asks for a window of more than `memory` bytes; what follows the last frame is
/// left. Source: RFC 8878, 3.1.
pub fn zstd_frames(source: impl BufRead, memory: u64) -> impl Read {
    Frames { source: Some(source), decoder: None, memory }
}

/// Searches what a decompressor gives that has a window of its own.
pub(super) fn hungry(walk: &Walk<'_>, name: &str, reader: impl Read) -> bool {
    walk.hungry.set(walk.hungry.get() + 1);
    let read = walk.member(name, reader);
    walk.hungry.set(walk.hungry.get() - 1);
    read
}

struct Frames<R: BufRead> {
    source: Option<R>,
    decoder: Option<StreamingDecoder<R, FrameDecoder>>,
    memory: u64,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                let count = decoder.read(out)?;
                if count > 0 || out.is_empty() {
                    return Ok(count);
                }
                self.source = self.decoder.take().map(StreamingDecoder::into_inner);
            }
            let Some(mut source) = self.source.take() else { return Ok(0) };
            match source.fill_buf()? {
                [0x28, 0xb5, 0x2f, 0xfd, rest @ ..] => {
                    if window(rest) > self.memory {
                        return Err(io::ErrorKind::OutOfMemory.into());
                    }
                    let decoder = StreamingDecoder::new(source).map_err(io::Error::other)?;
                    self.decoder = Some(decoder);
                }
                [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                    let mut head = [0; 8];
                    source.read_exact(&mut head)?;
                    let [.., a, b, c, d] = head;
                    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
                    io::copy(&mut (&mut source).take(length), &mut io::sink())?;
                    self.source = Some(source);
                }
                _ => return Ok(0),
            }
        }
    }
}

/// Bytes of the window that a frame asks for: RFC 8878, 3.1.1.1.
fn window(header: &[u8]) -> u64 {
    let Some((descriptor, rest)) = header.split_first() else { return 0 };
    if descriptor & 0x20 == 0 {
        let byte = u64::from(rest.first().copied().unwrap_or_default());
        let base = 1_u64 << (10 + (byte >> 3));
        return base + base / 8 * (byte & 7);
    }
    // One segment: all of it is the window.
    let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied().unwrap_or(0);
    let length = 1 << (descriptor >> 6);
    let field = rest.get(dictionary..dictionary + length).unwrap_or_default();
    let size = field.iter().rev().fold(0_u64, |size, byte| size << 8 | u64::from(*byte));
    if length == 2 { size + 256 } else { size }
}
