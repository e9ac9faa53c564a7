//! The commands of a shell script: what a RUN would start, with which words, joined how.
//!
//! This is no shell. It finds simple commands wherever a POSIX shell or bash would find them (lists,
//! pipelines, groups, loops, `case`, substitutions, here-documents) and keeps their bytes' places.
//! It is linear, bounded in depth, and never fails: what it cannot read it leaves out, and says
//! that it did. A full grammar would read more of a script that a rule never looks at, and the ones
//! at hand take exponential time or all of the stack on hostile input.
//!
//! Reference: POSIX.1-2024, Shell Command Language, chapter 2.

mod call;
mod list;
mod reader;
#[cfg(test)]
mod tests;
mod word;

use std::ops::Range;

pub use call::Call;

/// All commands of one script, in source order; those of substitutions come before the command
/// whose word holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    pub commands: Vec<Command>,
    /// Whether something was left out: an unclosed quote or substitution, or nesting too deep.
    pub incomplete: bool,
}

/// One simple command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// The name and its arguments, assignments and redirections taken out.
    pub words: Vec<Word>,
    /// `NAME=value` before the name, or alone.
    pub assignments: Vec<Assignment>,
    pub redirects: Vec<Redirect>,
    /// What follows.
    pub joint: Joint,
    /// The command, an index into [`Script::commands`], whose output this one reads through a pipe.
    pub reads_from: Option<usize>,
    /// How many groups and substitutions it stands in; 0 is the script itself.
    pub depth: usize,
    /// Whether it stands in `$(…)`, backquotes or `<(…)`: its output is text of another command.
    pub substituted: bool,
    /// Its bytes, from the first word to the last.
    pub span: Range<usize>,
}

/// `NAME=value` in front of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    pub name: String,
    pub value: Word,
}

/// A redirection: `2>&1`, `> file`, `<<EOF`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redirect {
    /// The operator without the number before it: `>`, `>>`, `<`, `<<`, `<<-`, `<<<`, `>&` …
    pub operator: String,
    /// The descriptor written before it.
    pub fd: Option<u32>,
    /// The file, descriptor or delimiter.
    pub target: Word,
    /// The body of a here-document, without its last line; empty for all others, and where the text
    /// ends before a body begins.
    pub body: Range<usize>,
}

/// One word, as the shell would split it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// Quotes and escapes undone; expansions as they are written: `$VERSION`, `$(uname -m)`.
    pub text: String,
    /// Whether something in it is expanded: a variable, a substitution.
    pub expands: bool,
    /// Whether any of it was quoted or escaped.
    pub quoted: bool,
    pub span: Range<usize>,
}

/// How a command is joined to the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Joint {
    /// `&&`
    And,
    /// `||`
    Or,
    /// `;` or a new line
    Then,
    /// `|` or `|&`
    Pipe,
    /// `&`
    Background,
    /// The end of the script, group or substitution.
    #[default]
    End,
}

impl Word {
    /// The text, when nothing in the word is expanded.
    pub fn literal(&self) -> Option<&str> {
        (!self.expands).then_some(self.text.as_str())
    }
}

impl Command {
    /// The command that is really called: behind `sudo`, `env`, `exec` and their like.
    pub fn call(&self) -> Option<Call<'_>> {
        Call::of(self)
    }
}

/// Reads a script.
pub fn parse(script: &[u8]) -> Script {
    list::parse(script)
}
