//! The tree: instructions with their flags and arguments, each with its source bytes.

use super::heredoc::Heredoc;
use super::logical::{Logical, Word};
use super::span::Span;
use super::split::Flag;

/// The instruction's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
    /// Anything else; BuildKit refuses it.
    Unknown,
}

impl Keyword {
    /// Every known one; the usual ones first, since a word is looked up in this order.
    const ALL: [Self; 18] = [
        Self::Run,
        Self::Copy,
        Self::Env,
        Self::From,
        Self::Arg,
        Self::Workdir,
        Self::Label,
        Self::Cmd,
        Self::Add,
        Self::User,
        Self::Entrypoint,
        Self::Expose,
        Self::Volume,
        Self::Shell,
        Self::Healthcheck,
        Self::Onbuild,
        Self::Maintainer,
        Self::Stopsignal,
    ];

    /// The keyword in upper case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Arg => "ARG",
            Self::Cmd => "CMD",
            Self::Copy => "COPY",
            Self::Entrypoint => "ENTRYPOINT",
            Self::Env => "ENV",
            Self::Expose => "EXPOSE",
            Self::From => "FROM",
            Self::Healthcheck => "HEALTHCHECK",
            Self::Label => "LABEL",
            Self::Maintainer => "MAINTAINER",
            Self::Onbuild => "ONBUILD",
            Self::Run => "RUN",
            Self::Shell => "SHELL",
            Self::Stopsignal => "STOPSIGNAL",
            Self::User => "USER",
            Self::Volume => "VOLUME",
            Self::Workdir => "WORKDIR",
            Self::Unknown => "(unknown)",
        }
    }

    pub(crate) fn of(word: &str) -> Self {
        let named = |name: &str| {
            Self::ALL.into_iter().find(|keyword| keyword.name().eq_ignore_ascii_case(name))
        };
        let known = match named(word) {
            // Some other letters have an ASCII letter as their lower case.
            None if !word.is_ascii() => named(&super::text::lower(word)),
            known => known,
        };
        known.unwrap_or(Self::Unknown)
    }

    /// Whether `<<` in its arguments opens heredocs.
    pub(crate) fn takes_heredocs(self) -> bool {
        matches!(self, Self::Add | Self::Copy | Self::Run)
    }

    /// The flags BuildKit knows; `None` where it ignores whatever is there.
    pub(crate) fn flags(self) -> Option<&'static [(&'static str, FlagKind)]> {
        use FlagKind::{Bool, Many, One};
        Some(match self {
            Self::Add => &[
                ("chown", One),
                ("chmod", One),
                ("link", Bool),
                ("keep-git-dir", Bool),
                ("checksum", One),
                ("unpack", Bool),
                ("exclude", Many),
            ],
            Self::Copy => &[
                ("chown", One),
                ("from", One),
                ("chmod", One),
                ("link", Bool),
                ("exclude", Many),
                ("parents", Bool),
            ],
            Self::From => &[("platform", One)],
            Self::Run => &[("mount", Many), ("network", One), ("security", One), ("device", Many)],
            Self::Healthcheck => &[
                ("interval", One),
                ("timeout", One),
                ("start-period", One),
                ("start-interval", One),
                ("retries", One),
            ],
            Self::Arg | Self::Stopsignal | Self::Unknown => return None,
            _ => &[],
        })
    }
}

/// What values a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlagKind {
    Bool,
    One,
    /// May be repeated.
    Many,
}

/// One `name=value` of ENV, ARG or LABEL, quotes still in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub name: Word,
    /// `None` only for an ARG without default.
    pub value: Option<Word>,
    /// The old form `ENV name value`.
    pub legacy: bool,
}

/// An instruction's arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Args {
    /// Nothing follows the keyword and its flags.
    Empty,
    /// Words between white space.
    Words(Vec<Word>),
    /// A JSON array of strings.
    Exec(Vec<Word>),
    /// One text: a shell command, a user, a path.
    Text(Word),
    Pairs(Vec<Pair>),
    /// HEALTHCHECK: its type and, for CMD, the command.
    Health {
        kind: Word,
        command: Box<Args>,
    },
    /// ONBUILD: the instruction it defers.
    Trigger(Box<Instruction>),
    /// The arguments cannot be read; an error says why.
    Broken(Word),
}

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    pub keyword: Keyword,
    /// The keyword as written.
    pub keyword_word: Word,
    pub flags: Vec<Flag>,
    pub args: Args,
    pub heredocs: Vec<Heredoc>,
    /// From the keyword to the end of the arguments, heredocs not included.
    pub span: Span,
    /// The line of the first byte, counted from 1.
    pub line: usize,
    /// The joined text and the way back from it; shared by ONBUILD with its trigger.
    pub logical: Logical,
    /// Comment lines between its continued lines.
    pub comments: Vec<Span>,
    /// Blank lines between its continued lines, which BuildKit warns about.
    pub empty_continuations: Vec<Span>,
}

impl Instruction {
    /// The last flag of this name.
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().rev().find(|flag| flag.name == name)
    }

    /// The arguments that are a list of words, whichever form they have.
    pub fn words(&self) -> &[Word] {
        match &self.args {
            Args::Words(words) | Args::Exec(words) => words,
            _ => &[],
        }
    }

    /// The pairs of ENV, ARG or LABEL.
    pub fn pairs(&self) -> &[Pair] {
        match &self.args {
            Args::Pairs(pairs) => pairs,
            _ => &[],
        }
    }

    /// The instruction that ONBUILD defers.
    pub fn trigger(&self) -> Option<&Instruction> {
        match &self.args {
            Args::Trigger(inner) => Some(inner),
            _ => None,
        }
    }
}
