//! The lines of private key files that everybody may know: a key holds its public half as well.
//!
//! A certificate, `authorized_keys` or a `.pub` file may write that half as the very same letters.

use std::ops::Range;

use zeroize::Zeroizing;

/// Shorter parts of a key are no half of one.
const HALF: usize = 24;
/// How OpenSSH's own format begins. Source: openssh, PROTOCOL.key.
const OPENSSH: &[u8] = b"openssh-key-v1\0";
/// Elements within each other that are followed.
const DEPTH: usize = 6;

/// The numbers of the lines that hold nothing but the public half of a key.
pub(super) fn lines(value: &[u8], lines: &[(usize, Range<usize>)]) -> Vec<usize> {
    let mut public = Vec::new();
    let mut rest = lines;
    while let Some(((_, range), after)) = rest.split_first() {
        let line = value.get(range.clone()).unwrap_or_default();
        if let Some(count) = putty(line) {
            public.extend(after.iter().take(count).map(|(number, _)| *number));
        } else if line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----") {
            let is_body = |line: &[u8]| !line.iter().any(|byte| matches!(byte, b'-' | b':'));
            let body = |(_, range): &&(usize, Range<usize>)| {
                is_body(value.get(range.clone()).unwrap_or_default())
            };
            let count = after.iter().take_while(body).count();
            public.extend(of_block(value, after.get(..count).unwrap_or_default()));
        }
        rest = after;
    }
    public
}

/// How many lines the public half takes that follows: `Public-Lines: 6`.
fn putty(line: &[u8]) -> Option<usize> {
    let count = line.strip_prefix(b"Public-Lines: ")?;
    std::str::from_utf8(count).ok()?.parse().ok()
}

/// Likewise, of the lines within one armour.
fn of_block(value: &[u8], lines: &[(usize, Range<usize>)]) -> Vec<usize> {
    let mut letters = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut places = Vec::new();
    for (number, range) in lines {
        let line = value.get(range.clone()).unwrap_or_default();
        let start = letters.len();
        letters.extend(line.iter().filter(|byte| **byte != b'='));
        places.push((*number, start..letters.len()));
    }
    let Some(bytes) = decoded(&letters) else { return Vec::new() };
    let halves = if bytes.starts_with(OPENSSH) { openssh(&bytes) } else { der(&bytes) };
    let within = |letters: &Range<usize>| {
        let touched = letters.start * 6 / 8..(letters.end * 6).div_ceil(8).min(bytes.len());
        halves.iter().any(|half| half.start <= touched.start && touched.end <= half.end)
    };
    places.into_iter().filter(|(_, letters)| within(letters)).map(|(number, _)| number).collect()
}

