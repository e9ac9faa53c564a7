//! What a source op of the graph names, and whether it can only ever mean one thing.

use std::fmt;

use bollard_buildkit_proto::pb::SourceOp;

/// A parsed source identifier.
///
/// Source: moby/buildkit, source/types and solver/pb/attr.go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `docker-image://name:tag@digest`.
    Image {
        /// Name and tag as the engine normalised them, for example `docker.io/library/a:1`.
        name: String,
        /// The digest in the identifier.
        digest: Option<String>,
    },
    /// `local://name`: files that the session sends.
    Local(String),
    /// `https://…`.
    Http {
        /// The address.
        url: String,
        /// The checksum that the engine will enforce.
        checksum: Option<String>,
    },
    /// `git://…`.
    Git {
        /// Remote as git would be given it, without credentials, with the reference after `#`.
        remote: String,
        /// The commit, when the reference is one.
        commit: Option<String>,
    },
    /// `oci-layout://name@digest`: an image of a directory that the session shows.
    Layout {
        /// What it is called in messages.
        name: String,
        /// The digest in the identifier.
        digest: Option<String>,
    },
    /// Anything else.
    Other(String),
}

impl Source {
    /// Reads the identifier and the attributes of a source op.
    pub fn read(op: &SourceOp) -> Self {
        let (scheme, rest) = op.identifier.split_once("://").unwrap_or(("", &op.identifier));
        match scheme {
            "docker-image" => {
                let (name, digest) = name_and_digest(rest);
                Self::Image { name, digest }
            }
            "oci-layout" => {
                let (name, digest) = name_and_digest(rest);
                Self::Layout { name, digest }
            }
            "local" => Self::Local(rest.to_string()),
            "http" | "https" => Self::Http {
                url: without_credentials(&op.identifier),
                checksum: op.attrs.get("http.checksum").cloned(),
            },
            "git" => Self::git(op, rest),
            _ => Self::Other(op.identifier.clone()),
        }
    }
}

impl Source {
    fn git(op: &SourceOp, rest: &str) -> Self {
        let (place, fragment) = match rest.split_once('#') {
            Some((place, fragment)) => (place, Some(fragment)),
            None => (rest, None),
        };
        // The identifier is the same for all protocols; this is where git really goes.
        let remote = match op.attrs.get("git.fullurl") {
            Some(url) => without_credentials(url),
            None => format!("git://{}", without_credentials(place)),
        };
        let checksum = op.attrs.get("git.checksum");
        Self::Git {
            remote: fragment.map_or(remote.clone(), |fragment| format!("{remote}#{fragment}")),
            commit: fragment.and_then(commit).or_else(|| checksum.and_then(|c| commit(c))),
        }
    }
}

fn name_and_digest(rest: &str) -> (String, Option<String>) {
    match rest.split_once('@') {
        Some((name, digest)) => (name.to_string(), Some(digest.to_string())),
        None => (rest.to_string(), None),
    }
}

/// An address without the user and the password before its host; `git@` is neither.
pub fn without_credentials(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = url.split_at(start);
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.get(..authority).and_then(|authority| authority.rfind('@')) {
        Some(at) if rest.get(..at) != Some("git") => {
            format!("{scheme}{}", rest.get(at + 1..).unwrap_or_default())
        }
        _ => url.to_string(),
    }
}

/// The commit of a `ref:subdir` fragment when the reference is a whole commit id.
fn commit(fragment: &str) -> Option<String> {
    let reference = fragment.split(':').next().unwrap_or(fragment);
    let whole = matches!(reference.len(), 40 | 64);
    (whole && reference.bytes().all(|b| b.is_ascii_hexdigit())).then(|| reference.to_string())
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { name, digest: Some(digest) } => write!(f, "{name}@{digest}"),
            Self::Image { name, digest: None } => f.write_str(name),
            Self::Local(name) => write!(f, "local://{name}"),
            Self::Http { url, .. } => f.write_str(url),
            Self::Git { remote, .. } => f.write_str(remote),
            Self::Layout { name, digest } => {
                let at = if digest.is_some() { "@" } else { "" };
                write!(f, "oci-layout://{name}{at}{}", digest.as_deref().unwrap_or_default())
            }
            Self::Other(identifier) => f.write_str(identifier),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(identifier: &str, attrs: &[(&str, &str)]) -> Source {
        let attrs = attrs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        Source::read(&SourceOp { identifier: identifier.into(), attrs })
    }

    #[test]
    fn a_branch_is_no_commit() {
        let Source::Git { commit, .. } = read("git://github.com/a/b.git#main", &[]) else {
            panic!("not git")
        };
        assert_eq!(commit, None);
        let id = "0123456789abcdef0123456789abcdef01234567";
        let Source::Git { commit, .. } = read(&format!("git://h/a.git#{id}:sub"), &[]) else {
            panic!("not git")
        };
        assert_eq!(commit.as_deref(), Some(id));
    }

    #[test]
    fn an_address_is_shown_without_its_credentials() {
        let read = |id: &str, url: &str| read(id, &[("git.fullurl", url)]).to_string();
        let id = "git://h/a.git#main:sub";
        assert_eq!(read(id, "https://u:p@h/a.git"), "https://h/a.git#main:sub");
        assert_eq!(read(id, "git@h:a.git"), "git@h:a.git#main:sub");
        assert_eq!(super::without_credentials("https://t@h/x@y"), "https://h/x@y");
        assert_eq!(super::without_credentials("https://u:a@b@h/x"), "https://h/x");
        assert_eq!(super::without_credentials("h/x"), "h/x");
    }

    #[test]
    fn a_checksum_fixes_a_commit_only_when_it_is_whole() {
        let commit = |checksum: &str| {
            let Source::Git { commit, .. } =
                read("git://h/a.git#v1", &[("git.checksum", checksum)])
            else {
                panic!("not git")
            };
            commit
        };
        assert_eq!(commit("0123456"), None);
        assert!(commit("0123456789abcdef0123456789abcdef01234567").is_some());
    }

    #[test]
    fn an_image_keeps_its_port_and_tag() {
        assert_eq!(
            read("docker-image://127.0.0.1:5000/a:1@sha256:ab", &[]),
            Source::Image { name: "127.0.0.1:5000/a:1".into(), digest: Some("sha256:ab".into()) }
        );
    }

    #[test]
    fn a_download_is_pinned_by_its_checksum_only() {
        let url = "https://h/f.tgz";
        assert_eq!(read(url, &[]), Source::Http { url: url.into(), checksum: None });
        assert_eq!(
            read(url, &[("http.checksum", "sha256:ab")]),
            Source::Http { url: url.into(), checksum: Some("sha256:ab".into()) }
        );
    }
}
