//! A step's side of the socket, with keys, a fake agent, and OpenSSH's own tools where they are.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::BytesMut;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::{Channel, Endpoint, Server};

use bollard_buildkit_proto::moby::sshforward::v1::ssh_client::SshClient;
use bollard_buildkit_proto::moby::sshforward::v1::ssh_server::SshServer;

use super::wire::{Reader, put};
use super::*;

const LIST: &[u8] = &[0, 0, 0, 1, 11];

async fn client(agents: SshAgents) -> SshClient<Channel> {
    let (client, server) = tokio::io::duplex(64 * 1024);
    let incoming =
        tokio_stream::once(Ok::<_, std::io::Error>(server)).chain(tokio_stream::pending());
    tokio::spawn(
        Server::builder().add_service(SshServer::new(agents)).serve_with_incoming(incoming),
    );
    let mut client = Some(client);
    let channel = Endpoint::from_static("http://session")
        .connect_with_connector(tower::service_fn(move |_| {
            let client = client.take().map(TokioIo::new);
            async move { client.ok_or_else(|| std::io::Error::other("only one connection")) }
        }))
        .await
        .unwrap();
    SshClient::new(channel)
}

/// Sends requests, in pieces, and returns as many answers.
async fn ask(agents: &SshAgents, id: &str, requests: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut client = client(agents.clone()).await;
    let (send, messages) = mpsc::unbounded_channel();
    for piece in requests.concat().chunks(3) {
        send.send(BytesMessage { data: piece.to_vec() }).unwrap();
    }
    let mut request = Request::new(UnboundedReceiverStream::new(messages));
    request.metadata_mut().insert(ID, id.parse().unwrap());
    let mut answers = client.forward_agent(request).await.unwrap().into_inner();
    let mut read = BytesMut::new();
    let mut got = Vec::new();
    while got.len() < requests.len() {
        if let Some(answer) = protocol::take(&mut read, protocol::LONGEST_ANSWER).unwrap() {
            got.push(answer.to_vec());
            continue;
        }
        match answers.next().await {
            Some(message) => read.extend_from_slice(&message.unwrap().data),
            None => break,
        }
    }
    got
}

fn source(id: &str, paths: &[&Path]) -> SshSource {
    let paths = paths.iter().map(|path| path.to_path_buf()).collect();
    SshSource { id: id.into(), paths, raw: false }
}

fn one(paths: &[&Path]) -> Result<SshAgents, SshError> {
    SshAgents::new(vec![source("", paths)], None)
}

/// An agent that answers everything with success and tells what it was asked.
fn fake(dir: &Path) -> (PathBuf, std::sync::mpsc::Receiver<Vec<u8>>) {
    let socket = dir.join("agent.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let (told, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut step in listener.incoming().flatten() {
            let mut length = [0; 4];
            while step.read_exact(&mut length).is_ok() {
                let mut body = vec![0; u32::from_be_bytes(length) as usize];
                step.read_exact(&mut body).unwrap();
                told.send(body).unwrap();
                step.write_all(&[0, 0, 0, 1, 6]).unwrap();
            }
        }
    });
    (socket, asked)
}

#[tokio::test]
async fn a_step_may_list_and_sign_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (socket, asked) = fake(dir.path());
    let agents = SshAgents::new(vec![source("x", &[])], Some(&socket)).unwrap();
    let forbidden: Vec<Vec<u8>> = [17u8, 18, 19, 20, 21, 22, 23, 25, 26, 27, 200]
        .iter()
        .map(|kind| vec![0, 0, 0, 2, *kind, 0])
        .collect();
    let mut requests = vec![LIST, &[0, 0, 0, 2, 13, 9]];
    requests.extend(forbidden.iter().map(Vec::as_slice));
    let answers = ask(&agents, "x", &requests).await;
    assert_eq!(answers[..2], [[0, 0, 0, 1, 6], [0, 0, 0, 1, 6]]);
    assert!(answers[2..].iter().all(|answer| answer == protocol::FAILURE));
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), [vec![11], vec![13, 9]]);
}

#[tokio::test]
async fn raw_hands_everything_through() {
    let dir = tempfile::tempdir().unwrap();
    let (socket, asked) = fake(dir.path());
    let raw = SshSource { raw: true, ..source("", &[&socket]) };
    let agents = SshAgents::new(vec![raw], None).unwrap();
    assert_eq!(ask(&agents, "", &[&[0, 0, 0, 1, 19]]).await, [[0, 0, 0, 1, 6]]);
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), [[19]]);
}

#[tokio::test]
async fn ids_that_were_not_given_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (socket, _asked) = fake(dir.path());
    let mut client = client(one(&[&socket]).unwrap()).await;
    for (id, good) in [("", true), ("default", true), ("other", false)] {
        let checked = client.check_agent(CheckAgentRequest { id: id.into() }).await;
        assert_eq!(checked.is_ok(), good, "{id:?}");
    }
}

