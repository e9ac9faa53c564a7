//! The pass over a text.

use super::{GRAM, Index, Match, verify};

/// What a pass had to do, for the bench and for tests of its bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Places that the bitmap let through.
    pub(crate) places: u64,
    /// Windows that were looked up around them.
    pub(crate) windows: u64,
    /// Patterns that were compared.
    pub(crate) patterns: u64,
}

impl Index {
    /// Tells of every match that lies wholly within the text, each once, in no order.
    pub(crate) fn scan(&self, text: &[u8], work: &mut Work, tell: &mut impl FnMut(Match)) {
        if self.is_empty() {
            return;
        }
        // A stride that is known when compiling makes the loop much faster.
        match self.width + 1 - GRAM {
            5 => self.stride::<5>(text, work, tell),
            6 => self.stride::<6>(text, work, tell),
            7 => self.stride::<7>(text, work, tell),
            8 => self.stride::<8>(text, work, tell),
            9 => self.stride::<9>(text, work, tell),
            10 => self.stride::<10>(text, work, tell),
            11 => self.stride::<11>(text, work, tell),
            12 => self.stride::<12>(text, work, tell),
            _ => self.stride::<13>(text, work, tell),
        }
    }

    fn stride<const STRIDE: usize>(
        &self,
        text: &[u8],
        work: &mut Work,
        tell: &mut impl FnMut(Match),
    ) {
        let (blocks, rest) = text.as_chunks::<STRIDE>();
        for (index, block) in blocks.iter().enumerate() {
            let gram = block.first_chunk().map_or(0, |four| u32::from_le_bytes(*four));
            if self.bitmap.may_have(gram) {
                self.place(text, index * STRIDE, gram, work, tell);
            }
        }
        if let Some(four) = rest.first_chunk() {
            let gram = u32::from_le_bytes(*four);
            if self.bitmap.may_have(gram) {
                self.place(text, blocks.len() * STRIDE, gram, work, tell);
            }
        }
    }

    /// Looks for windows that have these four bytes.
    #[inline(never)]
    fn place(
        &self,
        text: &[u8],
        at: usize,
        gram: u32,
        work: &mut Work,
        tell: &mut impl FnMut(Match),
    ) {
        work.places += 1;
        let mut offsets = self.grams.offsets(gram);
        while offsets != 0 {
            let offset = offsets.trailing_zeros() as usize;
            offsets &= offsets - 1;
            let Some(start) = at.checked_sub(offset) else { continue };
            let Some(bytes) = text.get(start..start + self.width) else { continue };
            work.windows += 1;
            for window in self.windows.like(bytes) {
                work.patterns += 1;
                let Some(pattern) = self.patterns.get(window.pattern) else { continue };
                if let Some((start, end)) = verify::around(pattern, window, self.width, text, start)
                {
                    tell(Match { pattern: window.pattern, start, end });
                }
            }
        }
    }
}
