//! `proxies` of `config.json`: what containers need to know to get out.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The proxies of one engine.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Proxies {
    http_proxy: Option<String>,
    https_proxy: Option<String>,
    no_proxy: Option<String>,
    ftp_proxy: Option<String>,
}

/// A build argument that names a proxy; its value may hold a password and is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyArg {
    /// `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` or `FTP_PROXY`.
    pub name: String,
    /// The proxy's address.
    pub value: String,
}

impl std::fmt::Debug for ProxyArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

impl Proxies {
    /// In upper case only: BuildKit gives a step both spellings.
    pub(super) fn args(&self) -> Vec<ProxyArg> {
        let known = [
            ("HTTP_PROXY", &self.http_proxy),
            ("HTTPS_PROXY", &self.https_proxy),
            ("NO_PROXY", &self.no_proxy),
            ("FTP_PROXY", &self.ftp_proxy),
        ];
        let said = known.into_iter().filter_map(|(name, value)| {
            let value = value.clone().filter(|value| !value.is_empty())?;
            Some(ProxyArg { name: name.into(), value })
        });
        said.collect()
    }
}

/// Those of `args` that nobody has set, in whatever case.
pub fn unset(mut args: Vec<ProxyArg>, set: &BTreeMap<String, String>) -> Vec<ProxyArg> {
    args.retain(|arg| !set.keys().any(|name| name.eq_ignore_ascii_case(&arg.name)));
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_already_stays_as_it_is() {
        let text = r#"{"httpProxy":"http://u:hunter2@p:1","httpsProxy":"","noProxy":"a,b",
                       "ftpProxy":"f","allProxy":"x"}"#;
        let args = serde_json::from_str::<Proxies>(text).unwrap().args();
        assert!(!format!("{args:?}").contains("hunter2"));
        let names = |args: &[ProxyArg]| {
            args.iter().map(|arg| arg.name.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&args), "HTTP_PROXY NO_PROXY FTP_PROXY");
        let set = ["http_proxy", "OTHER", "No_Proxy"].map(|name| (name.to_string(), String::new()));
        let left = unset(args, &set.into());
        assert_eq!(names(&left), "FTP_PROXY");
    }
}
