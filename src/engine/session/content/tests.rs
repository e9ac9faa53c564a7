use std::path::{Path, PathBuf};

use bytes::Bytes;
use prost::Message as _;
use serde_json::json;
use tokio_stream::StreamExt as _;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};

use super::super::raw::RawCodec;
use super::message::{InfoRequest, InfoResponse, ReadContentRequest, ReadContentResponse};
use super::testing::{blob, document, image, layout, name};
use super::{ContentStores, Layout, LayoutError, Wanted};

fn find(directory: &Path, wanted: Wanted<'_>) -> Result<String, LayoutError> {
    Layout::open(directory)?.find(wanted)
}

fn blob_path(directory: &Path, digest: &str) -> PathBuf {
    directory.join("blobs").join(digest.replace(':', "/"))
}

#[test]
fn an_image_is_found_by_tag_by_digest_and_when_it_is_the_only_one() {
    let dir = tempfile::tempdir().unwrap();
    let one = layout(dir.path(), Some("v1"));
    assert_eq!(find(dir.path(), Wanted::Default).unwrap(), one);
    let latest = layout(dir.path(), Some("docker.io/library/app:latest"));
    assert_eq!(find(dir.path(), Wanted::Default).unwrap(), latest);
    assert_eq!(find(dir.path(), Wanted::Tag("v1")).unwrap(), one);
    assert_eq!(find(dir.path(), Wanted::Digest(&one)).unwrap(), one);
    let error = find(dir.path(), Wanted::Tag("v2")).unwrap_err();
    assert!(matches!(error, LayoutError::NoTag { .. }));
    assert!(error.to_string().contains("v1, docker.io/library/app:latest"), "{error}");
}

#[test]
fn what_is_not_clear_is_not_guessed() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(find(dir.path(), Wanted::Default), Err(LayoutError::NoLayout(_))));
    std::fs::write(dir.path().join("index.json"), r#"{"manifests":[]}"#).unwrap();
    assert!(matches!(find(dir.path(), Wanted::Default), Err(LayoutError::Empty(_))));
    layout(dir.path(), None);
    layout(dir.path(), Some("x"));
    assert!(matches!(find(dir.path(), Wanted::Default), Err(LayoutError::Several { .. })));
    // Two images of one tag.
    let other = image(dir.path(), "another");
    name(dir.path(), other, Some("x"));
    assert!(matches!(find(dir.path(), Wanted::Tag("x")), Err(LayoutError::Several { .. })));
}

#[test]
fn an_index_may_stand_in_an_index_and_lack_platforms_but_not_all() {
    let dir = tempfile::tempdir().unwrap();
    let amd64 = image(dir.path(), "amd64");
    let arm64 = image(dir.path(), "arm64");
    let gone = blob_path(dir.path(), arm64["digest"].as_str().unwrap());
    std::fs::remove_file(gone).unwrap();
    let inner = document(dir.path(), &json!({ "manifests": [amd64, arm64] }));
    let outer = document(dir.path(), &json!({ "manifests": [inner] }));
    name(dir.path(), outer.clone(), None);
    assert_eq!(find(dir.path(), Wanted::Default).unwrap(), outer["digest"]);
    let gone = blob_path(dir.path(), amd64["digest"].as_str().unwrap());
    std::fs::remove_file(gone).unwrap();
    assert!(matches!(find(dir.path(), Wanted::Default), Err(LayoutError::Missing { .. })));
}

#[test]
fn indexes_do_not_stand_in_one_another_without_an_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut inner = image(dir.path(), "x");
    for _ in 0..20 {
        inner = document(dir.path(), &json!({ "manifests": [inner] }));
    }
    name(dir.path(), inner, None);
    let error = find(dir.path(), Wanted::Default).unwrap_err().to_string();
    assert!(error.contains("too many indexes"), "{error}");
}

