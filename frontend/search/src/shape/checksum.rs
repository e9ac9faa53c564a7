//! Checksums that issuers put into their tokens, so that a match is no accident.

/// CRC-32 as in IEEE 802.3, zip and PNG.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            let mask = 0_u32.wrapping_sub(crc & 1);
            crc >> 1 ^ 0xEDB8_8320 & mask
        })
    })
}

/// Reads digits, most significant first; `None` on another digit or beyond 32 bits.
pub fn number(text: &str, digits: &str) -> Option<u32> {
    text.chars().try_fold(0_u32, |number, digit| {
        let value = u32::try_from(digits.find(digit)?).ok()?;
        number.checked_mul(u32::try_from(digits.len()).ok()?)?.checked_add(value)
    })
}

/// GitHub's and npm's order of digits.
pub const BASE62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// GitLab's order of digits.
pub const BASE36: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

/// Whether the last six digits are the checksum of what precedes them, as GitHub and npm do it.
///
/// Format: "Behind GitHub's new authentication token formats", 2021, and
/// "Announcing npm's new access token format", 2021.
pub fn ends_in_crc62(body: &str) -> bool {
    body.split_at_checked(body.len().saturating_sub(6))
        .is_some_and(|(random, sum)| number(sum, BASE62) == Some(crc32(random.as_bytes())))
}

/// Whether the last seven digits are the checksum of all that precedes them, as GitLab does it.
pub fn ends_in_crc36(token: &str) -> bool {
    token
        .split_at_checked(token.len().saturating_sub(7))
        .is_some_and(|(rest, sum)| number(sum, BASE36) == Some(crc32(rest.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_gives_the_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn numbers_do_not_overflow() {
        assert_eq!(number("000010", BASE62), Some(62));
        assert_eq!(number("zzzzzz", BASE62), None);
        assert_eq!(number("é", BASE62), None);
    }
}
