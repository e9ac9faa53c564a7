//! Builds against a bridge that answers from a script.

use bollard_buildkit_proto::pb;

use super::*;
use crate::bridge::Made;
use crate::bridge::fake::FakeBridge;
use crate::graph::testing::{definition, exec, image};
use crate::image_config::CONFIG_KEY;

const NAME: &str = "docker.io/library/base:1";
pub(super) const BASE: &str = "docker-image://docker.io/library/base:1@sha256:aa";
const TRIGGER: &str = "docker-image://docker.io/library/trigger:latest";

/// Pins every name to `sha256:bb`, or none.
pub(super) struct Registry(pub(super) bool);

#[derive(Debug, thiserror::Error)]
#[error("no entry for {0}")]
pub(super) struct NoEntry(String);

impl PinSource for Registry {
    type Error = NoEntry;
    async fn pin(&self, image: &Unpinned) -> Result<Pin, NoEntry> {
        if self.0 { Ok(Pin::Digest("sha256:bb".into())) } else { Err(NoEntry(image.name.clone())) }
    }
}

pub(super) fn plan() -> Plan {
    Plan {
        frontend: "dockerfile.v0".into(),
        options: BTreeMap::new(),
        inputs: BTreeMap::new(),
        pins: [(NAME.to_string(), vec![Pin::Digest("sha256:aa".into())])].into(),
        aliases: BTreeMap::new(),
        locals: BTreeSet::new(),
        offered: Vec::new(),
        layouts: BTreeSet::new(),
        source_policy: SourcePolicy::default(),
        shown: BTreeMap::new(),
        registries: Vec::new(),
        excepted: BTreeSet::new(),
        cache_namespace: "ns".into(),
        helper_local: "helper-1".into(),
        helper_args: vec!["/helper".into()],
        scan: None,
        search: inspect::Search::default(),
        smoke: Vec::new(),
    }
}

pub(super) fn report(stripped: &str) -> Vec<u8> {
    format!(
        r#"{{"version":1,"scanned":{{"files":1,"dirs":1}},"stripped":[{stripped}],"kept":[],
            "unused_keeps":[],"setgid_dirs":0,"complete":true}}"#
    )
    .into_bytes()
}

const SU: &str = r#"{"path":"/bin/su","mode_before":"4755","mode_after":"0755","setuid":true,
    "setgid":false,"links":1}"#;

