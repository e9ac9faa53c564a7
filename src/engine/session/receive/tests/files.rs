//! Results that are one file.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use bollard_buildkit_proto::moby::filesync::v1::BytesMessage;
use prost::Message as _;

use super::super::{Destination, Outputs};
use super::engine::{Call, call, to_file};

fn bytes(call: &Call, data: &[u8]) {
    let message = BytesMessage { data: data.to_vec() }.encode_to_vec();
    call.send.as_ref().unwrap().send(message.into()).unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_appears_at_the_commit_and_whole() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("new/image.tar");
    let outputs = to_file(&target);
    let call = call(&outputs, &[("exporter-md-containerimage.digest", "sha256:1")]).await.unwrap();
    bytes(&call, b"one ");
    bytes(&call, &[7; 3 << 20]);
    call.finish().await.unwrap();
    assert!(!target.exists(), "nothing before the commit");
    outputs.commit().await.unwrap();
    let content = std::fs::read(&target).unwrap();
    assert_eq!((content.len(), &content[..4]), (4 + (3 << 20), &b"one "[..]));
    assert_eq!(outputs.progress().bytes, content.len() as u64);
    assert_eq!(outputs.metadata(0)["containerimage.digest"], "sha256:1");
    assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o111, 0);
}

#[tokio::test]
async fn without_a_commit_what_was_there_stays_and_nothing_is_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("image.tar");
    std::fs::write(&target, "old").unwrap();
    let outputs = to_file(&target);
    let half = call(&outputs, &[]).await.unwrap();
    bytes(&half, b"half");
    half.finish().await.unwrap();
    drop(outputs);
    assert_eq!(std::fs::read(&target).unwrap(), b"old");
    // In the middle of a stream, as with Ctrl-C.
    let outputs = to_file(&target);
    let half = call(&outputs, &[]).await.unwrap();
    bytes(&half, b"half");
    drop(outputs);
    assert_eq!(names(dir.path()), ["image.tar"]);
    assert!(half.finish().await.is_err());
}

#[tokio::test]
async fn a_file_is_replaced_with_its_mode_and_through_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let (target, link) = (dir.path().join("real.tar"), dir.path().join("link.tar"));
    std::fs::write(&target, "old and longer").unwrap();
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real.tar", &link).unwrap();
    let outputs = to_file(&link);
    let call = call(&outputs, &[]).await.unwrap();
    bytes(&call, b"new");
    call.finish().await.unwrap();
    outputs.commit().await.unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), b"new");
    assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(names(dir.path()), ["link.tar", "real.tar"]);
}

#[tokio::test]
async fn an_open_file_gets_everything_at_once() {
    let (mut read, write) = std::io::pipe().unwrap();
    let write = std::fs::File::from(std::os::fd::OwnedFd::from(write));
    let outputs = Outputs::new(vec![(0, Destination::Stream(Arc::new(write)))]).unwrap();
    let call = call(&outputs, &[]).await.unwrap();
    bytes(&call, b"tar");
    call.finish().await.unwrap();
    outputs.commit().await.unwrap();
    let mut got = [0; 3];
    read.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"tar");
}

#[tokio::test]
async fn nothing_sent_is_an_error_and_so_is_a_second_stream() {
    let dir = tempfile::tempdir().unwrap();
    let outputs = to_file(dir.path().join("a.tar"));
    assert!(outputs.commit().await.unwrap_err().to_string().contains("sent nothing"));
    call(&outputs, &[]).await.unwrap().finish().await.unwrap();
    let again = call(&outputs, &[]).await.err().unwrap();
    assert_eq!(again.code(), tonic::Code::AlreadyExists);
}

#[tokio::test]
async fn exporters_are_told_apart_by_their_number() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| Destination::File(dir.path().join(name));
    let outputs = Outputs::new(vec![(0, place("a.tar")), (2, place("c.tar"))]).unwrap();
    for (id, text) in [("2", b"c"), ("0", b"a")] {
        let call = call(&outputs, &[("buildkit-attachable-exporter-id", id)]).await.unwrap();
        bytes(&call, text);
        call.finish().await.unwrap();
    }
    for metadata in [&[("buildkit-attachable-exporter-id", "1")][..], &[]] {
        assert_eq!(call(&outputs, metadata).await.err().unwrap().code(), tonic::Code::NotFound);
    }
    outputs.commit().await.unwrap();
    assert_eq!(std::fs::read(dir.path().join("a.tar")).unwrap(), b"a");
    assert_eq!(std::fs::read(dir.path().join("c.tar")).unwrap(), b"c");
}
