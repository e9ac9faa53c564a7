//! What an ignore comment says.

use crate::day::Day;
use crate::dockerfile::Span;
use crate::policy::catalog;

/// What a comment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The instruction below or around it.
    Below,
    File,
}

/// A comment that silences something, or means to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) scope: Scope,
    pub(super) names: Names,
}

/// What it silences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// Names as they are written, and the day and place of its end.
    Own { rules: Vec<(String, Span)>, ends: Option<(Span, Day)> },
    /// Rules of ours that another tool's names stand for.
    Foreign(Vec<&'static str>),
    /// It cannot count.
    Bad { span: Span, message: String, help: String },
}

const FORM: &str = "write it as: # cofferdam: ignore[rule] why this is fine here";

/// Reads a comment line.
pub(super) fn comment(source: &[u8], span: Span) -> Option<Comment> {
    let text = std::str::from_utf8(span.of(source)).ok()?;
    let hash = text.find('#')?;
    let mut at = Cursor { text, at: hash + 1, base: span.start };
    at.blanks();
    if at.word("cofferdam:") {
        return own(at);
    }
    if !at.word("hadolint") {
        return None;
    }
    at.blanks();
    let scope = if at.word("global") { Scope::File } else { Scope::Below };
    at.blanks();
    let rest = at.rest().strip_prefix("ignore")?.trim_start().strip_prefix('=')?;
    let names = rest.split([',', ' ', '\t', '\r', '\n']).filter(|name| !name.is_empty());
    Some(Comment { scope, names: Names::Foreign(names.flat_map(also).collect()) })
}

/// `ignore[rule,rule] reason until=2027-02-01`, behind the mark.
fn own(mut at: Cursor<'_>) -> Option<Comment> {
    at.blanks();
    let start = at.at;
    if !at.word("ignore") {
        return None;
    }
    let scope = if at.word("-file") { Scope::File } else { Scope::Below };
    let whole = Span::new(at.base + start, at.base + at.text.trim_end().len());
    let bad = |span: Span, message: &str, help: &str| {
        let names = Names::Bad { span, message: message.into(), help: help.into() };
        Some(Comment { scope, names })
    };
    at.blanks();
    let list = at.rest().strip_prefix('[').and_then(|list| list.split_once(']'));
    let Some((list, _)) = list else {
        return bad(whole, "this names no rules in brackets", FORM);
    };
    let mut rules = Vec::new();
    let mut offset = at.base + at.at + 1;
    for part in list.split(',') {
        let name = part.trim();
        let from = offset + (part.len() - part.trim_start().len());
        if !name.is_empty() {
            rules.push((name.to_string(), Span::new(from, from + name.len())));
        }
        offset += part.len() + 1;
    }
    if rules.is_empty() {
        return bad(whole, "this names no rules in brackets", FORM);
    }
    at.at += list.len() + 2;
    let mut ends = None;
    let mut reason = false;
    while at.more() {
        let (word, span) = at.next();
        match word.strip_prefix("until=") {
            Some(day) => match Day::parse(day) {
                Some(day) => ends = Some((span, day)),
                None => return bad(span, &format!("{day:?} is no day"), "until=2027-02-01"),
            },
            None => reason |= word.contains(char::is_alphanumeric),
        }
    }
    if !reason {
        return bad(whole, "this gives no reason", FORM);
    }
    Some(Comment { scope, names: Names::Own { rules, ends } })
}

/// Rules that `# check=skip=…` of BuildKit switches off.
pub(super) fn skipped(value: &str) -> Vec<&'static str> {
    let skip = value.split(';').filter_map(|part| {
        let (key, names) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case("skip").then_some(names)
    });
    skip.flat_map(|names| names.split(',')).flat_map(|name| also(name.trim())).collect()
}

/// The rules that another tool calls so; `all` is BuildKit's word for all of its own.
fn also(name: &str) -> Vec<&'static str> {
    let of_buildkit = |other: &&str| {
        other.starts_with(|c: char| c.is_ascii_uppercase())
            && other.bytes().all(|byte| byte.is_ascii_alphabetic())
            && other.contains(|c: char| c.is_ascii_lowercase())
    };
    let list = catalog::every_about().into_iter();
    let same = |other: &&'static str| match name {
        "all" => of_buildkit(other),
        _ => other.eq_ignore_ascii_case(name),
    };
    list.filter(|about| about.also.iter().any(same)).map(|about| about.id).collect()
}

/// A place in a comment.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// Where the comment stands in the file.
    base: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn more(&mut self) -> bool {
        self.blanks();
        !self.rest().is_empty()
    }

    /// Goes behind a word, if it stands here.
    fn word(&mut self, word: &str) -> bool {
        let here = self.rest().starts_with(word);
        self.at += if here { word.len() } else { 0 };
        here
    }

    /// Everything up to the next white space.
    fn next(&mut self) -> (&'a str, Span) {
        let rest = self.rest();
        let word = rest.split(char::is_whitespace).next().unwrap_or_default();
        let start = self.base + self.at;
        self.at += word.len().max(1);
        (word, Span::new(start, start + word.len()))
    }
}