/// What base64 without its padding says; `None` for other letters.
fn decoded(letters: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(letters.len()));
    let (mut bits, mut count) = (0_u32, 0);
    for letter in letters {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 & 0xffff | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

/// Every place of the public half's parts: the private part repeats them.
fn openssh(bytes: &[u8]) -> Vec<Range<usize>> {
    let string = |at: usize| {
        let length = bytes.get(at..at + 4)?.first_chunk().map(|four| u32::from_be_bytes(*four))?;
        let range = at + 4..(at + 4).checked_add(usize::try_from(length).ok()?)?;
        (range.end <= bytes.len()).then_some(range)
    };
    // Cipher, key derivation, its options, how many keys.
    let mut at = OPENSSH.len();
    for _ in 0..3 {
        let Some(field) = string(at) else { return Vec::new() };
        at = field.end;
    }
    let Some(half) = string(at + 4) else { return Vec::new() };
    let mut found = vec![half.clone()];
    let mut at = half.start;
    while let Some(part) = string(at).filter(|part| part.end <= half.end) {
        at = part.end;
        let number = bytes.get(part).unwrap_or_default();
        if number.len() >= HALF {
            let places = bytes.windows(number.len()).enumerate();
            let places = places.filter(|(_, window)| *window == number);
            found.extend(places.map(|(start, _)| start..start + number.len()));
        }
    }
    found
}

/// The modulus and exponent of RSA, and points of curves. Source: RFC 8017, A.1.2; RFC 5915; RFC 5958.
fn der(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    sequence(bytes, 0..bytes.len(), DEPTH, &mut found);
    found
}

fn sequence(bytes: &[u8], within: Range<usize>, depth: usize, found: &mut Vec<Range<usize>>) {
    let mut at = within.start;
    let mut integers = Vec::new();
    while let Some((tag, content)) = element(bytes, at, within.end) {
        let first = bytes.get(content.start).copied();
        match tag {
            0x02 => integers.push((at, content.clone())),
            0x03 if content.len() > HALF => found.push(at..content.end),
            // A sequence, what is marked with a number, and a sequence within a string.
            0x30 | 0xa0..=0xa3 if depth > 0 => sequence(bytes, content.clone(), depth - 1, found),
            0x04 if depth > 0 && first == Some(0x30) => {
                sequence(bytes, content.clone(), depth - 1, found);
            }
            _ => {}
        }
        at = content.end;
    }
    // A version, the modulus, the exponent, and then what is private.
    if let [(_, version), (start, modulus), (_, exponent), _, ..] = integers.as_slice()
        && version.len() == 1
        && modulus.len() >= 64
        && exponent.len() <= 8
    {
        found.push(*start..exponent.end);
    }
}

/// The tag of the element at a place, and where its content is.
fn element(bytes: &[u8], at: usize, end: usize) -> Option<(u8, Range<usize>)> {
    let (tag, rest) = bytes.get(at..end)?.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, header) = match length {
        0..=0x7f => (usize::from(*length), 2),
        0x81 => (usize::from(*rest.first()?), 3),
        0x82 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
        _ => return None,
    };
    let content = at + header..at + header + length;
    (content.end <= end).then_some((*tag, content))
}

#[cfg(test)]
mod tests {
    use super::super::{Needles, Part};
    use crate::transform::Transform;

