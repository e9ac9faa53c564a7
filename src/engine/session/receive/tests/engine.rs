//! An engine that exports.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use hyper_util::rt::TokioIo;
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Status};

use super::super::super::raw::RawCodec;
use super::super::{Destination, FileReceiver, Outputs};

use bollard_buildkit_proto::fsutil::types::packet::PacketType;
pub(super) use bollard_buildkit_proto::fsutil::types::{Packet, Stat};

pub(super) const DIR: u32 = 1 << 31;
pub(super) const SYMLINK: u32 = 1 << 27;
pub(super) const FIFO: u32 = 1 << 25;
/// A time with nanoseconds, long ago.
pub(super) const TIME: i64 = 1_000_000_000_123_456_789;

/// An entry of a tree and what it holds.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub stat: Stat,
    pub content: Vec<u8>,
}

pub(super) fn entry(path: &str, mode: u32, linkname: &str) -> Entry {
    let (path, linkname) = (path.to_string(), linkname.to_string());
    let stat = Stat { path, mode, linkname, mod_time: TIME, ..Stat::default() };
    Entry { stat, content: Vec::new() }
}

pub(super) fn dir(path: &str) -> Entry {
    entry(path, DIR | 0o755, "")
}

pub(super) fn file(path: &str, content: impl Into<Vec<u8>>) -> Entry {
    let content = content.into();
    let mut file = entry(path, 0o644, "");
    file.stat.size = content.len() as i64;
    Entry { content, ..file }
}

pub(super) fn link(path: &str, target: &str) -> Entry {
    entry(path, SYMLINK | 0o777, target)
}

pub(super) fn packet(kind: PacketType, id: u32, data: &[u8]) -> Packet {
    Packet { r#type: kind.into(), stat: None, id, data: data.to_vec() }
}

pub(super) fn stat(stat: &Stat) -> Packet {
    Packet { stat: Some(stat.clone()), ..packet(PacketType::PacketStat, 0, b"") }
}

pub(super) fn end_of_list() -> Packet {
    packet(PacketType::PacketStat, 0, b"")
}

pub(super) fn data(id: u32, data: &[u8]) -> Packet {
    packet(PacketType::PacketData, id, data)
}

pub(super) fn fin() -> Packet {
    packet(PacketType::PacketFin, 0, b"")
}

/// Offers one directory.
pub(super) fn to_directory(path: impl Into<std::path::PathBuf>, delete: bool) -> Outputs {
    Outputs::new(vec![(0, Destination::Directory { path: path.into(), delete })]).unwrap()
}

/// Offers one file.
pub(super) fn to_file(path: impl Into<std::path::PathBuf>) -> Outputs {
    Outputs::new(vec![(0, Destination::File(path.into()))]).unwrap()
}

async fn connect(service: FileReceiver) -> Channel {
    let (client, server) = tokio::io::duplex(256 * 1024);
    let incoming =
        tokio_stream::once(Ok::<_, std::io::Error>(server)).chain(tokio_stream::pending());
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    let mut client = Some(client);
    Endpoint::from_static("http://session")
        .connect_with_connector(tower::service_fn(move |_| {
            let client = client.take().map(TokioIo::new);
            async move { client.ok_or_else(|| std::io::Error::other("only one connection")) }
        }))
        .await
        .unwrap()
}

/// One call of `DiffCopy`.
pub(super) struct Call {
    pub send: Option<mpsc::UnboundedSender<Bytes>>,
    pub answers: tonic::Streaming<Bytes>,
    // The connection lasts as long.
    _channel: Channel,
}

pub(super) async fn call(
    outputs: &Outputs,
    metadata: &[(&'static str, &str)],
) -> Result<Call, Status> {
    let channel = connect(outputs.service()).await;
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let (send, messages) = mpsc::unbounded_channel();
    let mut request = Request::new(UnboundedReceiverStream::new(messages));
    for (key, value) in metadata {
        let value: AsciiMetadataValue = value.parse().unwrap();
        request.metadata_mut().append(AsciiMetadataKey::from_static(key), value);
    }
    let path = PathAndQuery::from_static("/moby.filesync.v1.FileSend/DiffCopy");
    let answers = grpc.streaming(request, path, RawCodec).await?.into_inner();
    Ok(Call { send: Some(send), answers, _channel: channel })
}

impl Call {
    pub(super) fn packet(&self, packet: &Packet) {
        let _ = self.send.as_ref().unwrap().send(packet.encode_to_vec().into());
    }

    /// The next packet from the receiver.
    pub(super) async fn next(&mut self) -> Result<Option<Packet>, Status> {
        let answer = tokio::time::timeout(Duration::from_secs(20), self.answers.next())
            .await
            .expect("the receiver says nothing");
        answer.transpose().map(|bytes| bytes.map(|bytes| Packet::decode(bytes).unwrap()))
    }

    /// Sends nothing more and waits for the end.
    pub(super) async fn finish(mut self) -> Result<(), Status> {
        self.send = None;
        while self.next().await?.is_some() {}
        Ok(())
    }
}

/// Sends a tree as an engine does and waits for the receiver's end.
pub(super) async fn send_tree(outputs: &Outputs, entries: &[Entry]) -> Result<(), Status> {
    let mut call = call(outputs, &[]).await?;
    entries.iter().for_each(|entry| call.packet(&stat(&entry.stat)));
    call.packet(&end_of_list());
    let mut wanted = VecDeque::new();
    while let Some(next) = call.next().await? {
        match next.r#type() {
            PacketType::PacketReq => wanted.push_back(next.id),
            PacketType::PacketFin => call.packet(&fin()),
            PacketType::PacketErr => {}
            other => panic!("the receiver sends {other:?}"),
        }
        while let Some(id) = wanted.pop_front() {
            for piece in entries[usize::try_from(id).unwrap()].content.chunks(32 * 1024) {
                call.packet(&data(id, piece));
            }
            call.packet(&data(id, b""));
        }
    }
    Ok(())
}
