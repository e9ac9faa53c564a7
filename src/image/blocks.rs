//! Bytes that several threads need, each in its own time: read once, into blocks that they share.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bytes of a block.
pub(super) const BLOCK: usize = 256 << 10;
/// Blocks that wait for a thread.
const WAITING: usize = 4;

/// Bytes that nobody changes while somebody reads them.
pub(super) type Block = Arc<Vec<u8>>;

/// Reads block after block; memory that everybody is done with is used again.
#[derive(Default)]
pub(super) struct Blocks {
    given: VecDeque<Block>,
}

impl Blocks {
    /// The next bytes; fewer than [`BLOCK`] are the last ones.
    pub(super) fn read(&mut self, reader: &mut dyn Read) -> io::Result<Block> {
        // The oldest is the first that everybody is done with.
        let free = self.given.front_mut().is_some_and(|block| Arc::get_mut(block).is_some());
        let free = free.then(|| self.given.pop_front()).flatten();
        let mut bytes = free.and_then(Arc::into_inner).unwrap_or_default();
        bytes.resize(BLOCK, 0);
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match reader.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        let block = Arc::new(bytes);
        self.given.push_back(Arc::clone(&block));
        Ok(block)
    }
}

/// A way for blocks to another thread; who sends waits for who reads.
pub(super) fn queue() -> (SyncSender<Block>, Receiver<Block>) {
    sync_channel(WAITING)
}

/// Blocks that arrive, as one stream.
pub(super) struct Arriving {
    blocks: Receiver<Block>,
    now: Block,
    at: usize,
}

impl Arriving {
    pub(super) fn new(blocks: Receiver<Block>) -> Self {
        Self { blocks, now: Block::default(), at: 0 }
    }
}

impl Read for Arriving {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.now.len() {
            // Given back before we wait for the next one.
            (self.now, self.at) = (Block::default(), 0);
            let Ok(next) = self.blocks.recv() else { return Ok(0) };
            self.now = next;
        }
        let count = self.now.get(self.at..).unwrap_or_default().read(into)?;
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_is_what_was_read_however_slowly() {
        let bytes: Vec<u8> = (0..9 * BLOCK as u32 + 7)
            .map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes()[0])
            .collect();
        let (send, receive) = queue();
        let mut source = bytes.as_slice();
        let mut blocks = Blocks::default();
        let kept = blocks.read(&mut source).unwrap();
        let arrived = std::thread::scope(|scope| {
            let arrived = scope.spawn(|| {
                let mut arrived = Vec::new();
                Arriving::new(receive).read_to_end(&mut arrived).unwrap();
                arrived
            });
            send.send(Arc::clone(&kept)).unwrap();
            loop {
                let block = blocks.read(&mut source).unwrap();
                let last = block.len() < BLOCK;
                send.send(block).unwrap();
                if last {
                    break drop(send);
                }
            }
            arrived.join().unwrap()
        });
        assert!(arrived == bytes);
        // What somebody still holds is not written over.
        assert!(kept[..] == bytes[..BLOCK]);
    }

    #[test]
    fn memory_is_used_again() {
        let mut blocks = Blocks::default();
        let first = blocks.read(&mut io::repeat(1)).unwrap().as_ptr();
        assert_eq!(blocks.read(&mut io::repeat(2)).unwrap().as_ptr(), first);
    }
}
