//! Named contexts (`--build-context`): what each becomes for the engine's frontend and the judge.
//!
//! Source: moby/buildkit, frontend/dockerui/namedcontext.go.

use std::collections::{BTreeMap, BTreeSet};

use bollard_buildkit_proto::pb;

use super::{DOWNLOADED, Helper, RemoteContext, RemoteError, git, http};
use crate::Plan;
use crate::bridge::{Bridge, Capabilities};
use crate::dockerfile::context_key;
use crate::graph::judge::Offered;

/// Engines with it name the file of a download `context` and leave `.git` out, as for the main
/// context; older ones do neither.
const LIKE_MAIN: &str = "source.git.checksum";

/// Engines with it read images of the session.
const LAYOUTS: &str = "source.ocilayout";

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedContext {
    /// An image, `name:tag@digest`; its pin must be among the plan's.
    Image(String),
    /// A repository or a download; downloads are not unpacked.
    Remote(RemoteContext),
    /// A directory of the session.
    Local(String),
    /// An image in a directory that the session shows as a content store.
    Layout {
        /// The store's id in the session.
        store: String,
        /// The digest of the image's manifest or index.
        digest: String,
    },
}

/// A named context for the frontend and the judge.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// Options of the frontend.
    pub options: BTreeMap<String, String>,
    /// Graphs that it gets.
    pub inputs: BTreeMap<String, pb::Definition>,
    /// Sources that may be read.
    pub offered: Vec<Offered>,
    /// Directories of the session that may be read.
    pub locals: BTreeSet<String>,
    /// What people call those directories, by the names that the graph has.
    pub shown: BTreeMap<String, String>,
    /// Digests of images that may be read from the session.
    pub layouts: BTreeSet<String>,
}

impl Named {
    /// Binds `name` to a context, fetching it when it is remote.
    pub async fn bind<B: Bridge>(
        bridge: &B,
        name: &str,
        context: &NamedContext,
        helper: &Helper,
    ) -> Result<Self, RemoteError> {
        let mut bound = Self::default();
        let value = match context {
            NamedContext::Image(reference) => format!("docker-image://{reference}"),
            NamedContext::Local(local) => {
                bound.locals.insert(local.clone());
                bound.shown.insert(format!("local://{local}"), format!("local://{name}"));
                format!("local:{local}")
            }
            NamedContext::Layout { store, digest } => {
                let known = bridge.ping().await.map_err(RemoteError::Bridge)?.llb;
                if !known.contains(LAYOUTS) {
                    return Err(RemoteError::NoLayouts);
                }
                bound.layouts.insert(digest.clone());
                format!("oci-layout://{store}@{digest}")
            }
            NamedContext::Remote(remote) => {
                let (definition, offered) = fetched(bridge, remote, helper).await?;
                bound.inputs.insert(name.to_string(), definition);
                bound.offered.push(offered);
                format!("input:{name}")
            }
        };
        bound.options.insert(format!("context:{}", key(name)), value);
        Ok(bound)
    }
}

impl Plan {
    /// Adds a named context.
    pub fn add(&mut self, named: Named) {
        let Named { options, inputs, offered, locals, shown, layouts } = named;
        self.options.extend(options);
        self.inputs.extend(inputs);
        self.offered.extend(offered);
        self.locals.extend(locals);
        self.shown.extend(shown);
        self.layouts.extend(layouts);
    }
}

/// The name as the frontend looks for it; a platform may stand behind it.
fn key(name: &str) -> String {
    match name.split_once("::") {
        Some((name, platform)) => format!("{}::{platform}", context_key(name)),
        None => context_key(name),
    }
}

async fn fetched<B: Bridge>(
    bridge: &B,
    context: &RemoteContext,
    helper: &Helper,
) -> Result<(pb::Definition, Offered), RemoteError> {
    let capabilities: Capabilities = bridge.ping().await.map_err(RemoteError::Bridge)?;
    let like_main = capabilities.llb.contains(LIKE_MAIN);
    match context {
        RemoteContext::Git(git) => {
            let mut git = git.clone();
            git.keep_git_dir |= !like_main;
            let opened = git::open(bridge, &git).await?;
            Ok((opened.definition, opened.offered))
        }
        RemoteContext::Http { url } => {
            let file = if like_main { DOWNLOADED } else { file_of(url) };
            http::raw(bridge, url, file, &context.shown(), helper).await
        }
        RemoteContext::Upload { .. } => {
            let opened = context.open(bridge, helper).await?;
            Ok((opened.definition, opened.offered))
        }
    }
}

/// The last part of an address's path.
fn file_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    match path.trim_end_matches('/').rsplit_once('/') {
        Some((_, file)) if !matches!(file, "" | "." | "..") => file,
        _ => "download",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_has_the_name_that_its_address_ends_in() {
        for (url, file) in [
            ("https://h/a/b.tgz?x=/y#/z", "b.tgz"),
            ("https://h/a/", "a"),
            ("https://h", "download"),
            ("https://h/", "download"),
            ("https://h/..", "download"),
        ] {
            assert_eq!(file_of(url), file, "{url}");
        }
    }

    #[test]
    fn names_are_looked_for_as_images_are() {
        assert_eq!(key("Base"), "base");
        assert_eq!(key("docker.io/library/alpine:latest"), "alpine");
        assert_eq!(key("alpine::linux/arm64"), "alpine::linux/arm64");
    }
}
