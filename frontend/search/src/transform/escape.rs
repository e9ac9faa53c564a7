//! Escapes of URLs, JSON and XML, as the usual encoders write them.

use zeroize::Zeroizing;

use super::Secret;

/// Percent-encoding under the sets of bytes that encoders leave alone.
pub(super) fn url(value: &[u8]) -> Vec<Secret> {
    // RFC 3986's unreserved; JavaScript's component; a URL as a whole; a path; a form.
    const KEPT: [&[u8]; 5] = [b"-._~", b"-._~!'()*", b"-._~!'()*;,/?:@&=+$#", b"-._~/", b"-._*"];
    let mut forms = Vec::new();
    for kept in KEPT {
        for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
            for space in [&b"%20"[..], b"+"] {
                forms.push(each(value, |byte, out| match byte {
                    b' ' => out.extend_from_slice(space),
                    _ if byte.is_ascii_alphanumeric() || kept.contains(&byte) => out.push(byte),
                    _ => out.extend([b'%', digit(digits, byte >> 4), digit(digits, byte)]),
                }));
            }
        }
    }
    forms
}

/// How far a JSON encoder goes beyond what it must escape.
#[derive(Clone, Copy)]
struct Json {
    /// `\/`: PHP.
    slash: bool,
    /// Letters written as `\u003c`: none, those that Go minds for HTML, those that .NET minds.
    html: &'static str,
    /// `\u00e9`: Python.
    ascii: bool,
    digits: &'static [u8; 16],
}

/// The inside of a JSON string; nothing for bytes that are no text.
pub(super) fn json(value: &[u8]) -> Vec<Secret> {
    let Ok(text) = std::str::from_utf8(value) else { return Vec::new() };
    let mut forms = Vec::new();
    for html in ["", "<>&", "<>&'\"+`"] {
        for (slash, ascii) in [(false, false), (false, true), (true, false), (true, true)] {
            for digits in [b"0123456789abcdef", b"0123456789ABCDEF"] {
                forms.push(json_form(text, Json { slash, html, ascii, digits }));
            }
        }
    }
    forms
}

fn json_form(text: &str, way: Json) -> Secret {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 6));
    for letter in text.chars() {
        let long = way.html.contains(letter) || way.ascii && !letter.is_ascii();
        let short = match letter {
            '"' => Some(b'"'),
            '\\' => Some(b'\\'),
            '/' if way.slash => Some(b'/'),
            '\n' => Some(b'n'),
            '\r' => Some(b'r'),
            '\t' => Some(b't'),
            '\u{8}' => Some(b'b'),
            '\u{c}' => Some(b'f'),
            _ => None,
        };
        match short {
            Some(short) if !long => out.extend([b'\\', short]),
            _ if long || letter < ' ' => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(b"\\u");
                    for byte in unit.to_be_bytes() {
                        out.extend([digit(way.digits, byte >> 4), digit(way.digits, byte)]);
                    }
                }
            }
            _ => out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

/// Text and attributes, with the two ways to write quotes.
pub(super) fn xml(value: &[u8]) -> Vec<Secret> {
    const QUOTES: [(&[u8], &[u8]); 4] =
        [(b"\"", b"'"), (b"&quot;", b"'"), (b"&quot;", b"&apos;"), (b"&#34;", b"&#39;")];
    let mut forms: Vec<Secret> = QUOTES
        .iter()
        .map(|(double, single)| {
            each(value, |byte, out| match byte {
                b'&' => out.extend_from_slice(b"&amp;"),
                b'<' => out.extend_from_slice(b"&lt;"),
                b'>' => out.extend_from_slice(b"&gt;"),
                b'"' => out.extend_from_slice(double),
                b'\'' => out.extend_from_slice(single),
                _ => out.push(byte),
            })
        })
        .collect();
    // Python's html.escape.
    forms.push(each(value, |byte, out| match byte {
        b'&' => out.extend_from_slice(b"&amp;"),
        b'<' => out.extend_from_slice(b"&lt;"),
        b'>' => out.extend_from_slice(b"&gt;"),
        b'"' => out.extend_from_slice(b"&quot;"),
        b'\'' => out.extend_from_slice(b"&#x27;"),
        _ => out.push(byte),
    }));
    forms
}

/// Six bytes for one is the most that any of these writes.
pub(super) fn each(value: &[u8], mut write: impl FnMut(u8, &mut Vec<u8>)) -> Secret {
    let mut out = Zeroizing::new(Vec::with_capacity(value.len() * 6));
    for byte in value {
        write(*byte, &mut out);
    }
    out
}

fn digit(digits: &[u8; 16], half: u8) -> u8 {
    digits.get(usize::from(half & 15)).copied().unwrap_or_default()
}