#[test]
fn damage_is_told_where_it_is() {
    type Damage = fn(&Path, &str);
    let cases: [(Damage, &str); 6] = [
        (|dir, _| std::fs::write(dir.join("index.json"), "{").unwrap(), "index.json: EOF"),
        (|dir, _| std::fs::write(dir.join("index.json"), "{}").unwrap(), "lists no manifests"),
        (|dir, digest| std::fs::remove_file(blob_path(dir, digest)).unwrap(), "has no blob"),
        (
            |dir, digest| {
                let path = blob_path(dir, digest);
                let mut bytes = std::fs::read(&path).unwrap();
                bytes[5] ^= 1;
                std::fs::write(path, bytes).unwrap();
            },
            " holds sha256:",
        ),
        (
            |dir, digest| {
                let path = blob_path(dir, digest);
                let bytes = std::fs::read(&path).unwrap();
                let parsed: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                let layer = blob_path(dir, parsed["layers"][0]["digest"].as_str().unwrap());
                std::fs::write(layer, "longer than it was, by much").unwrap();
            },
            "bytes and has",
        ),
        (
            |dir, _| {
                let odd = document(dir, &json!({ "schemaVersion": 2 }));
                std::fs::remove_file(dir.join("index.json")).unwrap();
                name(dir, odd, None);
            },
            "neither a manifest nor an index",
        ),
    ];
    for (damage, words) in cases {
        let dir = tempfile::tempdir().unwrap();
        let digest = layout(dir.path(), None);
        damage(dir.path(), &digest);
        let error = find(dir.path(), Wanted::Default).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn no_digest_leads_out_of_the_layout() {
    let dir = tempfile::tempdir().unwrap();
    layout(dir.path(), None);
    for digest in ["sha256:../../../etc/passwd", "sha512:00", "sha256:AA", "", "sha256:"] {
        let error = find(dir.path(), Wanted::Digest(digest)).unwrap_err();
        assert!(matches!(error, LayoutError::Digest { .. }), "{error}");
    }
}

/// A store with one blob, and the blob's digest.
fn store(directory: &Path, content: &[u8]) -> (ContentStores, String) {
    layout(directory, None);
    let digest = blob(directory, content)["digest"].as_str().unwrap().to_string();
    let mut stores = ContentStores::default();
    stores.add("one".into(), directory).unwrap();
    (stores, digest)
}

fn asked(message: impl prost::Message, store: &str) -> Request<Bytes> {
    let mut request = Request::new(Bytes::from(message.encode_to_vec()));
    request.metadata_mut().insert("buildkit-attachable-store-id", store.parse().unwrap());
    request
}

async fn info(stores: &ContentStores, id: &str, digest: &str) -> Result<i64, Status> {
    let mut client = tonic::client::Grpc::new(stores.clone());
    let request = asked(InfoRequest { digest: digest.into() }, id);
    let path = PathAndQuery::from_static(super::METHODS[0]);
    let answer = client.unary(request, path, RawCodec).await?;
    let answer: Bytes = answer.into_inner();
    Ok(InfoResponse::decode(answer).unwrap().info.unwrap().size)
}

async fn read(
    stores: &ContentStores,
    digest: &str,
    offset: i64,
    size: i64,
) -> Result<Vec<u8>, Status> {
    let mut client = tonic::client::Grpc::new(stores.clone());
    let request = asked(ReadContentRequest { digest: digest.into(), offset, size }, "oci:one");
    let path = PathAndQuery::from_static(super::METHODS[1]);
    let mut stream = client.server_streaming(request, path, RawCodec).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        let piece: Bytes = piece?;
        let piece = ReadContentResponse::decode(piece).unwrap();
        assert_eq!(piece.offset, offset + bytes.len() as i64);
        bytes.extend_from_slice(&piece.data);
    }
    Ok(bytes)
}

#[tokio::test]
async fn blobs_are_read_whole_and_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();
    let (stores, digest) = store(dir.path(), &content);
    assert_eq!(info(&stores, "oci:one", &digest).await.unwrap(), 700_000);
    assert_eq!(read(&stores, &digest, 0, 0).await.unwrap(), content);
    assert_eq!(read(&stores, &digest, 299_999, 2).await.unwrap(), content[299_999..300_001]);
    assert_eq!(read(&stores, &digest, 699_000, 5_000).await.unwrap(), content[699_000..]);
    assert!(read(&stores, &digest, 700_000, 1).await.unwrap().is_empty());
    assert_eq!(read(&stores, &digest, 700_001, 1).await.unwrap_err().code(), Code::OutOfRange);
}

#[tokio::test]
async fn only_whole_blobs_of_known_stores_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let (stores, digest) = store(dir.path(), b"content");
    for id in ["oci:two", "one", "oci:", ""] {
        assert_eq!(info(&stores, id, &digest).await.unwrap_err().code(), Code::NotFound, "{id}");
    }
    let absent = format!("sha256:{}", "0".repeat(64));
    assert_eq!(info(&stores, "oci:one", &absent).await.unwrap_err().code(), Code::NotFound);
    let outside = "sha256:../../index.json";
    let refused = info(&stores, "oci:one", outside).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    std::fs::write(blob_path(dir.path(), &digest), "c0ntent").unwrap();
    let damaged = read(&stores, &digest, 0, 0).await.unwrap_err();
    assert_eq!(damaged.code(), Code::DataLoss);
    assert!(damaged.message().contains(&digest), "{damaged}");
}
