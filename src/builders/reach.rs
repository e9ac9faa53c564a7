//! How a node is reached, as the store and `BUILDKIT_HOST` write it.
//!
//! Source: docker/buildx, driver/remote/factory.go; moby/buildkit, client/connhelper.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where BuildKit listens when a port is to be guessed; nobody guesses, it is only named.
const USUAL_PORT: &str = "1234";

/// The way to a node's BuildKit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The BuildKit within a Docker engine: a context's name or an address.
    Docker(String),
    /// `buildctl dial-stdio` in a container.
    Container {
        /// The engine that the container is in: a context's name or an address; none is the
        /// current one.
        docker: Option<String>,
        /// The container's name.
        container: String,
    },
    /// A unix socket.
    Unix(PathBuf),
    /// A TCP address, `host:port`.
    Tcp(String, Option<TlsOptions>),
}

/// Files and names of a TLS connection; every path is absolute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Whom to trust.
    pub ca: PathBuf,
    /// The client's certificate and key.
    pub pair: Option<(PathBuf, PathBuf)>,
    /// The name that the certificate must bear, if it is not the address.
    pub server_name: Option<String>,
}

impl Reach {
    /// Reads an address of a buildkitd; the error is a reason.
    pub(super) fn parse(address: &str) -> Result<Self, String> {
        let (scheme, rest) = address.split_once("://").ok_or("it names no protocol")?;
        match scheme {
            "unix" if Path::new(rest).is_absolute() => Ok(Self::Unix(rest.into())),
            "unix" => Err("the socket's path must be absolute".into()),
            "tcp" => tcp(rest).map(|address| Self::Tcp(address, None)),
            "docker-container" => container(rest),
            "npipe" => Err("a Windows pipe can only be reached from Windows".into()),
            "kube-pod" => {
                Err("kube-pod:// is not supported: expose its buildkitd as tcp://".into())
            }
            "ssh" => {
                Err("ssh:// is not supported: forward the socket, `ssh -L`, and name it as unix://"
                    .into())
            }
            other => Err(format!("{other}:// is none of unix, tcp and docker-container")),
        }
    }

    /// Reads an address and the options of the remote driver; the error is a reason. Returns
    /// whether results are to be loaded into Docker, too.
    pub(super) fn remote(
        address: &str,
        options: &BTreeMap<String, String>,
    ) -> Result<(Self, bool), String> {
        let mut load = false;
        let (mut ca, mut cert, mut key, mut server_name) = (None, None, None, None);
        for (name, value) in options {
            match name.as_str() {
                "cacert" => ca = Some(absolute(name, value)?),
                "cert" => cert = Some(absolute(name, value)?),
                "key" => key = Some(absolute(name, value)?),
                "servername" => server_name = Some(value.clone()).filter(|name| !name.is_empty()),
                "default-load" => load = boolean(name, value)?,
                _ => return Err(format!("the remote driver has no option {name:?}")),
            }
        }
        let reach = Self::parse(address)?;
        if ca.is_none() && cert.is_none() && key.is_none() && server_name.is_none() {
            return Ok((reach, load));
        }
        let missing = |what: &str| format!("TLS is wanted and the option {what} is missing");
        let pair = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            (Some(_), None) => return Err(missing("key")),
            (None, Some(_)) => return Err(missing("cert")),
        };
        let ca = ca.ok_or_else(|| missing("cacert"))?;
        match reach {
            Self::Tcp(address, _) => {
                Ok((Self::Tcp(address, Some(TlsOptions { ca, pair, server_name })), load))
            }
            _ => Err("TLS is for tcp:// addresses only".into()),
        }
    }
}

fn tcp(address: &str) -> Result<String, String> {
    let address = address.trim_end_matches('/');
    let (host, port) = address
        .rsplit_once(':')
        .filter(|(host, _)| !host.contains(':') || host.ends_with(']'))
        .ok_or_else(|| format!("it names no port; buildkitd's is usually {USUAL_PORT}"))?;
    if host.is_empty() || host.contains(|c: char| "/?#@".contains(c) || c.is_whitespace()) {
        return Err("only host:port may follow tcp://".into());
    }
    match port.parse::<u16>() {
        Ok(1..) if !port.starts_with('+') => Ok(address.into()),
        _ => Err(format!("{port:?} is no port")),
    }
}

/// `NAME`, perhaps with `?context=NAME`.
fn container(rest: &str) -> Result<Reach, String> {
    let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
    let name = name.trim_end_matches('/');
    check_container(name)?;
    let docker = match query.split_once('=') {
        Some(("context", context)) if !context.is_empty() => Some(context.to_string()),
        _ if query.is_empty() => None,
        _ => return Err("only ?context=NAME may follow a container's name".into()),
    };
    Ok(Reach::Container { docker, container: name.into() })
}

/// It becomes part of an address of the engine's API.
pub(super) fn check_container(name: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !name.is_empty() && name.bytes().all(plain) && !name.starts_with('.') {
        return Ok(());
    }
    Err(format!("{name:?} is no container's name"))
}

fn absolute(name: &str, value: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(value);
    if path.is_absolute() { Ok(path) } else { Err(format!("{name} {value:?} is no absolute path")) }
}

/// As Go's `strconv.ParseBool`.
pub(super) fn boolean(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("{name} {value:?} is neither true nor false")),
    }
}
