//! A directory's names, sorted, in one buffer.

use std::{ffi::CStr, mem::MaybeUninit, os::fd::BorrowedFd};

use rustix::{
    fs::{FileType, RawDir},
    io::Errno,
};

/// Sorted names of a directory with their types as far as the file system told.
#[derive(Debug, Default)]
pub(super) struct Names {
    buffer: Vec<u8>,
    /// Start in the buffer and type; a NUL ends each name.
    index: Vec<(u32, FileType)>,
}

impl Names {
    /// Reads a whole directory; `.` and `..` are left out.
    ///
    /// # Errors
    /// What the system says; a directory with over 4 GiB of names is `EOVERFLOW`.
    pub(super) fn read(dir: BorrowedFd<'_>) -> Result<Self, Errno> {
        let mut names = Self::default();
        let mut space = [MaybeUninit::<u8>::uninit(); 32 * 1024];
        let mut entries = RawDir::new(dir, &mut space);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes_with_nul();
            if matches!(name, b".\0" | b"..\0") {
                continue;
            }
            let start = u32::try_from(names.buffer.len()).map_err(|_| Errno::OVERFLOW)?;
            names.index.push((start, entry.file_type()));
            names.buffer.extend_from_slice(name);
        }
        let buffer = &names.buffer;
        names.index.sort_unstable_by(|a, b| name_at(buffer, a.0).cmp(&name_at(buffer, b.0)));
        Ok(names)
    }

    /// The name at a position.
    pub(super) fn get(&self, position: usize) -> Option<(&CStr, FileType)> {
        let &(start, kind) = self.index.get(position)?;
        Some((name_at(&self.buffer, start)?, kind))
    }
}

fn name_at(buffer: &[u8], start: u32) -> Option<&CStr> {
    let bytes = buffer.get(usize::try_from(start).ok()?..)?;
    CStr::from_bytes_until_nul(bytes).ok()
}
