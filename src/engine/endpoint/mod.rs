//! Where an engine is and how to open a byte stream to it.
//!
//! One dialler serves the REST calls, `/grpc` and `/session`, whatever the scheme.

use std::fmt;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::EngineError;
use super::exec_io::{self, Container};

mod certificate;
mod connection;
mod host;
mod program;
mod ssh;
mod tls;
mod unverified;

pub use connection::{Connection, Header};
pub use program::Program;
pub use ssh::Ssh;
pub use tls::{Tls, TlsError, TlsFiles};
pub(crate) use unverified::Anybody;

/// The socket that Docker listens on when nobody says otherwise.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// An engine's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// A plain TCP address, `host:port`.
    Tcp(String),
    /// `buildctl dial-stdio` in a container: a buildkitd, and no Docker engine.
    Container(Box<Container>),
    /// TCP with TLS.
    Tls(Box<Secured>),
    /// A machine that is reached with ssh.
    Ssh(Box<Ssh>),
}

/// A TCP address that speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secured {
    /// `host:port`.
    pub address: String,
    /// Whom to trust there.
    pub tls: Tls,
}

/// A byte stream to an engine.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Any byte stream to an engine.
pub type BoxIo = Box<dyn Io>;

impl Endpoint {
    /// Reads an address as `DOCKER_HOST` and `--host` give it; `None` or empty is the default
    /// socket.
    pub fn parse(host: Option<&str>) -> Result<Self, EngineError> {
        host::parse(host.unwrap_or_default())
    }

    /// The same address with TLS; only TCP can have it.
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        match self {
            Self::Tcp(address) => Self::Tls(Box::new(Secured { address, tls })),
            other => other,
        }
    }

    /// Opens one connection.
    pub async fn dial(&self) -> Result<BoxIo, EngineError> {
        let opened: std::io::Result<BoxIo> = match self {
            // Boxed: the engine around the container is dialled by this function, too.
            Self::Container(container) => return Box::pin(exec_io::dial(container)).await,
            Self::Unix(path) => UnixStream::connect(path).await.map(|io| Box::new(io) as BoxIo),
            Self::Tcp(address) => tcp(address).await.map(|io| Box::new(io) as BoxIo),
            Self::Tls(to) => secured(to).await,
            // Whether ssh gets through shows with the first byte.
            Self::Ssh(ssh) => ssh.program().open().map(|io| Box::new(io) as BoxIo),
        };
        opened.map_err(|source| EngineError::Unreachable { endpoint: self.clone(), source })
    }

    /// What HTTP requests name as their host.
    pub(crate) fn authority(&self) -> &str {
        match self {
            Self::Unix(_) | Self::Ssh(_) | Self::Container(_) => "docker",
            Self::Tcp(address) => address,
            Self::Tls(to) => &to.address,
        }
    }
}

async fn tcp(address: &str) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // Small frames of a busy protocol: waiting to fill packets only adds latency.
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn secured(to: &Secured) -> std::io::Result<BoxIo> {
    Ok(Box::new(to.tls.wrap(tcp(&to.address).await?, &to.address).await?))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Container(container) => write!(f, "docker-container://{}", container.name),
            Self::Tls(to) => write!(f, "tcp://{}", to.address),
            Self::Ssh(ssh) => ssh.fmt(f),
        }
    }
}
