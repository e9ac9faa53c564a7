//! Long words, of which tokens are some.

/// Bytes that are looked at together, in one go: the processor does many at once.
const STRIP: usize = 64;
/// Bytes of a block; two full blocks beside each other make a word long enough.
const BLOCK: usize = 8;
/// Bytes of a word that are looked at before and behind the place where it was noticed.
const BEFORE: usize = 512;
const AFTER: usize = 4096;

/// Calls with every word of at least 23 bytes that is noticed between two places, and where it
/// begins. A word may hold dots, and is cut to some thousand bytes.
///
/// `done` is where the last word ends that was called with, and afterwards is so again: words may
/// go on behind `until`.
pub(super) fn each<'t>(
    text: &'t [u8],
    from: usize,
    until: usize,
    done: &mut usize,
    mut call: impl FnMut(&'t str, usize),
) {
    let (strips, rest) = text.get(from..until).unwrap_or_default().as_chunks::<STRIP>();
    let mut last = [b' '; STRIP];
    if let Some(end) = last.get_mut(..rest.len()) {
        end.copy_from_slice(rest);
    }
    let mut before = false;
    // What goes on after so many bytes is no word but data, of which nothing more is looked at.
    let mut data = false;
    for (index, strip) in strips.iter().chain([&last]).enumerate() {
        let words = strip.map(is_word);
        for (block, words) in words.as_chunks::<BLOCK>().0.iter().enumerate() {
            let full = u64::from_ne_bytes(*words) == u64::from_ne_bytes([1; BLOCK]);
            let at = from + index * STRIP + block * BLOCK;
            data &= full;
            if full && before && !data && at >= *done {
                let (start, end) = around(text, at);
                let word = text.get(start..end).and_then(|word| std::str::from_utf8(word).ok());
                if let Some(word) = word {
                    call(word, start);
                }
                *done = end;
                data = end - at == AFTER;
            }
            before = full;
        }
    }
}

fn around(text: &[u8], at: usize) -> (usize, usize) {
    let dotted = |byte: &&u8| is_word(**byte) == 1 || **byte == b'.';
    let (before, after) = text.split_at_checked(at).unwrap_or_default();
    let start = at - before.iter().rev().take(BEFORE).take_while(dotted).count();
    (start, at + after.iter().take(AFTER).take_while(dotted).count())
}

/// One for letters, digits, `_` and `-`; without branches.
#[inline(always)]
fn is_word(byte: u8) -> u8 {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    u8::from(letter | digit | (byte == b'_') | (byte == b'-'))
}
