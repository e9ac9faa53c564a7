//! A digest that another core makes while the bytes are looked at.

use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use sha2::{Digest as _, Sha256};

/// Bytes that are handed over at once.
const BLOCK: usize = 256 << 10;
/// Blocks that wait.
const WAITING: usize = 4;

/// sha256 of what passes by.
pub(super) struct Digester {
    /// What is not handed over yet.
    block: Vec<u8>,
    by: By,
}

/// Who digests.
enum By {
    /// We do: few bytes are not worth a thread, or there is none to be had.
    Us(Sha256),
    Thread {
        full: SyncSender<Vec<u8>>,
        empty: Receiver<Vec<u8>>,
        digest: JoinHandle<Sha256>,
    },
}

impl Digester {
    pub(super) fn new() -> Self {
        Self { block: Vec::new(), by: By::Us(Sha256::new()) }
    }

    /// Takes the next bytes.
    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        while let Some((now, later)) = bytes.split_at_checked(BLOCK - self.block.len()) {
            self.block.extend_from_slice(now);
            bytes = later;
            self.hand_over();
        }
        self.block.extend_from_slice(bytes);
    }

    /// The digest of everything, `sha256:…`.
    pub(super) fn finish(self) -> String {
        let mut digest = match self.by {
            By::Us(digest) => digest,
            By::Thread { full, empty: _, digest } => {
                drop(full);
                digest.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause))
            }
        };
        digest.update(&self.block);
        format!("sha256:{:x}", digest.finalize())
    }

    fn hand_over(&mut self) {
        if let By::Us(digest) = &mut self.by
            && let Some(thread) = begin(digest.clone())
        {
            self.by = thread;
        }
        match &mut self.by {
            By::Us(digest) => digest.update(&self.block),
            By::Thread { full, empty, .. } => {
                let next = empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK));
                // It takes everything as long as it lives; if it did not, joining it says so.
                let _ = full.send(std::mem::replace(&mut self.block, next));
            }
        }
        self.block.clear();
    }
}

/// Begins a thread that goes on from here.
fn begin(mut digest: Sha256) -> Option<By> {
    let (full, blocks) = sync_channel::<Vec<u8>>(WAITING);
    let (done, empty) = channel();
    let work = move || {
        for block in blocks {
            digest.update(&block);
            // Whoever hands over may be gone already.
            let _ = done.send(block);
        }
        digest
    };
    let digest = thread::Builder::new().name("digest".into()).spawn(work).ok()?;
    Some(By::Thread { full, empty, digest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_digest_of_all_bytes_however_they_come() {
        let bytes: Vec<u8> = (0..3 * BLOCK as u32 + 7)
            .map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes()[0])
            .collect();
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, bytes.len()] {
            let bytes = &bytes[..length];
            let expected = format!("sha256:{:x}", Sha256::digest(bytes));
            for piece in [1 << 12, BLOCK - 1, BLOCK, BLOCK + 1, 4 * BLOCK] {
                let mut digester = Digester::new();
                bytes.chunks(piece).for_each(|piece| digester.update(piece));
                assert_eq!(digester.finish(), expected, "{length} bytes by {piece}");
            }
        }
    }
}
