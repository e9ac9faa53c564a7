//! Inspections by a bridge that answers from a script.

use cofferdam_inspector::report::inspection::{LayerSum, Record, Sum, VERSION};
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
    let names = ["head", "report", "image", "helper", "state-0", "state-1"];
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
        "/helper inspect --layer /inspect/layers/0 --layer /inspect/layers/1 --over \
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

#[tokio::test]
async fn without_secrets_no_layer_is_looked_through() {
    let bridge = scripted(ended(answer(&[])));
    let base = image(BASE);
    let made = definition(vec![base.clone(), exec(&base, vec![])]);
    let plain = super::super::tests::bridge(made, report(""));
    build(&plain, &Registry(false), &plan(), |_| {}).await.unwrap();
    assert!(plain.ran().is_empty() && bridge.ran().is_empty());
}

#[tokio::test]
async fn an_engine_that_runs_no_containers_is_too_old_for_secrets() {
    let mut bridge = scripted(ended(answer(&[])));
    bridge.capabilities.gateway.remove(CAPABILITY);
    let error = run(&bridge).await.unwrap_err();
    assert!(matches!(error, BuildError::TooOld(missing) if missing == [CAPABILITY]));
}
