//! One file of a layer, kept so that it can be read in any order.

use std::io::{self, Cursor, Read, Write as _};

use cofferdam_inventory::{Seeking, Source};

/// Larger files go to the disk, bytes.
const IN_MEMORY: u64 = 4 << 20;
/// Larger ones are not kept at all, bytes.
pub(super) const LARGEST: u64 = 1 << 30;

/// Keeps a file of `size` bytes, of which `head` has been read already.
pub(super) fn keep(head: &[u8], rest: &mut impl Read, size: u64) -> io::Result<Box<dyn Source>> {
    if size <= IN_MEMORY {
        let mut bytes = head.to_vec();
        rest.read_to_end(&mut bytes)?;
        return Ok(Box::new(Seeking::new(Cursor::new(bytes))?));
    }
    // Without a name: it is gone with the process, however that ends.
    let mut file = tempfile::tempfile()?;
    file.write_all(head)?;
    io::copy(rest, &mut file)?;
    Ok(Box::new(Seeking::new(file)?))
}

/// A file that was kept, from its beginning.
pub(super) struct Reading<'s> {
    source: &'s mut dyn Source,
    at: u64,
}

impl<'s> Reading<'s> {
    pub(super) fn of(source: &'s mut dyn Source) -> Self {
        Self { source, at: 0 }
    }
}

impl Read for Reading<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read_at(self.at, into)?;
        self.at += count as u64;
        Ok(count)
    }
}
