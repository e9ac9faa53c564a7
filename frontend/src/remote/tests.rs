//! Remote contexts against a bridge that answers from a script.

use std::collections::BTreeSet;

use bollard_buildkit_proto::pb::op::Op as Body;

use super::*;
use crate::bridge::fake::FakeBridge;
use crate::bridge::{Capabilities, Parts, Solved};
use crate::graph::{Graph, Source};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const URL: &str = "https://u:secret@h/a.git#main:docs";

fn named(reference: &str) -> Result<Solved, BridgeError> {
    let made = Made { reference: Some(reference.into()), definition: None };
    Ok(Solved { parts: Parts::One(made), ..Solved::default() })
}

fn bridge(references: &[&str], llb: &[&str]) -> FakeBridge {
    let llb: BTreeSet<String> = llb.iter().map(ToString::to_string).collect();
    let answers = references.iter().map(|reference| named(reference)).collect();
    FakeBridge::new(answers, Vec::new())
        .with_capabilities(Capabilities { llb, ..Capabilities::default() })
}

fn helper() -> Helper {
    Helper { local: "helper-1".into(), program: "/helper".into(), platform: None }
}

fn context(text: &str) -> RemoteContext {
    RemoteContext::parse(text).unwrap().unwrap()
}

fn graphs(bridge: &FakeBridge) -> Vec<Graph> {
    let graph = |solve| match solve {
        Solve::Definition { definition, .. } => Graph::read(&definition).unwrap(),
        Solve::Frontend { .. } => panic!("no frontend is needed"),
    };
    bridge.asked().into_iter().map(graph).collect()
}

fn identifier(graph: &Graph) -> &str {
    let Some(Body::Source(op)) = &graph.vertices()[0].op.op else { panic!("no source") };
    &op.identifier
}

#[tokio::test]
async fn a_branch_becomes_the_commit_that_it_names() {
    let bridge = bridge(&["resolve", "tree"], &["source.git.subdir"])
        .with_file("resolve", ".git/HEAD", format!("{COMMIT}\n").as_bytes())
        .with_file("tree", "Dockerfile", b"FROM scratch\n");
    let opened = context(URL).open(&bridge, &helper()).await.unwrap();
    let graphs = graphs(&bridge);
    assert_eq!(identifier(&graphs[0]), "git://h/a.git#main");
    assert_eq!(identifier(&graphs[1]), format!("git://h/a.git#{COMMIT}:docs"));
    assert_eq!(opened.offered.digest, Some(format!("gitCommit:{COMMIT}")));
    assert_eq!(opened.shown, format!("https://h/a.git#{COMMIT}:docs"));
    assert_eq!(opened.offered.op.attrs["git.fullurl"], "https://u:secret@h/a.git");
    assert!(!opened.offered.op.attrs.contains_key("git.keepgitdir"));
    let text = opened.dockerfile(&bridge, None).await.unwrap();
    assert_eq!((text.name.as_str(), text.ignore), ("Dockerfile", None));
    // The judge sees no credentials, and people do not either.
    let seen: Vec<Source> = graphs[1].sources().map(|(_, source)| source).collect();
    assert!(!format!("{seen:?}").contains("secret"));
}

#[tokio::test]
async fn a_checkout_that_names_its_branch_is_followed() {
    let bridge = bridge(&["resolve", "tree"], &["source.git.subdir"])
        .with_file("resolve", ".git/HEAD", b"ref: refs/heads/main\n")
        .with_file("resolve", ".git/refs/heads/main", COMMIT.as_bytes());
    let opened = context(URL).open(&bridge, &helper()).await.unwrap();
    assert_eq!(opened.offered.digest, Some(format!("gitCommit:{COMMIT}")));
}

#[tokio::test]
async fn old_engines_get_the_directory_by_a_copy() {
    let bridge =
        bridge(&["resolve", "tree"], &[]).with_file("resolve", ".git/HEAD", COMMIT.as_bytes());
    let opened = context(URL).open(&bridge, &helper()).await.unwrap();
    let graph = Graph::read(&opened.definition).unwrap();
    assert_eq!(identifier(&graph), format!("git://h/a.git#{COMMIT}"));
    assert!(matches!(graph.vertices()[1].op.op, Some(Body::File(_))));
    assert!(graph.vertices()[1].metadata.as_ref().unwrap().ignore_cache);
}

#[tokio::test]
async fn a_whole_commit_needs_no_answer_and_another_one_is_refused() {
    let fixed = bridge(&["tree"], &["source.git.subdir"]);
    context(&format!("https://h/a.git#{COMMIT}")).open(&fixed, &helper()).await.unwrap();
    assert_eq!(fixed.asked().len(), 1);

    let moved = bridge(&["resolve"], &[]).with_file("resolve", ".git/HEAD", COMMIT.as_bytes());
    let error =
        context("https://h/a.git?commit=fedcba9#main").open(&moved, &helper()).await.unwrap_err();
    assert!(matches!(error, RemoteError::WrongCommit { found, .. } if found == COMMIT));

    let odd = bridge(&["resolve"], &[]).with_file("resolve", ".git/HEAD", b"nonsense");
    let error = context("https://h/a.git").open(&odd, &helper()).await.unwrap_err();
    assert!(matches!(error, RemoteError::NoCommit { .. }));
}

