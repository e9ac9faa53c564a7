//! A digest that another core makes while the bytes are looked at.

use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};

use sha2::{Digest as _, Sha256};

use super::blocks::{Block, queue};

/// sha256 of what passes by.
#[derive(Default)]
pub(super) struct Digester {
    /// Whether there is more than this one shows whether it is worth a thread.
    first: Option<Block>,
    by: Option<By>,
}

/// Who digests.
enum By {
    /// We do, where no thread is to be had.
    Us(Sha256),
    Thread(SyncSender<Block>, JoinHandle<Sha256>),
}

impl Digester {
    /// Takes the next bytes.
    pub(super) fn update(&mut self, block: &Block) {
        if block.is_empty() {
            return;
        }
        if self.first.is_none() && self.by.is_none() {
            self.first = Some(block.clone());
            return;
        }
        let first = self.first.take();
        let by = self.by.get_or_insert_with(begin);
        first.iter().chain([block]).for_each(|block| by.take(block));
    }

    /// The digest of everything, `sha256:…`.
    pub(super) fn finish(self) -> String {
        let mut digest = match self.by {
            None => Sha256::new(),
            Some(By::Us(digest)) => digest,
            Some(By::Thread(blocks, digest)) => {
                drop(blocks);
                digest.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause))
            }
        };
        digest.update(self.first.as_deref().map_or(&[][..], Vec::as_slice));
        format!("sha256:{:x}", digest.finalize())
    }
}

impl By {
    fn take(&mut self, block: &Block) {
        match self {
            Self::Us(digest) => digest.update(block.as_slice()),
            // It takes everything as long as it lives; if it did not, joining it says so.
            Self::Thread(blocks, _) => drop(blocks.send(block.clone())),
        }
    }
}

fn begin() -> By {
    let (sender, blocks) = queue();
    let work = move || {
        let mut digest = Sha256::new();
        blocks.into_iter().for_each(|block| digest.update(block.as_slice()));
        digest
    };
    match thread::Builder::new().name("digest".into()).spawn(work) {
        Ok(thread) => By::Thread(sender, thread),
        Err(_) => By::Us(Sha256::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::blocks::{BLOCK, Blocks};
    use super::*;

    #[test]
    fn it_is_the_digest_of_all_blocks_however_many() {
        let bytes: Vec<u8> = (0..3 * BLOCK as u32 + 7)
            .map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes()[0])
            .collect();
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, bytes.len()] {
            let mut bytes = &bytes[..length];
            let expected = format!("sha256:{:x}", Sha256::digest(bytes));
            let (mut blocks, mut digester) = (Blocks::default(), Digester::default());
            while !bytes.is_empty() {
                digester.update(&blocks.read(&mut bytes).unwrap());
            }
            assert_eq!(digester.finish(), expected, "{length} bytes");
        }
    }
}