    /// Bytes that nobody else has.
    fn noise(length: usize, seed: u64) -> Vec<u8> {
        let step = |state: &mut u64| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(seed | 1);
            Some((*state >> 56) as u8 | 1)
        };
        std::iter::repeat_n((), length).scan(seed, |state, ()| step(state)).collect()
    }

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        let header = match content.len() {
            0..=0x7f => vec![tag, length[1]],
            _ => vec![tag, 0x82, length[0], length[1]],
        };
        [header.as_slice(), content].concat()
    }

    fn string(content: &[u8]) -> Vec<u8> {
        [&u32::try_from(content.len()).unwrap().to_be_bytes()[..], content].concat()
    }

    fn base64(bytes: &[u8]) -> String {
        let filled = bytes.len().next_multiple_of(3);
        let padded: Vec<u8> = bytes.iter().copied().chain([0, 0]).take(filled).collect();
        let letters = Transform::Base64.forms(&padded).remove(0);
        let kept = (bytes.len() * 8).div_ceil(6);
        let text = String::from_utf8(letters[..kept].to_vec()).unwrap();
        text + &"=".repeat(filled - bytes.len())
    }

    fn armoured(label: &str, bytes: &[u8], width: usize) -> String {
        let body = base64(bytes);
        let lines = body.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap());
        let body: Vec<&str> = lines.collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", body.join("\n"))
    }

    /// A modulus as it stands in both halves, and the half for `authorized_keys`.
    fn rsa() -> (Vec<u8>, Vec<u8>) {
        let modulus = [&[0][..], &noise(256, 7)].concat();
        let half = [string(b"ssh-rsa"), string(&[1, 0, 1]), string(&modulus)].concat();
        (modulus, half)
    }

    fn pkcs8() -> Vec<u8> {
        let (modulus, _) = rsa();
        let numbers = [
            element(2, &[0]),
            element(2, &modulus),
            element(2, &[1, 0, 1]),
            element(2, &noise(256, 8)),
            element(2, &noise(128, 9)),
        ];
        let algorithm = element(0x30, &[6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0]);
        let inner = element(4, &element(0x30, &numbers.concat()));
        element(0x30, &[element(2, &[0]), algorithm, inner].concat())
    }

    fn openssh() -> Vec<u8> {
        let (modulus, half) = rsa();
        let private = [
            noise(8, 10),
            string(b"ssh-rsa"),
            string(&modulus),
            string(&[1, 0, 1]),
            string(&noise(256, 8)),
            string(&noise(128, 9)),
        ];
        let head = [string(b"none"), string(b"none"), string(b""), vec![0, 0, 0, 1]].concat();
        [super::OPENSSH, &head, &string(&half), &string(&private.concat())].concat()
    }

    fn lines_found(key: &str, text: &str) -> Vec<usize> {
        let found = Needles::new([("key", key)]).search(text.as_bytes()).hits;
        let line = |part| if let Part::Line(line) | Part::Field(line) = part { line } else { 0 };
        found.iter().map(|hit| line(hit.part)).collect()
    }

    #[test]
    fn a_public_half_is_no_leak_of_its_key_and_the_other_lines_are() {
        let (_, half) = rsa();
        let authorized = format!("ssh-rsa {} me@host", base64(&half));
        for (label, bytes, width) in
            [("PRIVATE KEY", pkcs8(), 64), ("OPENSSH PRIVATE KEY", openssh(), 70)]
        {
            let key = armoured(label, &bytes, width);
            // They do say the same in the same letters.
            let same = |line: &str| line.len() == width && authorized.contains(line);
            assert!(key.lines().filter(|line| same(line)).count() >= 3, "{label}");
            assert_eq!(lines_found(&key, &authorized), [], "{label}");
            let secret = key.lines().rev().nth(2).unwrap();
            assert_eq!(lines_found(&key, secret).len(), 1, "{label}");
            // In a file for a program, as one line.
            let json = format!(r#"{{"private_key": {:?}, "x": "y"}}"#, key);
            assert_eq!(lines_found(&json, &authorized), [], "{label}");
            assert_eq!(lines_found(&json, secret), [1], "{label}");
        }
    }

    #[test]
    fn the_point_of_a_curve_is_public() {
        let point = [&[4][..], &noise(64, 3)].concat();
        let bits = element(3, &[&[0][..], &point].concat());
        let curve = element(0xa0, &[6, 8, 42, 134, 72, 206, 61, 3, 1, 7]);
        let fields =
            [element(2, &[1]), element(4, &noise(32, 5)), curve, element(0xa1, &bits)].concat();
        let private = element(0x30, &fields);
        let algorithm =
            element(0x30, &[6, 7, 42, 134, 72, 206, 61, 2, 1, 6, 8, 42, 134, 72, 206, 61, 3, 1, 7]);
        let public = element(0x30, &[algorithm, bits].concat());
        let (key, file) =
            (armoured("EC PRIVATE KEY", &private, 64), armoured("PUBLIC KEY", &public, 64));
        let last = key.lines().rev().nth(1).unwrap();
        assert!(last.len() > 30 && file.contains(last));
        assert_eq!(lines_found(&key, &file), []);
        assert_eq!(lines_found(&key, key.lines().nth(1).unwrap()), [2]);
    }

    #[test]
    fn putty_counts_the_lines_of_the_public_half() {
        let (_, half) = rsa();
        let letters = base64(&half);
        let public: Vec<_> = letters.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        let secret = base64(&noise(48, 4));
        let key = format!(
            "PuTTY-User-Key-File-3: ssh-rsa\nPublic-Lines: {}\n{}\nPrivate-Lines: 1\n{secret}\n",
            public.len(),
            public.join("\n")
        );
        assert_eq!(lines_found(&key, &format!("ssh-rsa {letters}")), []);
        assert_eq!(lines_found(&key, &secret).len(), 1);
    }

    #[test]
    fn what_is_no_key_has_no_public_half() {
        for body in ["", "AAAA", "!!!!", "b3BlbnNzaC1rZXktdjEA", "MIIEvQIBADANBgkqhkiG9w0BAQEF"] {
            let text = format!("-----BEGIN PRIVATE KEY-----\n{body}\n{body}x\nPublic-Lines: 99\n");
            let lines: Vec<_> = super::super::pieces::cut(0, text.as_bytes()).pieces;
            assert!(lines.len() <= 3);
        }
    }
}
