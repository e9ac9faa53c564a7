//! What a rule found, where, and how to mend it.

use std::collections::BTreeMap;
use std::fmt;

use super::rule::About;
use crate::dockerfile::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// A matter of care.
    Low,
    /// Makes an image larger, staler or harder to trust than it need be.
    Medium,
    /// Lets others decide what is in the image, or gives a process more than it needs.
    High,
    /// Gives a secret away, or the machine that builds.
    Critical,
}

impl Severity {
    /// All of them, the mildest first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Its name in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that a rule has against a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    pub severity: Severity,
    /// What is wrong, one sentence in lower case without a full stop.
    pub message: String,
    /// Where; empty at the file's start for what is missing as a whole.
    pub span: Span,
    /// Other places that belong to it, each with a few words.
    pub notes: Vec<(Span, String)>,
    /// What to write instead, ready to copy.
    pub help: Option<String>,
    /// The same as edits, where a program can make them.
    pub fix: Option<Fix>,
}

/// A change of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    pub safety: Safety,
    /// What it does, as a command: "use COPY".
    pub title: String,
    /// Never overlapping.
    pub edits: Vec<Edit>,
}

/// Whether a fix may change what is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// The image is the same but for what the rule is about.
    Safe,
    /// Likely right; somebody has to look.
    Unsafe,
}

/// Bytes of the file and what stands there afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// An empty span inserts.
    pub span: Span,
    pub text: String,
}

impl Edit {
    /// Puts `text` in the place of `span`.
    pub fn replace(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }

    /// Puts `text` before the byte at `offset`.
    pub fn insert(offset: usize, text: impl Into<String>) -> Self {
        Self { span: Span::new(offset, offset), text: text.into() }
    }
}

impl Finding {
    /// Says what to do.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Points at another place.
    pub fn note(&mut self, span: Span, words: impl Into<String>) -> &mut Self {
        self.notes.push((span, words.into()));
        self
    }

    /// Says that it is more or less bad than the rule's findings are.
    pub fn severity(&mut self, severity: Severity) -> &mut Self {
        self.severity = severity;
        self
    }

    /// Offers edits that change nothing else.
    pub fn safe_fix(&mut self, title: impl Into<String>, edits: Vec<Edit>) -> &mut Self {
        self.fix = Some(Fix { safety: Safety::Safe, title: title.into(), edits });
        self
    }

    /// Offers edits that somebody has to look at.
    pub fn unsafe_fix(&mut self, title: impl Into<String>, edits: Vec<Edit>) -> &mut Self {
        self.fix = Some(Fix { safety: Safety::Unsafe, title: title.into(), edits });
        self
    }
}

/// Most findings of one rule that are told one by one; people write no file that has as many.
const MOST: usize = 10_000;

/// Where rules put what they find.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    /// How many findings each rule has, and the first that is not kept.
    counts: BTreeMap<&'static str, (usize, Option<Finding>)>,
    /// Takes what is said of a finding that is not kept.
    spare: Option<Finding>,
}

impl Findings {
    /// Reports one finding; what it returns takes help, notes and a fix.
    pub fn report(
        &mut self,
        about: &'static About,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Finding {
        let finding = Finding {
            rule: about.id,
            severity: about.severity,
            message: message.into(),
            span,
            notes: Vec::new(),
            help: None,
            fix: None,
        };
        let (count, next) = self.counts.entry(about.id).or_default();
        *count += 1;
        if *count > MOST {
            next.get_or_insert_with(|| finding.clone());
            return self.spare.insert(finding);
        }
        let index = self.list.len();
        self.list.push(finding);
        &mut self.list[index]
    }

    /// As they were reported.
    #[cfg(test)]
    pub(super) fn list(&self) -> &[Finding] {
        &self.list
    }

    /// Everything in source order, nothing twice; of what is too much only how much it is.
    pub(super) fn sorted(self) -> Vec<Finding> {
        let mut list = self.list;
        for (count, next) in self.counts.into_values() {
            list.extend(next.map(|next| Finding {
                message: format!("{} more findings of this rule from here on", count - MOST),
                ..next
            }));
        }
        list.sort_by(|a, b| (a.span.start, a.rule).cmp(&(b.span.start, b.rule)));
        list.dedup();
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::catalog::PARSE_ERROR;

    #[test]
    fn too_much_is_counted() {
        let mut found = Findings::default();
        for at in 0..MOST + 5 {
            found.report(&PARSE_ERROR, Span::new(at, at + 1), "wrong").help("mend it");
        }
        let list = found.sorted();
        assert_eq!(list.len(), MOST + 1);
        let last = list.last().unwrap();
        assert_eq!(last.message, "5 more findings of this rule from here on");
        assert_eq!(last.span.start, MOST);
    }
}
