//! Quotes of shells, as people and `set -x` write them.

use super::Secret;
use super::escape::each;

/// Within single quotes, within double quotes, with backslashes, within `$'…'`.
pub(super) fn forms(value: &[u8]) -> Vec<Secret> {
    let quoted = |end: &'static [u8]| {
        each(value, move |byte, out| match byte {
            b'\'' => out.extend_from_slice(end),
            _ => out.push(byte),
        })
    };
    vec![
        quoted(br"'\''"),
        // Python's shlex.quote.
        quoted(b"'\"'\"'"),
        each(value, |byte, out| {
            if matches!(byte, b'"' | b'$' | b'`' | b'\\') {
                out.push(b'\\');
            }
            out.push(byte);
        }),
        // `printf %q`; with the letters that some leave alone.
        backslashes(value, b"_-./"),
        backslashes(value, b"_-./:=@%+,"),
        backslashes(value, b"_-./:=@%+"),
        ansi(value, false),
        ansi(value, true),
    ]
}

fn backslashes(value: &[u8], plain: &[u8]) -> Secret {
    each(value, |byte, out| {
        if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !plain.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    })
}

/// bash writes bytes that cannot be shown as three octal digits; text beyond ASCII can be, where
/// the locale knows it.
fn ansi(value: &[u8], ascii: bool) -> Secret {
    each(value, |byte, out| match byte {
        b'\'' | b'\\' => out.extend([b'\\', byte]),
        b'\n' => out.extend_from_slice(br"\n"),
        b'\r' => out.extend_from_slice(br"\r"),
        b'\t' => out.extend_from_slice(br"\t"),
        0x07 => out.extend_from_slice(br"\a"),
        0x08 => out.extend_from_slice(br"\b"),
        0x0b => out.extend_from_slice(br"\v"),
        0x0c => out.extend_from_slice(br"\f"),
        0x1b => out.extend_from_slice(br"\E"),
        _ if byte < b' ' || byte == 0x7f || ascii && !byte.is_ascii() => {
            out.extend([b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]);
        }
        _ => out.push(byte),
    })
}
