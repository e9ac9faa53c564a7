//! From what went wrong below to what a person is told.

use std::path::Path;
use std::time::Duration;

use cofferdam_frontend::Plan;
use cofferdam_frontend::bridge::{Blame, BridgeError};
use cofferdam_frontend::build::BuildError;
use cofferdam_frontend::graph::judge::Violation;
use cofferdam_frontend::graph::{Graph, shared_traces};

use super::load::Loading;
use super::outputs::Outlets;
use super::plan::Locals;
use super::smoke;
use super::words;
use crate::engine::session::{Filesync, Outputs as Files, UNREAD};
use crate::engine::{ActiveBuild, Forgotten, Traces};
use crate::error::{Error, SourceText};
use crate::report::printer::Printer;
use crate::request::{BuildRequest, DockerfileText};

/// How long a Docker engine may take to say why it did not take an image.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A build that failed, and what helps to say why.
pub(super) struct Failed<'a> {
    pub(super) active: ActiveBuild,
    /// The graphs as far as they were known, one for each platform.
    pub(super) judged: Vec<Graph>,
    pub(super) files: &'a Filesync,
    pub(super) plan: &'a Plan,
    pub(super) printer: &'a Printer,
}

impl Failed<'_> {
    /// Ends the build in the engine and finds the cause that helps.
    pub(super) async fn explain(
        self,
        error: BuildError<Error>,
        dockerfile: &DockerfileText,
    ) -> Error {
        match error {
            BuildError::Bridge(error) => {
                let (error, blamed) = self.active.fail(error).await;
                // The engine wraps our own trouble with a file in words about transfers.
                match self.files.take_error() {
                    Some(cause) => Error::usage_hint(
                        format!("cannot send the build context: {cause}"),
                        "mend the file, or list it in .dockerignore",
                    ),
                    None => {
                        let graphs = self.judged.iter();
                        let places = blamed.map(|op| graphs.flat_map(|g| g.locate(&op)).collect());
                        of_bridge(error, places, dockerfile)
                    }
                }
            }
            BuildError::Pin(error) => end(error, self.active).await,
            BuildError::Refused(violations) => {
                let text = Some(dockerfile.source());
                end(Error::Refused { names: Vec::new(), violations, text }, self.active).await
            }
            BuildError::Leaked(violations) => {
                let text = Some(dockerfile.source());
                self.forget(Error::Refused { names: Vec::new(), violations, text }).await
            }
            BuildError::Smoke(failure) => end(smoke::failed(failure), self.active).await,
            other => end(Error::usage(other.to_string()), self.active).await,
        }
    }

    /// Ends the build and takes the layers with the secret out of the engine; says what is left.
    async fn forget(self, error: Error) -> Error {
        let own = self.judged.iter().flat_map(Graph::traces).collect();
        let traces = Traces { own, shared: shared_traces(&self.plan.helper_args) };
        let told = BridgeError::Build { message: error.to_string(), blame: None };
        let said = match self.active.forget(told, traces).await {
            Ok(Forgotten { removed, left }) if left.is_empty() => {
                format!("the layers of this build are gone from the engine ({removed} removed)")
            }
            Ok(Forgotten { left, .. }) => format!(
                "layers that may hold the secret are still in the engine's cache: {}; `docker \
                 builder prune` removes what nothing uses",
                left.join(", ")
            ),
            Err(cause) => format!(
                "layers that hold the secret may still be in the engine's cache ({cause}); \
                 `docker builder prune` removes what nothing uses"
            ),
        };
        self.printer.notice(&said);
        error
    }
}

/// Fails when the engine built from something else than the context that the record will name.
pub(super) fn check_context(files: &Filesync, locals: &Locals) -> Result<(), Error> {
    let Some(sent) = files.report(locals.context()) else { return Ok(()) };
    if let Some(path) = sent.inconsistent {
        return Err(Error::usage_hint(
            format!("cannot send the build context: {} changed between two reads", path.display()),
            "build again when nothing writes to the context",
        ));
    }
    if !sent.complete {
        return Err(Error::EngineLost("it did not ask for all of the build context".into()));
    }
    Ok(())
}

