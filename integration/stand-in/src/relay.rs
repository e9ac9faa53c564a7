//! The client's side: listens, and carries bytes both ways.

use std::io::{ErrorKind, Result, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy_bidirectional_with_sizes};
use tokio::net::{TcpListener, UnixListener};
use tokio_rustls::TlsAcceptor;

use crate::arguments::Place;
use crate::{engine, tls};

/// A context's chunks are larger than the usual 8 KiB.
const BUFFER: usize = 128 * 1024;

/// Where connections come in.
pub enum Door {
    Unix(UnixListener, PathBuf),
    Tcp(TcpListener, Option<TlsAcceptor>),
}

impl Door {
    /// Starts listening.
    pub async fn open(place: Place) -> Result<Self> {
        Ok(match place {
            Place::Unix(path) => {
                remove(&path)?;
                Self::Unix(UnixListener::bind(&path)?, path)
            }
            Place::Tcp(address) => Self::Tcp(TcpListener::bind(address).await?, None),
            Place::Tls(address, directory) => {
                Self::Tcp(TcpListener::bind(address).await?, Some(tls::acceptor(&directory)?))
            }
        })
    }

    /// As a buildx builder's endpoint: `unix:///…` or `tcp://…`.
    pub fn address(&self) -> Result<String> {
        Ok(match self {
            Self::Unix(_, path) => format!("unix://{}", path.display()),
            Self::Tcp(listener, _) => format!("tcp://{}", listener.local_addr()?),
        })
    }

    /// Serves connections for ever.
    pub async fn serve(self, engine: PathBuf) -> Result<()> {
        let engine: Arc<Path> = engine.into();
        loop {
            let engine = engine.clone();
            match &self {
                Self::Unix(listener, _) => {
                    let (io, _) = listener.accept().await?;
                    tokio::spawn(async move { told(connect(io, &engine).await) });
                }
                Self::Tcp(listener, acceptor) => {
                    let (io, _) = listener.accept().await?;
                    io.set_nodelay(true)?;
                    let acceptor = acceptor.clone();
                    tokio::spawn(async move {
                        told(match acceptor {
                            None => connect(io, &engine).await,
                            Some(acceptor) => match acceptor.accept(io).await {
                                Ok(io) => connect(io, &engine).await,
                                Err(error) => Err(error),
                            },
                        });
                    });
                }
            }
        }
    }
}

fn remove(socket: &Path) -> Result<()> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

async fn connect(io: impl AsyncRead + AsyncWrite + Unpin, engine: &Path) -> Result<()> {
    both_ways(io, engine::open(engine).await?).await
}

/// Carries bytes until both sides have ended.
async fn both_ways(
    mut near: impl AsyncRead + AsyncWrite + Unpin,
    mut far: impl AsyncRead + AsyncWrite + Unpin,
) -> Result<()> {
    copy_bidirectional_with_sizes(&mut near, &mut far, BUFFER, BUFFER).await.map(drop)
}

/// Carries bytes between two pipes and the engine until the engine hangs up.
///
/// The other end of stdin may stay open for as long as it likes.
pub async fn stdio(
    mut input: impl AsyncRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
    far: impl AsyncRead + AsyncWrite + Unpin,
) -> Result<()> {
    let (mut answers, mut requests) = tokio::io::split(far);
    let sent = async {
        let copied = tokio::io::copy(&mut input, &mut requests).await;
        requests.shutdown().await.and(copied)
    };
    let received = async {
        let copied = tokio::io::copy(&mut answers, &mut output).await;
        output.flush().await.and(copied)
    };
    tokio::pin!(sent, received);
    tokio::select! {
        ended = &mut received => ended.map(drop),
        ended = &mut sent => { ended?; received.await.map(drop) }
    }
}

/// One bad connection does not end the others.
fn told(ended: Result<()>) {
    if let Err(error) = ended {
        drop(writeln!(std::io::stderr(), "stand-in: connection: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, duplex};
    use tokio::net::UnixStream;

    /// An engine that grants the upgrade and sends back what it gets.
    async fn echo(socket: PathBuf) {
        let listener = UnixListener::bind(socket).unwrap();
        loop {
            let (mut io, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut header = Vec::new();
                while !header.ends_with(b"\r\n\r\n") {
                    header.push(io.read_u8().await.unwrap());
                }
                assert!(header.starts_with(b"POST /grpc "));
                io.write_all(b"HTTP/1.1 101 UPGRADED\r\n\r\nfirst ").await.unwrap();
                let (mut read, mut write) = io.split();
                tokio::io::copy(&mut read, &mut write).await.unwrap();
            });
        }
    }

    #[tokio::test]
    async fn each_connection_gets_its_own_upgrade_and_loses_no_byte() {
        let directory = tempfile::tempdir().unwrap();
        let engine = directory.path().join("engine");
        tokio::spawn(echo(engine.clone()));
        let place = directory.path().join("place");
        let door = Door::open(Place::Unix(place.clone())).await.unwrap();
        assert_eq!(door.address().unwrap(), format!("unix://{}", place.display()));
        tokio::spawn(door.serve(engine));
        for text in ["one", "two"] {
            let mut io = UnixStream::connect(&place).await.unwrap();
            io.write_all(text.as_bytes()).await.unwrap();
            io.shutdown().await.unwrap();
            let mut answer = String::new();
            io.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer, format!("first {text}"));
        }
    }

    #[tokio::test]
    async fn stdio_ends_with_the_engine_though_stdin_stays_open() {
        let (_open, input) = duplex(16);
        let (far, mut engine) = duplex(16);
        let mut output = Vec::new();
        engine.write_all(b"bye").await.unwrap();
        drop(engine);
        stdio(input, &mut output, far).await.unwrap();
        assert_eq!(output, b"bye");
    }
}
