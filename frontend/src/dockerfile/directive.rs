//! Parser directives, and which line starts a remote frontend.
//!
//! BuildKit reads directives twice, with different rules: the parser (for `escape`) ignores
//! indentation, the search for `syntax` and `check` does not, but it knows shebangs, `//` comments
//! and JSON files. Engines up to BuildKit 0.10 use a third rule. All of them matter: a
//! `# syntax=` that any engine honours runs code.

use super::json;
use super::span::Span;
use super::text;

/// A directive the parser found, such as `# escape=` and a backtick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// In lower case: `syntax`, `escape` or `check`.
    pub name: String,
    pub value: String,
    /// From the `#` to the end of the value.
    pub span: Span,
    pub value_span: Span,
}

/// How a file names its remote frontend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntaxForm {
    /// `# syntax=…`
    Hash,
    /// `// syntax=…`
    Slashes,
    /// `{"syntax": "…"}`
    Json,
}

/// A text that makes an engine run a remote frontend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// The image reference: the value up to its first space.
    pub reference: String,
    /// The whole value, which the frontend receives as its command line.
    pub cmdline: String,
    /// The bytes of the reference.
    pub span: Span,
    pub form: SyntaxForm,
    /// Honoured by current engines.
    pub current: bool,
    /// Honoured by engines up to BuildKit 0.10 (Docker 20.10).
    pub legacy: bool,
}

pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// The blanks that `\s` matches in Go.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

struct Match {
    name: String,
    value: Span,
}

/// Matches `name = value` in `range`, which begins behind the comment mark.
fn name_value(source: &[u8], range: Span) -> Option<Match> {
    let bytes = range.of(source);
    let skip = |from: usize, test: fn(u8) -> bool| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| test(**byte)).count()
    };
    if !bytes.first()?.is_ascii_alphabetic() {
        return None;
    }
    let name_end = skip(0, |byte| byte.is_ascii_alphanumeric());
    let equals = skip(name_end, is_blank);
    if bytes.get(equals) != Some(&b'=') {
        return None;
    }
    let value_start = skip(equals + 1, is_blank);
    let mut value = Span::new(range.start + value_start, range.end);
    if value.is_empty() {
        // The lazy group still wants one character and takes the last blank.
        if value_start == equals + 1 {
            return None;
        }
        value.start = value.end - 1;
    } else {
        while value.len() > 1 && value.of(source).last().is_some_and(|byte| is_blank(*byte)) {
            value.end -= 1;
        }
    }
    let name = bytes.get(..name_end).unwrap_or_default();
    Some(Match { name: text::lower(&text::lossy(name)), value })
}

/// The outcome of offering one line to the directive parser.
pub(crate) enum Offer {
    None,
    Found(Directive),
    Duplicate(String),
}

/// The state of one pass over the leading lines.
#[derive(Debug)]
pub(crate) struct DirectiveParser {
    mark: &'static [u8],
    seen: Vec<String>,
    done: bool,
}

impl DirectiveParser {
    pub(crate) fn new(mark: &'static [u8]) -> Self {
        Self { mark, seen: Vec::new(), done: false }
    }

    pub(crate) fn offer(&mut self, source: &[u8], line: Span) -> Offer {
        if self.done {
            return Offer::None;
        }
        let found = line
            .of(source)
            .starts_with(self.mark)
            .then(|| Span::new(line.start + self.mark.len(), line.end))
            .and_then(|rest| name_value(source, text::trim_start(source, rest)))
            .filter(|found| matches!(found.name.as_str(), "syntax" | "escape" | "check"));
        let Some(found) = found else {
            self.done = true;
            return Offer::None;
        };
        if self.seen.contains(&found.name) {
            return Offer::Duplicate(found.name);
        }
        self.seen.push(found.name.clone());
        Offer::Found(Directive {
            name: found.name,
            value: text::lossy(found.value.of(source)),
            span: Span::new(line.start, found.value.end),
            value_span: found.value,
        })
    }
}

/// Lines as Go's scanner gives them: without `\n` and one `\r`, ending at the first overlong one.
fn lines(source: &[u8], mut at: usize) -> impl Iterator<Item = Span> {
    std::iter::from_fn(move || {
        let rest = source.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return None;
        }
        let newline = rest.iter().position(|byte| *byte == b'\n');
        let len = newline.unwrap_or(rest.len());
        if len >= super::parser::MAX_LINE {
            return None;
        }
        let mut line = Span::new(at, at + len);
        at += len + 1;
        if line.of(source).last() == Some(&b'\r') {
            line.end -= 1;
        }
        Some(line)
    })
}

/// Where the search for `syntax` and `check` begins: behind a byte-order mark and a shebang.
fn search_start(source: &[u8]) -> usize {
    let start = if source.starts_with(BOM) { BOM.len() } else { 0 };
    let rest = source.get(start..).unwrap_or_default();
    if !rest.starts_with(b"#!") {
        return start;
    }
    let line = rest.iter().position(|byte| *byte == b'\n');
    line.map_or(source.len(), |at| start + at + 1)
}

