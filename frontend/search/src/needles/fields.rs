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
    [setting(line), netrc(line), address(line), element(line)].into_iter().flatten().collect()
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
