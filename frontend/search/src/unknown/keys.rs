//! Private keys with a body, and without a passphrase.

use super::{AHEAD, BEHIND, der};
use crate::shape::text::decode_base64;

/// Judges `PRIVATE KEY-----`: the end of a line that begins a key, which follows whole.
pub(super) fn pem(text: &[u8], at: usize) -> Option<&'static str> {
    const TAIL: &str = "PRIVATE KEY-----";
    let block = Block::at(text, at, TAIL)?;
    let body = block.body.trim();
    match block.label.as_str() {
        // `Proc-Type: 4,ENCRYPTED` and its like stand before a blank.
        "" | "RSA " | "EC " | "DSA " => {
            der::is_key(&strict_base64(body)?).then_some("a private key")
        }
        "OPENSSH " => is_openssh(&strict_base64(body)?).then_some("an OpenSSH private key"),
        _ => None,
    }
}

/// Judges `PGP PRIVATE KEY BLOCK-----` likewise.
pub(super) fn pgp(text: &[u8], at: usize) -> Option<&'static str> {
    const TAIL: &str = "PGP PRIVATE KEY BLOCK-----";
    let block = Block::at(text, at, TAIL)?;
    // Headers, a blank line, the body, and the line of a checksum.
    let body: String = block
        .body
        .lines()
        .map(str::trim)
        .skip_while(|line| line.is_empty() || line.contains(": "))
        .take_while(|line| !line.is_empty() && !line.starts_with('='))
        .collect();
    is_open_pgp_secret(&strict_base64(&body)?).then_some("a PGP private key")
}

/// Judges `PuTTY-User-Key-File-`: the private half follows, not encrypted.
pub(super) fn putty(text: &[u8], at: usize) -> Option<&'static str> {
    const MARK: &[u8] = b"PuTTY-User-Key-File-";
    let file = text.get(at + MARK.len()..(at + AHEAD).min(text.len()))?;
    // Up to the next one: so no file is looked through twice.
    let end = file.windows(MARK.len()).position(|window| window == MARK).unwrap_or(file.len());
    let file = String::from_utf8_lossy(file.get(..end)?);
    let (head, rest) = file.split_once("Private-Lines:")?;
    let plain = head.lines().any(|line| line.trim() == "Encryption: none");
    let (count, rest) = rest.split_once('\n')?;
    let count: usize = count.trim().parse().ok()?;
    let body: String = rest.lines().take(count).map(str::trim).collect();
    let key = strict_base64(&body)?;
    (plain && count > 0 && key.len() >= 32).then_some("a PuTTY private key")
}

/// A block of armour; line ends may be escapes within a string.
struct Block {
    /// What stands between `-----BEGIN ` and the kind.
    label: String,
    body: String,
}

impl Block {
    /// The block whose first line ends with `tail`, which stands at `at`.
    fn at(text: &[u8], at: usize, tail: &str) -> Option<Self> {
        const BEGIN: &[u8] = b"-----BEGIN ";
        let before = text.get(at.saturating_sub(BEGIN.len() + 16)..at)?;
        let begin = before.windows(BEGIN.len()).rposition(|window| window == BEGIN)?;
        let label = std::str::from_utf8(before.get(begin + BEGIN.len()..)?).ok()?.to_owned();
        // Libraries carry keys for tests of themselves; a key that somebody forgot is in a text.
        if text.get(at.saturating_sub(BEHIND)..at)?.iter().any(|byte| *byte < 7) {
            return None;
        }
        let after = text.get(at + tail.len()..(at + AHEAD).min(text.len()))?;
        // The next dashes are the end's, or this is none: so no file is looked through twice.
        let length = after.windows(5).position(|window| window == b"-----")?;
        let end = format!("-----END {label}{tail}");
        if !after.get(length..)?.starts_with(end.as_bytes()) {
            return None;
        }
        let body = std::str::from_utf8(after.get(..length)?).ok()?;
        Some(Self { label, body: body.replace("\\r", "").replace("\\n", "\n") })
    }
}

/// Decodes base64 of which every letter is one; blanks, and padding at the end, aside.
fn strict_base64(text: &str) -> Option<Vec<u8>> {
    let letters: String = text.split_ascii_whitespace().collect();
    let letters = letters.trim_end_matches('=');
    let all = letters.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'));
    (all && !letters.is_empty()).then(|| decode_base64(letters))
}

/// OpenSSH's own format, and no cipher. Format: PROTOCOL.key of OpenSSH.
fn is_openssh(key: &[u8]) -> bool {
    key.strip_prefix(b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01")
        .is_some_and(|rest| rest.len() >= 128)
}

/// A secret key packet, version 4, that is not protected. Format: RFC 4880, 4.2 and 5.5.3.
fn is_open_pgp_secret(packet: &[u8]) -> bool {
    secret_usage(packet) == Some(0)
}

/// How the secret part of a packet's key is protected; zero if not.
fn secret_usage(packet: &[u8]) -> Option<u8> {
    let (tag, rest) = packet.split_first()?;
    let body = match tag {
        // The old format of tag 5, with one, two or four bytes of length.
        0x94 => rest.get(1..)?,
        0x95 => rest.get(2..)?,
        0x96 => rest.get(4..)?,
        // The new one.
        0xc5 => match rest.first()? {
            0..=191 => rest.get(1..)?,
            192..=223 => rest.get(2..)?,
            255 => rest.get(5..)?,
            _ => return None,
        },
        _ => return None,
    };
    let [4, _, _, _, _, algorithm, material @ ..] = body else { return None };
    let numbers = match algorithm {
        1..=3 => 2,
        16 => 3,
        17 => 4,
        _ => 0,
    };
    let mut rest = material;
    if matches!(algorithm, 18 | 19 | 22) {
        // A curve's name, and a point.
        let (length, after) = rest.split_first()?;
        rest = number(after.get(usize::from(*length)..)?)?;
        if *algorithm == 18 {
            let (length, after) = rest.split_first()?;
            rest = after.get(usize::from(*length)..)?;
        }
    } else if numbers == 0 {
        return None;
    }
    for _ in 0..numbers {
        rest = number(rest)?;
    }
    rest.first().copied()
}

/// What follows a number of so many bits.
fn number(bytes: &[u8]) -> Option<&[u8]> {
    let bits = u16::from_be_bytes(*bytes.first_chunk()?);
    bytes.get(2 + usize::from(bits).div_ceil(8)..)
}