#[tokio::test]
async fn what_an_engine_cannot_leave_out_is_an_error() {
    let bridge = bridge(&[], &[]);
    let error = context("https://h/a.git?submodules=0").open(&bridge, &helper()).await.unwrap_err();
    assert!(error.to_string().ends_with("without submodules"));
}

const GZIP: &[u8] = &[0x1f, 0x8b, 0x08, 0x00];

#[tokio::test]
async fn an_archive_is_hashed_in_the_engine_and_unpacked() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let bridge = bridge(&["raw", "digest", "tree"], &[])
        .with_file("raw", DOWNLOADED, GZIP)
        .with_file("digest", "digest", format!("{digest}\n").as_bytes())
        .with_file("tree", "sub/dockerfile", b"FROM scratch\n")
        .with_file("tree", "sub/dockerfile.dockerignore", b"*\n");
    let opened = context("https://h/a.tgz").open(&bridge, &helper()).await.unwrap();
    assert_eq!(opened.offered.digest.as_ref(), Some(&digest));
    assert!(!opened.is_file);
    let graphs = graphs(&bridge);
    // One and the same source op in all three graphs: it runs once.
    let with_source = |graph: &Graph| {
        let first = graph.vertices().iter().find(|v| v.digest == graphs[0].vertices()[0].digest);
        first.is_some()
    };
    assert!(graphs.iter().all(with_source));
    let text = opened.dockerfile(&bridge, Some("sub/Dockerfile")).await.unwrap();
    assert_eq!((text.name.as_str(), text.ignore.as_deref()), ("sub/dockerfile", Some(&b"*\n"[..])));
    let missing = opened.dockerfile(&bridge, Some("other")).await.unwrap_err();
    assert!(matches!(missing, RemoteError::NoDockerfile { name, .. } if name == "other"));
}

#[tokio::test]
async fn a_lone_file_is_the_dockerfile() {
    let bridge = bridge(&["raw"], &[]).with_file("raw", DOWNLOADED, b"FROM scratch\n");
    let opened = context("http://h/Dockerfile").open(&bridge, &helper()).await.unwrap();
    assert!(opened.is_file);
    assert_eq!(opened.offered.digest, Some(crate::graph::digest(b"FROM scratch\n")));
    let text = opened.dockerfile(&bridge, Some("ignored")).await.unwrap();
    assert_eq!((text.name.as_str(), text.bytes.as_slice()), (DOWNLOADED, &b"FROM scratch\n"[..]));
}

#[tokio::test]
async fn an_upload_is_named_by_its_session() {
    let bridge = bridge(&["raw", "tree"], &[]).with_file("raw", DOWNLOADED, GZIP);
    let upload = RemoteContext::Upload { id: "x1".into() };
    let opened = upload.open(&bridge, &helper()).await.unwrap();
    assert_eq!(opened.offered.op.identifier, "http://buildkit-session/x1");
    assert_eq!(opened.offered.digest, None);
}

#[tokio::test]
async fn what_the_engine_says_comes_with_the_address() {
    let failed =
        Err(BridgeError::Build { message: "invalid response status 404".into(), blame: None });
    let bridge = FakeBridge::new(vec![failed], Vec::new());
    let error = context("https://u:secret@h/x").open(&bridge, &helper()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read the build context https://h/x: invalid response status 404"
    );
}

#[tokio::test]
async fn a_helper_that_names_no_digest_is_an_error() {
    let bridge = bridge(&["raw", "digest"], &[]).with_file("raw", DOWNLOADED, GZIP).with_file(
        "digest",
        "digest",
        b"sha256:short",
    );
    let error = context("https://h/x").open(&bridge, &helper()).await.unwrap_err();
    assert!(matches!(error, RemoteError::NoDigest { .. }));
}

#[tokio::test]
async fn old_engines_are_asked_for_a_tag_by_its_whole_name_first() {
    let failed = || Err(BridgeError::Build { message: "exit status 1".into(), blame: None });
    let answers = vec![failed(), named("resolve"), named("tree")];
    let old =
        FakeBridge::new(answers, Vec::new()).with_file("resolve", ".git/HEAD", COMMIT.as_bytes());
    context("https://h/a.git#v1").open(&old, &helper()).await.unwrap();
    assert_eq!(identifier(&graphs(&old)[0]), "git://h/a.git#refs/tags/v1");
    assert_eq!(identifier(&graphs(&old)[1]), "git://h/a.git#v1");

    let neither = FakeBridge::new(vec![failed(), failed()], Vec::new());
    let error = context("https://h/a.git#v1").open(&neither, &helper()).await.unwrap_err();
    assert!(error.to_string().ends_with("exit status 1"), "{error}");
}
