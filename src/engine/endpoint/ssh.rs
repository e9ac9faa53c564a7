//! An engine behind ssh: `docker system dial-stdio` on the other side carries the bytes.
//!
//! Source: docker/cli, cli/connhelper.

use std::fmt;

use percent_encoding::percent_decode_str;

use super::program::Program;

/// A user, a machine, and perhaps the socket's path there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    path: Option<String>,
}

impl Ssh {
    /// Reads what follows `ssh://`; the error is a reason.
    pub(super) fn parse(rest: &str) -> Result<Self, String> {
        if rest.contains('?') {
            return Err("a query may not follow".into());
        }
        if rest.contains('#') {
            return Err("a fragment may not follow".into());
        }
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at_checked(at).unwrap_or((rest, "")),
            None => (rest, ""),
        };
        let (user, host) = match authority.rsplit_once('@') {
            // A password in an address ends in the list of processes.
            Some((user, _)) if user.contains(':') => {
                return Err("a password in the address is not supported: use a key".into());
            }
            Some((user, host)) => (Some(decoded(user)?), host),
            None => (None, authority),
        };
        let (host, port) = split_port(host)?;
        if host.is_empty() {
            return Err("it names no machine".into());
        }
        let word = |text: &str, more: &str| {
            let plain = |c: char| c.is_alphanumeric() || "._-".contains(c) || more.contains(c);
            !text.starts_with('-') && text.chars().all(plain)
        };
        if !word(host, ":%") {
            return Err(format!("{host:?} is no machine's name"));
        }
        if let Some(user) = user.as_deref().filter(|user| user.is_empty() || !word(user, "@+\\$")) {
            return Err(format!("{user:?} is no user's name"));
        }
        let path = decoded(path)?;
        if path.contains(char::is_control) {
            return Err("the socket's path holds control characters".into());
        }
        let path = (!path.trim_matches('/').is_empty()).then_some(path);
        Ok(Self { user, host: host.to_string(), port, path })
    }

    /// The command that opens one connection.
    pub(super) fn program(&self) -> Program {
        let mut args: Vec<String> = Vec::new();
        if let Some(user) = &self.user {
            args.extend(["-l".into(), user.clone()]);
        }
        if let Some(port) = self.port {
            args.extend(["-p".into(), port.to_string()]);
        }
        args.extend(["-o", "ConnectTimeout=30", "-T", "--"].map(String::from));
        args.push(self.host.clone());
        args.push(match &self.path {
            None => "docker system dial-stdio".into(),
            Some(path) => {
                format!("docker {} system dial-stdio", quoted(&format!("--host=unix://{path}")))
            }
        });
        Program::new("ssh", args)
    }
}

impl fmt::Display for Ssh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.path.as_deref().unwrap_or_default())
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(String::from).map_err(|_| format!("{text:?} is no text"))
}

fn split_port(host: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = match host.strip_prefix('[') {
        Some(v6) => {
            let (host, rest) = v6.split_once(']').ok_or("the bracket is not closed")?;
            (host, rest.strip_prefix(':').unwrap_or(rest))
        }
        None => host.split_once(':').unwrap_or((host, "")),
    };
    if port.is_empty() {
        return Ok((host, None));
    }
    let number = port.parse().ok().filter(|_| port.bytes().all(|b| b.is_ascii_digit()));
    number.map(|port| (host, Some(port))).ok_or_else(|| format!("{port:?} is no port"))
}

/// One word for the shell on the other side.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-=:,@%+".contains(&byte);
    if word.bytes().all(plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_command_is_dockers() {
        for (address, command) in [
            ("h", "-o ConnectTimeout=30 -T -- h docker system dial-stdio"),
            ("me@h:22/", "-l me -p 22 -o ConnectTimeout=30 -T -- h docker system dial-stdio"),
            (
                "[::1]:7/run/d.sock",
                "-p 7 -o ConnectTimeout=30 -T -- ::1 docker --host=unix:///run/d.sock system dial-stdio",
            ),
            (
                "h/a%20b';rm",
                r"-o ConnectTimeout=30 -T -- h docker '--host=unix:///a b'\'';rm' system dial-stdio",
            ),
        ] {
            let ssh = Ssh::parse(address).unwrap();
            assert_eq!(ssh.program().args().join(" "), command, "{address}");
        }
        assert_eq!(Ssh::parse("me@[::1]:7/run/d").unwrap().to_string(), "ssh://me@[::1]:7/run/d");
    }

    #[test]
    fn what_could_be_an_option_or_a_password_is_refused() {
        for (address, reason) in [
            ("", "no machine"),
            ("me:pass@h", "password"),
            ("-oProxyCommand=x", "no machine's name"),
            ("-oProxyCommand=x@h", "no user's name"),
            ("a;b@h", "no user's name"),
            ("h?x", "query"),
            ("h#x", "fragment"),
            ("h:-1", "no port"),
            ("h:x", "no port"),
            ("h/a%0ab", "control"),
        ] {
            let refused = Ssh::parse(address).unwrap_err();
            assert!(refused.contains(reason), "{address}: {refused}");
            assert!(!refused.contains("pass@"));
        }
    }

    proptest! {
        #[test]
        fn no_address_becomes_an_option(text in "\\PC{0,40}") {
            if let Ok(ssh) = Ssh::parse(&text) {
                let args = ssh.program().args().to_vec();
                let end = args.iter().position(|arg| arg == "--").unwrap();
                prop_assert_eq!(args.len(), end + 3);
                prop_assert!(!args[end + 1].starts_with('-'));
                prop_assert!(ssh.user.is_none_or(|user| !user.starts_with('-')));
            }
        }
    }
}
