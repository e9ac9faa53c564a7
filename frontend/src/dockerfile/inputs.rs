//! The images a Dockerfile pulls in, with the bytes that name each of them.

use super::expand::ExpandError;
use super::span::Span;
use super::{Dockerfile, Scope, resolve};
use crate::pins::reference::{Reference, ReferenceError};

/// What names the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ImageInputKind {
    /// `# syntax=`: the frontend that reads the file.
    Syntax,
    /// The build argument BUILDKIT_SYNTAX, which replaces `# syntax=`; it is not in the text.
    SyntaxArg,
    From,
    /// `COPY --from=`
    CopyFrom,
    /// `RUN --mount=…,from=`
    MountFrom,
}

/// One place that names an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageInput {
    pub kind: ImageInputKind,
    /// As written, variables expanded; a valid reference.
    pub reference: String,
    /// The smallest source range that covers the name.
    pub span: Span,
    /// The exact bytes to replace; empty when the name is not in the text.
    pub parts: Vec<Span>,
    /// The line on which the name ends, counted from 1; 0 when it is not in the text.
    pub line: usize,
    /// The stage it belongs to.
    pub stage: Option<usize>,
    pub stage_name: Option<String>,
    /// The expanded `--platform` of its FROM.
    pub platform: Option<String>,
    /// Whether the target needs it. False for a `# syntax=` that BUILDKIT_SYNTAX replaces.
    pub reachable: bool,
    /// Inside of ONBUILD: recorded in the image for later builds. `reachable` then tells whether a
    /// stage of this file runs it.
    pub onbuild: bool,
    /// Variables the name was made from, through global ARGs too. Platform arguments among them
    /// mean that it differs between target platforms.
    pub variables: Vec<String>,
    /// Variables in it that are not set and count as empty.
    pub undefined: Vec<String>,
}

impl ImageInput {
    /// The parsed reference.
    pub fn parsed(&self) -> Result<Reference, ReferenceError> {
        Reference::parse_normalized(&self.reference)
    }

    /// Whether the name differs between target or build platforms.
    pub fn varies_by_platform(&self) -> bool {
        let platform = |name: &String| {
            ["TARGET", "BUILD"].iter().any(|prefix| {
                name.strip_prefix(prefix).is_some_and(|rest| {
                    matches!(rest, "PLATFORM" | "OS" | "OSVERSION" | "ARCH" | "VARIANT")
                })
            })
        };
        self.variables.iter().any(platform)
    }
}

/// All images of a file, in source order, and what keeps it from being built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageInputs {
    pub inputs: Vec<ImageInput>,
    pub errors: Vec<InputError>,
    /// The indexes of the stages the target needs.
    pub reachable_stages: Vec<usize>,
}

/// Why the images of a file cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct InputError {
    pub kind: InputErrorKind,
    pub span: Span,
    /// Counted from 1; 0 for what comes from the command line.
    pub line: usize,
}

/// What is wrong with an image's name or with the graph of stages.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputErrorKind {
    #[error("cannot expand {word:?}: {error}")]
    Expand { word: String, error: ExpandError },
    #[error("{word:?} is empty after expansion{}", hint(undefined))]
    Empty { word: String, undefined: Vec<String> },
    #[error("{word:?} is no image reference: {error}{}", hint(undefined))]
    Reference { word: String, error: ReferenceError, undefined: Vec<String> },
    #[error("failed to parse platform {0:?}")]
    Platform(String),
    #[error(
        "variable expansion is not supported for --from: define a stage with FROM and an ARG before it"
    )]
    FromVariable,
    #[error("invalid stage index {0}")]
    StageIndex(String),
    #[error("target stage {0:?} could not be found")]
    TargetMissing(String),
    #[error("circular dependency detected on stage {0}")]
    Circular(String),
    #[error("cannot use stage {0:?} here: it needs to be defined before")]
    StageTooLate(String),
}

fn hint(undefined: &[String]) -> String {
    if undefined.is_empty() {
        String::new()
    } else {
        format!(" (not set: {})", undefined.join(", "))
    }
}

/// The images `dockerfile` names, given what the caller of the build decided.
///
/// Stages, `scratch` and named contexts are no images. Reachability follows BuildKit: FROM,
/// `COPY --from`, mounts, and ONBUILD of a base stage in the same file.
pub fn image_inputs(dockerfile: &Dockerfile, scope: &Scope) -> ImageInputs {
    resolve::resolve(dockerfile, scope)
}
