//! Proxies of the environment, and the way through one.

use std::fmt;
use std::net::IpAddr;

use hyper::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::{Host, Url};

use super::http::BoxStream;

/// A proxy's answer is a few hundred bytes.
const MAX_HEADER: usize = 16 * 1024;

/// `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, each in upper or lower case.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxyVariables {
    /// For `http://`.
    pub http: String,
    /// For `https://`.
    pub https: String,
    /// Hosts that are asked directly, with commas between them.
    pub no: String,
}

impl fmt::Debug for ProxyVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The addresses may hold passwords.
        f.write_str("[proxies]")
    }
}

impl ProxyVariables {
    /// Reads them with `env`; upper case counts first, as in Go's programs.
    pub fn read(env: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| {
            let set = |name: &str| env(name).filter(|value| !value.is_empty());
            set(name).or_else(|| set(&name.to_ascii_lowercase())).unwrap_or_default()
        };
        Self { http: either("HTTP_PROXY"), https: either("HTTPS_PROXY"), no: either("NO_PROXY") }
    }

    /// The proxy for an address; this machine's own are asked directly.
    pub(super) fn of(&self, url: &Url) -> Option<Intercept> {
        let local = match url.host()? {
            Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
            Host::Ipv4(ip) => IpAddr::from(ip).is_loopback(),
            Host::Ipv6(ip) => IpAddr::from(ip).is_loopback(),
        };
        if local {
            return None;
        }
        let matcher = Matcher::builder().http(&*self.http).https(&*self.https).no(&*self.no);
        let address: Uri = url.as_str().parse().ok()?;
        matcher.build().intercept(&address)
    }
}

/// Asks the proxy at the other end for a connection to `authority`, `host:port`.
pub(super) async fn tunnel(
    stream: &mut BoxStream,
    authority: &str,
    proxy: &Intercept,
) -> std::io::Result<()> {
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n").into_bytes();
    if let Some(credentials) = proxy.basic_auth() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(credentials.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await?;
    // Byte by byte: what follows the header belongs to TLS.
    let mut header = Vec::new();
    while !header.ends_with(b"\r\n\r\n") {
        if header.len() > MAX_HEADER {
            return Err(std::io::Error::other("the proxy does not speak HTTP"));
        }
        header.push(stream.read_u8().await?);
    }
    let header = String::from_utf8_lossy(&header);
    let line = header.lines().next().unwrap_or_default();
    match line.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(std::io::Error::other(format!("the proxy says {line:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_in_either_case_and_exceptions_hold() {
        let env = |name: &str| match name {
            "HTTP_PROXY" => Some("http://upper:1".to_string()),
            "http_proxy" => Some("http://lower:1".to_string()),
            "https_proxy" => Some("http://u:hunter2@secure:2".to_string()),
            "NO_PROXY" => Some("internal.example,10.0.0.0/8".to_string()),
            _ => None,
        };
        let variables = ProxyVariables::read(env);
        assert!(!format!("{variables:?}").contains("hunter2"));
        let of = |url: &str| {
            variables.of(&url.parse().unwrap()).map(|proxy| proxy.uri().host().unwrap().to_string())
        };
        assert_eq!(of("http://r.example/").as_deref(), Some("upper"));
        assert_eq!(of("https://r.example/").as_deref(), Some("secure"));
        for direct in [
            "https://localhost:5/",
            "http://127.0.0.1/",
            "https://[::1]/",
            "https://r.internal.example/",
            "https://10.1.2.3/",
        ] {
            assert_eq!(of(direct), None, "{direct}");
        }
    }
}
