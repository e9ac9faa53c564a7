//! Which stretch of a pattern the fewest files share with it by accident.

/// How rarely a byte stands in programs and texts, and bytes beside each other.
///
/// Only an order is needed: zeros, blanks and common letters are everywhere.
fn weight(byte: u8) -> u32 {
    match byte {
        0 | b' ' | 0xff => 1,
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' | b'l' | b'd' | b'c' => 3,
        b'\n' | b'\t' | b'=' | b'-' | b'_' | b'/' | b'.' | b'*' | b'#' | b'"' | 1 => 3,
        b'a'..=b'z' => 5,
        b'0'..=b'9' => 6,
        b'A'..=b'Z' => 6,
        b'!'..=b'~' => 5,
        _ => 5,
    }
}

/// Kinds of bytes; where they change often, nobody wrote words.
fn kind(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        0 => 3,
        b'!'..=b'~' | b' ' => 4,
        _ => 5,
    }
}

/// How many different bytes there are.
pub(super) fn distinct(bytes: &[u8]) -> usize {
    let mut seen = [0_u64; 4];
    for byte in bytes {
        if let Some(word) = seen.get_mut(usize::from(byte >> 6)) {
            *word |= 1 << (byte & 63);
        }
    }
    seen.iter().map(|word| word.count_ones() as usize).sum()
}

fn score(window: &[u8]) -> u32 {
    let own: u32 = window.iter().map(|byte| weight(*byte)).sum();
    let beside: u32 = window
        .iter()
        .zip(window.iter().skip(1))
        .map(|(one, two)| if one == two { 0 } else { 1 + 3 * u32::from(kind(*one) != kind(*two)) })
        .sum();
    // Few different bytes in any order are a pattern that others have too.
    let variety = u32::try_from(distinct(window)).unwrap_or(256);
    own + beside + 4 * variety
}

/// Where the rarest stretch of this length begins, and its score, among those that are `free`.
///
/// It is as rare as the least rare of its windows of `width` bytes. About `looks` stretches are
/// looked at; if none of those is free, all are.
pub(crate) fn rarest(
    bytes: &[u8],
    length: usize,
    width: usize,
    looks: usize,
    free: impl Fn(&[u8]) -> bool,
) -> Option<(usize, u32)> {
    let rarity = |stretch: &[u8]| stretch.chunks(width.max(1)).map(score).min().unwrap_or_default();
    let best = |step: usize| {
        bytes
            .windows(length.max(1))
            .enumerate()
            .step_by(step)
            .filter(|(_, stretch)| free(stretch))
            .map(|(at, stretch)| (at, rarity(stretch)))
            .max_by_key(|(at, score)| (*score, std::cmp::Reverse(*at)))
    };
    match bytes.len() / looks.max(1) {
        0 | 1 => best(1),
        step => best(step).or_else(|| best(1)),
    }
}
