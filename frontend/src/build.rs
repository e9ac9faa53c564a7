//! The whole frontend: translate, judge, pin what only the graph shows, strip.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use bollard_buildkit_proto::pb;
use futures_util::future::try_join_all;

use crate::bridge::{Bridge, BridgeError, Parts, Solve, Solved};
use crate::graph::judge::{self, Allowed, Judged, Offered, Pin, Pins, Unpinned, Violation};
use crate::graph::{Graph, GraphError, LayersError, ScanOp, StripOp};
use crate::image_config::ConfigError;
use crate::source_policy::{Refusal, SourcePolicy};

mod describe;
mod hardened;
pub mod image_rules;
pub mod inspect;
mod platform;
pub mod smoke;

pub use hardened::{Hardened, HardenedPlatform};
use inspect::Inspector;

/// What is to be built and what it may read.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The engine's frontend, `dockerfile.v0`.
    pub frontend: String,
    /// Its options; `no-cache` is added here, always.
    pub options: BTreeMap<String, String>,
    /// Graphs that the frontend may use by name; `context` is the build context.
    pub inputs: BTreeMap<String, pb::Definition>,
    /// Images that the text names and what they must be.
    pub pins: Pins,
    /// Names of the session's directories that the graph may read.
    pub locals: BTreeSet<String>,
    /// Sources that were prepared for this build and may be read as they were prepared.
    pub offered: Vec<Offered>,
    /// Digests of images in directories that the session shows.
    pub layouts: BTreeSet<String>,
    /// Registries and repositories that images may come from; empty allows all.
    pub registries: Vec<String>,
    /// Rules that a recorded exception lifts for this Dockerfile.
    pub excepted: BTreeSet<String>,
    /// Source identifiers that a frontend may use and what to call them: old frontends name the
    /// context as they like, whatever the options say.
    pub aliases: BTreeMap<String, String>,
    /// Rules about sources; what they convert is judged as what it became.
    pub source_policy: SourcePolicy,
    /// The session's directories and what such rules call them, both `local://…`.
    pub shown: BTreeMap<String, String>,
    /// Prefix of every cache mount's id.
    pub cache_namespace: String,
    /// The session's directory that holds the helper.
    pub helper_local: String,
    /// The helper's arguments, its path first.
    pub helper_args: Vec<String>,
    /// What describes the finished image, if anything does.
    pub scan: Option<ScanOp>,
    /// Who looks through the layers, and what they must not hold.
    pub search: inspect::Search,
    /// What has to work in the hardened image.
    pub smoke: Vec<smoke::Command>,
}

/// Finds the digest of an image that only the graph names.
pub trait PinSource {
    /// Why there is none.
    type Error: std::error::Error + Send;
    /// The pin to use for `image`.
    fn pin(&self, image: &Unpinned) -> impl Future<Output = Result<Pin, Self::Error>> + Send;
}