#[test]
fn what_cannot_work_is_told_before_the_build() {
    let dir = tempfile::tempdir().unwrap();
    let dead = dir.path().join("dead.sock");
    drop(UnixListener::bind(&dead).unwrap());
    let (socket, _asked) = fake(dir.path());
    let text = dir.path().join("text");
    std::fs::write(&text, "no key").unwrap();
    let says = |sources: Vec<SshSource>, words: &str| {
        let error = SshAgents::new(sources, None).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    says(vec![source("a", &[])], "SSH_AUTH_SOCK");
    says(vec![source("a", &[&dead])], "no ssh agent answers");
    says(vec![source("a", &[Path::new("/nonexistent")])], "/nonexistent");
    says(vec![source("a", &[&text])], "neither a socket nor");
    says(vec![source("a", &[&socket, &text])], "one socket or private keys");
    says(vec![source("a", &[&socket]), source("a", &[&socket])], "twice");
    says(vec![SshSource { raw: true, ..source("a", &[&text]) }], "raw=true");
}

/// Runs a tool of OpenSSH; false where there is none.
fn tool(program: &str, args: &[&str]) -> bool {
    match Command::new(program).args(args).output() {
        Ok(output) => {
            assert!(output.status.success(), "{program} {args:?}: {output:?}");
            true
        }
        Err(_) => false,
    }
}

#[tokio::test]
async fn keys_of_every_kind_sign_what_openssh_verifies() {
    let dir = tempfile::tempdir().unwrap();
    for (number, kind) in [
        "-ted25519",
        "-trsa -b2048",
        "-trsa -b3072 -mPEM",
        "-trsa -b2048 -mPKCS8",
        "-tecdsa -b256",
        "-tecdsa -b384",
        "-tecdsa -b256 -mPEM",
        "-tecdsa -b384 -mPKCS8",
    ]
    .iter()
    .enumerate()
    {
        let path = dir.path().join(format!("key{number}"));
        let shown = path.to_str().unwrap();
        let args: Vec<&str> =
            ["-q", "-N", "", "-f", shown].into_iter().chain(kind.split(' ')).collect();
        if !tool("ssh-keygen", &args) {
            return;
        }
        let agents = one(&[&path]).unwrap();
        let listed = ask(&agents, "", &[LIST]).await.remove(0);
        let mut fields = Reader(&listed[5..]);
        assert_eq!(fields.number(), Ok(1));
        let public = fields.string().unwrap().to_vec();
        let text = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        let meant = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            text.split(' ').nth(1).unwrap(),
        );
        assert_eq!(public, meant.unwrap(), "{kind}");
        // What `ssh-keygen -Y verify` checks: a signature over a frame of the message's hash.
        let digest = <sha2::Sha512 as sha2::Digest>::digest(b"message");
        let mut framed = b"SSHSIG".to_vec();
        for part in [&b"test"[..], b"", b"sha512", &digest] {
            put(&mut framed, part);
        }
        let mut body = vec![13];
        put(&mut body, &public);
        put(&mut body, &framed);
        body.extend_from_slice(&4u32.to_be_bytes());
        let mut request = Vec::new();
        put(&mut request, &body);
        let answer = ask(&agents, "", &[&request]).await.remove(0);
        assert_eq!(answer[4], 14, "{kind}");
        let signature = Reader(&answer[5..]).string().unwrap();
        let mut sealed = b"SSHSIG\0\0\0\x01".to_vec();
        for part in [&public[..], b"test", b"", b"sha512", signature] {
            put(&mut sealed, part);
        }
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, sealed);
        let sealed =
            format!("-----BEGIN SSH SIGNATURE-----\n{encoded}\n-----END SSH SIGNATURE-----\n");
        let (signed, allowed) = (dir.path().join("sig"), dir.path().join("allowed"));
        std::fs::write(&signed, sealed).unwrap();
        std::fs::write(&allowed, format!("me {text}")).unwrap();
        std::fs::write(dir.path().join("message"), "message").unwrap();
        let verify = format!(
            "ssh-keygen -Y verify -f {} -I me -n test -s {} < {}",
            allowed.display(),
            signed.display(),
            dir.path().join("message").display()
        );
        assert!(tool("sh", &["-c", &verify]), "{kind}");
    }
}

#[test]
fn a_passphrase_and_odd_kinds_lead_to_an_agent() {
    let dir = tempfile::tempdir().unwrap();
    for (name, args, words) in [
        ("locked", &["-ted25519", "-Nsecret"][..], "ssh-add"),
        ("locked-pem", &["-trsa", "-b2048", "-mPEM", "-Nsecret"], "ssh-add"),
        ("locked-8", &["-trsa", "-b2048", "-mPKCS8", "-Nsecret"], "ssh-add"),
        ("p521", &["-tecdsa", "-b521", "-N"], "ssh-add"),
    ] {
        let path = dir.path().join(name);
        let mut all = vec!["-q", "-f", path.to_str().unwrap()];
        all.extend(args);
        if name == "p521" {
            all.push("");
        }
        if !tool("ssh-keygen", &all) {
            return;
        }
        let error = one(&[&path]).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(name), "{error}");
    }
}

proptest::proptest! {
    #[test]
    fn no_file_makes_it_fall_over(body: Vec<u8>, label in "[A-Z ]{0,20}") {
        let _ = keyfile::read(&body);
        for label in [label.as_str(), "OPENSSH PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY"] {
            let magic = [b"openssh-key-v1\0".to_vec(), body.clone()].concat();
            for body in [&body, &magic] {
                let body = base64::Engine::encode(
                    &base64::engine::general_purpose::STANDARD, body);
                let text = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
                let _ = keyfile::read(text.as_bytes());
            }
        }
    }
}