fn search(source: &[u8], key: &str, mark: &'static [u8]) -> Option<Directive> {
    let mut parser = DirectiveParser::new(mark);
    for line in lines(source, search_start(source)) {
        match parser.offer(source, line) {
            Offer::Found(directive) if directive.name == key => return Some(directive),
            Offer::Found(_) => {}
            Offer::Duplicate(_) | Offer::None => return None,
        }
    }
    None
}

/// The value of `# check=`, which configures BuildKit's linter.
pub(crate) fn check(source: &[u8]) -> Option<Directive> {
    search(source, "check", b"#")
}

fn syntax_of(source: &[u8], value: Span, form: SyntaxForm) -> Syntax {
    let bytes = value.of(source);
    let cut = bytes.iter().position(|byte| *byte == b' ');
    let span = Span::new(value.start, cut.map_or(value.end, |at| value.start + at));
    Syntax {
        reference: text::lossy(span.of(source)),
        cmdline: text::lossy(bytes),
        span,
        form,
        current: false,
        legacy: false,
    }
}

fn current_syntax(source: &[u8]) -> Option<Syntax> {
    for (mark, form) in [(&b"#"[..], SyntaxForm::Hash), (&b"//"[..], SyntaxForm::Slashes)] {
        if let Some(found) = search(source, "syntax", mark) {
            return Some(syntax_of(source, found.value_span, form));
        }
    }
    let found = json::member(source, search_start(source), "syntax")?;
    Some(Syntax {
        reference: found.text.clone(),
        cmdline: found.text,
        span: found.inner,
        form: SyntaxForm::Json,
        current: false,
        legacy: false,
    })
}

/// Any name is a directive there, and the last `syntax` wins.
fn legacy_syntax(source: &[u8]) -> Option<Syntax> {
    let mut last = None;
    for line in lines(source, 0) {
        if !line.of(source).starts_with(b"#") {
            break;
        }
        let mut rest = Span::new(line.start + 1, line.end);
        while rest.of(source).first().is_some_and(|byte| is_blank(*byte)) {
            rest.start += 1;
        }
        let Some(found) = name_value(source, rest) else {
            break;
        };
        if found.name == "syntax" {
            last = Some(found.value);
        }
    }
    last.map(|value| syntax_of(source, value, SyntaxForm::Hash))
}

/// Every text that makes some engine run a remote frontend; usually none or one.
pub(crate) fn syntaxes(source: &[u8]) -> Vec<Syntax> {
    let mut list: Vec<Syntax> = Vec::new();
    if let Some(mut syntax) = current_syntax(source) {
        syntax.current = true;
        list.push(syntax);
    }
    if let Some(mut syntax) = legacy_syntax(source) {
        match list.iter_mut().find(|known| known.span == syntax.span) {
            Some(known) => known.legacy = true,
            None => {
                syntax.legacy = true;
                list.push(syntax);
            }
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current(source: &str) -> Option<String> {
        syntaxes(source.as_bytes())
            .into_iter()
            .find(|syntax| syntax.current)
            .map(|syntax| syntax.reference)
    }

    #[test]
    fn forms_of_syntax() {
        for (source, expected) in [
            ("# syntax=a\nFROM x", Some("a")),
            ("#syntax = a  \nFROM x", Some("a")),
            ("# SynTax=a b c\nFROM x", Some("a")),
            ("# escape=`\n# syntax=a\n", Some("a")),
            ("#!/bin/x\n# syntax=a\n", Some("a")),
            ("\u{feff}# syntax=a\r\n", Some("a")),
            ("// syntax=a\n", Some("a")),
            ("#!/bin/x\n// syntax=a\n", Some("a")),
            ("{\"syntax\": \"a\"}", Some("a")),
            ("# check=skip=all\n# syntax=a\n", Some("a")),
            (" # syntax=a\n", None),
            ("\n# syntax=a\n", None),
            ("# comment\n# syntax=a\n", None),
            ("# other=1\n# syntax=a\n", None),
            ("# syntax=\n", None),
            ("FROM x\n# syntax=a\n", None),
            ("# syntax= \n", Some("")),
        ] {
            assert_eq!(current(source).as_deref(), expected, "{source:?}");
        }
    }

    #[test]
    fn old_engines_differ() {
        let list = syntaxes(b"# other=1\n# syntax=a\nFROM x");
        assert_eq!(list.len(), 1);
        assert!(list[0].legacy && !list[0].current);
        let list = syntaxes(b"# syntax=a\n# syntax=b\nFROM x");
        let refs: Vec<_> = list.iter().map(|syntax| &syntax.reference).collect();
        assert_eq!(refs, ["a", "b"]);
        let both = syntaxes(b"# syntax=a\nFROM x");
        assert!(both[0].legacy && both[0].current);
    }

    #[test]
    fn json_reference_spans_its_raw_text() {
        let source = br#"{"syntax": "docker\/dockerfile:1"}"#;
        let list = syntaxes(source);
        assert_eq!(list[0].reference, "docker/dockerfile:1");
        assert_eq!(list[0].span.of(source), br"docker\/dockerfile:1");
    }
}
