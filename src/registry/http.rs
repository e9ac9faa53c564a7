//! A small HTTP client for few and short exchanges: no pool, no cookies, bounded answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use url::Url;

use super::proxy::{ProxyVariables, tunnel};
use crate::engine::Anybody;

/// How long one exchange may take, redirections included.
const LIMIT: Duration = Duration::from_secs(30);
/// Largest answer, in bytes.
const MAX_ANSWER: usize = 4 << 20;
const MAX_REDIRECTIONS: usize = 5;

/// An address did not answer as HTTP.
#[derive(Debug, thiserror::Error)]
#[error("{host}: {reason}")]
pub struct HttpError {
    /// Whom it was asked of.
    pub host: String,
    /// Why.
    pub reason: String,
}

/// A byte stream to a server.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}
pub(super) type BoxStream = Box<dyn Stream>;

/// What is asked; the values of headers and the body are never shown.
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Whether any certificate is believed.
    pub(super) unverified: bool,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Asks servers, through the environment's proxies.
#[derive(Debug)]
pub struct Http {
    proxies: ProxyVariables,
    tls: OnceCell<Arc<ClientConfig>>,
    unverified: OnceCell<Arc<ClientConfig>>,
}

impl Http {
    /// A client; nothing is read or opened before it is used.
    pub fn new(proxies: ProxyVariables) -> Self {
        Self { proxies, tls: OnceCell::new(), unverified: OnceCell::new() }
    }

    /// One exchange; a redirection of a GET is followed.
    pub(super) async fn send(&self, ask: Ask) -> Result<Answer, HttpError> {
        let host = ask.url.host_str().unwrap_or_default().to_string();
        let failed = |reason: String| HttpError { host: host.clone(), reason };
        let whole = async { collect(self.follow(ask).await?).await };
        match tokio::time::timeout(LIMIT, whole).await {
            Ok(answer) => answer.map_err(failed),
            Err(_) => Err(failed(format!("no answer within {} s", LIMIT.as_secs()))),
        }
    }

    /// The answer at the end of all redirections, its body still to come.
    pub(super) async fn follow(&self, mut ask: Ask) -> Result<Response<Incoming>, String> {
        for _ in 0..=MAX_REDIRECTIONS {
            let answer = self.once(&ask).await?;
            let Some(location) = location(&answer).filter(|_| ask.method == Method::GET) else {
                return Ok(answer);
            };
            let next = ask.url.join(&location).map_err(|_| "redirected to no address")?;
            // Credentials are for the server they were meant for.
            if next.origin() != ask.url.origin() {
                ask.headers.remove(AUTHORIZATION);
            }
            ask.url = next;
        }
        Err("redirected too often".into())
    }

    async fn once(&self, ask: &Ask) -> Result<Response<Incoming>, String> {
        let url = &ask.url;
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(format!("{other}:// is neither http nor https")),
        };
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err("the address names no host".into());
        };
        let proxy = self.proxies.of(url);
        let authority = format!("{host}:{port}");
        let mut stream: BoxStream = match &proxy {
            None => connect(&authority).await?,
            Some(proxy) => self.to_proxy(proxy.uri()).await?,
        };
        let mut headers = ask.headers.clone();
        let mut target = url.as_str();
        match &proxy {
            Some(proxy) if secure => {
                tunnel(&mut stream, &authority, proxy).await.map_err(|error| words(&error))?;
            }
            Some(proxy) => {
                if let Some(credentials) = proxy.basic_auth() {
                    headers.insert("proxy-authorization", credentials.clone());
                }
            }
            None => {}
        }
        if secure {
            stream = self.handshake(stream, host, ask.unverified).await?;
        }
        if secure || proxy.is_none() {
            target = target.get(url[..url::Position::BeforePath].len()..).unwrap_or("/");
        }
        let target = target.split('#').next().unwrap_or(target);
        let uri: Uri = target.parse().map_err(|_| "the address cannot be asked for")?;
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        headers.insert(HOST, HeaderValue::from_str(&host).map_err(|_| "the host is none")?);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        exchange(stream, ask, uri, headers).await
    }

    async fn to_proxy(&self, proxy: &Uri) -> Result<BoxStream, String> {
        let host = proxy.host().ok_or("the proxy's address names no host")?;
        let (port, secure) = match proxy.scheme_str() {
            Some("http") | None => (80, false),
            Some("https") => (443, true),
            Some(other) => return Err(format!("a proxy with {other}:// is not supported")),
        };
        let port = proxy.port_u16().unwrap_or(port);
        let stream = connect(&format!("{host}:{port}")).await;
        let stream = stream.map_err(|reason| format!("the proxy {host}:{port}: {reason}"))?;
        if secure { self.handshake(stream, host, false).await } else { Ok(stream) }
    }

    async fn handshake(
        &self,
        stream: BoxStream,
        host: &str,
        unverified: bool,
    ) -> Result<BoxStream, String> {
        let config = match unverified {
            true => self.unverified.get_or_try_init(|| async { anybody() }).await?.clone(),
            false => self.tls.get_or_try_init(trusted).await?.clone(),
        };
        let name = host.trim_start_matches('[').trim_end_matches(']').to_string();
        let name = ServerName::try_from(name).map_err(|_| "the host's name is none")?;
        let stream = TlsConnector::from(config).connect(name, stream).await;
        stream.map(|stream| Box::new(stream) as BoxStream).map_err(|error| format!("TLS: {error}"))
    }
}

const AGENT: &str = concat!("cofferdam/", env!("CARGO_PKG_VERSION"));

async fn connect(authority: &str) -> Result<BoxStream, String> {
    let stream = TcpStream::connect(authority).await.map_err(|error| error.to_string())?;
    Ok(Box::new(stream))
}

/// The authorities of this machine; reading them takes a few milliseconds.
async fn trusted() -> Result<Arc<ClientConfig>, String> {
    let read = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read.map_err(|error| error.to_string())?.certs);
    if roots.is_empty() {
        return Err("this machine has no certificate authorities: install ca-certificates".into());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Believes any certificate.
fn anybody() -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Anybody::new(&provider));
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = config.dangerous().with_custom_certificate_verifier(verifier);
    Ok(Arc::new(config.with_no_client_auth()))
}

async fn exchange(
    stream: BoxStream,
    ask: &Ask,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response<Incoming>, String> {
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| words(&error))?;
    // It ends with the answer, or with the limit that drops `sender`.
    tokio::spawn(connection);
    let mut request = Request::new(Full::new(ask.body.clone()));
    *request.method_mut() = ask.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    sender.send_request(request).await.map_err(|error| words(&error))
}

/// Where a redirection leads.
fn location(answer: &Response<Incoming>) -> Option<String> {
    let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    location.filter(|_| answer.status().is_redirection()).map(String::from)
}

async fn collect(answer: Response<Incoming>) -> Result<Answer, String> {
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await;
    let body = body.map_err(|_| "the answer broke off, or is too long")?.to_bytes();
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}

/// The innermost reason.
pub(super) fn words(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
