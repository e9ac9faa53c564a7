//! `--add-host name:address`: lines of /etc/hosts for RUN.

use std::net::IpAddr;

use super::csv;
use crate::error::Error;

/// A name that RUN steps can resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraHost {
    /// The name.
    pub name: String,
    /// What it resolves to.
    pub address: HostAddress,
}

/// What a name resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostAddress {
    /// An address.
    Ip(IpAddr),
    /// The machine that the engine runs on, which the engine has to name.
    Gateway,
}

/// Reads all of them, separated by commas or repeated: `name:ip`, `name=ip`, `name:[ip]`,
/// `name:host-gateway`, and in quotes `"name=ip,ip"`.
pub(super) fn read(typed: &[String]) -> Result<Vec<ExtraHost>, Error> {
    let wrong = |text: &str, what: &str| {
        Error::usage_hint(
            format!("--add-host: {what} {text}"),
            "write --add-host NAME:ADDRESS, or NAME:host-gateway",
        )
    };
    let mut hosts = Vec::new();
    for list in typed {
        for text in csv::fields(list).map_err(|error| wrong(list, &error.to_string()))? {
            hosts.extend(one(&text).ok_or_else(|| wrong(&text, "invalid host"))?);
        }
    }
    Ok(hosts)
}

fn one(text: &str) -> Option<Vec<ExtraHost>> {
    let (name, address) = text.split_once('=').or_else(|| text.split_once(':'))?;
    if name.is_empty() || address.is_empty() || name.contains([',', '=']) {
        return None;
    }
    let host = |address| ExtraHost { name: name.to_string(), address };
    if address == "host-gateway" {
        return Some(vec![host(HostAddress::Gateway)]);
    }
    address
        .split(',')
        .map(|ip| {
            let bare = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
            Some(host(HostAddress::Ip(bare.parse().ok()?)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_buildx_is_read() {
        let shown = |text: &str| {
            let hosts = read(&[text.to_string()]).ok()?;
            let shown = |host: ExtraHost| match host.address {
                HostAddress::Ip(ip) => format!("{}={ip}", host.name),
                HostAddress::Gateway => format!("{}=?", host.name),
            };
            Some(hosts.into_iter().map(shown).collect::<Vec<_>>().join(","))
        };
        for (text, expected) in [
            ("a:1.2.3.4", "a=1.2.3.4"),
            ("a=1.2.3.4", "a=1.2.3.4"),
            ("a:::1", "a=::1"),
            ("a:[::1]", "a=::1"),
            ("a=[1.2.3.4]", "a=1.2.3.4"),
            ("\"a=1.2.3.4,[::1]\"", "a=1.2.3.4,a=::1"),
            ("a:1.2.3.4,b:::1", "a=1.2.3.4,b=::1"),
            ("host.docker.internal:host-gateway", "host.docker.internal=?"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        for bad in ["", "a", "a:", ":1.2.3.4", "a:b", "a:1.2.3", "a:[1.2.3.4", "a,b:1.2.3.4"] {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = one(&text);
        }
    }
}
