//! The engine: connections, sessions, builds, and the REST calls around them. It knows no policy.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tonic::transport::Channel;

mod api;
mod build;
mod container;
mod control;
mod endpoint;
mod exec_io;
mod forget;
mod gateway;
mod housekeeping;
mod image_id;
mod rest;
pub mod session;
mod status_error;
mod transfer;
mod upgrade;

pub use api::{EngineFacts, ImageStore, LocalImage, RegistryAnswer};
pub use build::{
    ActiveBuild, BuildId, Clean, Exported, Exporter, Opening, StatusResponse, Watcher,
};
pub use control::SessionTransport;
pub(crate) use endpoint::Anybody;
pub use endpoint::{
    Connection, DEFAULT_SOCKET, Endpoint, Header, Program, Tls, TlsError, TlsFiles,
};
pub use exec_io::Container;
pub use forget::{Forgotten, Traces};
pub use gateway::GatewayBridge;

/// Why the engine could not be used.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// An address makes no sense.
    #[error("{from} {host:?} cannot be used: {reason}")]
    BadHost {
        /// Whose word it is, as a phrase.
        from: String,
        /// As it was given.
        host: String,
        /// Why.
        reason: String,
    },
    /// Nothing answers there.
    #[error("cannot reach the engine at {endpoint}: {source}")]
    Unreachable {
        /// Where.
        endpoint: Endpoint,
        /// Why.
        source: std::io::Error,
    },
    /// The connection broke.
    #[error("lost the engine during {during}: {source}")]
    Lost {
        /// The call that was under way.
        during: String,
        /// Why.
        source: std::io::Error,
    },
    /// It answers, but offers no BuildKit.
    #[error("the engine offers no BuildKit: {path} was answered with {answer:?}")]
    NoUpgrade {
        /// What was asked for.
        path: String,
        /// First line of the answer.
        answer: String,
    },
    /// A REST call failed.
    #[error("{what}: {source}")]
    Api {
        /// What was asked for, as a phrase.
        what: String,
        /// The engine's answer.
        source: bollard::errors::Error,
    },
    /// A BuildKit call failed outside of a build.
    #[error("{what}: {message}")]
    Control {
        /// What was asked for, as a phrase.
        what: &'static str,
        /// The engine's words.
        message: String,
    },
    /// A Docker engine did not take an image.
    #[error("cannot load the image into the Docker engine at {engine}: {message}")]
    Load {
        /// The engine.
        engine: Endpoint,
        /// Its words.
        message: String,
    },
    /// A builder's container does not exist.
    #[error("there is no container {name} in the engine at {engine}")]
    NoContainer {
        /// The container.
        name: String,
        /// Where it was looked for.
        engine: Endpoint,
        /// The builder of buildx's that it would belong to.
        builder: Option<String>,
    },
    /// A builder's container cannot be used.
    #[error("cannot use the container {name}: cannot {what}: {message}")]
    Container {
        /// The container.
        name: String,
        /// What was to be done with it.
        what: &'static str,
        /// The engine's words, or the command's.
        message: String,
    },
    /// A BuildKit daemon without anything that could run a step.
    #[error("the BuildKit daemon at {0} has no worker")]
    NoWorker(Endpoint),
    /// Something was asked of a BuildKit daemon that only a Docker engine does.
    #[error("cannot {0}: {1} is a BuildKit daemon, not a Docker engine")]
    NoDocker(&'static str, Endpoint),
    /// The export succeeded and the engine does not say what came out.
    #[error("the engine exported an image and named no digest for it")]
    NoImageId,
}

/// Why a file that the session needs could not be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {source}", path.display())]
pub struct UnreadableFile {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// How long a BuildKit daemon may take to answer; a container of it may have to start first.
const PATIENCE: Duration = Duration::from_secs(30);

/// What answers at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// A Docker engine: images have a store, and BuildKit is one of its parts.
    Docker,
    /// A BuildKit daemon: it builds, and what it built goes elsewhere.
    BuildKit,
}

/// An engine that answered.
#[derive(Clone, Debug)]
pub struct Engine {
    connection: Connection,
    /// The Engine's REST API; a BuildKit daemon has none.
    docker: Option<bollard::Docker>,
    facts: EngineFacts,
    channel: Arc<OnceCell<Channel>>,
}

impl Engine {
    /// Connects and asks the engine what it is.
    pub async fn connect(
        connection: impl Into<Connection>,
        kind: EngineKind,
    ) -> Result<Self, EngineError> {
        let connection = connection.into();
        match kind {
            EngineKind::Docker => Self::docker(connection).await,
            EngineKind::BuildKit => Self::buildkit(connection).await,
        }
    }

    async fn docker(connection: Connection) -> Result<Self, EngineError> {
        let docker = rest::client(&connection).await?;
        let facts = api::facts(&docker, &connection.endpoint).await?;
        Ok(Self { connection, docker: Some(docker), facts, channel: Arc::default() })
    }

    async fn buildkit(connection: Connection) -> Result<Self, EngineError> {
        let endpoint = &connection.endpoint;
        let asked = async {
            let channel = control::plain(endpoint).await?;
            Ok((channel.clone(), control::facts(channel, endpoint).await?))
        };
        let (channel, facts) =
            tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| {
                let source =
                    std::io::Error::new(std::io::ErrorKind::TimedOut, "it does not answer");
                Err(EngineError::Unreachable { endpoint: endpoint.clone(), source })
            })?;
        let channel = Arc::new(OnceCell::new_with(Some(channel)));
        Ok(Self { connection, docker: None, facts, channel })
    }

    /// What kind of engine it is.
    pub fn kind(&self) -> EngineKind {
        if self.docker.is_some() { EngineKind::Docker } else { EngineKind::BuildKit }
    }

    /// What the engine is.
    pub fn facts(&self) -> &EngineFacts {
        &self.facts
    }

    /// Where it is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.connection.endpoint
    }
}
