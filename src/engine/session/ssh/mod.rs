//! Forwarding ssh agents: the `moby.sshforward.v1.SSH` service of the session.
//!
//! A step that mounts `type=ssh` gets a socket on which it may list keys and have things signed.
//! Everything else that an agent can do (add, remove, lock, extensions) is refused here, as every
//! BuildKit client does, unless a socket was given as raw.
//!
//! Source: moby/buildkit, session/sshforward and session/sshforward/sshprovider.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bollard_buildkit_proto::moby::sshforward::v1::ssh_server::Ssh;
use bollard_buildkit_proto::moby::sshforward::v1::{
    BytesMessage, CheckAgentRequest, CheckAgentResponse,
};
use bytes::BytesMut;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

mod error;
mod forward;
mod key;
mod keyfile;
mod keyring;
mod protocol;
#[cfg(test)]
mod tests;
mod wire;

pub use error::SshError;

use super::secrets::SecretValue;

use keyring::Keyring;

/// The methods that engines call.
pub(super) const METHODS: [&str; 2] =
    ["/moby.sshforward.v1.SSH/CheckAgent", "/moby.sshforward.v1.SSH/ForwardAgent"];
/// The id where none is given.
const DEFAULT: &str = "default";
/// The header that names the agent.
const ID: &str = "buildkit.ssh.id";
/// Messages that wait for the connection.
const WAITING: usize = 4;

/// One `--ssh` value: `id[=path[,path…]][,raw=true]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshSource {
    /// What steps ask for; empty means `default`.
    pub id: String,
    /// A socket, or private keys; none means the agent of the environment.
    pub paths: Vec<PathBuf>,
    /// Whether everything passes that the socket can do.
    pub raw: bool,
}

/// Where an id's signatures come from.
#[derive(Clone, Debug)]
enum Agent {
    /// Somebody's agent, read-only.
    Socket(PathBuf),
    /// The same without a filter.
    Raw(PathBuf),
    /// Keys from files.
    Keys(Arc<Keyring>),
}

/// The agents of one build by id; clones share everything.
#[derive(Clone, Debug, Default)]
pub struct SshAgents(Arc<BTreeMap<String, Agent>>);

impl SshAgents {
    /// Opens what `--ssh` names, so that a wrong path ends the build before it begins.
    ///
    /// `auth_sock` is `SSH_AUTH_SOCK`.
    ///
    /// # Errors
    /// What makes no sense, cannot be read, or does not answer.
    pub fn new(sources: Vec<SshSource>, auth_sock: Option<&Path>) -> Result<Self, SshError> {
        let mut agents = BTreeMap::new();
        for SshSource { id, paths, raw } in sources {
            let id = if id.is_empty() { DEFAULT.to_string() } else { id };
            let agent = open(&id, paths, raw, auth_sock)?;
            if agents.insert(id.clone(), agent).is_some() {
                return Err(SshError::Twice { id });
            }
        }
        Ok(Self(Arc::new(agents)))
    }

    /// Their ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The private keys that are known here, by id; those of agents are not.
    pub fn private_keys(&self) -> impl Iterator<Item = (&str, &SecretValue)> {
        self.0.iter().flat_map(|(id, agent)| {
            let texts = match agent {
                Agent::Keys(keys) => keys.texts(),
                Agent::Socket(_) | Agent::Raw(_) => &[],
            };
            texts.iter().map(move |text| (id.as_str(), text))
        })
    }

    fn get(&self, id: &str) -> Result<&Agent, Status> {
        let id = if id.is_empty() { DEFAULT } else { id };
        self.0.get(id).ok_or_else(|| {
            Status::not_found(format!("unset ssh forward key {id}: give the build --ssh {id}"))
        })
    }
}

fn open(
    id: &str,
    mut paths: Vec<PathBuf>,
    raw: bool,
    auth_sock: Option<&Path>,
) -> Result<Agent, SshError> {
    paths.retain(|path| !path.as_os_str().is_empty());
    if raw && paths.len() > 1 {
        return Err(SshError::Raw { id: id.to_string() });
    }
    if paths.is_empty() {
        let socket = auth_sock.filter(|path| !path.as_os_str().is_empty());
        paths.push(socket.ok_or_else(|| SshError::NoAgent { id: id.to_string() })?.to_path_buf());
    }
    let sockets = paths.iter().map(|path| is_socket(path)).collect::<Result<Vec<_>, _>>()?;
    match (paths.as_slice(), sockets.as_slice()) {
        ([socket], [true]) => {
            std::os::unix::net::UnixStream::connect(socket)
                .map_err(|source| SshError::Dead { path: socket.clone(), source })?;
            let socket = socket.clone();
            Ok(if raw { Agent::Raw(socket) } else { Agent::Socket(socket) })
        }
        _ if raw => Err(SshError::Raw { id: id.to_string() }),
        _ if sockets.contains(&true) => Err(SshError::Mixed { id: id.to_string() }),
        _ => Ok(Agent::Keys(Arc::new(Keyring::load(&paths)?))),
    }
}

fn is_socket(path: &Path) -> Result<bool, SshError> {
    use std::os::unix::fs::FileTypeExt as _;
    let found = std::fs::metadata(path)
        .map_err(|source| SshError::Read { path: path.to_path_buf(), source })?;
    Ok(found.file_type().is_socket())
}

#[tonic::async_trait]
impl Ssh for SshAgents {
    async fn check_agent(
        &self,
        request: Request<CheckAgentRequest>,
    ) -> Result<Response<CheckAgentResponse>, Status> {
        self.get(&request.into_inner().id)?;
        Ok(Response::new(CheckAgentResponse {}))
    }

    type ForwardAgentStream = ReceiverStream<Result<BytesMessage, Status>>;

    async fn forward_agent(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::ForwardAgentStream>, Status> {
        let id = request.metadata().get(ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
        let agent = self.get(id)?.clone();
        let connect = async |path: &Path| {
            UnixStream::connect(path).await.map_err(|error| {
                Status::unavailable(format!("cannot reach the ssh agent: {error}"))
            })
        };
        let (sender, answers) = mpsc::channel(WAITING);
        let messages = request.into_inner();
        match &agent {
            Agent::Raw(path) => {
                let socket = connect(path).await?;
                tokio::spawn(forward::raw(socket, messages, sender));
            }
            Agent::Socket(path) => {
                let behind = forward::Behind::Socket(connect(path).await?, BytesMut::new());
                tokio::spawn(forward::filtered(behind, messages, sender));
            }
            Agent::Keys(keys) => {
                let behind = forward::Behind::Keys(Arc::clone(keys));
                tokio::spawn(forward::filtered(behind, messages, sender));
            }
        }
        Ok(Response::new(ReceiverStream::new(answers)))
    }
}
