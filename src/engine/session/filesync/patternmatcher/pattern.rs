//! One compiled pattern.

use regex::bytes::Regex;

use super::{BadPattern, goregex};

/// How a pattern is tested, cheapest first.
#[derive(Debug)]
enum Test {
    Exact,
    /// `dir/**`: the path starts with these bytes.
    Prefix(Vec<u8>),
    /// `**/name` and `**name`.
    Suffix(Vec<u8>),
    /// One star, optionally behind `**/`.
    Star(Star),
    Regex(Box<Regex>),
    /// Malformed in a way only evaluation reports, as in moby.
    Bad,
}

/// `head` `start` `*` `end`, where `start` and `end` lie within the last path element.
#[derive(Debug)]
struct Star {
    /// `**/` came first, so `head` may begin at any path element.
    anywhere: bool,
    /// Directories with their slash, or empty.
    head: Vec<u8>,
    start: Vec<u8>,
    end: Vec<u8>,
}

impl Star {
    fn parse(pattern: &str) -> Option<Self> {
        if pattern.contains(['[', ']', '\\', '?', '^']) {
            return None;
        }
        let rest = pattern.strip_prefix("**/");
        let (before, end) = rest.unwrap_or(pattern).split_once('*')?;
        if end.contains(['*', '/']) {
            return None;
        }
        let (head, start) = before.split_at(before.rfind('/').map_or(0, |slash| slash + 1));
        Some(Self {
            anywhere: rest.is_some(),
            head: head.into(),
            start: start.into(),
            end: end.into(),
        })
    }

    fn matches(&self, path: &[u8]) -> bool {
        let split = path.iter().rposition(|&b| b == b'/').map_or(0, |slash| slash + 1);
        let (dir, base) = path.split_at(split);
        let name_fits =
            base.strip_prefix(self.start.as_slice()).is_some_and(|rest| rest.ends_with(&self.end));
        name_fits
            && match dir.strip_suffix(self.head.as_slice()) {
                Some([]) => true,
                // The dot of Go's expression does not cross a line feed.
                Some(above) => self.anywhere && above.ends_with(b"/") && !above.contains(&b'\n'),
                None => false,
            }
    }
}

/// A cleaned pattern and its compiled form.
#[derive(Debug)]
pub struct Pattern {
    text: String,
    exclusion: bool,
    test: Test,
}

impl Pattern {
    pub(super) fn new(text: String, exclusion: bool) -> Self {
        let test = match generate(&text) {
            Generated::Exact => Test::Exact,
            Generated::Prefix => Test::Prefix(text.strip_suffix("**").unwrap_or(&text).into()),
            Generated::Suffix => Test::Suffix(text.strip_prefix("**").unwrap_or(&text).into()),
            Generated::Regex(go) => match Star::parse(&text) {
                Some(star) => Test::Star(star),
                None => compile(&go).map_or(Test::Bad, |regex| Test::Regex(Box::new(regex))),
            },
        };
        Self { text, exclusion, test }
    }

    /// Cleaned text of the pattern without its `!`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the pattern began with `!`.
    pub fn exclusion(&self) -> bool {
        self.exclusion
    }

    pub(super) fn matches(&self, path: &[u8]) -> Result<bool, BadPattern> {
        Ok(match &self.test {
            Test::Exact => path == self.text.as_bytes(),
            Test::Prefix(prefix) => path.starts_with(prefix),
            Test::Suffix(suffix) => {
                path.ends_with(suffix) || suffix.strip_prefix(b"/") == Some(path)
            }
            Test::Star(star) => star.matches(path),
            Test::Regex(regex) => match std::str::from_utf8(path) {
                Ok(_) => regex.is_match(path),
                Err(_) => regex.is_match(&replace_invalid(path)),
            },
            Test::Bad => return Err(BadPattern),
        })
    }
}

/// Every byte that is no UTF-8 as one U+FFFD, which is how Go's expressions see such names.
fn replace_invalid(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + 8);
    for chunk in path.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        for _ in chunk.invalid() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    out
}

fn compile(go: &str) -> Result<Regex, BadPattern> {
    Regex::new(&goregex::translate(go)?).map_err(|_| BadPattern)
}

/// What moby makes of a pattern.
#[derive(Debug, PartialEq, Eq)]
enum Generated {
    Exact,
    Prefix,
    Suffix,
    /// An expression in Go's syntax.
    Regex(String),
}

