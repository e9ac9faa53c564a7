//! The windows by which patterns are found, by a hash of their bytes.

use zeroize::Zeroizing;

use super::Pattern;

/// Some bytes of a pattern, by which it is found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) pattern: usize,
    /// Where in the pattern it begins.
    pub(super) at: usize,
    /// Whether the window before it is one of the same pattern.
    pub(super) second: bool,
}

impl Window {
    pub(super) fn bytes<'p>(&self, patterns: &'p [Pattern], width: usize) -> &'p [u8] {
        patterns
            .get(self.pattern)
            .and_then(|pattern| pattern.bytes.get(self.at..self.at + width))
            .unwrap_or_default()
    }
}

/// All windows, sorted by hash; a table of the first of each hash.
pub(super) struct Windows {
    sorted: Zeroizing<Vec<(u64, usize, usize, bool)>>,
    /// The first of a hash in `sorted` and one; zero where there is none.
    table: Vec<usize>,
}

impl Windows {
    pub(super) fn new(chosen: &[Window], patterns: &[Pattern], width: usize) -> Self {
        let mut sorted = Zeroizing::new(Vec::with_capacity(chosen.len()));
        for window in chosen {
            let hash = hash(window.bytes(patterns, width));
            sorted.push((hash, window.pattern, window.at, window.second));
        }
        sorted.sort_unstable();
        let size = (2 * sorted.len()).next_power_of_two().max(2);
        let mut windows = Self { sorted, table: vec![0; size] };
        let mut last = None;
        for index in 0..windows.sorted.len() {
            let hash = windows.sorted.get(index).map(|window| window.0);
            if hash != last {
                let at = windows.find(hash.unwrap_or_default());
                if let Some(slot) = windows.table.get_mut(at) {
                    *slot = index + 1;
                }
            }
            last = hash;
        }
        windows
    }

    /// Windows with these bytes; as good as no others have the same hash.
    pub(super) fn like(&self, bytes: &[u8]) -> impl Iterator<Item = Window> {
        let hash = hash(bytes);
        let first = self.table.get(self.find(hash)).and_then(|first| first.checked_sub(1));
        let found = first.and_then(|first| self.sorted.get(first..)).unwrap_or_default();
        found.iter().take_while(move |window| window.0 == hash).map(|window| Window {
            pattern: window.1,
            at: window.2,
            second: window.3,
        })
    }

    fn find(&self, hash: u64) -> usize {
        let mask = self.table.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match self.table.get(at).and_then(|first| self.sorted.get(first.checked_sub(1)?)) {
                Some(window) if window.0 != hash => at = (at + 1) & mask,
                _ => return at,
            }
        }
    }
}

/// Eight bytes at a time; the last ones may overlap the ones before.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x9E37_79B9_7F4A_7C15;
    let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |eight| u64::from_le_bytes(*eight));
    let mix = |one: u64, two: u64| (one ^ two).wrapping_mul(PRIME).rotate_left(29);
    let mut sum = PRIME ^ bytes.len() as u64;
    for eight in bytes.chunks_exact(8) {
        sum = mix(sum, word(eight.first_chunk()));
    }
    sum = mix(sum, word(bytes.last_chunk()));
    sum ^ sum >> 32
}
