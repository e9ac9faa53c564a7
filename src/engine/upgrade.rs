//! Turning an HTTP/1.1 request into a raw connection (`Connection: Upgrade`, `Upgrade: h2c`).
//!
//! Source: moby/moby, api/server/router/build and api/server/router/session.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::EngineError;
use super::endpoint::BoxIo;

/// An engine's answer is a few hundred bytes; more than this is not an engine.
const MAX_HEADER: usize = 16 * 1024;

/// Sends `POST path` with `headers`, the host among them, and returns what follows the `101` answer.
///
/// HTTP/2 frames may come in the same packet as the answer, so what was read beyond its end is
/// kept and read first.
pub(crate) async fn upgrade(
    mut io: BoxIo,
    path: &str,
    headers: &[(String, String)],
) -> Result<Upgraded, EngineError> {
    let mut request = format!("POST {path} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let lost = |source| EngineError::Lost { during: format!("POST {path}"), source };
    io.write_all(request.as_bytes()).await.map_err(lost)?;

    let mut read = BytesMut::with_capacity(4096);
    let end = loop {
        if let Some(at) = read.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if read.len() > MAX_HEADER || io.read_buf(&mut read).await.map_err(lost)? == 0 {
            return Err(EngineError::NoUpgrade { path: path.into(), answer: first_line(&read) });
        }
    };
    let header = read.split_to(end);
    let answer = first_line(&header);
    if answer.split(' ').nth(1) == Some("101") {
        Ok(Upgraded { read, io })
    } else {
        Err(EngineError::NoUpgrade { path: path.into(), answer })
    }
}

fn first_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|b| *b == b'\r').next().unwrap_or(bytes)).into_owned()
}

/// A connection whose first bytes were already read.
pub(crate) struct Upgraded {
    read: BytesMut,
    io: BoxIo,
}

impl AsyncRead for Upgraded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.read.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, out);
        }
        let take = self.read.len().min(out.remaining());
        out.put_slice(self.read.get(..take).unwrap_or_default());
        self.read.advance(take);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(bytes: &'static [u8]) -> Result<Vec<u8>, EngineError> {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let server = tokio::spawn(async move {
            let mut request = vec![0; 512];
            let n = theirs.read(&mut request).await.unwrap();
            theirs.write_all(bytes).await.unwrap();
            request.truncate(n);
            String::from_utf8(request).unwrap()
        });
        let mut upgraded = upgrade(Box::new(ours), "/grpc", &[("X-A".into(), "b".into())]).await?;
        assert!(server.await.unwrap().contains("\r\nX-A: b\r\n"));
        let mut rest = Vec::new();
        upgraded.read_to_end(&mut rest).await.unwrap();
        Ok(rest)
    }

    #[tokio::test]
    async fn what_follows_the_answer_is_kept() {
        let rest = answer(b"HTTP/1.1 101 UPGRADED\r\nUpgrade: h2c\r\n\r\nPRI frames").await;
        assert_eq!(rest.unwrap(), b"PRI frames");
    }

    #[tokio::test]
    async fn another_answer_is_reported_with_its_words() {
        let error = answer(b"HTTP/1.1 404 Not Found\r\n\r\n").await.unwrap_err();
        assert!(error.to_string().contains("404 Not Found"), "{error}");
    }

    #[tokio::test]
    async fn silence_is_no_upgrade() {
        assert!(matches!(answer(b"").await, Err(EngineError::NoUpgrade { .. })));
    }
}
