//! Which distribution it is: os-release(5).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::{lines, lossy};

/// A distribution.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Distro {
    /// `ID`: debian, alpine, fedora; `linux` when the file does not say.
    pub id: String,
    /// `VERSION_ID`; rolling distributions and Debian's unstable have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `VERSION_CODENAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codename: Option<String>,
    /// `ID_LIKE`: what it was made from, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub like: Vec<String>,
    /// `PRETTY_NAME`, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretty: Option<String>,
}

/// `debian-12`, as package URLs name it.
impl fmt::Display for Distro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}-{version}", self.id),
            None => write!(f, "{}", self.id),
        }
    }
}

/// Reads an os-release file.
pub(crate) fn read(text: &[u8]) -> Distro {
    let mut found = Distro { id: "linux".into(), ..Distro::default() };
    for line in lines(text) {
        let line = lossy(line);
        let Some((key, value)) = line.trim().split_once('=') else { continue };
        let value = Some(unquoted(value)).filter(|value| !value.is_empty());
        match key {
            "ID" => found.id = value.unwrap_or(found.id),
            "VERSION_ID" => found.version = value,
            "VERSION_CODENAME" => found.codename = value,
            "PRETTY_NAME" => found.pretty = value,
            "ID_LIKE" => {
                found.like =
                    value.unwrap_or_default().split_whitespace().map(str::to_string).collect();
            }
            _ => {}
        }
    }
    found
}

/// A value as a shell would read it.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    for quote in ['"', '\''] {
        let inner = value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
        if let Some(inner) = inner {
            if quote == '\'' {
                return inner.to_string();
            }
            let mut plain = String::with_capacity(inner.len());
            let mut chars = inner.chars();
            while let Some(c) = chars.next() {
                plain.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
            }
            return plain;
        }
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_a_shell_reads_them() {
        let text = b"# a comment\nPRETTY_NAME=\"A \\\"B\\\" 1\"\nID='rocky'\nVERSION_ID=\"9.3\"\n\
                     ID_LIKE=\"rhel centos fedora\"\nnonsense\nVERSION_CODENAME=\n";
        let found = read(text);
        assert_eq!(found.to_string(), "rocky-9.3");
        assert_eq!(found.pretty.as_deref(), Some("A \"B\" 1"));
        assert_eq!(found.like, ["rhel", "centos", "fedora"]);
        assert_eq!(found.codename, None);
        assert_eq!(read(b"").to_string(), "linux");
    }
}
