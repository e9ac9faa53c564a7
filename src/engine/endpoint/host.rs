//! Addresses as people write them.
//!
//! Source: docker/cli, opts/hosts.go.

use std::path::Path;

use super::{DEFAULT_SOCKET, Endpoint, Ssh};
use crate::engine::EngineError;

/// Docker's plain TCP port.
const DEFAULT_PORT: &str = "2375";
const DEFAULT_HOST: &str = "localhost";

/// Reads an address; without a protocol it is TCP, as docker reads it.
pub(super) fn parse(host: &str) -> Result<Endpoint, EngineError> {
    let host = host.trim();
    if host.is_empty() {
        return Ok(Endpoint::Unix(DEFAULT_SOCKET.into()));
    }
    let (scheme, rest) = host.split_once("://").unwrap_or(("tcp", host));
    let read = match scheme {
        "unix" => unix(rest),
        "tcp" => tcp_address(rest).map(Endpoint::Tcp),
        "ssh" => ssh(rest),
        "npipe" => Err("a Windows pipe can only be reached from Windows".into()),
        other => Err(format!("{other}:// is none of unix, tcp and ssh")),
    };
    // An address that may hold a password is not repeated.
    let shown = if host.contains('@') { format!("{scheme}://…") } else { host.to_string() };
    read.map_err(|reason| EngineError::BadHost {
        from: "the engine's address".into(),
        host: shown,
        reason,
    })
}

fn ssh(rest: &str) -> Result<Endpoint, String> {
    Ssh::parse(rest).map(|ssh| Endpoint::Ssh(Box::new(ssh)))
}

fn unix(path: &str) -> Result<Endpoint, String> {
    match path {
        "" => Ok(Endpoint::Unix(DEFAULT_SOCKET.into())),
        path if Path::new(path).is_absolute() => Ok(Endpoint::Unix(path.into())),
        _ => Err("the socket's path must be absolute".into()),
    }
}

/// `host:port` with what is left out filled in.
fn tcp_address(address: &str) -> Result<String, String> {
    let address = address.trim_end_matches('/');
    if address.is_empty() {
        return Err("no address".into());
    }
    if address.contains(['/', '?', '#', '@']) || address.contains(char::is_whitespace) {
        return Err("only host:port may follow tcp://".into());
    }
    let (host, port) = match address.strip_prefix('[') {
        Some(v6) => {
            let (host, rest) = v6.split_once(']').ok_or("the bracket is not closed")?;
            let port = match rest {
                "" => "",
                rest => rest.strip_prefix(':').ok_or("only a port may follow the bracket")?,
            };
            (format!("[{host}]"), port)
        }
        // More than one colon without brackets is an IPv6 address alone.
        None if address.matches(':').count() > 1 => (format!("[{address}]"), ""),
        None => {
            let (host, port) = address.split_once(':').unwrap_or((address, ""));
            (host.to_string(), port)
        }
    };
    let host = if host.is_empty() { DEFAULT_HOST.to_string() } else { host };
    let port = if port.is_empty() { DEFAULT_PORT } else { port };
    if port.parse::<u16>().is_err() || port.starts_with('+') {
        return Err(format!("{port:?} is no port"));
    }
    Ok(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts_are_read_as_docker_reads_them() {
        let unix = |p: &str| Endpoint::Unix(p.into());
        let tcp = |a: &str| Endpoint::Tcp(a.into());
        for (host, expected) in [
            ("", unix("/var/run/docker.sock")),
            ("unix://", unix("/var/run/docker.sock")),
            (" unix:///run/d.sock\n", unix("/run/d.sock")),
            ("tcp://127.0.0.1:2376", tcp("127.0.0.1:2376")),
            ("tcp://host", tcp("host:2375")),
            ("tcp://:99", tcp("localhost:99")),
            ("tcp://[::1]:99/", tcp("[::1]:99")),
            ("tcp://[::1]", tcp("[::1]:2375")),
            ("tcp://::1", tcp("[::1]:2375")),
            ("127.0.0.1:2375", tcp("127.0.0.1:2375")),
            ("host", tcp("host:2375")),
        ] {
            assert_eq!(parse(host).unwrap(), expected, "{host}");
        }
    }

    #[test]
    fn what_cannot_be_dialled_is_refused_with_a_reason() {
        for (host, reason) in [
            ("unix://relative", "absolute"),
            ("npipe:////./pipe/docker_engine", "Windows"),
            ("ftp://h", "ftp:// is none of"),
            ("tcp://", "no address"),
            ("tcp://h:port", "no port"),
            ("tcp://h:70000", "no port"),
            ("tcp://h:1/path", "host:port"),
            ("tcp://user@h:1", "host:port"),
            ("tcp://[::1", "bracket"),
        ] {
            let error = parse(host).unwrap_err().to_string();
            assert!(error.contains(reason), "{host}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = parse(&text);
            let _ = parse(&format!("tcp://{text}"));
        }
    }
}
