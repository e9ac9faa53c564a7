//! A layer's archive, member by member, in fixed memory whatever it says.
//!
//! Source: POSIX.1-2017, pax (ustar and pax headers); GNU tar, "Basic Tar Format" (long names,
//! numbers in base 256, sparse files). Where readers differ it reads as Go's `archive/tar`, with which
//! engines unpack: what only they saw would be looked at by nobody.

use std::io::{self, Read};

mod header;
mod pax;

use header::Header;
use pax::Pax;

/// Bytes of a block; everything is padded to it.
const BLOCK: usize = 512;
/// Largest pax header or long name, bytes; Go's reader, which engines use, has the same bound.
const TEXT: u64 = 1 << 20;
/// Bytes that are passed over at once.
const SKIP: usize = 64 << 10;

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    /// A file with holes; its content is what is between them.
    Sparse,
    Directory,
    HardLink,
    SymbolicLink,
    /// A device, a pipe, or what nobody knows.
    Other(u8),
}

/// A member without its content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// As it is written.
    pub(super) path: Vec<u8>,
    /// What a link leads to.
    pub(super) target: Vec<u8>,
    pub(super) kind: Kind,
    /// The lower twelve bits.
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    /// Bytes of content that follow.
    pub(super) size: u64,
    /// Major and minor number of a device.
    pub(super) device: (u64, u64),
    pub(super) attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The members of an archive, one after the other; reading gives the content of the present one.
pub(super) struct Members<R> {
    reader: R,
    /// Content of the present member that was not read.
    left: u64,
    /// Bytes behind it, up to the next block.
    padding: u64,
}

impl<R: Read> Members<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, left: 0, padding: 0 }
    }

    /// What is read from, at the content of the present member.
    pub(super) fn into_inner(self) -> R {
        self.reader
    }

    /// The next member, what is left of the present one passed over; `None` at the archive's end.
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        let (mut pax, mut path, mut target) = (Pax::default(), None, None);
        loop {
            self.skip()?;
            let Some(block) = self.block()? else { return Ok(None) };
            if block.iter().all(|byte| *byte == 0) {
                return match self.block()? {
                    Some(next) if next.iter().any(|byte| *byte != 0) => {
                        Err(damaged("a block of zeros stands among its members"))
                    }
                    _ => Ok(None),
                };
            }
            let header = Header::of(&block)?;
            if !matches!(header.kind, b'x' | b'g' | b'L' | b'K') {
                return self.member(header, pax, (path, target)).map(Some);
            }
            self.content(header.size)?;
            match header.kind {
                b'x' => pax = Pax::parse(&self.text()?)?,
                // For all members to come: engines ignore it, and what stood before it.
                b'g' => {
                    drop(self.text()?);
                    (pax, path, target) = (Pax::default(), None, None);
                }
                b'L' => path = until_zero(self.text()?),
                _ => target = until_zero(self.text()?),
            }
        }
    }

    fn member(
        &mut self,
        header: Header,
        pax: Pax,
        (path, target): (Option<Vec<u8>>, Option<Vec<u8>>),
    ) -> io::Result<Member> {
        let path = pax.sparse_name.or(path).or(pax.path).unwrap_or(header.path);
        let mut kind = match header.kind {
            // Archives older than the standard write directories so.
            0 if path.ends_with(b"/") => Kind::Directory,
            0 | b'0' | b'7' => Kind::File,
            b'S' => Kind::Sparse,
            b'1' => Kind::HardLink,
            b'2' => Kind::SymbolicLink,
            b'5' => Kind::Directory,
            other => Kind::Other(other),
        };
        if kind == Kind::File && pax.sparse {
            kind = Kind::Sparse;
        }
        let mut size = pax.size.unwrap_or(header.size);
        // These have no content, whatever is written.
        if !matches!(kind, Kind::File | Kind::Sparse | Kind::Other(_)) {
            size = 0;
        }
        if let Kind::Other(b'3' | b'4' | b'6') = kind {
            size = 0;
        }
        if header.extended {
            self.sparse_map()?;
        }
        self.content(size)?;
        Ok(Member {
            path,
            target: target.or(pax.target).unwrap_or(header.target),
            kind,
            mode: header.mode,
            uid: pax.uid.unwrap_or(header.uid),
            gid: pax.gid.unwrap_or(header.gid),
            size: self.left,
            device: header.device,
            attributes: pax.attributes,
        })
    }

    /// The map of a sparse file goes on in blocks of its own.
    fn sparse_map(&mut self) -> io::Result<()> {
        loop {
            let block = self.block()?.ok_or_else(short)?;
            if block.get(504).is_none_or(|more| *more == 0) {
                return Ok(());
            }
        }
    }

    /// All of a header's text.
    fn text(&mut self) -> io::Result<Vec<u8>> {
        if self.left > TEXT {
            return Err(damaged("a header is longer than 1 MiB"));
        }
        let mut text = Vec::new();
        self.read_to_end(&mut text)?;
        Ok(text)
    }

    /// So many bytes follow, and then what fills the block.
    fn content(&mut self, size: i64) -> io::Result<()> {
        self.left = u64::try_from(size).map_err(|_| damaged("a size is below zero"))?;
        self.padding = self.left.next_multiple_of(BLOCK as u64) - self.left;
        Ok(())
    }

    /// Passes over what is left of the present member.
    fn skip(&mut self) -> io::Result<()> {
        let padding = std::mem::take(&mut self.padding);
        let mut rest = std::mem::take(&mut self.left).saturating_add(padding);
        let mut buffer = [0; SKIP];
        while rest > 0 {
            let most = usize::try_from(rest).unwrap_or(SKIP).min(SKIP);
            match self.reader.read(buffer.get_mut(..most).unwrap_or_default())? {
                // The last block may be short.
                0 if rest <= padding => return Ok(()),
                0 => return Err(short()),
                count => rest -= count as u64,
            }
        }
        Ok(())
    }

    /// The next block; `None` where the archive ends without one.
    fn block(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let (mut block, mut filled) = ([0; BLOCK], 0);
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.reader.read(rest)? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(short()),
                count => filled += count,
            }
        }
        Ok(Some(block))
    }
}

/// The content of the present member.
impl<R: Read> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let into = into.get_mut(..most).unwrap_or_default();
        if into.is_empty() {
            return Ok(0);
        }
        match self.reader.read(into)? {
            0 => Err(short()),
            count => {
                self.left -= count as u64;
                Ok(count)
            }
        }
    }
}

fn until_zero(mut text: Vec<u8>) -> Option<Vec<u8>> {
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    text.truncate(end);
    Some(text).filter(|text| !text.is_empty())
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the archive is damaged: {what}"))
}

fn short() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends too early")
}

#[cfg(test)]
mod tests;
