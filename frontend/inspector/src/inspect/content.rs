//! The bytes of a file, holes shortened: a file of a terabyte can be empty.

use std::io::{self, Read};
use std::os::fd::OwnedFd;

use cofferdam_inventory::Source;
use rustix::fs::{SeekFrom, Stat};
use rustix::io::Errno;

/// Zeros that a hole is shown with; shorter ones are shown whole.
const HOLE: u64 = 64 * 1024;
/// Bytes of one block of `st_blocks`, whatever the file system's own are.
const BLOCK: u64 = 512;

/// A regular file that is being read.
#[derive(Debug)]
pub struct Content {
    file: OwnedFd,
    size: u64,
    /// Whether it may have holes.
    sparse: bool,
    /// Where the next byte is read.
    at: u64,
    /// Where the data that begins at or before `at` ends.
    data_until: u64,
    /// Zeros still to be shown of a hole that was passed.
    zeros: u64,
}

impl Content {
    /// The bytes of an open file of which the file system says `stat`.
    pub fn new(file: OwnedFd, stat: &Stat) -> Self {
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let kept = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(BLOCK);
        let sparse = kept < size;
        let data_until = if sparse { 0 } else { size };
        Self { file, size, sparse, at: 0, data_until, zeros: 0 }
    }

    /// Its size in bytes, holes included.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Goes back to the first byte.
    pub fn rewind(&mut self) {
        (self.at, self.zeros) = (0, 0);
        self.data_until = if self.sparse { 0 } else { self.size };
    }

    /// Passes a hole, if one begins here.
    fn pass_hole(&mut self) -> io::Result<()> {
        let data = match rustix::fs::seek(&self.file, SeekFrom::Data(self.at)) {
            Ok(data) => data.min(self.size),
            Err(Errno::NXIO) => self.size,
            // A file system that does not know has no holes that it tells.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => {
                self.data_until = self.size;
                return Ok(());
            }
            Err(cause) => return Err(cause.into()),
        };
        self.zeros = data.saturating_sub(self.at).min(HOLE);
        self.at = data;
        self.data_until = self.size;
        if data < self.size {
            let hole = rustix::fs::seek(&self.file, SeekFrom::Hole(data))?;
            self.data_until = hole.clamp(data, self.size);
        }
        Ok(())
    }
}

/// At any place, holes as they are.
impl Source for Content {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match rustix::io::pread(&self.file, &mut *into, offset) {
                Err(Errno::INTR) => {}
                answer => return Ok(answer?),
            }
        }
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.zeros > 0 {
                let count = usize::try_from(self.zeros).unwrap_or(usize::MAX).min(buffer.len());
                buffer.iter_mut().take(count).for_each(|byte| *byte = 0);
                self.zeros -= count as u64;
                return Ok(count);
            }
            if self.at >= self.size {
                return Ok(0);
            }
            if self.at < self.data_until {
                let wanted = usize::try_from(self.data_until - self.at).unwrap_or(usize::MAX);
                let wanted = wanted.min(buffer.len());
                let space = buffer.get_mut(..wanted).unwrap_or_default();
                let count = match rustix::io::pread(&self.file, space, self.at) {
                    Err(Errno::INTR) => continue,
                    answer => answer?,
                };
                if count == 0 && wanted > 0 {
                    return Err(io::Error::other("it ends before its size"));
                }
                self.at += count as u64;
                return Ok(count);
            }
            self.pass_hole()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    fn content(file: &std::fs::File) -> Content {
        let fd = OwnedFd::from(file.try_clone().unwrap());
        let stat = rustix::fs::fstat(&fd).unwrap();
        Content::new(fd, &stat)
    }

    fn read(content: &mut Content) -> Vec<u8> {
        let mut all = Vec::new();
        content.read_to_end(&mut all).unwrap();
        all
    }

    #[test]
    fn a_file_without_holes_is_read_as_it_is_and_again() {
        let file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        file.write_all_at(&bytes, 0).unwrap();
        let mut content = content(&file);
        assert_eq!(read(&mut content), bytes);
        content.rewind();
        assert_eq!(read(&mut content), bytes);
    }

    #[test]
    fn a_terabyte_of_nothing_is_read_at_once_and_what_is_in_it_is_seen() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(1 << 40).unwrap();
        file.write_all_at(b"here", 1 << 39).unwrap();
        let mut content = content(&file);
        assert_eq!(content.size(), 1 << 40);
        let all = read(&mut content);
        assert!(all.len() < 1 << 20, "{}", all.len());
        assert!(all.windows(4).any(|window| window == b"here"));
    }

    #[test]
    fn an_empty_file_has_no_bytes() {
        assert_eq!(read(&mut content(&tempfile::tempfile().unwrap())), b"");
    }
}
