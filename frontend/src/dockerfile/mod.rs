//! A lossless parser of Dockerfiles with BuildKit's semantics.
//!
//! Every node carries the bytes it came from. The parser never fails: what BuildKit would refuse
//! becomes an error with a span, and reading goes on. Reference: `frontend/dockerfile` of BuildKit
//! 0.32; where an older engine reads a file differently and it matters, both readings are kept.

mod check;
mod directive;
mod error;
mod expand;
mod heredoc;
mod inputs;
mod instruction;
mod json;
mod logical;
mod mount;
mod parser;
mod pattern;
mod platform;
mod reach;
mod resolve;
mod scope;
mod span;
mod split;
mod srcmap;
mod stage;
mod text;
mod values;

pub use directive::{Directive, Syntax, SyntaxForm};
pub use error::{ParseError, ParseErrorKind};
pub(crate) use expand::WORK;
pub use expand::{EmptyEnv, Env, ExpandError, Expanded, Lex};
pub use heredoc::Heredoc;
pub use inputs::{
    ImageInput, ImageInputKind, ImageInputs, InputError, InputErrorKind, image_inputs,
};
pub use instruction::{Args, Instruction, Keyword, Pair};
pub use logical::{Logical, Word};
pub use mount::{BadCsv, Mount, MountField, mount};
pub use platform::Platform;
pub use scope::{Globals, Scope, Undefined, global_args, stage_env};
pub(crate) use scope::{apply, context_key};
pub use span::{LineCol, LineIndex, Span};
pub use split::Flag;
pub use srcmap::SourceMap;
pub use stage::Stage;

/// A file that was read, whatever it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dockerfile {
    source: Vec<u8>,
    lines: LineIndex,
    escape: char,
    /// The directives BuildKit's own parser obeys.
    pub directives: Vec<Directive>,
    /// The linter configuration `# check=`, which has rules of its own.
    pub check: Option<Directive>,
    /// What makes an engine run a remote frontend instead of its own.
    pub syntaxes: Vec<Syntax>,
    /// The whole file, piece by piece: their spans follow each other without gaps.
    pub items: Vec<Item>,
    pub instructions: Vec<Instruction>,
    /// What BuildKit's own frontend would refuse, in source order.
    pub errors: Vec<ParseError>,
}

/// One piece of the file: whole lines with their endings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    pub kind: ItemKind,
    pub span: Span,
}

/// What a piece of the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// One blank line, or several.
    Blank,
    Comment,
    /// An index into [`Dockerfile::directives`].
    Directive(usize),
    /// An index into [`Dockerfile::instructions`]; heredocs belong to it.
    Instruction(usize),
}

impl Dockerfile {
    /// Reads any bytes.
    pub fn parse(source: &[u8]) -> Self {
        parser::parse(source)
    }

    /// The bytes that were read.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// The escape character in force, `\` or a backtick.
    pub fn escape(&self) -> char {
        self.escape
    }

    /// Where lines begin, for excerpts.
    pub fn lines(&self) -> &LineIndex {
        &self.lines
    }

    /// The line and column of a byte offset, both counted from 1.
    pub fn line_col(&self, offset: usize) -> LineCol {
        self.lines.line_col(offset)
    }

    /// The piece that holds the byte at `offset`; `None` behind the end.
    pub fn item_at(&self, offset: usize) -> Option<&Item> {
        self.items.get(self.items.partition_point(|item| item.span.end <= offset))
    }

    /// The build stages in order.
    pub fn stages(&self) -> Vec<Stage> {
        stage::stages(&self.instructions)
    }

    /// The ARG instructions before the first FROM.
    pub fn global_args(&self) -> impl Iterator<Item = &Instruction> {
        self.instructions
            .iter()
            .take_while(|node| node.keyword != Keyword::From)
            .filter(|node| node.keyword == Keyword::Arg)
    }
}
