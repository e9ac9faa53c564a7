//! What git knows of the directory that is built: its commit, and where that came from.
//!
//! Source: docker/buildx, build/git.go and util/gitutil. It is told, not proven: the files may
//! differ from the commit.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cofferdam_frontend::graph::without_credentials;

mod ask;

use ask::Git;

/// How long git may take altogether.
const LIMIT: Duration = Duration::from_secs(5);

const REVISION: &str = "org.opencontainers.image.revision";
const SOURCE: &str = "org.opencontainers.image.source";
const ENTRY_POINT: &str = "com.docker.image.source.entrypoint";

/// What to ask git, and what to do with the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// The context's directory.
    pub directory: PathBuf,
    /// The Dockerfile, if it is a file of this machine.
    pub dockerfile: Option<PathBuf>,
    /// Whether the image gets labels of it (`BUILDX_GIT_LABELS`).
    pub labels: bool,
    /// Whether the record tells it (`BUILDX_GIT_INFO`).
    pub info: bool,
    /// Whether to look for files that differ from the commit (`BUILDX_GIT_CHECK_DIRTY`).
    pub check_dirty: bool,
    /// git's environment: nothing else of ours is its business.
    pub environment: Vec<(OsString, OsString)>,
}

/// What git answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The commit, with `-dirty` where that was looked for and found.
    pub revision: Option<String>,
    /// Where the repository came from, without credentials.
    pub source: Option<String>,
    /// The Dockerfile's path in the repository.
    pub entry_point: Option<String>,
}

impl Question {
    /// Asks; nothing where there is no repository, no git, or no answer in time.
    pub async fn ask(self) -> Option<Origin> {
        if !(self.labels || self.info) {
            return None;
        }
        let origin = tokio::time::timeout(LIMIT, self.origin()).await.ok().flatten();
        tracing::debug!(directory = %self.directory.display(), ?origin, "asked git");
        origin
    }

    async fn origin(&self) -> Option<Origin> {
        let git = Git::new(&self.directory, &self.environment);
        let root = git.line(&["rev-parse", "--show-toplevel"]).await?;
        let (commit, remote) = tokio::join!(
            git.line(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]),
            remote(&git)
        );
        let mut revision = commit;
        if let Some(commit) = revision.as_mut().filter(|_| self.check_dirty)
            && git.says_something(&["status", "--porcelain", "--ignored"]).await
        {
            commit.push_str("-dirty");
        }
        let dockerfile = self.dockerfile.as_deref();
        Some(Origin {
            revision,
            source: remote.map(|url| shown(&url)),
            entry_point: dockerfile.and_then(|path| inside(Path::new(&root), path)),
        })
    }
}

/// The address of the branch's own remote, else of `origin`, else of `upstream`.
async fn remote(git: &Git<'_>) -> Option<String> {
    let mut names = Vec::new();
    if let Some(branch) = git.line(&["symbolic-ref", "-q", "HEAD"]).await {
        names.extend(git.line(&["for-each-ref", "--format=%(upstream:remotename)", &branch]).await);
    }
    names.extend(["origin", "upstream"].map(String::from));
    for name in names {
        // A branch's remote can be an address, and is no option then either.
        let url = git.line(&["remote", "get-url", "--", &name]).await;
        if url.is_some() {
            return url;
        }
    }
    None
}

/// An address that may be read by everybody; `git@host:path` stays as it is.
fn shown(url: &str) -> String {
    if url.contains("://") { without_credentials(url) } else { url.to_string() }
}

/// The path below `root`, links resolved; nothing when it lies elsewhere.
fn inside(root: &Path, path: &Path) -> Option<String> {
    let (root, path) = (root.canonicalize().ok()?, path.canonicalize().ok()?);
    Some(path.strip_prefix(root).ok()?.to_str()?.to_string())
}

impl Origin {
    /// Labels of the image, under the names that buildx gives them.
    pub fn labels(&self) -> BTreeMap<&'static str, &str> {
        let Self { revision, source, entry_point } = self;
        let labels = [(REVISION, revision), (SOURCE, source), (ENTRY_POINT, entry_point)];
        labels.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }
}

#[cfg(test)]
mod tests;
