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
        /// Remote, with the reference after `#`.
        remote: String,
        /// The commit, when the reference is one.
        commit: Option<String>,
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
                let (name, digest) = match rest.split_once('@') {
                    Some((name, digest)) => (name, Some(digest.to_string())),
                    None => (rest, None),
                };
                Self::Image { name: name.to_string(), digest }
            }
            "local" => Self::Local(rest.to_string()),
            "http" | "https" => Self::Http {
                url: op.identifier.clone(),
                checksum: op.attrs.get("http.checksum").cloned(),
            },
            "git" => {
                Self::Git {
                    remote: rest.to_string(),
                    commit: op.attrs.get("git.checksum").cloned().or_else(|| {
                        rest.split_once('#').and_then(|(_, fragment)| commit(fragment))
                    }),
                }
            }
            _ => Self::Other(op.identifier.clone()),
        }
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
            Self::Git { remote, .. } => write!(f, "git://{remote}"),
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
