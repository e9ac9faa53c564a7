//! SQLite's write-ahead log: pages that are newer than those of the database
//! (<https://www.sqlite.org/fileformat2.html#the_write_ahead_log>).

use std::collections::BTreeMap;

use crate::numbers::Order;
use crate::reading::Reason;
use crate::source::{self, Source};

const HEADER: u64 = 32;
const FRAME: u64 = 24;
/// The longest log that is read.
const LONGEST: u64 = 1 << 30;

/// Where the committed pages of a log stand in it.
#[derive(Debug, Default)]
pub(super) struct Log {
    pages: BTreeMap<u32, u64>,
}

impl Log {
    /// Finds the last committed state of every page; a log that ends in the middle of a
    /// transaction ends before it, as SQLite itself would have it.
    pub(super) fn read(source: &mut dyn Source, page_size: u32) -> Result<Self, Reason> {
        let mut log = Self::default();
        if source.size() > LONGEST {
            return Err(Reason::TooLarge { limit: LONGEST });
        }
        let Ok(header) = source::bytes(source, 0, 32) else { return Ok(log) };
        let number = |at| Order::Big.u32(&header, at);
        let order = match number(0) {
            Some(0x377f_0682) => Order::Little,
            Some(0x377f_0683) => Order::Big,
            _ => return Ok(log),
        };
        let mut sum = checksum(order, (0, 0), header.get(..24).unwrap_or_default());
        let salts = header.get(16..24).unwrap_or_default();
        // A log that was never begun, or is of another database.
        if (Some(sum.0), Some(sum.1)) != (number(24), number(28)) || number(8) != Some(page_size) {
            return Ok(log);
        }
        let mut open = BTreeMap::new();
        let mut at = HEADER;
        let length = FRAME + u64::from(page_size);
        let Ok(frame_length) = usize::try_from(length) else { return Ok(log) };
        while let Ok(frame) = source::bytes(source, at, frame_length) {
            let (head, page) = frame.split_at(24);
            sum = checksum(order, sum, head.get(..8).unwrap_or_default());
            sum = checksum(order, sum, page);
            let number = |at| Order::Big.u32(head, at);
            let valid = head.get(8..16) == Some(salts)
                && (number(16), number(20)) == (Some(sum.0), Some(sum.1));
            let (Some(page), Some(commit), true) = (number(0), number(4), valid) else { break };
            open.insert(page, at + FRAME);
            if commit != 0 {
                log.pages.append(&mut open);
            }
            at += length;
        }
        Ok(log)
    }

    /// Where in the log the newest form of a page begins.
    pub(super) fn place(&self, page: u32) -> Option<u64> {
        self.pages.get(&page).copied()
    }
}

fn checksum(order: Order, start: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let (pairs, _) = bytes.as_chunks::<8>();
    pairs.iter().fold(start, |(first, second), pair| {
        let word = |at| order.u32(pair, at).unwrap_or_default();
        let first = first.wrapping_add(word(0)).wrapping_add(second);
        (first, second.wrapping_add(word(4)).wrapping_add(first))
    })
}
