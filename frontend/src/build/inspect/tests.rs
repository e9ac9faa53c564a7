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

fn leak(layer: usize, path: &str) -> Record {
    Record::Leak(Leak {
        layer,
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
    let sum = Sum { layers: vec![LayerSum::default(); 2], ..Sum::default() };
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

/// A build of one step with one secret whose inspection ends like this.
fn scripted(end: Result<Ended, BridgeError>) -> FakeBridge {
    let base = image(BASE);
    let made = definition(vec![base.clone(), exec(&base, vec![])]);
    let mut capabilities = bridge(made.clone(), Vec::new()).capabilities;
    capabilities.gateway.insert(CAPABILITY.into());
    let names = ["head", "helper", "report", "image", "state-0", "state-1"];
    let mut answers = vec![solved("lazy", Some(made))];
    answers.extend(names.map(|name| solved(name, None)));
    FakeBridge::new(answers, vec![report("")]).with_capabilities(capabilities).with_ends(vec![end])
}

async fn run(bridge: &FakeBridge) -> Result<crate::Hardened, BuildError<impl std::error::Error>> {
    let needle =
        Needle { id: "served".into(), name: "secret db".into(), lift: Some("or except it".into()) };
    let search = Search { program: "/helper".into(), needles: vec![needle] };
    build(bridge, &Registry(false), &super::super::Plan { search, ..plan() }, |_| {}).await
}

#[tokio::test]
async fn the_helper_sees_every_layer_beside_what_it_stands_on_and_the_secret() {
    let bridge = scripted(ended(answer(&[])));
    let hardened = run(&bridge).await.unwrap();
    let inspected = hardened.platforms()[0].inspected.as_ref().unwrap();
    assert_eq!(inspected.layers.len(), 2);
    let ran = bridge.ran();
    let [container] = ran.as_slice() else { panic!("one container") };
    let shown: Vec<_> =
        container.mounts.iter().map(|mount| (mount.dest.as_str(), mount.what.clone())).collect();
    let result = |name: &str| Mounted::Result(name.into());
    assert_eq!(
        shown,
        [
            ("/", result("helper")),
            ("/inspect", Mounted::Empty),
            ("/inspect/layers/0", result("state-0")),
            ("/inspect/layers/1", result("state-1")),
            ("/inspect/secrets/0", Mounted::Secret("served".into())),
        ]
    );
    assert_eq!(
        container.args.join(" "),
        "/helper inspect --layer /inspect/layers/0 --base --layer /inspect/layers/1 --over \
         /inspect/layers/0 --needle /inspect/secrets/0"
    );
}

#[tokio::test]
async fn a_leak_refuses_the_image_and_names_its_layer() {
    let leaks = [leak(1, "/a"), leak(1, "/b"), leak(1, "/c"), leak(1, "/d"), leak(0, "/old")];
    let bridge = scripted(ended(answer(&leaks)));
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
        let error = run(&scripted(end)).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

fn said(layer: usize, path: &str, text: &str) -> Record {
    let kind = wants(path.as_bytes(), text.len() as u64, 0o644, b"").unwrap();
    let reading = read(kind, path.as_bytes(), &mut text.as_bytes());
    Record::Said(Box::new(Said { layer, path: format!("/{path}"), reading }))
}

#[tokio::test]
async fn without_secrets_layers_are_looked_through_for_packages_alone() {
    let records = [
        said(1, "a/node_modules/x/package.json", r#"{"name":"x","version":"2"}"#),
        said(0, "a/node_modules/gone/package.json", r#"{"name":"gone","version":"1"}"#),
        said(0, "lib/apk/db/installed", "P:musl\nV:1\n\n"),
        Record::Removed(Removed { layer: 1, path: "/a/node_modules/gone/package.json".into() }),
    ];
    let bridge = scripted(ended(answer(&records)));
    let hardened = build(&bridge, &Registry(false), &plan(), |_| {}).await.unwrap();
    assert!(!bridge.ran()[0].args.iter().any(|arg| arg == "--needle"));
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
    let elsewhere = Record::Removed(Removed { layer: 2, path: "/x".into() });
    let error = run(&scripted(ended(answer(&[elsewhere])))).await.unwrap_err().to_string();
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
    let mut bridge = scripted(ended(answer(&[])));
    bridge.capabilities.gateway.remove(CAPABILITY);
    let error = run(&bridge).await.unwrap_err();
    assert!(matches!(error, BuildError::TooOld(missing) if missing == [CAPABILITY]));
}
