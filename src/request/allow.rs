//! `--allow`: rights that BuildKit grants to steps that ask for them.

use super::csv;
use crate::error::Error;

/// What steps may ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// `RUN --network=host`.
    pub network_host: bool,
    /// `RUN --security=insecure`.
    pub security_insecure: bool,
    /// `RUN --device`: each as it was typed, `device` alone for all of them.
    pub devices: Vec<String>,
    /// An output with `mode=delete` may empty a directory that is not below the working directory.
    pub local_delete: bool,
}

impl Allow {
    /// What BuildKit calls the rights that are granted.
    pub fn entitlements(&self) -> Vec<String> {
        let Self { network_host, security_insecure, devices, local_delete: _ } = self;
        let plain = [(*network_host, "network.host"), (*security_insecure, "security.insecure")];
        let plain = plain.iter().filter(|(granted, _)| *granted).map(|(_, name)| name.to_string());
        plain.chain(devices.iter().cloned()).collect()
    }

    /// Reads all of them.
    pub(super) fn read(typed: &[String]) -> Result<Self, Error> {
        let mut allow = Self::default();
        for text in typed.iter().filter(|text| !text.is_empty()) {
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (text.as_str(), None),
            };
            let wrong = |what: String| {
                Error::usage_hint(
                    format!("--allow {text:?}: {what}"),
                    "known are network.host, security.insecure, device[=NAME] and buildx.local.delete",
                )
            };
            match (name, value) {
                ("network.host", None) => allow.network_host = true,
                ("security.insecure", None) => allow.security_insecure = true,
                ("buildx.local.delete", None) => allow.local_delete = true,
                ("device", value) => {
                    check_device(value.unwrap_or_default()).map_err(wrong)?;
                    allow.devices.push(text.clone());
                }
                ("network.host" | "security.insecure" | "buildx.local.delete", Some(_)) => {
                    return Err(wrong(format!("{name} does not accept a value")));
                }
                _ => return Err(wrong("unknown entitlement".into())),
            }
        }
        Ok(allow)
    }
}

fn check_device(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    for field in csv::fields(text).map_err(|error| error.to_string())?.iter().skip(1) {
        if field.split_once('=').is_none_or(|(key, _)| key != "alias") {
            return Err(format!("invalid device config {field:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entitlements_are_known_or_refused() {
        let read = |typed: &[&str]| {
            Allow::read(&typed.iter().map(|t| (*t).to_string()).collect::<Vec<_>>())
        };
        let allow = read(&["network.host", "device=vendor/gpu=all", "device", ""]).unwrap();
        assert!(allow.network_host && !allow.security_insecure);
        assert_eq!(allow.devices, ["device=vendor/gpu=all", "device"]);
        for bad in ["root", "network.host=x", "buildx.local.delete=1", "device=a,b", "device=a,b=c"]
        {
            assert!(read(&[bad]).is_err(), "{bad}");
        }
    }
}
