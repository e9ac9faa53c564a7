//! What a registry asks for before it does anything: the header `WWW-Authenticate`.
//!
//! Source: RFC 9110, section 11.6.1; distribution/distribution, docs/content/spec/auth/token.md.

use hyper::header::{HeaderMap, WWW_AUTHENTICATE};

/// One way to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token of the server at `realm`, where this registry is called `service`.
    Bearer { realm: String, service: String },
}

/// The best of what is asked for: a token before a password.
pub(super) fn read(headers: &HeaderMap) -> Option<Challenge> {
    let lines = headers.get_all(WWW_AUTHENTICATE).into_iter();
    let all: Vec<Challenge> = lines.filter_map(|line| one(line.to_str().ok()?)).collect();
    let bearer = all.iter().find(|challenge| matches!(challenge, Challenge::Bearer { .. }));
    bearer.or(all.first()).cloned()
}

fn one(text: &str) -> Option<Challenge> {
    let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service) = (None, String::new());
    for (name, value) in parameters(rest) {
        match name.to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value),
            "service" => service = value,
            _ => {}
        }
    }
    Some(Challenge::Bearer { realm: realm?, service })
}

/// `name="value"` or `name=value`, with commas between them.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some((name, value)) = rest.split_once('=') {
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted_text(quoted),
            None => {
                let end = value.find(',').unwrap_or(value.len());
                let (value, after) = value.split_at(end);
                (value.trim().to_string(), after)
            }
        };
        found.push((name.trim().to_string(), value));
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    found
}

/// The text up to the closing quote, and what follows it.
fn quoted_text(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, text.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn of(lines: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(line).unwrap());
        }
        read(&headers)
    }

    #[test]
    fn what_registries_ask_for_is_understood() {
        let bearer = |realm: &str, service: &str| {
            Some(Challenge::Bearer { realm: realm.into(), service: service.into() })
        };
        for (lines, expected) in [
            (
                vec![
                    r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a:pull,push""#,
                ],
                bearer("https://auth.docker.io/token", "registry.docker.io"),
            ),
            (
                vec![r#"bearer service=x, realm="https://a/?b=c,d""#],
                bearer("https://a/?b=c,d", "x"),
            ),
            (vec![r#"Basic realm="lab""#, r#"Bearer realm="r""#], bearer("r", "")),
            (vec![r#"Bearer realm="a\"b""#], bearer("a\"b", "")),
            (vec!["Basic"], Some(Challenge::Basic)),
            (vec!["Negotiate"], None),
            (vec!["Bearer service=x"], None),
            (vec![], None),
        ] {
            assert_eq!(of(&lines), expected, "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_not(text in "[ -~]{0,60}", rest in "[ -~]{0,60}") {
            let _ = of(&[&text, &format!("Bearer {rest}")]);
        }
    }
}