/// Why there is no hardened result.
#[derive(Debug, thiserror::Error)]
pub enum BuildError<E: std::error::Error> {
    /// The engine said no, or nothing.
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    /// The engine lacks something that hardening needs.
    #[error("this engine's BuildKit is too old: it lacks {}", .0.join(", "))]
    TooOld(Vec<&'static str>),
    /// The graph cannot be judged.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The frontend's configuration is unreadable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An image has no digest.
    #[error(transparent)]
    Pin(E),
    /// The graph was judged and may not run.
    #[error("refused: {}", .0.first().map_or("", |v| v.message.as_str()))]
    Refused(Vec<Violation>),
    /// A secret is in the image.
    #[error("refused: {}", .0.first().map_or("", |v| v.message.as_str()))]
    Leaked(Vec<Violation>),
    /// A command does not work in the image.
    #[error("smoke test failed: {}: {}", .0.command, .0.cause)]
    Smoke(smoke::Failure),
    /// The layers to look through cannot be told.
    #[error(transparent)]
    Layers(#[from] LayersError),
    /// The layers could not be looked through.
    #[error("cannot search the layers for secrets: {0}")]
    Inspection(String),
    /// The frontend would take no notice of them.
    #[error("this engine's BuildKit knows no named contexts (--build-context)")]
    NoNamedContexts,
    /// The helper's report is not whole.
    #[error("the helper's report is not whole: {0}")]
    Report(String),
}

/// Builds, up to a result that the engine holds and nobody has named yet.
///
/// `watch` sees the judged graphs, one for each platform, before anything of them runs: what they use
/// can be cleaned up, and what fails can be located, even when the build is cut off.
pub async fn build<B: Bridge + Sync, P: PinSource + Sync>(
    bridge: &B,
    pins: &P,
    plan: &Plan,
    watch: impl FnOnce(&[&Graph]),
) -> Result<Hardened, BuildError<P::Error>> {
    let capabilities = bridge.ping().await?;
    let mut missing = capabilities.missing();
    let searches = !plan.search.needles.is_empty();
    if searches && !capabilities.gateway.contains(inspect::CAPABILITY) {
        missing.push(inspect::CAPABILITY);
    }
    if !missing.is_empty() {
        return Err(BuildError::TooOld(missing));
    }
    let native = capabilities.platforms.first();
    let Solved { parts, metadata } = translate(bridge, plan).await?;
    let drafts = platform::drafts(&parts, &metadata, native)?;
    let graphs = drafts.iter().map(|draft| draft.graph(plan, drafts.len() > 1));
    let graphs = graphs.collect::<Result<Vec<Graph>, GraphError>>()?;
    let graphs = by_policy(plan, graphs)?;
    let judged = judge(pins, plan, graphs).await?;
    watch(&judged.iter().map(Judged::graph).collect::<Vec<_>>());

    let strip = StripOp {
        local: plan.helper_local.clone(),
        args: plan.helper_args.clone(),
        env: Vec::new(),
        platform: native.cloned(),
    };
    let scan = plan.scan.clone().map(|scan| scan.on(native.cloned()));
    let inspector = capabilities.gateway.contains(inspect::CAPABILITY).then(|| Inspector {
        search: plan.search.clone(),
        local: plan.helper_local.clone(),
        platform: native.cloned(),
    });
    let tools =
        platform::Tools { strip: &strip, scan: scan.as_ref(), inspector: inspector.as_ref() };
    let runs =
        drafts.into_iter().zip(judged).map(|(draft, judged)| tools.harden(bridge, draft, judged));
    let done = try_join_all(runs).await?;
    let (platforms, ends): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    if let Some(inspector) = &inspector {
        let inspected = platforms.iter().filter_map(|platform| platform.inspected.as_ref());
        let leaks = once(inspected.flat_map(|inspected| inspector.violations(inspected)));
        if !leaks.is_empty() {
            return Err(BuildError::Leaked(leaks));
        }
    }
    for (platform, end) in platforms.iter().zip(&ends) {
        end.test(bridge, &plan.smoke, platform, &strip).await?;
    }
    Ok(Hardened::new(platforms, matches!(parts, Parts::PerPlatform(_)), metadata))
}

/// Each violation once: platforms are built from the same lines.
fn once(all: impl Iterator<Item = Violation>) -> Vec<Violation> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// Lets the engine turn the Dockerfile into a graph; nothing of it runs.
async fn translate<B: Bridge, E: std::error::Error>(
    bridge: &B,
    plan: &Plan,
) -> Result<Solved, BuildError<E>> {
    let mut options = plan.options.clone();
    options.insert("no-cache".into(), String::new());
    let contexts = require_contexts(&mut options);
    let (name, inputs) = (plan.frontend.clone(), plan.inputs.clone());
    match bridge.solve(Solve::Frontend { name, options, inputs }).await {
        Err(BridgeError::Build { message, .. }) if contexts && lacks_contexts(&message) => {
            Err(BuildError::NoNamedContexts)
        }
        other => Ok(other?),
    }
}

/// The frontend knows named contexts.
const CONTEXTS: &str = "moby.buildkit.frontend.contexts";

/// Makes a frontend say so when it would pass over named contexts, if there are any.
pub(crate) fn require_contexts(options: &mut BTreeMap<String, String>) -> bool {
    let contexts = options.keys().any(|key| key.starts_with("context:"));
    if contexts {
        require(options, CONTEXTS);
    }
    contexts
}

/// Whether a frontend says that it knows no named contexts.
pub(crate) fn lacks_contexts(message: &str) -> bool {
    lacks(message, CONTEXTS)
}

/// Makes a frontend that lacks a capability say so, or pass the build on to one that may have it.
///
/// Source: moby/buildkit, frontend/dockerfile/builder/caps.go.
pub(crate) fn require(options: &mut BTreeMap<String, String>, capability: &str) {
    let list = options.entry("frontend.caps".into()).or_default();
    if !list.is_empty() {
        list.push(',');
    }
    *list += &format!("{capability}+forward");
}

/// Whether a frontend says that it lacks a capability.
pub(crate) fn lacks(message: &str, capability: &str) -> bool {
    message.contains(&format!("unsupported frontend capability {capability}"))
}

/// The graphs with the sources that the plan's policy wants, each refusal once.
fn by_policy<E: std::error::Error>(
    plan: &Plan,
    graphs: Vec<Graph>,
) -> Result<Vec<Graph>, BuildError<E>> {
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for graph in graphs {
        match plan.source_policy.apply(graph, &plan.shown) {
            Ok(graph) => done.push(graph),
            Err(Refusal::Graph(error)) => return Err(error.into()),
            Err(Refusal::Denied(violations)) => {
                for violation in violations {
                    if !refused.contains(&violation) {
                        refused.push(violation);
                    }
                }
            }
        }
    }
    if refused.is_empty() { Ok(done) } else { Err(BuildError::Refused(refused)) }
}

/// Judges every graph, after pinning the images that only graphs name; one refusal refuses all.
async fn judge<P: PinSource>(
    pins: &P,
    plan: &Plan,
    graphs: Vec<Graph>,
) -> Result<Vec<Judged>, BuildError<P::Error>> {
    let mut allowed = Allowed {
        pins: plan.pins.clone(),
        locals: plan.locals.clone(),
        offered: plan.offered.clone(),
        layouts: plan.layouts.clone(),
        registries: plan.registries.clone(),
        excepted: plan.excepted.clone(),
    };
    let mut identifiers = BTreeMap::new();
    for graph in &graphs {
        for image in judge::unpinned(graph, &allowed) {
            // A second digest for a pinned name is no gap but a contradiction: the judge says so.
            if image.found.is_some() && allowed.pins.contains_key(&image.name) {
                continue;
            }
            let pin = pins.pin(&image).await.map_err(BuildError::Pin)?;
            if let (Pin::Digest(digest), None) = (&pin, &image.found) {
                let pinned = format!("docker-image://{}@{digest}", image.name);
                identifiers.insert(image.identifier(), pinned);
            }
            allowed.pins.entry(image.name).or_default().push(pin);
        }
    }
    let (mut judged, mut violations) = (Vec::new(), Vec::new());
    for graph in graphs {
        let graph = graph.with_identifiers(&identifiers)?.without_cache();
        match judge::judge(graph, &allowed) {
            Ok(graph) => judged.push(graph),
            Err(found) => {
                for violation in found {
                    if !violations.contains(&violation) {
                        violations.push(violation);
                    }
                }
            }
        }
    }
    if violations.is_empty() { Ok(judged) } else { Err(BuildError::Refused(violations)) }
}

#[cfg(test)]
mod tests;
