//! Where in windows a gram stands.

use zeroize::Zeroizing;

/// A map from a gram to the set of its offsets, one bit each; open addressing.
pub(super) struct Grams {
    /// Gram and offsets; no offset means no entry.
    slots: Zeroizing<Vec<(u32, u32)>>,
    len: usize,
}

impl Grams {
    pub(super) fn new(offsets: impl Iterator<Item = (usize, u32)> + Clone) -> Self {
        let size = (2 * offsets.clone().count()).next_power_of_two().max(2);
        let mut grams = Self { slots: Zeroizing::new(vec![(0, 0); size]), len: 0 };
        for (offset, gram) in offsets {
            let at = grams.find(gram);
            if let Some(slot) = grams.slots.get_mut(at) {
                grams.len += usize::from(slot.1 == 0);
                *slot = (gram, slot.1 | 1 << offset);
            }
        }
        grams
    }

    /// The offsets of a gram, one bit each.
    pub(super) fn offsets(&self, gram: u32) -> u32 {
        self.slots.get(self.find(gram)).map_or(0, |slot| slot.1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().filter(|slot| slot.1 != 0).map(|slot| slot.0)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The gram's slot, or the free one that it would get: half of them are free.
    fn find(&self, gram: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = gram.wrapping_mul(0x85EB_CA6B) as usize >> 7 & mask;
        while self.slots.get(at).is_some_and(|slot| slot.1 != 0 && slot.0 != gram) {
            at = (at + 1) & mask;
        }
        at
    }
}
