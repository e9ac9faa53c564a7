//! One platform of a build: its graph as the frontend made it, and its image.

use std::collections::BTreeMap;

use bollard_buildkit_proto::pb;
use cofferdam_inspector::report::StripReport;
use cofferdam_inspector::report::plain::{VARIABLE, to_variable};
use futures_channel::oneshot;
use futures_util::future::try_join;

use super::inspect::Inspected;
use super::{BuildError, HardenedPlatform, Inspector, Plan, smoke};
use crate::bridge::{Bridge, BridgeError, Made, Parts, Solve};
use crate::graph::judge::Judged;
use crate::graph::{Graph, GraphError, Layer, REPORT_FILE, ScanOp, StripOp};
use crate::image_config::{self, ConfigError, ImageConfig};

/// Upper bound of the helper's report, in bytes; a million long paths fit.
const REPORT_LIMIT: usize = 256 << 20;

/// What the frontend made for one platform.
#[derive(Debug)]
pub(super) struct Draft {
    id: String,
    config: ImageConfig,
    definition: Option<pb::Definition>,
}

/// The platforms of a result, in the order of their ids.
pub(super) fn drafts(
    parts: &Parts<Made>,
    metadata: &BTreeMap<String, Vec<u8>>,
    native: Option<&pb::Platform>,
) -> Result<Vec<Draft>, ConfigError> {
    let draft = |(id, made): (Option<&str>, &Made)| {
        let config = match metadata.get(&image_config::key(id)) {
            Some(bytes) => ImageConfig::read(bytes)?,
            None => ImageConfig::read(b"{}")?,
        };
        let id = match id {
            Some(id) => id.to_string(),
            None => config.platform().or_else(|| native.map(name)).unwrap_or_default(),
        };
        Ok(Draft { id, config, definition: made.definition.clone() })
    };
    parts.iter().map(draft).collect()
}

/// `os/architecture` and the variant, as platforms are written.
fn name(platform: &pb::Platform) -> String {
    image_config::platform(&platform.os, &platform.architecture, &platform.variant)
}

impl Draft {
    /// The graph that is to be judged; caches are apart for each platform when there are `several`:
    /// whichever starts second would otherwise empty those of the first.
    pub(super) fn graph(&self, plan: &Plan, several: bool) -> Result<Graph, GraphError> {
        let namespace = if several {
            format!("{}/{}", plan.cache_namespace, self.id)
        } else {
            plan.cache_namespace.clone()
        };
        match &self.definition {
            Some(definition) => Graph::read(definition)?,
            None => Graph::default(),
        }
        .with_identifiers(&plan.aliases)?
        .with_cache_namespace(&namespace)
    }
}

/// What is done to every image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tools<'a> {
    pub(super) strip: &'a StripOp,
    pub(super) scan: Option<&'a ScanOp>,
    pub(super) inspector: Option<&'a Inspector>,
}

impl Tools<'_> {
    /// Runs a judged graph with the strip op on top and describes what came out.
    pub(super) async fn harden<B: Bridge, E: std::error::Error>(
        self,
        bridge: &B,
        draft: Draft,
        judged: Judged,
    ) -> Result<(HardenedPlatform, End), BuildError<E>> {
        let layers = match self.inspector {
            Some(_) => judged.graph().layers()?,
            None => Vec::new(),
        };
        let (ran, inspected) = match self.inspector {
            Some(inspector) if !layers.is_empty() => {
                let (ran, inspected) = self.inspect(bridge, inspector, &judged, layers).await?;
                (ran, Some(inspected))
            }
            // What holds nothing is known by that.
            Some(_) => (run(bridge, &judged, self.strip).await?, Some(Inspected::default())),
            None => (run(bridge, &judged, self.strip).await?, None),
        };
        let Ran { reference, report, definition: finished } = ran;
        let sbom = match (self.scan, &finished) {
            (Some(scan), Some(finished)) => describe(bridge, finished, scan, &draft.id).await?,
            _ => None,
        };
        let Draft { id, mut config, definition: _ } = draft;
        if let Some(report) = report.as_ref().filter(|report| !report.stripped.is_empty()) {
            config.add_history(&history(report));
        }
        let platform = HardenedPlatform {
            id,
            reference,
            sbom,
            config,
            sources: judged.sources().to_vec(),
            excepted: judged.excepted().to_vec(),
            report,
            inspected,
            networked: judged.graph().has_network(),
        };
        Ok((platform, End { built: judged.graph().clone(), hardened: finished }))
    }
}

