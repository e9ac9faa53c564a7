//! The whole frontend: translate, judge, pin what only the graph shows, strip.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use bollard_buildkit_proto::pb;
use cofferdam_inspector::report::StripReport;

use crate::bridge::{Bridge, BridgeError, Solve, Solved};
use crate::graph::judge::{self, Allowed, BoundSource, Judged, Pin, Pins, Unpinned, Violation};
use crate::graph::{Graph, GraphError, REPORT_FILE, StripOp};
use crate::image_config::{CONFIG_KEY, ConfigError, ImageConfig};

/// Upper bound of the helper's report, in bytes; a million long paths fit.
const REPORT_LIMIT: usize = 256 << 20;

/// What is to be built and what it may read.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The engine's frontend, `dockerfile.v0`.
    pub frontend: String,
    /// Its options; `no-cache` is added here, always.
    pub options: BTreeMap<String, String>,
    /// Images that the text names and what they must be.
    pub pins: Pins,
    /// Names of the session's directories that the graph may read.
    pub locals: BTreeSet<String>,
    /// Source identifiers that a frontend may use and what to call them: old frontends name the
    /// context as they like, whatever the options say.
    pub aliases: BTreeMap<String, String>,
    /// Prefix of every cache mount's id.
    pub cache_namespace: String,
    /// The session's directory that holds the helper.
    pub helper_local: String,
    /// The helper's arguments, its path first.
    pub helper_args: Vec<String>,
}

/// Finds the digest of an image that only the graph names.
pub trait PinSource {
    /// Why there is none.
    type Error: std::error::Error + Send;
    /// The pin to use for `image`.
    fn pin(&self, image: &Unpinned) -> impl Future<Output = Result<Pin, Self::Error>> + Send;
}

/// A result that was judged and stripped, and is not exported yet.
#[derive(Debug)]
pub struct Hardened {
    /// The engine's name of the result; `None` for an empty image.
    pub reference: Option<String>,
    /// What goes with it, the image configuration included.
    pub metadata: BTreeMap<String, Vec<u8>>,
    /// The configuration as it will be exported.
    pub config: ImageConfig,
    /// Everything the build read.
    pub sources: Vec<BoundSource>,
    /// What the helper found; `None` for an empty image.
    pub report: Option<StripReport>,
    /// Whether some step had a network and could read what is not in `sources`.
    pub networked: bool,
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
    /// More than one platform came back.
    #[error("the build has {0} platforms; this version hardens one at a time")]
    Platforms(usize),
    /// The helper's report is not whole.
    #[error("the helper's report is not whole: {0}")]
    Report(String),
}

/// Builds, up to a result that the engine holds and nobody has named yet.
///
/// `caches` is told the ids of the cache mounts before anything runs, so that they can be emptied
/// even when the build is cut off.
pub async fn build<B: Bridge, P: PinSource>(
    bridge: &B,
    pins: &P,
    plan: &Plan,
    caches: impl FnOnce(&[String]),
) -> Result<Hardened, BuildError<P::Error>> {
    let capabilities = bridge.ping().await?;
    let missing = capabilities.missing();
    if !missing.is_empty() {
        return Err(BuildError::TooOld(missing));
    }
    let translated = translate(bridge, plan).await?;
    let mut config = match translated.metadata.get(CONFIG_KEY) {
        Some(bytes) => ImageConfig::read(bytes)?,
        None => ImageConfig::read(b"{}")?,
    };
    let judged = judge(pins, plan, &translated).await?;
    caches(&judged.graph().cache_ids());

    let strip = StripOp {
        local: plan.helper_local.clone(),
        args: plan.helper_args.clone(),
        platform: capabilities.platforms.first().cloned(),
    };
    let (reference, report) = run(bridge, &judged, &strip).await?;
    if let Some(report) = report.as_ref().filter(|report| !report.stripped.is_empty()) {
        config.add_history(&history(report));
    }
    let mut metadata = translated.metadata;
    metadata.insert(CONFIG_KEY.to_string(), config.to_bytes());
    Ok(Hardened {
        reference,
        metadata,
        config,
        sources: judged.sources().to_vec(),
        report,
        networked: judged.graph().has_network(),
    })
}

/// Lets the engine turn the Dockerfile into a graph; nothing of it runs.
async fn translate<B: Bridge, E: std::error::Error>(
    bridge: &B,
    plan: &Plan,
) -> Result<Solved, BuildError<E>> {
    let mut options = plan.options.clone();
    options.insert("no-cache".into(), String::new());
    let name = plan.frontend.clone();
    let solved = bridge.solve(Solve::Frontend { name, options }).await?;
    if solved.platforms > 1 {
        return Err(BuildError::Platforms(solved.platforms));
    }
    Ok(solved)
}

/// Judges the translated graph, after pinning the images that only it names.
async fn judge<P: PinSource>(
    pins: &P,
    plan: &Plan,
    translated: &Solved,
) -> Result<Judged, BuildError<P::Error>> {
    let mut graph = match &translated.definition {
        Some(definition) => Graph::read(definition)?,
        None => Graph::default(),
    }
    .with_identifiers(&plan.aliases)?;
    let mut allowed = Allowed { pins: plan.pins.clone(), locals: plan.locals.clone() };
    let mut identifiers = BTreeMap::new();
    for image in judge::unpinned(&graph, &allowed) {
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
    graph = graph.with_identifiers(&identifiers)?.with_cache_namespace(&plan.cache_namespace)?;
    judge::judge(graph, &allowed).map_err(BuildError::Refused)
}

/// Runs the judged graph with the strip op on top; without it when nothing was to be stripped.
async fn run<B: Bridge, E: std::error::Error>(
    bridge: &B,
    judged: &Judged,
    strip: &StripOp,
) -> Result<(Option<String>, Option<StripReport>), BuildError<E>> {
    let Some(stripped) = judged.graph().with_strip(strip) else {
        return Ok((None, None));
    };
    // The report's edge makes everything below it run, and the image's edge comes with it.
    let solved = solve(bridge, stripped.report(), true).await?;
    let reference = solved.reference.ok_or_else(|| BuildError::Report("no result".into()))?;
    let bytes = bridge.read_file(&reference, REPORT_FILE, REPORT_LIMIT).await?;
    let report =
        StripReport::parse(&bytes).map_err(|error| BuildError::Report(error.to_string()))?;
    let definition =
        if report.stripped.is_empty() { judged.graph().definition(None) } else { stripped.image() };
    let image = solve(bridge, definition, false).await?;
    Ok((image.reference, Some(report)))
}

async fn solve<B: Bridge>(
    bridge: &B,
    definition: pb::Definition,
    evaluate: bool,
) -> Result<Solved, BridgeError> {
    bridge.solve(Solve::Definition { definition, evaluate }).await
}

/// The history entry: every stripped path, so that the image itself says what happened to it.
fn history(report: &StripReport) -> String {
    let paths: Vec<&str> = report.stripped.iter().map(|file| file.path.as_str()).collect();
    format!("cofferdam strip {}", paths.join(" "))
}
