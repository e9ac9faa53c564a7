//! Hand-written Dockerfiles with BuildKit's verdict on each.

/// One Dockerfile.
pub struct Case {
    /// `good`, `bad`, `newer` or `older`.
    pub verdict: &'static str,
    pub name: &'static str,
    pub text: Vec<u8>,
}

/// Every case, in the order of the file.
pub fn cases() -> Vec<Case> {
    let lines = include_str!("cases.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .map(|line| {
            let (verdict, rest) = line.split_once(' ').expect("a verdict");
            let (name, text) = rest.split_once(" :").expect("a name");
            Case {
                verdict,
                name: name.trim(),
                text: unescaped(text.strip_prefix(' ').unwrap_or(text)),
            }
        })
        .collect()
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chars = text.chars();
    while let Some(ch) = chars.next() {
        let escaped = if ch == '\\' { chars.next() } else { None };
        match escaped {
            None => bytes.extend(ch.to_string().bytes()),
            Some('n') => bytes.push(b'\n'),
            Some('r') => bytes.push(b'\r'),
            Some('t') => bytes.push(b'\t'),
            Some('\\') => bytes.push(b'\\'),
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                bytes.push(u8::from_str_radix(&digits, 16).expect("two hex digits"));
            }
            Some(other) => panic!("what is \\{other} in {text:?}"),
        }
    }
    bytes
}
