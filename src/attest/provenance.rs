//! SLSA v1 provenance as an in-toto statement.
//!
//! Sources: <https://slsa.dev/spec/v1.0/provenance>,
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>. What our fields mean
//! is written down in docs/provenance.md, which `BUILD_TYPE` names.

use std::collections::BTreeMap;
use std::time::SystemTime;

use cofferdam_frontend::build::smoke::Command;
use cofferdam_frontend::graph::Source;
use cofferdam_frontend::graph::judge::BoundSource;
use cofferdam_inspector::report::StripReport;
use serde_json::{Map, Value, json};

use super::searched::SecretSearch;
use crate::config::Exception;
use crate::request::Keep;
use crate::vcs::Origin;

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";
const BUILD_TYPE: &str =
    "https://github.com/cofferdam/cofferdam/blob/main/docs/provenance.md#build-type-v1";
pub(super) const BUILDER: &str = "https://github.com/cofferdam/cofferdam/builder";
/// Where BuildKit finds what the session uploads.
const UPLOADS: &str = "http://buildkit-session/";
/// The canonical listing of a directory tree, described in docs/provenance.md.
const TREE_MEDIA_TYPE: &str = "application/vnd.cofferdam.tree.v1";

/// A directory as it was sent to the engine.
#[derive(Clone, Debug)]
pub struct SentTree {
    /// `sha256:…` of its canonical listing.
    pub digest: String,
    /// Files in it.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// Everything that is stated about a build.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Name and digest of what was built; an image ID, and a manifest digest when there is one.
    pub subjects: Vec<(String, String)>,
    /// Path of the Dockerfile as it was given.
    pub dockerfile: &'a str,
    /// `--target`.
    pub target: Option<&'a str>,
    /// The image's platform.
    pub platform: &'a str,
    /// Build arguments.
    pub build_args: &'a BTreeMap<String, String>,
    /// Labels from the command line.
    pub labels: &'a BTreeMap<String, String>,
    /// Ids of the secrets that were offered. Ids only: a hash of a value helps to guess it.
    pub secret_ids: Vec<&'a str>,
    /// Whether RUN steps had no network.
    pub no_network: bool,
    /// Files that kept their bits.
    pub keep: &'a [Keep],
    /// Whether the lock was final.
    pub locked: bool,
    /// Whether file capabilities were removed.
    pub strip_capabilities: bool,
    /// Commands that worked in the image.
    pub smoke: &'a [Command],
    /// What the configuration let through.
    pub exceptions: Vec<&'a Exception>,
    /// Everything the graph read.
    pub sources: &'a [BoundSource],
    /// `sha256:…` of the Dockerfile as it stands on disk.
    pub dockerfile_digest: String,
    /// `sha256:…` of the Dockerfile with its pins, as the engine got it.
    pub pinned_dockerfile_digest: String,
    /// The context; `None` when the build read nothing of it.
    pub context: Option<SentTree>,
    /// `sha256:…` of the lock file; `None` when there is none.
    pub lock_digest: Option<String>,
    /// `sha256:…` of the helper that stripped.
    pub helper_digest: String,
    /// Whether some step could fetch what is not listed here.
    pub networked: bool,
    /// What was stripped, by platform; nothing for an empty image.
    pub strip: Vec<(&'a str, &'a StripReport)>,
    /// What was searched for secrets, by platform; nothing when there were none.
    pub searched: Vec<SecretSearch<'a>>,
    /// Docker's version.
    pub engine_version: &'a str,
    /// BuildKit's version, where the engine tells it.
    pub buildkit_version: Option<&'a str>,
    /// What git said of the context.
    pub origin: Option<&'a Origin>,
    /// Whether this ran in CI.
    pub in_ci: bool,
    /// The build's name.
    pub invocation: &'a str,
    /// When it began.
    pub started: SystemTime,
    /// When it ended.
    pub finished: SystemTime,
}

