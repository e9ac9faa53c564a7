//! From what went wrong below to what a person is told.

use std::path::Path;

use cofferdam_frontend::bridge::{Blame, BridgeError};
use cofferdam_frontend::build::BuildError;
use cofferdam_frontend::pins::Reference;

use crate::engine::ActiveBuild;
use crate::engine::session::Filesync;
use crate::error::{Error, SourceText};
use crate::request::BuildRequest;

/// The Dockerfile as the user knows it.
pub(super) fn source(request: &BuildRequest) -> SourceText {
    let shown = request.dockerfile.shown.clone();
    let shown = shown.strip_prefix("./").map(String::from).unwrap_or(shown);
    SourceText { shown, bytes: request.dockerfile.bytes.clone() }
}

/// Ends the build in the engine and finds the cause that helps.
pub(super) async fn explain(
    error: BuildError<Error>,
    active: ActiveBuild,
    files: &Filesync,
    request: &BuildRequest,
) -> Error {
    match error {
        BuildError::Bridge(error) => {
            let error = active.fail(error).await;
            // The engine wraps our own trouble with a file in words about transfers.
            match files.take_error() {
                Some(cause) => Error::usage_hint(
                    format!("cannot send the build context: {cause}"),
                    "mend the file, or list it in .dockerignore",
                ),
                None => of_bridge(error, request),
            }
        }
        BuildError::Pin(error) => end(error, active).await,
        BuildError::Refused(violations) => {
            let text = Some(source(request));
            end(Error::Refused { names: Vec::new(), violations, text }, active).await
        }
        other => {
            let error = Error::Build { message: other.to_string(), blame: None };
            end(error, active).await
        }
    }
}

/// Ends the build in the engine because of a decision of ours.
pub(super) async fn end(error: Error, active: ActiveBuild) -> Error {
    let told = BridgeError::Build { message: error.to_string(), blame: None };
    active.fail(told).await;
    error
}

/// What the engine said, with the lines it blames.
pub(super) fn of_bridge(error: BridgeError, request: &BuildRequest) -> Error {
    match error {
        BridgeError::Lost(cause) => Error::EngineLost(cause),
        BridgeError::Build { message, blame } => {
            Error::Build { message, blame: blame.and_then(|blame| ours(blame, request)) }
        }
    }
}

/// The engine knows the Dockerfile by its name alone and with the pins in it; people know it by
/// its path and as they wrote it. The lines are the same.
fn ours(blame: Blame, request: &BuildRequest) -> Option<(SourceText, Vec<(usize, usize)>)> {
    let name = Path::new(&blame.filename).file_name()?.to_string_lossy().into_owned();
    (name == request.dockerfile.name).then(|| (source(request), blame.lines))
}

impl Error {
    /// Says which names stay as they were.
    pub(super) fn naming(self, tags: &[Reference]) -> Self {
        match self {
            Self::Refused { violations, text, .. } => {
                let names = tags.iter().map(Reference::familiar).collect();
                Self::Refused { names, violations, text }
            }
            other => other,
        }
    }
}
