//! Base64 of a value that stands anywhere in what was encoded.

use super::{Secret, secret};

/// RFC 4648, section 4.
pub(super) const STANDARD: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// RFC 4648, section 5.
pub(super) const URL: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The letters that the value alone determines, with none, one or two bytes before it.
///
/// What stands beside the value, and padding, touch none of them.
pub(super) fn forms(value: &[u8], alphabet: &[u8; 64]) -> Vec<Secret> {
    (0..3).map(|before| form(value, before, alphabet)).collect()
}

fn form(value: &[u8], before: usize, alphabet: &[u8; 64]) -> Secret {
    let first = (8 * before).div_ceil(6);
    let end = 8 * (before + value.len()) / 6;
    let byte = |index: usize| {
        index.checked_sub(before).and_then(|index| value.get(index)).copied().unwrap_or_default()
    };
    secret((first..end).map(|letter| {
        let bit = 6 * letter;
        let pair = u16::from_be_bytes([byte(bit / 8), byte(bit / 8 + 1)]);
        let six = pair >> (10 - bit % 8) & 63;
        alphabet.get(usize::from(six)).copied().unwrap_or_default()
    }))
}
