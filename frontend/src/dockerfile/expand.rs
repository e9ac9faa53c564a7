//! Variable expansion, quotes and escapes, as BuildKit's shell lexer does them.
//!
//! The word list that expansion also yields is only needed to find heredocs; it copies BuildKit's
//! habit of forgetting the word in progress when a `${x:-…}` begins, since heredoc bodies depend
//! on it.

use std::collections::{BTreeMap, BTreeSet};
use std::str::Chars;

use super::pattern::{self, Work, spend};

/// The longest text an expansion may produce, in bytes.
pub(crate) const MAX_LENGTH: usize = 1 << 20;

/// What the expansions of one file may cost: the bytes of the values and the steps of patterns.
pub(crate) const WORK: Work = 20_000_000;

/// How deep `${a:-${b:-…}}` may nest.
const MAX_DEPTH: usize = 64;

/// Why a word cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpandError {
    #[error("unexpected end of statement while looking for matching {0}")]
    Unterminated(&'static str),
    #[error("syntax error: missing '{0}'")]
    Missing(char),
    #[error("syntax error: bad substitution")]
    BadSubstitution,
    #[error("unsupported modifier ({0}) in substitution")]
    UnsupportedModifier(String),
    #[error("{name}: {message}")]
    Required { name: String, message: String },
    #[error("invalid pattern in substitution: {0}")]
    InvalidPattern(String),
    #[error("substitutions are nested too deep")]
    TooDeep,
    #[error("expansion is too long")]
    TooLong,
}

impl ExpandError {
    /// Whether this is a bound of this parser and not a verdict on the text.
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::TooDeep | Self::TooLong)
    }
}

/// Where variables come from.
pub trait Env {
    /// The value of a variable; `None` when it is not set.
    fn get(&self, name: &str) -> Option<&str>;
}

impl Env for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<&str> {
        BTreeMap::get(self, name).map(String::as_str)
    }
}

/// An environment in which nothing is set.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyEnv;

impl Env for EmptyEnv {
    fn get(&self, _name: &str) -> Option<&str> {
        None
    }
}

/// The result of one expansion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    pub text: String,
    /// The result split at unquoted white space.
    pub words: Vec<String>,
    /// Variables that were used and set.
    pub matched: BTreeSet<String>,
    /// Variables that were used and not set.
    pub undefined: BTreeSet<String>,
}

/// How to expand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lex {
    /// The escape character of the file, `\` or a backtick.
    pub escape: char,
    /// Quotes stay in the result.
    pub raw_quotes: bool,
    /// Escape characters stay in the result.
    pub raw_escapes: bool,
    /// Quotes have no meaning (heredoc bodies of COPY and ADD).
    pub plain_quotes: bool,
    /// References to unset variables stay in the result.
    pub keep_unset: bool,
}

impl Lex {
    /// Expansion as instructions use it.
    pub fn new(escape: char) -> Self {
        Self {
            escape,
            raw_quotes: false,
            raw_escapes: false,
            plain_quotes: false,
            keep_unset: false,
        }
    }

    /// Expands one word.
    pub fn expand(&self, word: &str, env: &dyn Env) -> Result<Expanded, ExpandError> {
        let mut work = WORK.max(word.len().saturating_mul(MAX_DEPTH));
        self.expand_within(word, env, &mut work)
    }

    /// Expands one of many words, which together may cost what is left of [`WORK`].
    pub(crate) fn expand_within(
        &self,
        word: &str,
        env: &dyn Env,
        work: &mut Work,
    ) -> Result<Expanded, ExpandError> {
        let mut run = Run {
            lex: *self,
            env,
            rest: word.strip_prefix('\u{feff}').unwrap_or(word).chars(),
            raw_escapes: self.raw_escapes,
            work,
            limit: MAX_LENGTH.max(word.len().saturating_mul(4)),
            word: String::new(),
            depth: 0,
            matched: BTreeSet::new(),
            undefined: BTreeSet::new(),
        };
        let (text, words) = run.until(None, self.raw_escapes)?;
        Ok(Expanded { text, words, matched: run.matched, undefined: run.undefined })
    }
}

struct Run<'a> {
    lex: Lex,
    env: &'a dyn Env,
    rest: Chars<'a>,
    raw_escapes: bool,
    work: &'a mut Work,
    limit: usize,
    /// The word in progress, shared by all nesting levels.
    word: String,
    depth: usize,
    matched: BTreeSet<String>,
    undefined: BTreeSet<String>,
}

#[derive(Default)]
struct Words {
    done: Vec<String>,
    in_word: bool,
}

impl Words {
    fn add(&mut self, buffer: &mut String, ch: char) {
        if ch.is_whitespace() {
            if self.in_word && !buffer.is_empty() {
                self.done.push(std::mem::take(buffer));
                self.in_word = false;
            }
        } else {
            self.add_raw(buffer, ch);
        }
    }