/// Refuses a context that hands a secret to the engine as an ordinary file.
pub(super) fn check_secrets(
    files: &Filesync,
    locals: &Locals,
    request: &BuildRequest,
) -> Result<(), Error> {
    let violations = secrets_in_context(files, locals, request);
    if violations.is_empty() {
        return Ok(());
    }
    Err(Error::Refused { names: Vec::new(), violations, text: None })
}

/// Files of the context that the engine read and that hold a secret and nothing else.
pub(super) fn secrets_in_context(
    files: &Filesync,
    locals: &Locals,
    request: &BuildRequest,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (id, value) in request.secrets.iter() {
        let Some(path) = files.find(locals.context(), &value.digests_of_copies()) else { continue };
        violations.push(Violation {
            rule: "secret-in-context",
            message: format!(
                "secret {id} was read by COPY or ADD: {} of the context holds it",
                path.display()
            ),
            lines: Vec::new(),
            span: None,
            fix: format!(
                "list {} in .dockerignore; RUN --mount=type=secret,id={id} reads it",
                path.display()
            ),
        });
    }
    violations
}

/// Ends the build in the engine because of a decision of ours.
pub(super) async fn end(error: Error, active: ActiveBuild) -> Error {
    let told = BridgeError::Build { message: error.to_string(), blame: None };
    active.fail(told).await;
    error
}

/// Why a result did not get where it was to go: a place of ours is the better explanation.
pub(super) async fn of_export(
    error: BridgeError,
    outlets: &Outlets,
    loading: Loading,
    dockerfile: &DockerfileText,
) -> Error {
    if let Some(cause) = outlets.files.as_ref().and_then(Files::take_error) {
        return Error::usage(cause.to_string());
    }
    // What nobody has sent so far will not come any more; what was loaded is known to the leftovers.
    outlets.files.iter().for_each(Files::discard);
    match tokio::time::timeout(LAST_WORDS, loading.finish()).await {
        Ok(Err(cause)) if error.to_string().contains(UNREAD) => cause,
        _ => of_bridge(error, None, dockerfile),
    }
}

/// What the engine said, with the lines it blames; `places` are those of the op that failed, for
/// engines that do not say.
pub(super) fn of_bridge(
    error: BridgeError,
    places: Option<Vec<(String, usize, usize)>>,
    dockerfile: &DockerfileText,
) -> Error {
    let (message, blame) = match error {
        BridgeError::Lost(cause) => return Error::EngineLost(cause),
        BridgeError::Build { message, blame } => (words::without_wrapping(&message), blame),
    };
    if words::is_about_a_registry(&message) {
        let hint =
            words::hint(&message).unwrap_or("check the name, the network and `docker login`");
        return Error::Registry { message, hint: hint.into() };
    }
    let blame = blame.or_else(|| at(places?)).or_else(|| {
        let line = words::line_of(&message)?;
        Some(Blame { filename: dockerfile.name.clone(), lines: vec![(line, line)] })
    });
    Error::Build {
        hint: words::hint(&message).map(String::from),
        message,
        blame: blame.and_then(|blame| ours(blame, dockerfile)),
    }
}

fn at(places: Vec<(String, usize, usize)>) -> Option<Blame> {
    let filename = places.first()?.0.clone();
    let lines = places.into_iter().filter(|place| place.0 == filename);
    Some(Blame { lines: lines.map(|(_, first, last)| (first, last)).collect(), filename })
}

/// The engine knows the Dockerfile by its name alone and with the pins in it; people know it by
/// its path and as they wrote it. The lines are the same.
fn ours(blame: Blame, dockerfile: &DockerfileText) -> Option<(SourceText, Vec<(usize, usize)>)> {
    let name = Path::new(&blame.filename).file_name()?.to_string_lossy().into_owned();
    (name == dockerfile.name).then(|| (dockerfile.source(), blame.lines))
}
