//! The `*` and `?` patterns of `${x#p}`, `${x%p}` and `${x/p/r}`.
//!
//! BuildKit turns them into regular expressions; since there is no alternation, a greedy match is
//! the longest and a lazy one the shortest, which a set of pattern positions finds directly.

use super::expand::ExpandError;

/// What expansions may cost before they are given up, in steps, so that no input takes minutes.
pub(crate) type Work = usize;

/// Takes `steps` off what is left.
pub(crate) fn spend(work: &mut Work, steps: usize) -> Result<(), ExpandError> {
    let left = work.checked_sub(steps);
    *work = left.unwrap_or(0);
    left.map(|_| ()).ok_or(ExpandError::TooLong)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// `*`: any run of characters except newlines.
    Star,
    /// `?`: one character except a newline.
    Any,
    Literal(char),
}

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern<'a> {
    tokens: Vec<Token>,
    work: &'a mut Work,
}

impl<'a> Pattern<'a> {
    /// Compiles a pattern; a backslash may stand only before `* ? \ } /`.
    pub(crate) fn new(pattern: &[char], work: &'a mut Work) -> Result<Self, ExpandError> {
        let mut tokens = Vec::with_capacity(pattern.len());
        let mut chars = pattern.iter().copied().peekable();
        if chars.peek() == Some(&'\u{feff}') {
            chars.next();
        }
        while let Some(ch) = chars.next() {
            tokens.push(match ch {
                '*' => Token::Star,
                '?' => Token::Any,
                '\\' => match chars.next() {
                    Some(escaped @ ('*' | '?' | '\\' | '}' | '/')) => Token::Literal(escaped),
                    other => {
                        return Err(ExpandError::InvalidPattern(
                            other.map_or_else(|| "\\".to_owned(), |ch| format!("\\{ch}")),
                        ));
                    }
                },
                other => Token::Literal(other),
            });
        }
        Ok(Self { tokens, work })
    }

    /// The length of the shortest or longest match at the very start of `text`.
    fn prefix(&mut self, text: &[char], greedy: bool) -> Result<Option<usize>, ExpandError> {
        let mut live = vec![false; self.tokens.len() + 1];
        if let Some(start) = live.first_mut() {
            *start = true;
        }
        self.close(&mut live);
        let mut found = None;
        for at in 0..=text.len() {
            if live.last() == Some(&true) {
                found = Some(at);
                if !greedy {
                    break;
                }
            }
            let Some(ch) = text.get(at).copied() else {
                break;
            };
            spend(self.work, live.len())?;
            let mut next = vec![false; live.len()];
            let mut any = false;
            for (index, token) in self.tokens.iter().enumerate() {
                if live.get(index) != Some(&true) {
                    continue;
                }
                let to = match token {
                    Token::Star if ch != '\n' => index,
                    Token::Any if ch != '\n' => index + 1,
                    Token::Literal(literal) if *literal == ch => index + 1,
                    _ => continue,
                };
                if let Some(slot) = next.get_mut(to) {
                    *slot = true;
                    any = true;
                }
            }
            if !any {
                break;
            }
            self.close(&mut next);
            live = next;
        }
        Ok(found)
    }

    /// A star may also match nothing.
    fn close(&self, live: &mut [bool]) {
        for (index, token) in self.tokens.iter().enumerate() {
            if *token == Token::Star
                && live.get(index) == Some(&true)
                && let Some(slot) = live.get_mut(index + 1)
            {
                *slot = true;
            }
        }
    }

    /// The leftmost, longest match at or after `from`.
    fn find(&mut self, text: &[char], from: usize) -> Result<Option<(usize, usize)>, ExpandError> {
        for start in from..=text.len() {
            let rest = text.get(start..).unwrap_or_default();
            if let Some(len) = self.prefix(rest, true)? {
                return Ok(Some((start, start + len)));
            }
        }
        Ok(None)
    }
}

/// `${value#pattern}` (shortest) and `${value##pattern}` (longest).
pub(crate) fn trim_prefix(
    pattern: &str,
    value: &str,
    greedy: bool,
    work: &mut Work,
) -> Result<String, ExpandError> {
    let pattern: Vec<char> = pattern.chars().collect();
    let value: Vec<char> = value.chars().collect();
    let cut = Pattern::new(&pattern, work)?.prefix(&value, greedy)?.unwrap_or(0);
    Ok(value.into_iter().skip(cut).collect())
}

/// `${value%pattern}` (shortest) and `${value%%pattern}` (longest).
pub(crate) fn trim_suffix(
    pattern: &str,
    value: &str,
    greedy: bool,
    work: &mut Work,
) -> Result<String, ExpandError> {
    let pattern = reverse(&pattern.chars().collect::<Vec<_>>());
    let value: Vec<char> = value.chars().rev().collect();
    let cut = Pattern::new(&pattern, work)?.prefix(&value, greedy)?.unwrap_or(0);
    Ok(value.into_iter().skip(cut).rev().collect())
}

