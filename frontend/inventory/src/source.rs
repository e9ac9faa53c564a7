//! Bytes at places: what readers of databases and binaries need of a file.

use std::io::{self, Read, Seek, SeekFrom};

use crate::reading::Reason;

/// A file that can be read in any order.
pub trait Source {
    /// How many bytes it has.
    fn size(&self) -> u64;
    /// Reads from a place into the buffer, like `pread`: possibly less than all, 0 at the end.
    ///
    /// # Errors
    /// Those of the medium.
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
}

impl Source for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let length = rest.len().min(into.len());
        if let (Some(from), Some(into)) = (rest.get(..length), into.get_mut(..length)) {
            into.copy_from_slice(from);
        }
        Ok(length)
    }
}

/// Makes a source of anything that can seek.
#[derive(Debug)]
pub struct Seeking<T> {
    inner: T,
    size: u64,
}

impl<T: Read + Seek> Seeking<T> {
    /// Takes a reader and finds out how long it is.
    ///
    /// # Errors
    /// Those of seeking.
    pub fn new(mut inner: T) -> io::Result<Self> {
        let size = inner.seek(SeekFrom::End(0))?;
        Ok(Self { inner, size })
    }
}

impl<T: Read + Seek> Source for Seeking<T> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.inner.seek(SeekFrom::Start(offset))?;
        self.inner.read(into)
    }
}

/// Reads exactly `length` bytes at a place; a caller has bounded `length`.
pub(crate) fn bytes(
    source: &mut dyn Source,
    offset: u64,
    length: usize,
) -> Result<Vec<u8>, Reason> {
    let end = offset.checked_add(length as u64).filter(|&end| end <= source.size());
    if end.is_none() {
        return Err(Reason::Truncated);
    }
    let mut found = vec![0; length];
    let mut done = 0;
    while let Some(rest) = found.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match source.read_at(offset + done as u64, rest) {
            Ok(0) => return Err(Reason::Truncated),
            Ok(more) => done += more,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(Reason::Io { cause: cause.to_string() }),
        }
    }
    Ok(found)
}

/// Reads a whole file that is not longer than `limit`.
pub(crate) fn whole(source: &mut dyn Source, limit: usize) -> Result<Vec<u8>, Reason> {
    match usize::try_from(source.size()) {
        Ok(size) if size <= limit => bytes(source, 0, size),
        _ => Err(Reason::TooLarge { limit: limit as u64 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seeking_source_reads_like_a_slice() {
        let text: &[u8] = b"0123456789";
        let mut slice = text;
        let mut seeking = Seeking::new(io::Cursor::new(text)).unwrap();
        for source in [&mut slice as &mut dyn Source, &mut seeking] {
            assert_eq!(source.size(), 10);
            assert_eq!(bytes(source, 3, 4).unwrap(), b"3456");
            assert_eq!(bytes(source, 8, 4), Err(Reason::Truncated));
            assert_eq!(bytes(source, u64::MAX, 4), Err(Reason::Truncated));
            assert_eq!(whole(source, 10).unwrap(), text);
            assert_eq!(whole(source, 9), Err(Reason::TooLarge { limit: 9 }));
        }
    }
}