impl Tools<'_> {
    /// Runs a judged graph, and looks through its layers: through a base while the steps run, and
    /// through what they made while it is stripped.
    async fn inspect<B: Bridge, E: std::error::Error>(
        self,
        bridge: &B,
        inspector: &Inspector,
        judged: &Judged,
        layers: Vec<Layer>,
    ) -> Result<(Ran, Inspected), BuildError<E>> {
        let graph = judged.graph();
        let bases = layers.iter().take_while(|layer| layer.base).count();
        let (below, above) = layers.split_at(bases);
        let (give_root, root) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        let (tell_plain, mut plain) = oneshot::channel();

        let early = async {
            let root = inspector.helper(bridge).await?;
            // Whoever does not listen any more has failed, and says so.
            let _ = give_root.send(root.clone());
            let found = inspector.inspect(bridge, graph, below, root, None).await?;
            let _ = tell_plain.send(found.plain.clone());
            let _ = tell.send(found.before.to_bytes());
            Ok(found)
        };
        let late = async {
            let root = async {
                root.await.map_err(|_| BuildError::Inspection("the helper is not there".into()))
            };
            // The steps fail here or not at all; what follows only reads what they made.
            let steps = async { Ok(solve(bridge, graph.definition(None), true).await?) };
            let (_, root) = try_join(steps, root).await?;
            let told = (!below.is_empty()).then_some(told);
            let looked = inspector.inspect(bridge, graph, above, root, told);
            // It saves time to know it, and costs time to wait for it.
            let plain = plain.try_recv().ok().flatten().unwrap_or_default();
            let env = vec![format!("{VARIABLE}={}", to_variable(&plain))];
            let strip = StripOp { env, ..self.strip.clone() };
            try_join(run(bridge, judged, &strip), looked).await
        };
        let ((ran, above), mut found) = try_join(late, early).await?;
        found.join(above);
        Ok((ran, Inspected::new(layers, found)))
    }
}

/// The graphs of an image: as it was built, and as it will be exported.
#[derive(Debug)]
pub(super) struct End {
    built: Graph,
    hardened: Option<pb::Definition>,
}

impl End {
    /// Runs what has to work in the image.
    pub(super) async fn test<B: Bridge, E: std::error::Error>(
        &self,
        bridge: &B,
        commands: &[smoke::Command],
        of: &HardenedPlatform,
        strip: &StripOp,
    ) -> Result<(), BuildError<E>> {
        let images = smoke::Images {
            id: &of.id,
            built: &self.built,
            hardened: self.hardened.as_ref(),
            report: of.report.as_ref(),
            config: &of.config,
            strip,
        };
        images.test(bridge, commands).await
    }
}

/// What came of a judged graph.
#[derive(Default)]
struct Ran {
    reference: Option<String>,
    report: Option<StripReport>,
    definition: Option<pb::Definition>,
}

/// Has the generator look at the image; the engine's name of what it wrote.
async fn describe<B: Bridge, E: std::error::Error>(
    bridge: &B,
    finished: &pb::Definition,
    scan: &ScanOp,
    platform: &str,
) -> Result<Option<String>, BuildError<E>> {
    let Some(definition) = Graph::read(finished)?.with_scan(scan, platform) else {
        return Ok(None);
    };
    Ok(solve(bridge, definition, true).await?.reference)
}

/// Runs the judged graph with the strip op on top; without it when nothing was to be stripped.
async fn run<B: Bridge, E: std::error::Error>(
    bridge: &B,
    judged: &Judged,
    strip: &StripOp,
) -> Result<Ran, BuildError<E>> {
    let Some(stripped) = judged.graph().with_strip(strip) else {
        return Ok(Ran::default());
    };
    // The report's edge makes everything below it run, and the image's edge comes with it.
    let solved = solve(bridge, stripped.report(), true).await?;
    let reference = solved.reference.ok_or_else(|| BuildError::Report("no result".into()))?;
    let bytes = bridge.read_file(&reference, REPORT_FILE, REPORT_LIMIT).await?;
    let report =
        StripReport::parse(&bytes).map_err(|error| BuildError::Report(error.to_string()))?;
    let definition =
        if report.stripped.is_empty() { judged.graph().definition(None) } else { stripped.image() };
    let image = solve(bridge, definition.clone(), false).await?;
    Ok(Ran { reference: image.reference, report: Some(report), definition: Some(definition) })
}

async fn solve<B: Bridge>(
    bridge: &B,
    definition: pb::Definition,
    evaluate: bool,
) -> Result<Made, BridgeError> {
    bridge.solve(Solve::Definition { definition, evaluate }).await?.parts.single()
}

/// The history entry: every stripped path, so that the image itself says what happened to it.
fn history(report: &StripReport) -> String {
    let paths: Vec<&str> = report.stripped.iter().map(|file| file.path.as_str()).collect();
    format!("cofferdam strip {}", paths.join(" "))
}
