//! The way of REST calls to the engine: bollard's requests over connections of [`Endpoint::dial`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bollard::{BollardRequest, ClientVersion, Docker};
use hyper::Uri;
use hyper::header::{HeaderName, HeaderValue};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection as PoolConnection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tower::Service;

use super::endpoint::{BoxIo, Connection};
use super::{Endpoint, EngineError};

/// Seconds until a REST call is given up; a registry look-up goes through here.
const TIMEOUT: u64 = 60;
/// Carries registry credentials, base64 of JSON.
const REGISTRY_AUTH: &str = "x-registry-auth";

/// Dials, and returns a client that speaks the engine's own API version, or the one that the user
/// has fixed. Nothing is negotiated: bollard leaves the version out of its requests, and an engine
/// takes longer to tell its own than to answer most of them.
pub(super) async fn client(connection: &Connection) -> Result<Docker, EngineError> {
    let endpoint = &connection.endpoint;
    // A first connection of our own tells a missing socket from a missing permission; the first
    // call then uses it.
    let first = endpoint.dial().await?;
    let lost = Lost::default();
    let first = Arc::new(Mutex::new(Some(first)));
    let dial = Dial { endpoint: endpoint.clone(), first, lost: lost.clone() };
    let client =
        Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build::<_, _>(dial);
    let headers = headers(connection);
    let fixed = connection.api_version;
    let transport = move |mut request: BollardRequest| {
        if let Some(address) = fixed.and_then(|version| versioned(request.uri(), version)) {
            *request.uri_mut() = address;
        }
        for (name, value) in &headers {
            request.headers_mut().insert(name, value.clone());
        }
        if let Some(value) = request.headers_mut().get_mut(REGISTRY_AUTH) {
            url_safe(value);
        }
        let (answer, lost) = (client.request(request), lost.clone());
        async move { answer.await.map_err(|error| broken(&error, &lost)) }
    };
    let address = format!("http://{}", endpoint.authority());
    let version = match connection.api_version {
        Some((major_version, minor_version)) => ClientVersion { major_version, minor_version },
        None => *bollard::API_DEFAULT_VERSION,
    };
    let failed = |error| of(error, endpoint, format!("cannot talk to the engine at {endpoint}"));
    Docker::connect_with_custom_transport(transport, Some(address), TIMEOUT, &version)
        .map_err(failed)
}

/// The user's own headers; one that HTTP does not allow was refused when it was read.
fn headers(connection: &Connection) -> Vec<(HeaderName, HeaderValue)> {
    let pairs = connection.headers.iter();
    let pairs = pairs.filter_map(|header| {
        let mut value = HeaderValue::from_str(&header.value).ok()?;
        value.set_sensitive(true);
        Some((header.name.parse().ok()?, value))
    });
    pairs.collect()
}

/// The address with the version that the user wants; bollard leaves it out, and engines then speak
/// their newest.
fn versioned(address: &Uri, (major, minor): (usize, usize)) -> Option<Uri> {
    let mut parts = address.clone().into_parts();
    let path = format!("/v{major}.{minor}{}", parts.path_and_query?);
    parts.path_and_query = Some(path.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// Engines read the URL-safe alphabet; one character of the other makes them ignore the header.
fn url_safe(value: &mut HeaderValue) {
    let bytes: Vec<u8> = value
        .as_bytes()
        .iter()
        .map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        })
        .collect();
    if let Ok(mut safe) = HeaderValue::from_bytes(&bytes) {
        safe.set_sensitive(true);
        *value = safe;
    }
}

/// An engine that cannot be reached, or one that says no.
pub(super) fn of(error: bollard::errors::Error, endpoint: &Endpoint, what: String) -> EngineError {
    match error {
        bollard::errors::Error::IOError { err } if err.kind() != NOT_HTTP => {
            EngineError::Unreachable { endpoint: endpoint.clone(), source: err }
        }
        source => EngineError::Api { what, source },
    }
}

/// What an answer is called that is no HTTP.
const NOT_HTTP: std::io::ErrorKind = std::io::ErrorKind::InvalidData;

