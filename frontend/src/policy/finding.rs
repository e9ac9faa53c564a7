//! What a rule found, where, and how to mend it.

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

/// Where rules put what they find.
#[derive(Debug, Default)]
pub struct Findings {
    pub(super) list: Vec<Finding>,
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
        let index = self.list.len();
        self.list.push(finding);
        &mut self.list[index]
    }
}