impl Facts<'_> {
    /// The statement, as JSON with a newline at its end.
    pub fn statement(&self) -> Vec<u8> {
        let subjects: Vec<Value> = self
            .subjects
            .iter()
            .map(|(name, digest)| json!({ "name": name, "digest": digest_set(digest) }))
            .collect();
        let statement = json!({
            "_type": STATEMENT_TYPE,
            "subject": subjects,
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "buildDefinition": {
                    "buildType": BUILD_TYPE,
                    "externalParameters": self.external_parameters(),
                    "internalParameters": self.internal_parameters(),
                    "resolvedDependencies": self.dependencies(),
                },
                "runDetails": {
                    "builder": self.builder(),
                    "metadata": {
                        "invocationId": self.invocation,
                        "startedOn": time(self.started),
                        "finishedOn": time(self.finished),
                        "cofferdam_completeness": { "resolvedDependencies": self.is_complete() },
                    },
                    "byproducts": self.byproducts(),
                },
            },
        });
        format!("{statement:#}\n").into_bytes()
    }

    fn external_parameters(&self) -> Value {
        let secrets: Vec<Value> = self.secret_ids.iter().map(|id| json!({ "id": id })).collect();
        let keep: Vec<Value> = self
            .keep
            .iter()
            .map(|keep| json!({ "path": keep.path, "reason": keep.reason }))
            .collect();
        json!({
            "dockerfile": self.dockerfile,
            "target": self.target,
            "platform": self.platform,
            "buildArgs": shown(self.build_args),
            "labels": self.labels,
            "secrets": secrets,
            "network": if self.no_network { "none" } else { "default" },
            "keepSuid": keep,
            "vcs": vcs(self.origin),
        })
    }

    fn internal_parameters(&self) -> Value {
        let exceptions: Vec<Value> = self.exceptions.iter().map(|used| exception(used)).collect();
        let smoke: Vec<Value> = self.smoke.iter().map(command).collect();
        json!({
            "locked": self.locked,
            "stripCapabilities": self.strip_capabilities,
            "exceptions": exceptions,
            "smoke": smoke,
        })
    }

    /// Whether everything that was read stands in the statement with a digest.
    pub(super) fn is_complete(&self) -> bool {
        let known = |bound: &BoundSource| match &bound.source {
            // Listed as the context, with its digest.
            Source::Http { url, .. } if url.starts_with(UPLOADS) => true,
            Source::Http { .. } | Source::Git { .. } => bound.digest.is_some(),
            _ => true,
        };
        !self.networked && self.sources.iter().all(known)
    }

    fn dependencies(&self) -> Vec<Value> {
        let mut list: Vec<Value> = self.sources.iter().filter_map(source).collect();
        list.push(json!({
            "name": "Dockerfile",
            "uri": self.dockerfile,
            "digest": digest_set(&self.dockerfile_digest),
            "annotations": { "pinnedDigest": self.pinned_dockerfile_digest },
        }));
        if let Some(context) = &self.context {
            list.push(json!({
                "name": "context",
                "mediaType": TREE_MEDIA_TYPE,
                "digest": digest_set(&context.digest),
                "annotations": { "files": context.files, "bytes": context.bytes },
            }));
        }
        if let Some(digest) = &self.lock_digest {
            list.push(json!({ "name": "cofferdam.lock", "digest": digest_set(digest) }));
        }
        list.push(json!({
            "name": "cofferdam-inspector",
            "digest": digest_set(&self.helper_digest),
        }));
        list
    }

    fn builder(&self) -> Value {
        let place = place(self.in_ci);
        let mut version = Map::new();
        version.insert("cofferdam".into(), env!("CARGO_PKG_VERSION").into());
        version.insert("docker".into(), self.engine_version.into());
        if let Some(buildkit) = self.buildkit_version {
            version.insert("buildkit".into(), buildkit.into());
        }
        json!({ "id": format!("{BUILDER}/{place}"), "version": version })
    }

    fn byproducts(&self) -> Vec<Value> {
        let entry = |(platform, report): &(&str, &StripReport)| {
            json!({
                "name": "strip-report",
                "annotations": {
                    "platform": platform,
                    "scannedFiles": report.scanned.files,
                    "stripped": report.stripped,
                    "kept": report.kept,
                    "setgidDirectories": report.setgid_dirs,
                },
            })
        };
        let searched = self.searched.iter().map(SecretSearch::byproduct);
        self.strip.iter().map(entry).chain(searched).collect()
    }
}

fn command(command: &Command) -> Value {
    match command {
        Command::Shell(line) => json!(line),
        Command::Exec(words) => json!(words),
    }
}

fn exception(exception: &Exception) -> Value {
    let Exception { rule, secret, path, reason, owner, expires, line: _ } = exception;
    let expires = expires.map(|expires| expires.to_string());
    let mut told =
        json!({ "rule": rule, "path": path, "reason": reason, "owner": owner, "expires": expires });
    if let (Some(secret), Some(told)) = (secret, told.as_object_mut()) {
        told.insert("secret".into(), secret.as_str().into());
    }
    told
}

