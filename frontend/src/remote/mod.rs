//! Build contexts that the engine fetches itself: git repositories, downloads, and what the session
//! uploads.
//!
//! A context is fetched once, bound to what came (a commit, a digest), and from then on named by a
//! graph of ours, which the engine's frontend gets as an input. So the same context is read on every
//! engine, whatever its own frontend knows of git and addresses.
//! Sources: moby/buildkit, frontend/dockerui/context.go and source/.

use bollard_buildkit_proto::pb;

use crate::bridge::{Bridge, BridgeError, Made, Solve};
use crate::graph::judge::Offered;
use crate::graph::without_credentials;

mod archive;
mod digest;
mod git;
mod git_url;
mod http;
mod named;
mod ops;
mod text;

pub use digest::Helper;
pub use git::LOOKING;
pub use git_url::{GitContext, GitUrlError};
pub use named::{Named, NamedContext};
pub use text::RemoteText;

/// The file of a download, as BuildKit's own frontends call it.
pub const DOWNLOADED: &str = "context";
/// Upper bound of a Dockerfile or an ignore file, in bytes.
const TEXT_LIMIT: usize = 16 << 20;

/// A build context that is not on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteContext {
    /// A git repository.
    Git(GitContext),
    /// A download: an archive, or a lone Dockerfile.
    Http {
        /// Its address.
        url: String,
    },
    /// What this session uploads under that id: an archive, or a lone Dockerfile.
    Upload {
        /// The last part of `http://buildkit-session/<id>`.
        id: String,
    },
}

/// Why a remote context cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The engine could not fetch or read it.
    #[error("cannot read the build context {context}: {source}")]
    Fetch {
        /// Its address, without credentials.
        context: String,
        /// The engine's answer.
        source: BridgeError,
    },
    /// The engine lost us.
    #[error(transparent)]
    Bridge(BridgeError),
    /// There is no such Dockerfile in it.
    #[error("the build context {context} has no {name}")]
    NoDockerfile {
        /// Its address, without credentials.
        context: String,
        /// The file that was asked for.
        name: String,
    },
    /// The repository's own answer makes no sense.
    #[error("the engine names no commit for {context}: {found:?}")]
    NoCommit {
        /// Its address, without credentials.
        context: String,
        /// What was found instead.
        found: String,
    },
    /// The reference is not what the address says it is.
    #[error("{context} is commit {found}, the address says {expected}")]
    WrongCommit {
        /// Its address, without credentials.
        context: String,
        /// The commit that it names now.
        found: String,
        /// The commit that `commit=` or `checksum=` demands.
        expected: String,
    },
    /// This engine cannot do what the address asks for.
    #[error("the engine's BuildKit cannot fetch {context} {what}")]
    Unsupported {
        /// Its address, without credentials.
        context: String,
        /// What it lacks, for example `without submodules`.
        what: &'static str,
    },
    /// This engine reads no images of the session.
    #[error("the engine's BuildKit reads no OCI layouts")]
    NoLayouts,
    /// The helper's answer is not a digest.
    #[error("the helper named no digest for {context}: {found:?}")]
    NoDigest {
        /// Its address, without credentials.
        context: String,
        /// What it said.
        found: String,
    },
}

/// A remote context that was fetched and bound to what it was then.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its graph: what the frontend gets as its input `context`.
    pub definition: pb::Definition,
    /// The source that the judge may let through.
    pub offered: Offered,
    /// Its address without credentials; a git context's with the commit.
    pub shown: String,
    /// Whether it is a lone file, which then is the Dockerfile.
    pub is_file: bool,
    /// The engine's name of its files.
    reference: String,
}

impl RemoteContext {
    /// Reads an address as `docker build` does; `None` for what names a local directory.
    pub fn parse(text: &str) -> Option<Result<Self, GitUrlError>> {
        if let Some(git) = GitContext::parse(text) {
            return Some(git.map(Self::Git));
        }
        let http = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
        http.then(|| Ok(Self::Http { url: text.to_string() }))
    }

    /// The address, without credentials.
    pub fn shown(&self) -> String {
        match self {
            Self::Git(git) => git.shown(),
            Self::Http { url } => without_credentials(url),
            Self::Upload { .. } => "-".into(),
        }
    }

    /// How a graph names it, for rules about sources.
    pub fn identifier(&self) -> String {
        match self {
            Self::Git(git) => {
                let fragment = git.reference.as_deref().unwrap_or_default();
                let hash = if fragment.is_empty() { "" } else { "#" };
                format!("git://{}{hash}{fragment}", git.place())
            }
            Self::Http { url } => url.clone(),
            Self::Upload { id } => format!("{UPLOADS}{id}"),
        }
    }

    /// Fetches it and binds it to what came.
    pub async fn open<B: Bridge>(
        &self,
        bridge: &B,
        helper: &Helper,
    ) -> Result<Opened, RemoteError> {
        match self {
            Self::Git(git) => git::open(bridge, git).await,
            Self::Http { url } => http::open(bridge, url, &self.shown(), Some(helper)).await,
            Self::Upload { id } => {
                let url = format!("{UPLOADS}{id}");
                // The session knows what it uploads.
                http::open(bridge, &url, &self.shown(), None).await
            }
        }
    }
}

/// Where BuildKit finds what the session uploads.
const UPLOADS: &str = "http://buildkit-session/";

/// Runs a graph now and names its result.
async fn run<B: Bridge>(
    bridge: &B,
    definition: pb::Definition,
    shown: &str,
) -> Result<String, RemoteError> {
    let made = async {
        let solve = Solve::Definition { definition, evaluate: true };
        bridge.solve(solve).await?.parts.single()
    };
    let Made { reference, .. } = made.await.map_err(|source| fetch(shown, source))?;
    reference.ok_or_else(|| {
        let source = BridgeError::Build { message: "it is empty".into(), blame: None };
        fetch(shown, source)
    })
}

fn fetch(shown: &str, source: BridgeError) -> RemoteError {
    match source {
        lost @ BridgeError::Lost(_) => RemoteError::Bridge(lost),
        source => RemoteError::Fetch { context: shown.to_string(), source },
    }
}

#[cfg(test)]
mod tests;