    fn add_raw(&mut self, buffer: &mut String, ch: char) {
        buffer.push(ch);
        self.in_word = true;
    }

    fn finish(mut self, buffer: &mut String) -> Vec<String> {
        if !buffer.is_empty() {
            self.done.push(std::mem::take(buffer));
        }
        self.done
    }
}

impl Run<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    /// Expands up to `stop` (consumed), or to the end of the text.
    fn until(
        &mut self,
        stop: Option<char>,
        raw_escapes: bool,
    ) -> Result<(String, Vec<String>), ExpandError> {
        if self.depth >= MAX_DEPTH {
            return Err(ExpandError::TooDeep);
        }
        self.depth += 1;
        let outer = std::mem::replace(&mut self.raw_escapes, raw_escapes);
        let result = self.until_inner(stop);
        self.raw_escapes = outer;
        self.depth -= 1;
        result
    }

    fn until_inner(&mut self, stop: Option<char>) -> Result<(String, Vec<String>), ExpandError> {
        self.word.clear();
        let mut result = String::new();
        let mut words = Words::default();
        while let Some(ch) = self.peek() {
            if result.len() > self.limit {
                return Err(ExpandError::TooLong);
            }
            if stop == Some(ch) {
                self.rest.next();
                return Ok((result, words.finish(&mut self.word)));
            }
            let special = match ch {
                '$' => Some(self.dollar()?),
                '<' => Some(self.less()),
                '\'' if !self.lex.plain_quotes => Some(self.single_quote()?),
                '"' if !self.lex.plain_quotes => Some(self.double_quote()?),
                _ => None,
            };
            if let Some(piece) = special {
                spend(self.work, piece.len())?;
                if ch == '$' {
                    for piece_char in piece.chars() {
                        words.add(&mut self.word, piece_char);
                    }
                } else {
                    self.word.push_str(&piece);
                    words.in_word = true;
                }
                result.push_str(&piece);
                continue;
            }
            self.rest.next();
            if ch != self.lex.escape {
                words.add(&mut self.word, ch);
                result.push(ch);
                continue;
            }
            if self.raw_escapes {
                words.add_raw(&mut self.word, ch);
                result.push(ch);
            }
            let Some(escaped) = self.rest.next() else {
                break;
            };
            words.add_raw(&mut self.word, escaped);
            result.push(escaped);
        }
        match stop {
            Some('}') => Err(ExpandError::Unterminated("}")),
            Some(_) => Err(ExpandError::Unterminated("/")),
            None => Ok((result, words.finish(&mut self.word))),
        }
    }

    fn single_quote(&mut self) -> Result<String, ExpandError> {
        self.rest.next();
        let text = self.rest.as_str();
        let Some((quoted, rest)) = text.split_once('\'') else {
            self.rest = "".chars();
            return Err(ExpandError::Unterminated("single-quote"));
        };
        self.rest = rest.chars();
        Ok(if self.lex.raw_quotes { format!("'{quoted}'") } else { quoted.to_owned() })
    }

    fn double_quote(&mut self) -> Result<String, ExpandError> {
        let mut result = String::new();
        self.rest.next();
        if self.lex.raw_quotes {
            result.push('"');
        }
        loop {
            if result.len() > self.limit {
                return Err(ExpandError::TooLong);
            }
            match self.peek() {
                None => return Err(ExpandError::Unterminated("double-quote")),
                Some('"') => {
                    self.rest.next();
                    if self.lex.raw_quotes {
                        result.push('"');
                    }
                    return Ok(result);
                }
                Some('$') => {
                    let value = self.dollar()?;
                    spend(self.work, value.len())?;
                    result.push_str(&value);
                }
                Some(ch) => {
                    self.rest.next();
                    let mut out = ch;
                    if ch == self.lex.escape {
                        if self.raw_escapes {
                            result.push(ch);
                        }
                        match self.peek() {
                            None => continue,
                            Some(next) if next == '"' || next == '$' || next == ch => {
                                self.rest.next();
                                out = next;
                            }
                            Some(_) => {}
                        }
                    }
                    result.push(out);
                }
            }
        }
    }

    /// `<<` together with the blanks behind it, so that `<< EOF` stays one word.
    fn less(&mut self) -> String {
        self.rest.next();
        if self.peek() != Some('<') {
            return "<".to_owned();
        }
        self.rest.next();
        let mut result = "<<".to_owned();
        while let Some(blank @ ('\t' | '\r' | ' ')) = self.peek() {
            self.rest.next();
            result.push(blank);
        }
        result
    }

    fn lookup(&mut self, name: &str) -> Result<Option<String>, ExpandError> {
        let Some(value) = self.env.get(name) else {
            self.undefined.insert(name.to_owned());
            return Ok(None);
        };
        // Before it is copied.
        spend(self.work, value.len())?;
        self.matched.insert(name.to_owned());
        Ok(Some(value.to_owned()))
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(ch) = self.peek() {
            if name.is_empty() {
                if ch.is_ascii_digit() {
                    while let Some(digit) = self.peek().filter(char::is_ascii_digit) {
                        self.rest.next();
                        name.push(digit);
                    }
                    return name;
                }
                if matches!(ch, '@' | '*' | '#' | '?' | '-' | '$' | '!') {
                    self.rest.next();
                    return ch.to_string();
                }
            }
            if !ch.is_alphanumeric() && ch != '_' {
                break;
            }
            self.rest.next();
            name.push(ch);
        }
        name
    }

    fn dollar(&mut self) -> Result<String, ExpandError> {
        self.rest.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            return Ok(match self.lookup(&name)? {
                Some(value) => value,
                None if self.lex.keep_unset => format!("${name}"),
                None => String::new(),
            });
        }
        self.rest.next();
        match self.peek() {
            None => return Err(ExpandError::Missing('}')),
            Some('{' | '}' | ':') => return Err(ExpandError::BadSubstitution),
            Some(_) => {}
        }
        let name = self.name();
        match self.rest.next() {
            Some('}') => Ok(match self.lookup(&name)? {
                Some(value) => value,
                None if self.lex.keep_unset => format!("${{{name}}}"),
                None => String::new(),
            }),
            Some(':') => {
                let operator = self.rest.next();
                self.modifier(&name, operator, true)
            }
            Some(operator @ ('+' | '-' | '?' | '#' | '%')) => {
                self.modifier(&name, Some(operator), false)
            }
            Some('/') => self.substitution(&name),
            other => Err(unsupported(None, other)),
        }
    }

    /// `${x:-word}` and its kin; `colon` makes an empty value count as unset.
    fn modifier(
        &mut self,
        name: &str,
        operator: Option<char>,
        colon: bool,
    ) -> Result<String, ExpandError> {
        let pattern = matches!(operator, Some('#' | '%'));
        if colon && pattern {
            return Err(unsupported(Some(':'), operator));
        }
        let (word, _) =
            self.until(Some('}'), pattern).map_err(|error| self.or_missing('}', error))?;
        let value = self.lookup(name)?;
        if value.is_none() && self.lex.keep_unset {
            let colon = if colon { ":" } else { "" };
            let operator = operator.unwrap_or(char::REPLACEMENT_CHARACTER);
            return Ok(format!("${{{name}{colon}{operator}{word}}}"));
        }
        let set = value.as_ref().is_some_and(|value| !(colon && value.is_empty()));
        match operator {
            Some('-') if set => Ok(value.unwrap_or_default()),
            Some('-') => Ok(word),
            Some('+') if set => Ok(word),
            Some('+') => Ok(String::new()),
            Some('?') if set => Ok(value.unwrap_or_default()),
            Some('?') => Err(ExpandError::Required {
                name: name.to_owned(),
                message: match (word.is_empty(), value.is_some()) {
                    (false, _) => word,
                    (true, false) => "is not allowed to be unset".to_owned(),
                    (true, true) => "is not allowed to be empty".to_owned(),
                },
            }),
            Some(edge @ ('#' | '%')) => {
                let value = value.unwrap_or_default();
                let (word, greedy) = match word.strip_prefix(edge) {
                    Some(word) => (word, true),
                    None => (word.as_str(), false),
                };
                if edge == '#' {
                    pattern::trim_prefix(word, &value, greedy, self.work)
                } else {
                    pattern::trim_suffix(word, &value, greedy, self.work)
                }
            }
            other => Err(unsupported(colon.then_some(':'), other)),
        }
    }

    /// `${x/pattern/replacement}` and `${x//pattern/replacement}`.
    fn substitution(&mut self, name: &str) -> Result<String, ExpandError> {
        let all = self.peek() == Some('/');
        if all {
            self.rest.next();
        }
        let (pattern, _) =
            self.until(Some('/'), true).map_err(|error| self.or_missing('/', error))?;
        let (replacement, _) =
            self.until(Some('}'), true).map_err(|error| self.or_missing('}', error))?;
        let value = self.lookup(name)?;
        if value.is_none() && self.lex.keep_unset {
            return Ok(format!("${{{name}/{pattern}/{replacement}}}"));
        }
        pattern::replace(&pattern, &replacement, &value.unwrap_or_default(), all, self.work)
    }

    fn or_missing(&self, what: char, error: ExpandError) -> ExpandError {
        if self.rest.as_str().is_empty() && !error.is_limit() {
            ExpandError::Missing(what)
        } else {
            error
        }
    }
}

fn unsupported(colon: Option<char>, operator: Option<char>) -> ExpandError {
    let operator = operator.unwrap_or(char::REPLACEMENT_CHARACTER);
    ExpandError::UnsupportedModifier(colon.into_iter().chain([operator]).collect())
}

#[cfg(test)]
mod tests;
