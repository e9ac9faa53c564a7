//! What a user would notice: which arguments are refused, which are let through, and what is said.

mod names;
mod silence;
mod values;

/// A text of `length` random-looking bytes of an alphabet; another seed, another text.
///
/// Tokens are made here and never written down, so that no scanner takes the
/// tests for a leak.
fn random(seed: u64, length: usize, alphabet: &str) -> String {
    let letters = alphabet.as_bytes();
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(letters[(state >> 33) as usize % letters.len()])
    };
    (0..length).map(|_| next()).collect()
}

const ALNUM: &str = super::checksum::BASE62;
const URL_SAFE: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
const HEX: &str = "0123456789abcdef";

/// A number in the given digits, padded to `width`.
fn digits(mut number: u32, width: usize, alphabet: &str) -> String {
    let base = alphabet.len() as u32;
    let mut text = Vec::new();
    for _ in 0..width {
        text.push(alphabet.as_bytes()[(number % base) as usize]);
        number /= base;
    }
    text.reverse();
    String::from_utf8(text).unwrap()
}

/// A token as GitHub and npm make them.
fn checksummed(prefix: &str, seed: u64, random_length: usize) -> String {
    let body = random(seed, random_length, ALNUM);
    let sum = digits(super::checksum::crc32(body.as_bytes()), 6, ALNUM);
    format!("{prefix}{body}{sum}")
}

/// base64url without padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let bits = chunk.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte))
                << (8 * (3 - chunk.len()));
            (0..=chunk.len())
                .map(move |i| char::from(LETTERS[(bits >> (18 - 6 * i) & 63) as usize]))
        })
        .collect()
}

/// A value without any shape that could be any secret.
fn opaque() -> String {
    random(7, 24, ALNUM)
}
