//! The secret on a line of a credentials file, which may leak without the rest of its line.

use std::ops::Range;

/// What a key ends with when its value is a secret, in lower case.
const KEYS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "_pass",
    "_pwd",
    "authtoken",
    "auth",
    "token",
    "secret",
    "secret_access_key",
    "apikey",
    "_key",
    "privatekey",
];

/// Whether a key, in lower case, says that its value is a secret.
pub(super) fn is_secret_key(key: &str) -> bool {
    KEYS.iter().any(|end| key.ends_with(end)) && !key.contains("public")
}

/// Where on a line secrets stand by themselves, in bytes.
pub(super) fn secrets(line: &[u8]) -> Vec<Range<usize>> {
    let Ok(line) = std::str::from_utf8(line) else { return Vec::new() };
    let one = [setting(line), netrc(line), address(line), element(line)].into_iter().flatten();
    let mut found: Vec<Range<usize>> = one.collect();
    for pair in pairs(line) {
        if !found.contains(&pair) {
            found.push(pair);
        }
    }
    found
}

/// The lines of a text that stands in one string, as private keys do in JSON: `\n` ends them.
pub(super) fn escaped_lines(value: &[u8], range: &Range<usize>) -> Vec<Range<usize>> {
    let bytes = value.get(range.clone()).unwrap_or_default();
    let mut lines = Vec::new();
    let mut start = 0;
    while let Some(length) =
        bytes.get(start..).and_then(|rest| rest.windows(2).position(|two| two == br"\n"))
    {
        lines.push(range.start + start..range.start + start + length);
        start += length + 2;
    }
    lines.push(range.start + start..range.end);
    lines
}

/// `"key": "value"`, however many of them stand on the line.
fn pairs(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(key) = string(line, at) {
        let rest = line.get(key.end + 1..).unwrap_or_default();
        let behind = rest.trim_start().strip_prefix(':').map(str::trim_start);
        let value = behind.filter(|text| text.starts_with('"'));
        let value = value.and_then(|text| string(line, line.len() - text.len()));
        let Some(value) = value else {
            at = key.end + 1;
            continue;
        };
        at = value.end + 1;
        let name = line.get(key).unwrap_or_default().to_ascii_lowercase();
        if is_secret_key(&name) && !value.is_empty() {
            found.push(value);
        }
    }
    found
}

/// The inside of the next string in double quotes.
fn string(line: &str, from: usize) -> Option<Range<usize>> {
    let bytes = line.as_bytes();
    let start = from + bytes.get(from..)?.iter().position(|byte| *byte == b'"')? + 1;
    let mut at = start;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(start..at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// `key=value`, `key: value` and `"key": "value",` with nothing else on the line.
fn setting(line: &str) -> Option<Range<usize>> {
    let at = line.find('=').or_else(|| line.find(':'))?;
    let key = line.get(..at)?.trim_matches([' ', '\t', '"', '\'']).to_ascii_lowercase();
    let rest = line.get(at + 1..)?;
    let value = rest.trim_start();
    let value_start = line.len() - value.len();
    let value = value.trim_end_matches([',', ' ', ';']);
    let inner = value.trim_matches(['"', '\'']);
    let start = value_start + value.find(inner)?;
    let named = is_secret_key(&key);
    let alone = !inner.contains(char::is_whitespace);
    (named && alone && !inner.is_empty()).then_some(start..start + inner.len())
}

/// `machine github.com login me password token`.
fn netrc(line: &str) -> Option<Range<usize>> {
    let mut at = 0;
    let mut is_next = false;
    for word in line.split_inclusive([' ', '\t']) {
        let bare = word.trim_end();
        if is_next && !bare.is_empty() {
            return Some(at..at + bare.len());
        }
        is_next = is_next && bare.is_empty() || bare == "password";
        at += word.len();
    }
    None
}

/// `https://user:token@host/`, anywhere on the line.
fn address(line: &str) -> Option<Range<usize>> {
    let start = line.find("://")? + 3;
    let rest = line.get(start..)?;
    let end = rest.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(rest.len());
    let (userinfo, _) = rest.get(..end)?.rsplit_once('@')?;
    let password = userinfo.split_once(':').map_or(0, |(user, _)| user.len() + 1);
    Some(start + password..start + userinfo.len())
}

/// `<password>…</password>`.
fn element(line: &str) -> Option<Range<usize>> {
    let tag = line.strip_prefix('<')?.split_once('>')?.0;
    let named = is_secret_key(&tag.to_ascii_lowercase());
    let start = tag.len() + 2;
    let end = start + line.get(start..)?.find('<')?;
    (named && start < end).then_some(start..end)
}
