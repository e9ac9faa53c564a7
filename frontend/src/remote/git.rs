//! A git repository, fixed to the commit that its reference names now.

use std::collections::BTreeMap;

use bollard_buildkit_proto::pb;

use super::git_url::{GitContext, is_commit};
use super::{Opened, RemoteError, fetch, ops, run};
use crate::bridge::{Bridge, Capabilities};
use crate::graph::judge::Offered;

/// The file of a repository that names the commit of a checkout.
const HEAD: &str = ".git/HEAD";
/// Upper bound of that file, in bytes.
const HEAD_LIMIT: usize = 64 << 10;
/// Directories of a repository are understood in its address.
const SUBDIR: &str = "source.git.subdir";
/// How a step is called that may fail without the build failing.
pub const LOOKING: &str = "[internal] look for git source";
/// Files can have the time of the commit.
const COMMIT_TIMES: &str = "source.git.mtime";
/// Submodules can be left out.
const SKIP_SUBMODULES: &str = "source.git.skipsubmodules";

pub(super) async fn open<B: Bridge>(bridge: &B, git: &GitContext) -> Result<Opened, RemoteError> {
    let capabilities = bridge.ping().await.map_err(RemoteError::Bridge)?;
    if !git.submodules && !capabilities.llb.contains(SKIP_SUBMODULES) {
        let what = "without submodules";
        return Err(RemoteError::Unsupported { context: git.shown(), what });
    }
    if git.commit_times && !capabilities.llb.contains(COMMIT_TIMES) {
        let what = "with the times of commits (mtime=commit)";
        return Err(RemoteError::Unsupported { context: git.shown(), what });
    }
    let commit = match git.fixed_commit() {
        Some(commit) => commit.to_string(),
        None => resolve(bridge, git, &capabilities).await?,
    };
    if let Some(expected) = git.commit.as_ref().filter(|expected| !commit.starts_with(*expected)) {
        let (found, expected) = (commit, expected.clone());
        return Err(RemoteError::WrongCommit { context: git.shown(), found, expected });
    }
    let shown = git.shown_at(&commit);
    let (op, definition) = at(git, &commit, &capabilities);
    let reference = run(bridge, definition.clone(), &shown).await?;
    let offered = Offered { op, digest: Some(format!("gitCommit:{commit}")) };
    Ok(Opened { definition, offered, shown, is_file: false, reference })
}

/// The commit that the reference names: a checkout that keeps `.git` says it on every engine, for
/// branches and for tags with and without a message.
async fn resolve<B: Bridge>(
    bridge: &B,
    git: &GitContext,
    capabilities: &Capabilities,
) -> Result<String, RemoteError> {
    let named = git.reference.as_deref().unwrap_or_default();
    let old = !capabilities.llb.contains(SUBDIR) && !named.starts_with("refs/");
    let name = if old { LOOKING } else { "[internal] resolve git source" };
    // BuildKit 0.8 takes `master` for every default branch. A tag with a message it keeps only under
    // its whole name, and what failed under the short one fails under the other as well: so the
    // whole name comes first.
    let (first, second) = match named {
        named if !old => (named.to_string(), None),
        "" => (String::new(), Some("main")),
        named => (format!("refs/tags/{named}"), Some(named)),
    };
    match (resolve_as(bridge, git, &first, name).await, second) {
        (Err(RemoteError::Fetch { context, source }), Some(second)) => {
            match resolve_as(bridge, git, second, name).await {
                // Neither branch: the first answer is the one about what was asked for.
                Err(RemoteError::Fetch { .. }) if named.is_empty() => {
                    Err(RemoteError::Fetch { context, source })
                }
                second => second,
            }
        }
        (first, _) => first,
    }
}

async fn resolve_as<B: Bridge>(
    bridge: &B,
    git: &GitContext,
    reference: &str,
    name: &str,
) -> Result<String, RemoteError> {
    let shown = git.shown();
    let op = source(git, reference, true);
    let vertex = ops::source_vertex(&op, &format!("{name} {shown}"));
    let reference = run(bridge, ops::alone(vertex), &shown).await?;
    let read = async |path: &str| {
        let file = bridge.read_file(&reference, path, HEAD_LIMIT).await;
        let file = file.map_err(|source| fetch(&shown, source))?;
        Ok::<String, RemoteError>(String::from_utf8_lossy(&file).trim().to_string())
    };
    let mut found = read(HEAD).await?;
    // A checkout of a branch names the branch.
    if let Some(branch) = found.strip_prefix("ref: ")
        && !branch.contains("..")
    {
        found = read(&format!(".git/{branch}")).await?;
    }
    if is_commit(&found) { Ok(found) } else { Err(RemoteError::NoCommit { context: shown, found }) }
}

/// The context at a commit, and the source in it.
fn at(
    git: &GitContext,
    commit: &str,
    capabilities: &Capabilities,
) -> (pb::SourceOp, pb::Definition) {
    let name = format!("[internal] load git source {}", git.shown_at(commit));
    let subdir = git.subdir.as_deref();
    let native = capabilities.llb.contains(SUBDIR);
    let fragment = match subdir {
        Some(subdir) if native => format!("{commit}:{subdir}"),
        _ => commit.to_string(),
    };
    let op = source(git, &fragment, git.keep_git_dir);
    let vertex = ops::source_vertex(&op, &name);
    let definition = match subdir {
        Some(subdir) if !native => ops::subdirectory(vertex, &format!("/{subdir}")),
        _ => ops::alone(vertex),
    };
    (op, definition)
}

/// Source: moby/buildkit, client/llb/source.go, `Git`.
fn source(git: &GitContext, fragment: &str, keep_git_dir: bool) -> pb::SourceOp {
    let hash = if fragment.is_empty() { "" } else { "#" };
    let mut attrs = BTreeMap::from([
        ("git.fullurl".to_string(), git.remote.clone()),
        // Names of secrets that the session is asked for and need not have.
        ("git.authtokensecret".to_string(), "GIT_AUTH_TOKEN".to_string()),
        ("git.authheadersecret".to_string(), "GIT_AUTH_HEADER".to_string()),
    ]);
    if keep_git_dir {
        attrs.insert("git.keepgitdir".into(), "true".into());
    }
    if git.commit_times {
        attrs.insert("git.mtime".into(), "commit".into());
    }
    if !git.submodules {
        attrs.insert("git.skipsubmodules".into(), "true".into());
    }
    if git.is_ssh() {
        attrs.insert("git.mountsshsock".into(), "default".into());
        if let Some(known) = &git.known_hosts {
            attrs.insert("git.knownsshhosts".into(), known.clone());
        }
    }
    ops::source(format!("git://{}{hash}{fragment}", git.place()), attrs)
}
