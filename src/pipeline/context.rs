//! Where COPY and the Dockerfile come from: this machine, standard input, or what the engine fetches.

use std::collections::BTreeMap;

use bollard_buildkit_proto::pb;
use cofferdam_frontend::bridge::Bridge as _;
use cofferdam_frontend::graph::judge::Offered;
use cofferdam_frontend::remote::{Helper, Opened, RemoteContext, RemoteError, RemoteText};
use cofferdam_frontend::source_policy;

use super::plan::Locals;
use crate::engine::GatewayBridge;
use crate::engine::session::{Spool, Stdin, Uploads};
use crate::error::Error;
use crate::helper;
use crate::request::{BuildRequest, Context, DockerfileSource, DockerfileText};

/// What standard input turned out to be.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// What the session uploads, when it is an archive.
    pub(super) uploads: Option<Uploads>,
    /// Its name in the session.
    id: Option<String>,
    /// Its digest, `sha256:…`.
    digest: Option<String>,
}

/// Reads standard input to its end when it is the context: an archive is kept for the session, and
/// anything else is the Dockerfile.
pub(super) async fn take_stdin(request: BuildRequest) -> Result<(BuildRequest, Taken), Error> {
    if request.context != Context::Stdin {
        return Ok((request, Taken::default()));
    }
    let read = tokio::task::spawn_blocking(|| Stdin::read(std::io::stdin().lock()));
    let read = read.await.map_err(|error| Error::usage(error.to_string()))?;
    match read.map_err(|error| Error::usage(error.to_string()))? {
        Stdin::Dockerfile(bytes) => {
            Ok((request.with_dockerfile_of_stdin(bytes)?, Taken::default()))
        }
        Stdin::Archive(spool) => Ok((request.with_archive_of_stdin(), Taken::of(spool)?)),
    }
}

impl Taken {
    fn of(spool: Spool) -> Result<Self, Error> {
        let hex: String = spool.read_sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let uploads = Uploads::default();
        let url = uploads.add(spool).map_err(Error::io("name the context"))?;
        let id = url.rsplit('/').next().map(String::from);
        Ok(Self { uploads: Some(uploads), id, digest: Some(format!("sha256:{hex}")) })
    }
}

/// The sources of one build, as far as the engine had to fetch them.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// Graphs that the frontend gets by name.
    pub(super) inputs: BTreeMap<String, pb::Definition>,
    /// What the judge may let through.
    pub(super) offered: Vec<Offered>,
}

/// Fetches what is not on this machine, and reads the Dockerfile wherever it is.
pub(super) async fn read(
    request: &BuildRequest,
    taken: &Taken,
    locals: &Locals,
    bridge: &GatewayBridge,
) -> Result<(DockerfileText, Fetched), Error> {
    let mut fetched = Fetched::default();
    let remote = remote(request, taken);
    remote.iter().try_for_each(|remote| may_read(request, remote))?;
    if let (None, DockerfileSource::Local(text)) = (&remote, &request.dockerfile) {
        return Ok((text.clone(), fetched));
    }
    let tools = tools(locals, bridge).await?;
    let opened = match remote {
        Some(remote) => Some(remote.open(bridge, &tools).await.map_err(explain)?),
        None => None,
    };
    let text = dockerfile(request, opened.as_ref(), bridge, &tools).await?;
    if let Some(Opened { definition, offered, .. }) = opened {
        // What the session uploads was hashed when it came in.
        let digest = offered.digest.clone().or_else(|| taken.digest.clone());
        fetched.inputs.insert("context".into(), definition);
        fetched.offered.push(Offered { digest, ..offered });
    }
    Ok((text, fetched))
}

/// Asks the source policy before anything is fetched; the graph is asked again.
pub(super) fn may_read(request: &BuildRequest, remote: &RemoteContext) -> Result<(), Error> {
    if matches!(remote, RemoteContext::Upload { .. }) {
        return Ok(());
    }
    let op = pb::SourceOp { identifier: remote.identifier(), ..pb::SourceOp::default() };
    let message = match request.source_policy.evaluate(&op) {
        Ok(None) => return Ok(()),
        Ok(Some(now)) => format!(
            "the source policy converts {} to {}: a context must be named itself",
            remote.shown(),
            now.identifier
        ),
        Err(denied) => denied.to_string(),
    };
    let violations = vec![source_policy::violation(message, Vec::new())];
    Err(Error::Refused { names: Vec::new(), violations, text: None })
}

/// The helper that hashes downloads where they lie.
pub(super) async fn tools(locals: &Locals, bridge: &GatewayBridge) -> Result<Helper, Error> {
    let platforms = bridge.ping().await.map_err(lost)?.platforms;
    Ok(helper::for_contexts(locals.helper(), platforms.first().cloned()))
}

fn remote(request: &BuildRequest, taken: &Taken) -> Option<RemoteContext> {
    match &request.context {
        Context::Dir(_) | Context::Empty => None,
        Context::Stdin => taken.id.clone().map(|id| RemoteContext::Upload { id }),
        Context::Git(git) => Some(RemoteContext::Git(git.clone())),
        Context::Http(url) => Some(RemoteContext::Http { url: url.clone() }),
    }
}

async fn dockerfile(
    request: &BuildRequest,
    context: Option<&Opened>,
    bridge: &GatewayBridge,
    tools: &Helper,
) -> Result<DockerfileText, Error> {
    let found = match (&request.dockerfile, context) {
        (DockerfileSource::Local(text), _) => return Ok(text.clone()),
        (DockerfileSource::Url(url), _) => {
            let remote = RemoteContext::Http { url: url.clone() };
            may_read(request, &remote)?;
            let opened = remote.open(bridge, tools).await.map_err(explain)?;
            if !opened.is_file {
                return Err(Error::usage_hint(
                    format!("{} is an archive, no Dockerfile", opened.shown),
                    "name it as the context instead",
                ));
            }
            opened.dockerfile(bridge, None).await
        }
        (DockerfileSource::InContext { name }, Some(context)) => {
            context.dockerfile(bridge, name.as_deref()).await
        }
        (DockerfileSource::InContext { .. } | DockerfileSource::Stdin, _) => {
            return Err(Error::usage_hint(
                "there is no Dockerfile: the context has no files",
                "name one with -f FILE",
            ));
        }
    };
    let RemoteText { name, bytes, ignore } = found.map_err(explain)?;
    let base = name.rsplit('/').next().unwrap_or(&name).to_string();
    Ok(DockerfileText { shown: name, name: base, bytes, ignore })
}

pub(super) fn explain(error: RemoteError) -> Error {
    let hint = match &error {
        RemoteError::Bridge(_) => return Error::EngineLost(error.to_string()),
        RemoteError::Fetch { .. } => {
            "the engine fetches it: check the address, and that the engine can reach it"
        }
        RemoteError::NoDockerfile { .. } => "name the Dockerfile's path in the context with -f",
        RemoteError::WrongCommit { .. } => "the reference was moved: find out by whom, and why",
        RemoteError::NoLayouts => {
            "use BuildKit 0.11 or newer, or push the image and name it with docker-image://"
        }
        RemoteError::NoCommit { .. }
        | RemoteError::Unsupported { .. }
        | RemoteError::NoDigest { .. } => "fetch it yourself, and build from the directory",
    };
    Error::usage_hint(error.to_string(), hint)
}

fn lost(error: cofferdam_frontend::bridge::BridgeError) -> Error {
    Error::EngineLost(error.to_string())
}
