//! One connection of a step to an agent.

use std::sync::Arc;

use bollard_buildkit_proto::moby::sshforward::v1::BytesMessage;
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt as _};
use tonic::Status;

use super::keyring::Keyring;
use super::protocol::{self, Asked, FAILURE, LONGEST, LONGEST_ANSWER, NO_V1_KEYS};

/// One message to the engine at most, in bytes.
const CHUNK: usize = 32 * 1024;

/// Where answers go.
pub(super) type Answers = mpsc::Sender<Result<BytesMessage, Status>>;

/// Hands bytes through in both directions.
pub(super) async fn raw(
    socket: UnixStream,
    mut messages: impl Stream<Item = Result<BytesMessage, Status>> + Unpin + Send,
    answers: Answers,
) {
    let (mut from_agent, mut to_agent) = socket.into_split();
    let upwards = async {
        while let Some(Ok(message)) = messages.next().await {
            if to_agent.write_all(&message.data).await.is_err() {
                break;
            }
        }
        // The agent may still have something to say.
        let _ = to_agent.shutdown().await;
    };
    let downwards = async {
        let mut buffer = vec![0; CHUNK];
        while let Ok(n @ 1..) = from_agent.read(&mut buffer).await {
            let data = buffer.get(..n).unwrap_or_default().to_vec();
            if answers.send(Ok(BytesMessage { data })).await.is_err() {
                break;
            }
        }
    };
    tokio::pin!(upwards);
    tokio::select! {
        () = downwards => {}
        () = answers.closed() => {}
        () = async { (&mut upwards).await; std::future::pending().await } => {}
    }
}

/// Who answers what a step may ask.
#[derive(Debug)]
pub(super) enum Behind {
    /// An agent's socket, with what was read of its next answer.
    Socket(UnixStream, BytesMut),
    /// Keys in this process.
    Keys(Arc<Keyring>),
}

impl Behind {
    /// The answer to a request; none when the connection cannot go on.
    async fn ask(&mut self, request: Bytes) -> Option<Bytes> {
        let (socket, read) = match self {
            Self::Socket(socket, read) => (socket, read),
            // Length and type stand in front.
            Self::Keys(keys) => {
                return Some(match protocol::asked(&request) {
                    Asked::Sign => keys.sign(request.get(5..)?),
                    _ => keys.list(),
                });
            }
        };
        socket.write_all(&request).await.ok()?;
        loop {
            match protocol::take(read, LONGEST_ANSWER) {
                Ok(Some(answer)) => return Some(answer),
                Ok(None) => {}
                Err(protocol::TooLong) => return None,
            }
            if socket.read_buf(read).await.ok()? == 0 {
                return None;
            }
        }
    }
}

/// Lets a step list and sign, and refuses the rest.
pub(super) async fn filtered(
    mut behind: Behind,
    mut messages: impl Stream<Item = Result<BytesMessage, Status>> + Unpin + Send,
    answers: Answers,
) {
    let mut read = BytesMut::new();
    loop {
        let request = match protocol::take(&mut read, LONGEST) {
            Ok(Some(request)) => request,
            Ok(None) => match messages.next().await {
                Some(Ok(message)) => {
                    read.extend_from_slice(&message.data);
                    continue;
                }
                Some(Err(_)) | None => return,
            },
            Err(protocol::TooLong) => return,
        };
        let answer = match protocol::asked(&request) {
            Asked::List | Asked::Sign => match behind.ask(request).await {
                Some(answer) => answer,
                None => return,
            },
            Asked::ListV1 => Bytes::from_static(NO_V1_KEYS),
            Asked::Other => Bytes::from_static(FAILURE),
        };
        for data in answer.chunks(CHUNK) {
            if answers.send(Ok(BytesMessage { data: data.to_vec() })).await.is_err() {
                return;
            }
        }
    }
}
