//! Patterns of `.dockerignore` files and of the engine's requests, with moby's semantics.

use thiserror::Error;

pub mod clean;
pub mod gomatch;
mod goregex;
pub mod ignorefile;
mod pattern;
#[cfg(test)]
mod tests;

pub use pattern::Pattern;

/// A pattern whose syntax is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Why a list of patterns was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternError {
    /// The text is no pattern.
    #[error("syntax error in pattern {0:?}")]
    Syntax(String),
    /// A `!` with nothing behind it.
    #[error("illegal exclusion pattern: \"!\"")]
    LoneExclamation,
}

/// An ordered list of patterns, compiled once; later patterns override earlier ones.
#[derive(Debug, Default)]
pub struct PatternMatcher {
    patterns: Vec<Pattern>,
    exclusions: bool,
}

/// Which patterns a directory matched, handed down to its children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MatchInfo {
    matched: Vec<bool>,
}

impl PatternMatcher {
    /// Compiles patterns; blank ones are dropped.
    ///
    /// # Errors
    /// A lone `!` and what Go's `filepath.Match` calls malformed. What only the generated expression
    /// rejects is reported by the first match that evaluates it, as in moby.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self, PatternError> {
        let mut matcher = Self::default();
        for pattern in patterns {
            let trimmed = pattern.as_ref().trim();
            if trimmed.is_empty() {
                continue;
            }
            let cleaned = clean::clean(trimmed);
            let (exclusion, text) = match cleaned.strip_prefix('!') {
                Some("") => return Err(PatternError::LoneExclamation),
                Some(rest) => (true, rest.to_owned()),
                None => (false, cleaned),
            };
            if gomatch::matches(text.as_bytes(), b".").is_err() {
                return Err(PatternError::Syntax(text));
            }
            matcher.exclusions |= exclusion;
            matcher.patterns.push(Pattern::new(text, exclusion));
        }
        Ok(matcher)
    }

    /// The compiled patterns in order.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Whether any pattern is negated.
    pub fn exclusions(&self) -> bool {
        self.exclusions
    }

    /// Whether the path or one of its parents matches, the last pattern that applies deciding.
    ///
    /// # Errors
    /// An evaluated pattern is malformed.
    pub fn matches_or_parent_matches(&self, path: &[u8]) -> Result<bool, BadPattern> {
        let mut matched = false;
        for pattern in &self.patterns {
            if pattern.exclusion() == matched
                && (pattern.matches(path)? || parent_matches(pattern, path))
            {
                matched = !pattern.exclusion();
            }
        }
        Ok(matched)
    }

    /// The same verdict for a path whose parent directory was judged before; fills `info` for its children.
    ///
    /// Without a parent's result (`None`) the parents are tested here.
    ///
    /// # Errors
    /// An evaluated pattern is malformed.
    pub fn matches_using_parent(
        &self,
        path: &[u8],
        parent: Option<&MatchInfo>,
        info: Option<&mut MatchInfo>,
    ) -> Result<bool, BadPattern> {
        let known = parent.map(|parent| parent.matched.as_slice()).unwrap_or_default();
        let mut record = info.map(|info| {
            info.matched.clear();
            info.matched.resize(self.patterns.len(), false);
            info.matched.iter_mut()
        });
        let mut matched = false;
        for (index, pattern) in self.patterns.iter().enumerate() {
            let slot = record.as_mut().and_then(Iterator::next);
            let mut hit = known.get(index).copied().unwrap_or(false);
            if !hit {
                if pattern.exclusion() != matched {
                    continue;
                }
                hit = pattern.matches(path)? || (known.is_empty() && parent_matches(pattern, path));
            }
            if let Some(slot) = slot {
                *slot = hit;
            }
            if hit {
                matched = !pattern.exclusion();
            }
        }
        Ok(matched)
    }
}

/// Whether the pattern matches a directory above the path.
fn parent_matches(pattern: &Pattern, path: &[u8]) -> bool {
    let Some(last) = path.iter().rposition(|&byte| byte == b'/') else {
        return false;
    };
    // A leading slash has an empty first parent, as in moby.
    path.iter()
        .enumerate()
        .filter(|&(at, &byte)| byte == b'/' && at <= last)
        .filter_map(|(at, _)| path.get(..at))
        .any(|parent| pattern.matches(parent).unwrap_or(false))
}
