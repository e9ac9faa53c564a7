//! A fixed number of buffers, so that memory stays bounded however slowly the engine reads.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Bytes per buffer: large enough for big reads, small enough for the engine's message limit of 4 MiB.
pub(super) const BUFFER: usize = 256 * 1024;

/// Buffers per transfer, 4 MiB together.
const BUFFERS: usize = 16;

#[derive(Debug, Default)]
struct Shelf {
    free: Vec<Vec<u8>>,
    out: usize,
    closed: bool,
}

/// Buffers that come back by themselves once their bytes were written out.
#[derive(Debug, Default)]
pub(super) struct Pool {
    shelf: Mutex<Shelf>,
    returned: Condvar,
}

impl Pool {
    /// Waits for an empty buffer with a capacity of [`BUFFER`]; `None` once the pool is closed.
    pub(super) fn take(self: &Arc<Self>) -> Option<Buffer> {
        let mut shelf = self.lock();
        while shelf.out >= BUFFERS && !shelf.closed {
            shelf = self.returned.wait(shelf).unwrap_or_else(PoisonError::into_inner);
        }
        if shelf.closed {
            return None;
        }
        shelf.out += 1;
        let bytes = shelf.free.pop().unwrap_or_default();
        drop(shelf);
        Some(Buffer { bytes, pool: Arc::clone(self) })
    }

    /// Wakes and refuses everybody.
    pub(super) fn close(&self) {
        let mut shelf = self.lock();
        shelf.closed = true;
        shelf.free = Vec::new();
        self.returned.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer on loan.
#[derive(Debug)]
pub(super) struct Buffer {
    /// Its content; what grows beyond [`BUFFER`] is given back to the system.
    pub bytes: Vec<u8>,
    pool: Arc<Pool>,
}

impl Buffer {
    /// Room left.
    pub(super) fn room(&self) -> usize {
        BUFFER.saturating_sub(self.bytes.len())
    }

    /// Shares the content; the buffer returns when the last share is dropped.
    pub(super) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut shelf = self.pool.lock();
        shelf.out = shelf.out.saturating_sub(1);
        if !shelf.closed && bytes.capacity() <= BUFFER + BUFFER / 4 {
            shelf.free.push(bytes);
        }
        drop(shelf);
        self.pool.returned.notify_one();
    }
}