/// Classifies a pattern and writes its expression exactly as moby does, quirks included.
fn generate(pattern: &str) -> Generated {
    let mut go = String::from("^");
    let mut kind = Generated::Exact;
    let regex = || Generated::Regex(String::new());
    // Moby's scanner drops a byte order mark.
    let mut chars = pattern.strip_prefix('\u{feff}').unwrap_or(pattern).chars().peekable();
    let mut first = true;
    while let Some(next) = chars.next() {
        match next {
            '*' if chars.next_if_eq(&'*').is_some() => {
                // `**/` is `**`.
                chars.next_if_eq(&'/');
                if chars.peek().is_some() {
                    go.push_str("(.*/)?");
                    kind = regex();
                } else if kind == Generated::Exact {
                    kind = Generated::Prefix;
                } else {
                    go.push_str(".*");
                    kind = regex();
                }
                if first {
                    kind = Generated::Suffix;
                }
            }
            '*' => {
                go.push_str("[^/]*");
                kind = regex();
            }
            '?' => {
                go.push_str("[^/]");
                kind = regex();
            }
            '.' | '+' | '(' | ')' | '|' | '{' | '}' | '$' => {
                go.push('\\');
                go.push(next);
            }
            '\\' => {
                go.push('\\');
                if let Some(escaped) = chars.next() {
                    go.push(escaped);
                    kind = regex();
                }
            }
            other => {
                go.push(other);
                if matches!(other, '[' | ']') {
                    kind = regex();
                }
            }
        }
        first = false;
    }
    if let Generated::Regex(_) = kind {
        go.push('$');
        return Generated::Regex(go);
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::{super::clean::clean, *};

    #[test]
    fn classifies_and_generates_like_moby() {
        let regex = |text: &str| Generated::Regex(text.to_owned());
        for (pattern, want) in [
            ("*", regex(r"^[^/]*$")),
            ("file*", regex(r"^file[^/]*$")),
            ("*file", regex(r"^[^/]*file$")),
            ("a*/b", regex(r"^a[^/]*/b$")),
            ("**", Generated::Suffix),
            ("**/**", regex(r"^(.*/)?.*$")),
            ("dir/**", Generated::Prefix),
            ("**/dir", Generated::Suffix),
            ("**/dir2/*", regex(r"^(.*/)?dir2/[^/]*$")),
            ("**/dir2/**", regex(r"^(.*/)?dir2/.*$")),
            ("**file", Generated::Suffix),
            ("**/file*txt", regex(r"^(.*/)?file[^/]*txt$")),
            ("**/**/*.txt", regex(r"^(.*/)?(.*/)?[^/]*\.txt$")),
            ("a[b-d]e", regex(r"^a[b-d]e$")),
            (".*", regex(r"^\.[^/]*$")),
            ("abc.def", Generated::Exact),
            ("abc?def", regex(r"^abc[^/]def$")),
            ("**/foo/bar", Generated::Suffix),
            ("a(b)c/def", Generated::Exact),
            ("a.|)$(}+{bc", Generated::Exact),
        ] {
            assert_eq!(generate(&clean(pattern)), want, "{pattern}");
        }
    }

    #[test]
    fn the_star_shortcut_agrees_with_the_expression() {
        let patterns = [
            "*", "a*", "*b", "a*b", "x/*", "x/a*", "x/y/*b", "**/*", "**/a*", "**/*.c", "**/x/*",
            "**/x/a*b",
        ];
        let paths = [
            "a",
            "b",
            "ab",
            "aab",
            "x",
            "x/a",
            "x/b",
            "y/x/a",
            "xx/a",
            "x/y/b",
            "z/x/y/b",
            "a.c",
            "x/a.c",
            "x/ab",
            "w/x/axb",
            "w\n/x/axb",
            "x/a\nb",
            "",
            "/",
            "a/",
            "x/",
        ];
        for pattern in patterns {
            let Generated::Regex(go) = generate(pattern) else { panic!("{pattern}") };
            let (star, regex) = (Star::parse(pattern).unwrap(), compile(&go).unwrap());
            for path in paths {
                assert_eq!(
                    star.matches(path.as_bytes()),
                    regex.is_match(path.as_bytes()),
                    "{pattern:?} on {path:?}"
                );
            }
        }
    }

    #[test]
    fn go_escapes_and_classes_keep_their_go_meaning() {
        for (pattern, path, want) in [
            (r"v\d", "v7", true),
            (r"v\d", "vd", false),
            (r"[\w]x", "_x", true),
            (r"[[:digit:]]", "5", true),
            (r"[a*]", "a]", true),
            (r"[a&&b]", "&", true),
            (r"[a--b]", "a", false),
            (r"a\Qb*", "ab[^/]*$", true),
            (r"a\x41", "aA", true),
            (r"a?b", "a\u{263a}b", true),
            ("a^*b", "a^b", false),
        ] {
            let pattern_ = Pattern::new(pattern.to_owned(), false);
            match pattern_.matches(path.as_bytes()) {
                Ok(got) => assert_eq!(got, want, "{pattern} on {path}"),
                Err(BadPattern) => assert!(!want, "{pattern} on {path}"),
            }
        }
        for bad in [r"a\eb", r"a\é", r"[z-a]", r"a\1"] {
            assert!(Pattern::new(bad.to_owned(), false).matches(b"x").is_err(), "{bad}");
        }
        let any = Pattern::new("a?b".to_owned(), false);
        assert!(any.matches(b"a\xffb").unwrap());
        assert!(!any.matches(b"a\xff\xfeb").unwrap());
    }
}