/// A source of the graph as a resource; the session's own directories are listed on their own.
pub(super) fn source(bound: &BoundSource) -> Option<Value> {
    let uri = match &bound.source {
        Source::Image { name, .. } => purl(name),
        Source::Layout { name, .. } => format!("oci-layout://{name}"),
        Source::Http { url, .. } if url.starts_with(UPLOADS) => return None,
        Source::Http { url, .. } => url.clone(),
        Source::Git { remote, .. } => format!("git+{remote}"),
        Source::Local(_) | Source::Other(_) => return None,
    };
    let mut resource = json!({ "uri": uri });
    // Without a digest only where an exception allowed it.
    if let Some(digest) = bound.digest.as_deref() {
        resource["digest"] = digest_set(digest);
    }
    if bound.local_only {
        resource["annotations"] = json!({ "localOnly": true });
    }
    Some(resource)
}

/// `pkg:docker/name@tag`; source: <https://github.com/package-url/purl-spec>.
fn purl(name: &str) -> String {
    // A colon behind the last slash parts name and tag; one before it belongs to a port.
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    let (path, tag) = match name.get(slash..).and_then(|last| last.rfind(':')) {
        Some(colon) => (&name[..slash + colon], &name[slash + colon + 1..]),
        None => (name, ""),
    };
    let path = path.strip_prefix("docker.io/library/").unwrap_or(path);
    let path = path.strip_prefix("docker.io/").unwrap_or(path).replace(':', "%3A");
    if tag.is_empty() { format!("pkg:docker/{path}") } else { format!("pkg:docker/{path}@{tag}") }
}

/// What git said, by the names that BuildKit has for it; `null` where it said nothing.
pub(super) fn vcs(origin: Option<&Origin>) -> Value {
    let Some(Origin { revision, source, entry_point: _ }) = origin else { return Value::Null };
    json!({ "revision": revision, "source": source })
}

/// Where it was built, as a part of the builder's name.
pub(super) fn place(in_ci: bool) -> &'static str {
    if in_ci { "ci" } else { "local" }
}

/// `algorithm:value` as in-toto writes digests.
pub(super) fn digest_set(digest: &str) -> Value {
    let (algorithm, value) = digest.split_once(':').unwrap_or(("sha256", digest));
    let mut set = Map::new();
    set.insert(algorithm.to_string(), value.into());
    Value::Object(set)
}

pub(super) fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// Build arguments as they may be read by everybody: a proxy's address can hold a password, which
/// BuildKit keeps out of the image as well.
fn shown(build_args: &BTreeMap<String, String>) -> BTreeMap<&str, String> {
    const PROXIES: [&str; 4] = ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy"];
    let shown = |name: &str, value: &str| {
        if !PROXIES.contains(&name.to_ascii_lowercase().as_str()) {
            return value.to_string();
        }
        let (scheme, rest) = match value.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest),
            None => (String::new(), value),
        };
        format!("{scheme}{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
    };
    build_args.iter().map(|(name, value)| (name.as_str(), shown(name, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_password_is_not_recorded() {
        let args = [
            ("HTTP_PROXY", "http://me:p@ss@proxy:3128/"),
            ("https_proxy", "me:pass@proxy:3128"),
            ("NO_PROXY", "localhost,@x"),
            ("VERSION", "user@1"),
        ];
        let args = args.map(|(name, value)| (name.to_string(), value.to_string())).into();
        let shown = shown(&args);
        assert_eq!(shown["HTTP_PROXY"], "http://proxy:3128/");
        assert_eq!(shown["https_proxy"], "proxy:3128");
        assert_eq!(shown["NO_PROXY"], "localhost,@x");
        assert_eq!(shown["VERSION"], "user@1");
    }

    #[test]
    fn names_become_package_urls() {
        for (name, expected) in [
            ("docker.io/library/debian:bookworm", "pkg:docker/debian@bookworm"),
            ("docker.io/a/b:1", "pkg:docker/a/b@1"),
            ("127.0.0.1:5000/debian:bookworm", "pkg:docker/127.0.0.1%3A5000/debian@bookworm"),
            ("127.0.0.1:5000/debian", "pkg:docker/127.0.0.1%3A5000/debian"),
        ] {
            assert_eq!(purl(name), expected);
        }
    }

    #[test]
    fn digests_keep_their_algorithm() {
        assert_eq!(digest_set("sha256:ab"), json!({ "sha256": "ab" }));
        assert_eq!(digest_set("gitCommit:ab"), json!({ "gitCommit": "ab" }));
    }
}
