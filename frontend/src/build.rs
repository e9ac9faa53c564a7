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
/// `watch` sees the judged graph before anything of it runs: what it uses can be cleaned up, and what
/// fails can be located, even when the build is cut off.
pub async fn build<B: Bridge, P: PinSource>(
    bridge: &B,
    pins: &P,
    plan: &Plan,
    watch: impl FnOnce(&Graph),
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
    watch(judged.graph());

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
    graph = graph
        .with_identifiers(&identifiers)?
        .with_cache_namespace(&plan.cache_namespace)?
        .without_cache();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::fake::FakeBridge;
    use crate::graph::testing::{definition, exec, image};

    const NAME: &str = "docker.io/library/base:1";
    const BASE: &str = "docker-image://docker.io/library/base:1@sha256:aa";
    const TRIGGER: &str = "docker-image://docker.io/library/trigger:latest";

    /// Pins every name to `sha256:bb`, or none.
    struct Registry(bool);

    #[derive(Debug, thiserror::Error)]
    #[error("no entry for {0}")]
    struct NoEntry(String);

    impl PinSource for Registry {
        type Error = NoEntry;
        async fn pin(&self, image: &Unpinned) -> Result<Pin, NoEntry> {
            if self.0 {
                Ok(Pin::Digest("sha256:bb".into()))
            } else {
                Err(NoEntry(image.name.clone()))
            }
        }
    }

    fn plan() -> Plan {
        Plan {
            frontend: "dockerfile.v0".into(),
            options: BTreeMap::new(),
            pins: [(NAME.to_string(), vec![Pin::Digest("sha256:aa".into())])].into(),
            aliases: BTreeMap::new(),
            locals: BTreeSet::new(),
            cache_namespace: "ns".into(),
            helper_local: "helper-1".into(),
            helper_args: vec!["/helper".into()],
        }
    }

    fn report(stripped: &str) -> Vec<u8> {
        format!(
            r#"{{"version":1,"scanned":{{"files":1,"dirs":1}},"stripped":[{stripped}],"kept":[],
                "unused_keeps":[],"setgid_dirs":0,"complete":true}}"#
        )
        .into_bytes()
    }

    const SU: &str = r#"{"path":"/bin/su","mode_before":"4755","mode_after":"0755","setuid":true,
        "setgid":false,"links":1}"#;

    fn solved(reference: &str, definition: Option<pb::Definition>) -> Result<Solved, BridgeError> {
        Ok(Solved {
            reference: Some(reference.into()),
            definition,
            metadata: [(CONFIG_KEY.to_string(), br#"{"config":{"User":"7"}}"#.to_vec())].into(),
            platforms: 1,
        })
    }

    fn bridge(translated: pb::Definition, report: Vec<u8>) -> FakeBridge {
        let capabilities = crate::bridge::Capabilities {
            gateway: ["proto.refarray".to_string(), "return".to_string()].into(),
            llb: ["exec.mount.bind".to_string(), "source.local".to_string()].into(),
            platforms: Vec::new(),
        };
        let answers =
            vec![solved("lazy", Some(translated)), solved("report", None), solved("image", None)];
        FakeBridge::new(answers, vec![report]).with_capabilities(capabilities)
    }

    /// The graph of each request that came with one.
    fn graphs(bridge: &FakeBridge) -> Vec<Graph> {
        let graph = |solve: Solve| match solve {
            Solve::Definition { definition, .. } => Some(Graph::read(&definition).unwrap()),
            Solve::Frontend { .. } => None,
        };
        bridge.asked().into_iter().filter_map(graph).collect()
    }

    fn with_trigger() -> pb::Definition {
        let (base, trigger) = (image(BASE), image(TRIGGER));
        let mount = pb::Mount { input: 1, dest: "/t".into(), output: -1, ..pb::Mount::default() };
        let mut step = exec(&base, vec![mount]);
        step.inputs.push(pb::Input {
            digest: crate::graph::digest(&prost::Message::encode_to_vec(&trigger)),
            index: 0,
        });
        definition(vec![base, trigger, step])
    }

    #[tokio::test]
    async fn what_runs_is_the_judged_graph_and_only_it() {
        let base = image(BASE);
        let bridge = bridge(definition(vec![base.clone(), exec(&base, vec![])]), report(SU));
        let hardened = build(&bridge, &Registry(false), &plan(), |_| {}).await.unwrap();
        assert_eq!(hardened.reference.as_deref(), Some("image"));
        let Solve::Frontend { options, .. } = &bridge.asked()[0] else { panic!("no frontend") };
        assert_eq!(options["no-cache"], "");
        for graph in graphs(&bridge) {
            let names: Vec<String> =
                graph.sources().map(|(_, source)| source.to_string()).collect();
            assert_eq!(names, [&BASE["docker-image://".len()..], "local://helper-1"]);
        }
        assert!(String::from_utf8_lossy(&hardened.config.to_bytes()).contains("strip /bin/su"));
        assert_eq!(hardened.config.user(), "7");
    }

    #[tokio::test]
    async fn nothing_stripped_means_no_layer_and_no_history() {
        let base = image(BASE);
        let bridge = bridge(definition(vec![base.clone(), exec(&base, vec![])]), report(""));
        let hardened = build(&bridge, &Registry(false), &plan(), |_| {}).await.unwrap();
        assert_eq!(graphs(&bridge).last().unwrap().vertices().len(), 2);
        assert!(!String::from_utf8_lossy(&hardened.config.to_bytes()).contains("history"));
    }

    #[tokio::test]
    async fn an_image_that_only_a_trigger_names_is_pinned_on_the_graph() {
        let bridge = bridge(with_trigger(), report(""));
        let hardened = build(&bridge, &Registry(true), &plan(), |_| {}).await.unwrap();
        let pinned = format!("{}@sha256:bb", &TRIGGER["docker-image://".len()..]);
        for graph in graphs(&bridge) {
            assert!(graph.sources().any(|(_, source)| source.to_string() == pinned));
        }
        assert!(hardened.sources.iter().any(|bound| bound.digest.as_deref() == Some("sha256:bb")));
    }

    #[tokio::test]
    async fn a_trigger_without_a_pin_stops_the_build_before_anything_runs() {
        let bridge = bridge(with_trigger(), report(""));
        let error = build(&bridge, &Registry(false), &plan(), |_| {}).await.unwrap_err();
        assert!(
            matches!(error, BuildError::Pin(NoEntry(name)) if name.ends_with("trigger:latest"))
        );
        assert!(graphs(&bridge).is_empty());
    }

    #[tokio::test]
    async fn another_digest_than_the_pinned_one_is_refused() {
        let moved = image(&BASE.replace("aa", "cc"));
        let bridge = bridge(definition(vec![moved.clone(), exec(&moved, vec![])]), report(""));
        let error = build(&bridge, &Registry(true), &plan(), |_| {}).await.unwrap_err();
        assert!(matches!(error, BuildError::Refused(list) if list[0].rule == "unpinned-image"));
        assert!(graphs(&bridge).is_empty());
    }

    #[tokio::test]
    async fn an_engine_without_the_gateway_is_named_too_old() {
        let bridge = FakeBridge::default();
        let error = build(&bridge, &Registry(true), &plan(), |_| {}).await.unwrap_err();
        assert!(matches!(error, BuildError::TooOld(missing) if missing.contains(&"return")));
    }

    #[tokio::test]
    async fn a_report_that_was_cut_off_fails_the_build() {
        let base = image(BASE);
        let mut cut = report(SU);
        cut.truncate(cut.len() - 5);
        let bridge = bridge(definition(vec![base.clone(), exec(&base, vec![])]), cut);
        let error = build(&bridge, &Registry(true), &plan(), |_| {}).await.unwrap_err();
        assert!(matches!(error, BuildError::Report(_)));
    }
}
