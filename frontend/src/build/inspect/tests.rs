//! Inspections by a bridge that answers from a script.

use cofferdam_inspector::report::inspection::{
    LayerSum, Place, Record, Removed, Said, Sum, VERSION,
};
use cofferdam_inventory::{read, wants};
use sha2::{Digest as _, Sha256};

use super::super::tests::{BASE, Registry, bridge, plan, report, solved};
use super::*;
use crate::bridge::fake::FakeBridge;
use crate::bridge::{BridgeError, Ended};
use crate::build::build;
use crate::graph::testing::{definition, exec, image};

fn leak(path: &str) -> Record {
    Record::Leak(Leak {
        layer: 0,
        path: path.into(),
        place: Place::Content,
        needle: 0,
        line: None,
        transform: "base64".into(),
        trail: Vec::new(),
    })
}

fn answer(records: &[Record]) -> Vec<u8> {
    let mut text = Vec::new();
    let sum = Sum { layers: vec![LayerSum::default()], ..Sum::default() };
    for record in records.iter().chain([&Record::Sum(sum)]) {
        serde_json::to_writer(&mut text, record).unwrap();
        text.push(b'\n');
    }
    let digest = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    serde_json::to_writer(&mut text, &Record::End { version: VERSION, digest }).unwrap();
    text.push(b'\n');
    text
}

fn ended(output: Vec<u8>) -> Result<Ended, BridgeError> {
    Ok(Ended { output, ..Ended::default() })
}

/// A build of one step with one secret, whose base and layer are found to hold this.
fn scripted(base: &[Record], above: &[Record]) -> FakeBridge {
    ending(vec![ended(answer(base)), ended(answer(above))])
}

/// The same whose inspections end like this.
fn ending(ends: Vec<Result<Ended, BridgeError>>) -> FakeBridge {
    let base = image(BASE);
    let made = definition(vec![base.clone(), exec(&base, vec![])]);
    let mut capabilities = bridge(made.clone(), Vec::new()).capabilities;
    capabilities.gateway.insert(CAPABILITY.into());
    let names = ["head", "helper", "base", "report", "image", "layer", "below"];
    let mut answers = vec![solved("lazy", Some(made))];
    answers.extend(names.map(|name| solved(name, None)));
    FakeBridge::new(answers, vec![report("")]).with_capabilities(capabilities).with_ends(ends)
}

async fn run(bridge: &FakeBridge) -> Result<crate::Hardened, BuildError<impl std::error::Error>> {
    let needle =
        Needle { id: "served".into(), name: "secret db".into(), lift: Some("or except it".into()) };
    let search = Search { program: "/helper".into(), needles: vec![needle] };
    build(bridge, &Registry(false), &super::super::Plan { search, ..plan() }, |_| {}).await
}

/// What a container sees, and its command.
fn shown(container: &Container) -> (Vec<(&str, Mounted)>, String) {
    let mounts = container.mounts.iter();
    (mounts.map(|m| (m.dest.as_str(), m.what.clone())).collect(), container.args.join(" "))
}

#[tokio::test]
async fn the_base_is_seen_first_and_then_every_layer_beside_what_it_stands_on() {
    let bridge = scripted(&[], &[]);
    let hardened = run(&bridge).await.unwrap();
    let inspected = hardened.platforms()[0].inspected.as_ref().unwrap();
    assert_eq!((inspected.layers.len(), inspected.inspection.sum.layers.len()), (2, 2));
    let ran = bridge.ran();
    let [base, above] = ran.as_slice() else { panic!("two containers") };
    let result = |name: &str| Mounted::Result(name.into());
    let secret = ("/inspect/secrets/0", Mounted::Secret("served".into()));
    let (mounts, command) = shown(base);
    assert_eq!(
        mounts,
        [
            ("/", result("helper")),
            ("/inspect", Mounted::Empty),
            ("/inspect/layers/0", result("base")),
            secret.clone(),
        ]
    );
    assert_eq!(
        command,
        "/helper inspect --layer /inspect/layers/0 --base --needle /inspect/secrets/0 --plain"
    );
    let (mounts, command) = shown(above);
    assert_eq!(
        mounts,
        [
            ("/", result("helper")),
            ("/inspect", Mounted::Empty),
            ("/inspect/layers/0", result("layer")),
            ("/inspect/layers/1", result("below")),
            secret,
        ]
    );
    assert_eq!(
        command,
        "/helper inspect --layer /inspect/layers/0 --over /inspect/layers/1 --needle \
         /inspect/secrets/0 --before"
    );
}