/// The innermost reason: what the layers around it add is our own affair.
fn broken(error: &hyper_util::client::legacy::Error, lost: &Lost) -> bollard::errors::Error {
    let mut kind = NOT_HTTP;
    let mut words = error.to_string();
    let lost = lost.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            (kind, words) = (io.kind(), io.to_string());
            break;
        }
        words = inner.to_string();
        cause = inner.source();
    }
    // A connection that broke before it was first used is told without its reason.
    if let (NOT_HTTP, Some(reason)) = (kind, lost) {
        (kind, words) = reason;
    }
    bollard::errors::Error::IOError { err: std::io::Error::new(kind, words) }
}

/// Why a connection broke last, which is known here alone when nobody waited for it.
#[derive(Clone, Default)]
struct Lost(Arc<Mutex<Option<(std::io::ErrorKind, String)>>>);

impl Lost {
    fn note<T>(&self, result: Poll<std::io::Result<T>>) -> Poll<std::io::Result<T>> {
        if let Poll::Ready(Err(error)) = &result {
            let reason = (error.kind(), error.to_string());
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        }
        result
    }
}

/// Opens connections for the client's pool.
#[derive(Clone)]
struct Dial {
    endpoint: Endpoint,
    first: Arc<Mutex<Option<BoxIo>>>,
    lost: Lost,
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dial").field(&self.endpoint).finish()
    }
}

impl Service<Uri> for Dial {
    type Response = Pooled;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Pooled, std::io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (endpoint, lost) = (self.endpoint.clone(), self.lost.clone());
        Box::pin(async move {
            let io = match first {
                Some(io) => io,
                None => endpoint.dial().await.map_err(|error| match error {
                    EngineError::Unreachable { source, .. } => source,
                    other => std::io::Error::other(other),
                })?,
            };
            Ok(Pooled(TokioIo::new(io), lost))
        })
    }
}

/// A connection as hyper wants it.
struct Pooled(TokioIo<BoxIo>, Lost);

impl PoolConnection for Pooled {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Pooled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        let result = Pin::new(&mut self.0).poll_read(cx, out);
        self.1.note(result)
    }
}

impl Write for Pooled {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let result = Pin::new(&mut self.0).poll_write(cx, data);
        self.1.note(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, data)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::engine::Header;

    #[test]
    fn credentials_are_in_the_alphabet_that_engines_read() {
        let mut value = HeaderValue::from_static("a+b/c=");
        url_safe(&mut value);
        assert_eq!(value, "a-b_c=");
        assert!(value.is_sensitive());
    }

    /// An engine that answers everything alike; its first request.
    async fn told(
        answer: &'static str,
        connection: impl Fn(Endpoint) -> Connection,
    ) -> (String, Result<(), EngineError>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint::Tcp(listener.local_addr().unwrap().to_string());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let n = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..n]).into_owned()
        });
        let connection = connection(endpoint);
        let result = match client(&connection).await {
            Ok(docker) => docker
                .inspect_image("x")
                .await
                .map(drop)
                .map_err(|error| of(error, &connection.endpoint, "look".into())),
            Err(error) => Err(error),
        };
        (server.await.unwrap(), result)
    }

    #[tokio::test]
    async fn the_users_headers_and_version_go_along() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        let (request, result) = told(answer, |endpoint| Connection {
            headers: vec![Header { name: "X-Way".into(), value: "in".into() }],
            api_version: Some((1, 40)),
            ..endpoint.into()
        })
        .await;
        result.unwrap();
        assert!(request.starts_with("GET /v1.40/images/x/json HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("x-way: in\r\n"), "{request}");
    }

    #[tokio::test]
    async fn what_is_no_engine_is_told_from_what_does_not_answer() {
        let (_, result) = told("SSH-2.0-OpenSSH_9.2\r\n", Connection::from).await;
        assert!(matches!(result, Err(EngineError::Api { .. })), "{result:?}");
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let result = client(&Endpoint::Tcp(nobody.to_string()).into()).await;
        assert!(matches!(result, Err(EngineError::Unreachable { .. })), "{result:?}");
    }
}
