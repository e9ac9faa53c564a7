//! A set of grams that says "no" fast and "maybe" seldom.

use zeroize::Zeroizing;

/// Bits for each gram; one place in sixty-four is looked at for nothing.
const SPARSENESS: usize = 64;
/// 16 KiB lie in every processor's fastest cache.
const SMALLEST: u32 = 17;
/// 2 MiB, for tens of thousands of windows.
const LARGEST: u32 = 24;

pub(super) struct Bitmap {
    words: Zeroizing<Vec<u64>>,
    shift: u32,
}

impl Bitmap {
    pub(super) fn new(grams: impl Iterator<Item = u32>, count: usize) -> Self {
        let wanted = (count * SPARSENESS).next_power_of_two().trailing_zeros();
        let log = wanted.clamp(SMALLEST, LARGEST);
        let mut words = Zeroizing::new(vec![0_u64; 1 << (log - 6)]);
        let shift = 32 - log;
        for gram in grams {
            let bit = slot(gram, shift);
            if let Some(word) = words.get_mut(bit >> 6) {
                *word |= 1 << (bit & 63);
            }
        }
        Self { words, shift }
    }

    #[inline(always)]
    pub(super) fn may_have(&self, gram: u32) -> bool {
        let bit = slot(gram, self.shift);
        self.words.get(bit >> 6).is_some_and(|word| word >> (bit & 63) & 1 != 0)
    }
}

/// Multiplicative hashing: the upper bits of the product depend on all of the gram.
#[inline(always)]
fn slot(gram: u32, shift: u32) -> usize {
    (gram.wrapping_mul(0x9E37_79B1) >> shift) as usize
}
