//! As much of DER as tells a private key from other bytes.

/// Whether bytes are one SEQUENCE that begins with a small version number, and no more.
///
/// PKCS#1, SEC 1, OpenSSL's DSA and PKCS#8 all begin so.
pub(super) fn is_key(bytes: &[u8]) -> bool {
    let Some((0x30, body)) = element(bytes) else { return false };
    let Some((0x02, version)) = element_start(body) else { return false };
    matches!(version, [0..=2]) && body.len() >= 40
}

/// The tag and the content of an element that is all there is.
fn element(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (tag, content, rest) = split(bytes)?;
    rest.is_empty().then_some((tag, content))
}

fn element_start(bytes: &[u8]) -> Option<(u8, &[u8])> {
    split(bytes).map(|(tag, content, _)| (tag, content))
}

fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), rest.get(2..)?),
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}