pub(super) fn solved(
    reference: &str,
    definition: Option<pb::Definition>,
) -> Result<Solved, BridgeError> {
    Ok(Solved {
        parts: Parts::One(Made { reference: Some(reference.into()), definition }),
        metadata: [(CONFIG_KEY.to_string(), br#"{"config":{"User":"7"}}"#.to_vec())].into(),
    })
}

pub(super) fn bridge(translated: pb::Definition, report: Vec<u8>) -> FakeBridge {
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
    assert_eq!(hardened.platforms()[0].reference.as_deref(), Some("image"));
    let Solve::Frontend { options, .. } = &bridge.asked()[0] else { panic!("no frontend") };
    assert_eq!(options["no-cache"], "");
    for graph in graphs(&bridge) {
        let names: Vec<String> = graph.sources().map(|(_, source)| source.to_string()).collect();
        assert_eq!(names, [&BASE["docker-image://".len()..], "local://helper-1"]);
    }
    assert!(
        String::from_utf8_lossy(&hardened.platforms()[0].config.to_bytes())
            .contains("strip /bin/su")
    );
    assert_eq!(hardened.platforms()[0].config.user(), "7");
}

#[tokio::test]
async fn nothing_stripped_means_no_layer_and_no_history() {
    let base = image(BASE);
    let bridge = bridge(definition(vec![base.clone(), exec(&base, vec![])]), report(""));
    let hardened = build(&bridge, &Registry(false), &plan(), |_| {}).await.unwrap();
    assert_eq!(graphs(&bridge).last().unwrap().vertices().len(), 2);
    assert!(
        !String::from_utf8_lossy(&hardened.platforms()[0].config.to_bytes()).contains("history")
    );
}

#[tokio::test]
async fn an_image_that_only_a_trigger_names_is_pinned_on_the_graph() {
    let bridge = bridge(with_trigger(), report(""));
    let hardened = build(&bridge, &Registry(true), &plan(), |_| {}).await.unwrap();
    let pinned = format!("{}@sha256:bb", &TRIGGER["docker-image://".len()..]);
    for graph in graphs(&bridge) {
        assert!(graph.sources().any(|(_, source)| source.to_string() == pinned));
    }
    assert!(hardened.sources().iter().any(|bound| bound.digest.as_deref() == Some("sha256:bb")));
}

#[tokio::test]
async fn a_trigger_without_a_pin_stops_the_build_before_anything_runs() {
    let bridge = bridge(with_trigger(), report(""));
    let error = build(&bridge, &Registry(false), &plan(), |_| {}).await.unwrap_err();
    assert!(matches!(error, BuildError::Pin(NoEntry(name)) if name.ends_with("trigger:latest")));
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

const AMD: &str = "linux/amd64";
const ARM: &str = "linux/arm64/v8";

/// What a frontend answers for two platforms whose graphs end in `heads`.
fn two_platforms(heads: [pb::Op; 2]) -> Result<Solved, BridgeError> {
    let [amd, arm] = heads.map(|head| Made {
        reference: Some("lazy".into()),
        definition: Some(definition(vec![head.clone(), exec(&head, vec![])])),
    });
    let key = |id: &str| format!("{CONFIG_KEY}/{id}");
    Ok(Solved {
        parts: Parts::PerPlatform([(AMD.to_string(), amd), (ARM.to_string(), arm)].into()),
        metadata: [
            (key(AMD), br#"{"config":{"User":"7"}}"#.to_vec()),
            (key(ARM), br#"{"config":{"User":"8"}}"#.to_vec()),
            ("refs.platforms".to_string(), b"{}".to_vec()),
        ]
        .into(),
    })
}

fn with_answers(answers: Vec<Result<Solved, BridgeError>>, reports: Vec<Vec<u8>>) -> FakeBridge {
    let capable = bridge(definition(vec![image(BASE)]), Vec::new()).capabilities;
    FakeBridge::new(answers, reports).with_capabilities(capable)
}

#[tokio::test]
async fn every_platform_is_stripped_and_goes_back_under_its_own_name() {
    let other = BASE.replace("base:1", "other:1");
    let answers = vec![
        two_platforms([image(BASE), image(&other)]),
        solved("report", None),
        solved("amd", None),
        solved("report", None),
        solved("arm", None),
    ];
    let bridge = with_answers(answers, vec![report(SU), report("")]);
    let mut plan = plan();
    let also = NAME.replace("base:1", "other:1");
    plan.pins.insert(also, vec![Pin::Digest("sha256:aa".into())]);
    let mut watched = 0;
    let hardened =
        build(&bridge, &Registry(false), &plan, |graphs| watched = graphs.len()).await.unwrap();

    assert_eq!(watched, 2);
    let outcome = hardened.outcome();
    let Parts::PerPlatform(references) = outcome.references else { panic!("no map") };
    assert_eq!(references[AMD].as_deref(), Some("amd"));
    assert_eq!(references[ARM].as_deref(), Some("arm"));
    let config = |id: &str| {
        String::from_utf8_lossy(&outcome.metadata[&format!("{CONFIG_KEY}/{id}")]).into_owned()
    };
    assert!(config(AMD).contains("strip /bin/su") && !config(ARM).contains("strip"));
    assert_eq!(outcome.metadata["refs.platforms"], b"{}");
    assert!(!outcome.metadata.contains_key(CONFIG_KEY));
    assert_eq!(hardened.sources().len(), 2);
    assert_eq!(hardened.reports().map(|(id, _)| id).collect::<Vec<_>>(), [AMD, ARM]);
}

#[tokio::test]
async fn one_platform_that_is_refused_refuses_all() {
    let bridge = with_answers(vec![two_platforms([image(BASE), image("https://h/x")])], Vec::new());
    let error = build(&bridge, &Registry(false), &plan(), |_| {}).await.unwrap_err();
    assert!(matches!(error, BuildError::Refused(list) if list[0].rule == "remote-add"));
    assert!(graphs(&bridge).is_empty());
}

#[tokio::test]
async fn platforms_do_not_empty_each_others_caches() {
    let cache = pb::Mount {
        dest: "/c".into(),
        output: -1,
        mount_type: pb::MountType::Cache as i32,
        cache_opt: Some(pb::CacheOpt { id: "pip".into(), sharing: 0 }),
        ..pb::Mount::default()
    };
    let mut made = two_platforms([image(BASE), image(BASE)]).unwrap();
    if let Parts::PerPlatform(parts) = &mut made.parts {
        let base = image(BASE);
        for part in parts.values_mut() {
            let step = exec(&base, vec![cache.clone()]);
            part.definition = Some(definition(vec![base.clone(), step]));
        }
    }
    let bridge = with_answers(vec![Ok(made)], Vec::new());
    let mut caches = Vec::new();
    let watch = |graphs: &[&Graph]| caches = graphs.iter().flat_map(|g| g.cache_ids()).collect();
    let _ = build(&bridge, &Registry(false), &plan(), watch).await;
    assert_eq!(caches, ["ns/linux/amd64/pip", "ns/linux/arm64/v8/pip"]);
}

#[tokio::test]
async fn named_contexts_are_never_passed_over_in_silence() {
    let message = "unsupported frontend capability moby.buildkit.frontend.contexts".to_string();
    let bridge = with_answers(vec![Err(BridgeError::Build { message, blame: None })], Vec::new());
    let mut plan = plan();
    plan.options.insert("context:x".into(), "local:x".into());
    let error = build(&bridge, &Registry(false), &plan, |_| {}).await.unwrap_err();
    assert!(matches!(error, BuildError::NoNamedContexts));
    let Solve::Frontend { options, .. } = &bridge.asked()[0] else { panic!("no frontend") };
    assert_eq!(options["frontend.caps"], "moby.buildkit.frontend.contexts+forward");
}
