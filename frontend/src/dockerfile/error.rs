//! What the parser has to complain about.

use super::expand::ExpandError;
use super::span::Span;

/// One thing in a Dockerfile that BuildKit would refuse, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct ParseError {
    pub kind: ParseErrorKind,
    pub span: Span,
    /// Counted from 1.
    pub line: usize,
}

impl ParseError {
    /// Whether only a build refuses the file, and not the parser that answers `--call targets`.
    pub fn is_build_only(&self) -> bool {
        matches!(self.kind, ParseErrorKind::NoStages)
    }
}

/// What is wrong; messages follow BuildKit's where it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    #[error("file with no instructions")]
    NoInstructions,
    #[error("dockerfile contains no stages to build")]
    NoStages,
    #[error("line longer than 65535 bytes")]
    LineTooLong,
    #[error("only one {0} parser directive can be used")]
    DuplicateDirective(String),
    #[error("invalid escape token {0:?}: only ` and \\ are allowed")]
    InvalidEscape(String),
    #[error("unknown instruction: {0}")]
    UnknownInstruction(String),
    #[error("no build stage in current context: {0} stands before the first FROM")]
    NoStageYet(String),
    #[error("{0} requires at least one argument")]
    AtLeastOneArgument(&'static str),
    #[error("{0} requires exactly one argument")]
    ExactlyOneArgument(&'static str),
    #[error("{0} requires at least two arguments: a source and a destination")]
    NoDestination(&'static str),
    #[error("FROM requires either one or three arguments")]
    FromArguments,
    #[error(
        "invalid name for build stage: {0:?}, name can't start with a number or contain symbols"
    )]
    InvalidStageName(String),
    #[error("{0} must have two arguments")]
    MissingValue(&'static str),
    #[error("can't find = in {0:?}: must be of the form name=value")]
    MissingEquals(String),
    #[error("{0} names can not be blank")]
    BlankName(&'static str),
    #[error("when using JSON array syntax, arrays must be comprised of strings only")]
    JsonNotStrings,
    #[error("{0} requires the arguments to be in JSON form")]
    JsonRequired(&'static str),
    #[error("unknown flag --{flag} of {instruction}")]
    UnknownFlag { instruction: &'static str, flag: String },
    #[error("duplicate flag specified: --{0}")]
    DuplicateFlag(String),
    #[error("missing a value on flag: --{0}")]
    FlagValueMissing(String),
    #[error("expecting boolean value for flag --{0}")]
    FlagNotBoolean(String),
    #[error("invalid value {value:?} of flag --{flag}")]
    FlagValue { flag: String, value: String },
    #[error("bad quoting in the comma-separated value of --mount")]
    MountCsv,
    #[error("'from' of --mount doesn't support variable expansion, define alias stage instead")]
    MountVariable,
    #[error("chaining ONBUILD via ONBUILD ONBUILD isn't allowed")]
    OnbuildChain,
    #[error("{0} isn't allowed as an ONBUILD trigger")]
    OnbuildTrigger(String),
    #[error("unterminated heredoc: no line is exactly {0:?}")]
    UnterminatedHeredoc(String),
    #[error("bad heredoc: {0}")]
    BadHeredoc(ExpandError),
    #[error("{0} cannot accept a heredoc as a destination")]
    HeredocDestination(&'static str),
    #[error("unknown type {0:?} in HEALTHCHECK (try CMD)")]
    HealthcheckType(String),
    #[error("HEALTHCHECK NONE takes no arguments")]
    HealthcheckNone,
    #[error("missing command after HEALTHCHECK CMD")]
    HealthcheckCommand,
    #[error("VOLUME specified can not be an empty string")]
    EmptyVolume,
}
