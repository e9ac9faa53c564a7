//! Where the engine is: `DOCKER_HOST` and the default socket.

use std::fmt;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::EngineError;

/// The socket that Docker listens on when nobody says otherwise.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// Docker's plain TCP port.
const DEFAULT_PORT: u16 = 2375;

/// An engine's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// A plain TCP address, `host:port`.
    Tcp(String),
}

/// A byte stream to an engine.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Any byte stream to an engine.
pub type BoxIo = Box<dyn Io>;

impl Endpoint {
    /// Reads a `DOCKER_HOST`; `None` or empty is the default socket.
    pub fn parse(host: Option<&str>) -> Result<Self, EngineError> {
        let host = host.unwrap_or_default();
        if host.is_empty() {
            return Ok(Self::Unix(DEFAULT_SOCKET.into()));
        }
        let bad = |reason: &str| EngineError::BadHost { host: host.into(), reason: reason.into() };
        match host.split_once("://") {
            Some(("unix", path)) if Path::new(path).is_absolute() => Ok(Self::Unix(path.into())),
            Some(("unix", _)) => Err(bad("the socket's path must be absolute")),
            Some(("tcp", address)) => {
                let address = address.trim_end_matches('/');
                let port = address.rsplit_once(':').filter(|(_, p)| p.parse::<u16>().is_ok());
                match (address, port) {
                    ("", _) => Err(bad("no address")),
                    (_, Some(_)) => Ok(Self::Tcp(address.into())),
                    (_, None) => Ok(Self::Tcp(format!("{address}:{DEFAULT_PORT}"))),
                }
            }
            Some((scheme, _)) => Err(bad(&format!("{scheme}:// is not supported yet"))),
            None => Err(bad("it names no protocol")),
        }
    }

    /// Opens one connection.
    pub async fn dial(&self) -> Result<BoxIo, EngineError> {
        let opened: std::io::Result<BoxIo> = match self {
            Self::Unix(path) => UnixStream::connect(path).await.map(|io| Box::new(io) as BoxIo),
            Self::Tcp(address) => match TcpStream::connect(address).await {
                // Small frames of a busy protocol: waiting to fill packets only adds latency.
                Ok(io) => io.set_nodelay(true).map(|()| Box::new(io) as BoxIo),
                Err(error) => Err(error),
            },
        };
        opened.map_err(|source| EngineError::Unreachable { endpoint: self.clone(), source })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_as_docker_reads_them() {
        let unix = |p: &str| Endpoint::Unix(p.into());
        let tcp = |a: &str| Endpoint::Tcp(a.into());
        for (host, expected) in [
            ("", unix("/var/run/docker.sock")),
            ("unix:///run/d.sock", unix("/run/d.sock")),
            ("tcp://127.0.0.1:2376", tcp("127.0.0.1:2376")),
            ("tcp://host", tcp("host:2375")),
            ("tcp://[::1]:99/", tcp("[::1]:99")),
        ] {
            assert_eq!(Endpoint::parse(Some(host)).unwrap(), expected, "{host}");
        }
        for host in ["unix://relative", "ssh://h", "nonsense", "tcp://"] {
            assert!(Endpoint::parse(Some(host)).is_err(), "{host}");
        }
    }
}
