//! Small questions about text, shared by the shapes.

/// How many different bytes a text has.
pub fn distinct(text: &str) -> usize {
    let mut seen = [false; 256];
    for byte in text.bytes() {
        if let Some(slot) = seen.get_mut(usize::from(byte)) {
            *slot = true;
        }
    }
    seen.iter().filter(|slot| **slot).count()
}

/// Whether a text could have come out of a random generator: many letters, cases or digits mixed.
///
/// Keeps documentation's stand-ins out: `xxxxxxxx`, `YOUR_TOKEN_HERE`.
pub fn varied(text: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| usize::from(text.bytes().any(|byte| kind(&byte)));
    let kinds = has(u8::is_ascii_lowercase) + has(u8::is_ascii_uppercase) + has(u8::is_ascii_digit);
    kinds >= 2 && distinct(text) >= 8
}

/// Letters, digits, `_` and `-`: base64url and most tokens.
pub fn is_url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Letters, digits, `+` and `/`: base64 without padding.
pub fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// The longest start of `text`, up to `max` bytes, whose bytes all satisfy `allowed`.
///
/// The bound keeps the work linear on a value that repeats a prefix a thousand times.
pub fn run(text: &str, max: usize, allowed: impl Fn(u8) -> bool) -> &str {
    let end = text.bytes().take(max).position(|byte| !allowed(byte));
    // A byte that is allowed is ASCII, so the end is a boundary of letters.
    text.get(..end.unwrap_or(text.len().min(max))).unwrap_or_default()
}

/// Finds `needle` without regard to ASCII case; the byte where it starts.
pub fn find_ignore_case(text: &str, needle: &str) -> Option<usize> {
    text.as_bytes()
        .windows(needle.len().max(1))
        .position(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

/// Decodes base64 or base64url without padding, as far as it goes.
pub fn decode_base64(text: &str) -> Vec<u8> {
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.extend((bits >> held).to_le_bytes().first());
            bits &= (1 << held) - 1;
        }
    }
    bytes
}

/// Words that stand where a secret would: nothing leaks when they do.
const STAND_INS: [&str; 34] = [
    "changeme",
    "change-me",
    "change_me",
    "changeit",
    "placeholder",
    "dummy",
    "example",
    "sample",
    "fake",
    "mock",
    "test",
    "testing",
    "todo",
    "tbd",
    "redacted",
    "hidden",
    "masked",
    "secret",
    "password",
    "passwd",
    "token",
    "none",
    "null",
    "nil",
    "undefined",
    "unset",
    "empty",
    "default",
    "n/a",
    "na",
    "foo",
    "bar",
    "baz",
    "not-a-secret",
];

/// Whether a text is a placeholder: a word above, one letter repeated, or an unexpanded variable.
pub fn is_stand_in(text: &str) -> bool {
    let text = text.trim();
    let plain = text.trim_matches(['"', '\'']);
    let lower = plain.to_ascii_lowercase();
    distinct(plain) <= 1
        || STAND_INS.contains(&lower.as_str())
        || lower.starts_with("your-")
        || lower.starts_with("your_")
        || lower.starts_with("dummy-")
        || lower.starts_with("dummy_")
        || lower.starts_with("example-")
        || is_template(plain)
}

/// `$X`, `${X}`, `${{ x }}`, `{{ x }}`, `%X%`, `<x>`: something was to be put here.
fn is_template(text: &str) -> bool {
    let enclosed = |start, end| text.len() > 2 && text.starts_with(start) && text.ends_with(end);
    let variable = text.strip_prefix('$').is_some_and(|name| {
        let named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            && name.bytes().all(named)
    });
    variable
        || enclosed("${", "}")
        || enclosed("$(", ")")
        || enclosed("{{", "}}")
        || enclosed("<", ">")
        || enclosed("%", "%")
}
