//! The engine's side: `POST /grpc`, upgraded.

use std::io::{Error, Result};
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

const REQUEST: &[u8] =
    b"POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
/// An engine's answer is a few hundred bytes.
const MAX_HEADER: usize = 16 * 1024;

/// Opens one raw HTTP/2 connection to the BuildKit of the engine that listens on `socket`.
pub async fn open(socket: &Path) -> Result<UnixStream> {
    let mut io = UnixStream::connect(socket)
        .await
        .map_err(|error| Error::new(error.kind(), format!("{}: {error}", socket.display())))?;
    io.write_all(REQUEST).await?;
    // One byte at a time: what follows the header is not ours.
    let mut header = Vec::new();
    while !header.ends_with(b"\r\n\r\n") {
        if header.len() >= MAX_HEADER {
            return Err(Error::other("the engine's answer has no end"));
        }
        header.push(io.read_u8().await?);
    }
    if header.starts_with(b"HTTP/1.1 101 ") {
        return Ok(io);
    }
    let line = header.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Err(Error::other(format!("the engine offers no /grpc: {}", String::from_utf8_lossy(line))))
}