#[tokio::test]
async fn a_leak_refuses_the_image_and_names_its_layer() {
    let bridge = scripted(&[leak("/old")], &["/a", "/b", "/c", "/d"].map(leak));
    let BuildError::Leaked(found) = run(&bridge).await.unwrap_err() else { panic!("no leak") };
    let messages: Vec<_> = found.iter().map(|violation| violation.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "secret db is in the image: /old (base64), the base docker.io/library/base:1@sha256:aa",
            "secret db is in the image: /a (base64); /b (base64); /c (base64) and 1 more places, \
             layer 2 of 2",
        ]
    );
    assert!(found.iter().all(|violation| violation.rule == RULE));
}

#[tokio::test]
async fn anything_but_a_whole_answer_fails_the_build() {
    let whole = answer(&[]);
    let cut = whole[..whole.len() - 1].to_vec();
    let died = Ok(Ended { code: 137, output: whole.clone(), errors: b"killed".to_vec() });
    let lost = Err(BridgeError::Lost("gone".into()));
    for (end, expected) in [(ended(cut), "cut off"), (died, "137: killed"), (lost, "gone")] {
        let error = run(&ending(vec![end])).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let cut = ended(whole[..whole.len() - 1].to_vec());
    let error = run(&ending(vec![ended(whole), cut])).await.unwrap_err().to_string();
    assert!(error.contains("cut off"), "{error}");
}

fn said(path: &str, text: &str) -> Record {
    let kind = wants(path.as_bytes(), text.len() as u64, 0o644, b"").unwrap();
    let reading = read(kind, path.as_bytes(), &mut text.as_bytes());
    Record::Said(Box::new(Said { layer: 0, path: format!("/{path}"), reading }))
}

#[tokio::test]
async fn without_secrets_layers_are_looked_through_for_packages_alone() {
    let base = [
        said("a/node_modules/gone/package.json", r#"{"name":"gone","version":"1"}"#),
        said("lib/apk/db/installed", "P:musl\nV:1\n\n"),
    ];
    let above = [
        said("a/node_modules/x/package.json", r#"{"name":"x","version":"2"}"#),
        Record::Removed(Removed { layer: 0, path: "/a/node_modules/gone/package.json".into() }),
    ];
    let bridge = scripted(&base, &above);
    let hardened = build(&bridge, &Registry(false), &plan(), |_| {}).await.unwrap();
    assert!(!bridge.ran()[0].args.iter().any(|arg| arg == "--needle"));
    let known = r#"{"packages":["/a/node_modules/gone/package.json","/lib/apk/db/installed"],"contents":[]}"#;
    assert_eq!(bridge.read(), [None, Some(known.into())]);
    let inspected = hardened.platforms()[0].inspected.as_ref().unwrap();
    let Installed { inventory, layer_of } = &inspected.installed;
    let names: Vec<_> = inventory.packages.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["musl 1", "x 2"]);
    assert_eq!(layer_of, &[0, 1]);
    let places = inspected.installed.places(&inspected.layers);
    assert_eq!(places[0].base.as_deref(), Some("docker.io/library/base:1@sha256:aa"));
    assert_eq!(places[1].base, None);
}

#[tokio::test]
async fn what_names_no_layer_of_the_image_is_no_answer() {
    let elsewhere = Record::Removed(Removed { layer: 1, path: "/x".into() });
    let error = run(&scripted(&[], &[elsewhere])).await.unwrap_err().to_string();
    assert!(error.contains("a place that is none"), "{error}");
}

#[tokio::test]
async fn an_engine_that_runs_no_containers_says_nothing_of_packages() {
    let base = image(BASE);
    let made = definition(vec![base.clone(), exec(&base, vec![])]);
    let plain = super::super::tests::bridge(made, report(""));
    let hardened = build(&plain, &Registry(false), &plan(), |_| {}).await.unwrap();
    assert!(plain.ran().is_empty() && hardened.platforms()[0].inspected.is_none());
}

#[tokio::test]
async fn an_engine_that_runs_no_containers_is_too_old_for_secrets() {
    let mut bridge = scripted(&[], &[]);
    bridge.capabilities.gateway.remove(CAPABILITY);
    let error = run(&bridge).await.unwrap_err();
    assert!(matches!(error, BuildError::TooOld(missing) if missing == [CAPABILITY]));
}