/// `${value/pattern/replacement}` and, with `all`, `${value//pattern/replacement}`.
pub(crate) fn replace(
    pattern: &str,
    replacement: &str,
    value: &str,
    all: bool,
    work: &mut Work,
) -> Result<String, ExpandError> {
    let pattern: Vec<char> = pattern.chars().collect();
    let value: Vec<char> = value.chars().collect();
    let mut compiled = Pattern::new(&pattern, work)?;
    let mut out = String::new();
    let mut copied = 0;
    let mut search = 0;
    while search <= value.len() {
        let Some((start, end)) = compiled.find(&value, search)? else {
            break;
        };
        let matched = value.get(start..end).unwrap_or_default();
        out.extend(value.get(copied..start).unwrap_or_default());
        if !all {
            out.push_str(replacement);
            copied = end;
            break;
        }
        // An empty match right behind another match is not replaced.
        if end > copied || start == 0 {
            template(replacement, matched, &mut out);
        }
        if out.len() > super::expand::MAX_LENGTH {
            return Err(ExpandError::TooLong);
        }
        copied = end;
        search = end.max(search + 1);
    }
    out.extend(value.get(copied..).unwrap_or_default());
    Ok(out)
}

/// In `${x//p/r}` alone, `$0` in `r` is the match, `$$` a dollar, any other name nothing.
fn template(replacement: &str, matched: &[char], out: &mut String) {
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
            continue;
        }
        let name_of = |text: &str| -> String {
            text.chars().take_while(|ch| ch.is_alphanumeric() || *ch == '_').collect()
        };
        let (name, tail) = match after.strip_prefix('{') {
            Some(braced) => {
                let name = name_of(braced);
                let tail = braced.strip_prefix(name.as_str()).unwrap_or_default();
                match tail.strip_prefix('}') {
                    Some(tail) => (name, tail),
                    None => (String::new(), after),
                }
            }
            None => {
                let name = name_of(after);
                let tail = after.strip_prefix(name.as_str()).unwrap_or_default();
                (name, tail)
            }
        };
        match name.as_str() {
            "" => {
                out.push('$');
                rest = after;
                continue;
            }
            "0" => out.extend(matched),
            _ => {}
        }
        rest = tail;
    }
    out.push_str(rest);
}

/// Reverses a pattern but keeps each backslash before the character it escapes.
fn reverse(pattern: &[char]) -> Vec<char> {
    let mut units: Vec<&[char]> = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.first() {
        let width = if *first == '\\' && rest.len() > 1 { 2 } else { 1 };
        let (unit, tail) = rest.split_at(width);
        units.push(unit);
        rest = tail;
    }
    units.into_iter().rev().flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: Work = 20_000_000;

    fn trim_prefix(pattern: &str, value: &str, greedy: bool) -> Result<String, ExpandError> {
        super::trim_prefix(pattern, value, greedy, &mut WORK.clone())
    }

    fn trim_suffix(pattern: &str, value: &str, greedy: bool) -> Result<String, ExpandError> {
        super::trim_suffix(pattern, value, greedy, &mut WORK.clone())
    }

    fn replace(pattern: &str, with: &str, value: &str, all: bool) -> Result<String, ExpandError> {
        super::replace(pattern, with, value, all, &mut WORK.clone())
    }

    #[test]
    fn prefixes_and_suffixes() {
        let trim = |greedy| trim_prefix("a*b", "aXbYbZ", greedy).unwrap();
        assert_eq!(trim(false), "YbZ");
        assert_eq!(trim(true), "Z");
        assert_eq!(trim_suffix("/*", "a/b/c", false).unwrap(), "a/b");
        assert_eq!(trim_suffix("/*", "a/b/c", true).unwrap(), "a");
        assert_eq!(trim_suffix(r"\*b", "a*b", false).unwrap(), "a");
        assert_eq!(trim_prefix("z*", "abc", true).unwrap(), "abc");
    }

    #[test]
    fn replacements() {
        assert_eq!(replace("o", "0", "foo", false).unwrap(), "f0o");
        assert_eq!(replace("o", "0", "foo", true).unwrap(), "f00");
        assert_eq!(replace("*", "x", "abc", true).unwrap(), "x");
        assert_eq!(replace("", "-", "ab", true).unwrap(), "-a-b-");
        assert_eq!(replace("b", "[$0$$${1}]", "abc", true).unwrap(), "a[b$]c");
    }

    #[test]
    fn only_known_escapes() {
        assert!(trim_prefix(r"\a", "a", false).is_err());
        assert!(trim_prefix("a\\", "a", false).is_err());
    }

    #[test]
    fn work_is_bounded() {
        let value = "a".repeat(60_000);
        let pattern = "*a".repeat(2_000) + "b";
        assert_eq!(replace(&pattern, "", &value, true), Err(ExpandError::TooLong));
    }
}
