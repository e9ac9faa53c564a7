//! A receiver as in the engine: lists, requests, and can rebuild the tree on disk.

use std::{
    collections::HashMap,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use bollard_buildkit_proto::{
    fsutil::types::{Packet, Stat, packet::PacketType},
    moby::filesync::v1::file_sync_client::FileSyncClient,
};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio_stream::{StreamExt as _, wrappers::UnboundedReceiverStream};
use tonic::{
    Status,
    metadata::{AsciiMetadataKey, AsciiMetadataValue},
    transport::{Channel, Endpoint, Server},
};

use super::super::Filesync;

/// What arrived.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub stats: Vec<Stat>,
    pub contents: HashMap<usize, Vec<u8>>,
}

impl Received {
    pub(super) fn paths(&self) -> Vec<&str> {
        self.stats.iter().map(|stat| stat.path.as_str()).collect()
    }

    pub(super) fn stat(&self, path: &str) -> &Stat {
        self.stats.iter().find(|stat| stat.path == path).unwrap()
    }

    pub(super) fn content(&self, path: &str) -> &[u8] {
        let id = self.stats.iter().position(|stat| stat.path == path).unwrap();
        &self.contents[&id]
    }

    /// One line per entry: type, path, link target.
    pub(super) fn lines(&self) -> Vec<String> {
        self.stats
            .iter()
            .map(|stat| match (stat.mode >> 19, stat.linkname.as_str()) {
                (kind, _) if kind & 1 << 12 != 0 => format!("dir {}", stat.path),
                (kind, target) if kind & 1 << 8 != 0 => format!("symlink:{target} {}", stat.path),
                (_, "") => format!("file {}", stat.path),
                (_, first) => format!("file {} >{first}", stat.path),
            })
            .collect()
    }

    /// Rebuilds the tree as fsutil's disk writer does.
    pub(super) fn write_to(&self, dest: &Path) {
        for (id, stat) in self.stats.iter().enumerate() {
            let path = dest.join(&stat.path);
            match stat.mode {
                mode if mode & 1 << 31 != 0 => std::fs::create_dir(&path).unwrap(),
                mode if mode & 1 << 27 != 0 => {
                    symlink(&stat.linkname, &path).unwrap();
                    continue;
                }
                mode if mode & 1 << 25 != 0 => {
                    let mode = rustix::fs::Mode::from_raw_mode(0o600);
                    rustix::fs::mknodat(
                        rustix::fs::CWD,
                        &path,
                        rustix::fs::FileType::Fifo,
                        mode,
                        0,
                    )
                    .unwrap();
                }
                _ if !stat.linkname.is_empty() => {
                    std::fs::hard_link(dest.join(&stat.linkname), &path).unwrap();
                }
                _ => std::fs::write(&path, &self.contents[&id]).unwrap(),
            }
            for (name, value) in &stat.xattrs {
                rustix::fs::lsetxattr(&path, name.as_str(), value, rustix::fs::XattrFlags::empty())
                    .unwrap();
            }
            let special = [(23, 0o4000), (22, 0o2000), (20, 0o1000)];
            let mode = special
                .into_iter()
                .filter(|(bit, _)| stat.mode & 1 << bit != 0)
                .fold(stat.mode & 0o777, |mode, (_, bit)| mode | bit);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}

/// A connection to a server that offers the service.
pub(super) async fn connect(filesync: &Filesync) -> Channel {
    let (client, server) = tokio::io::duplex(256 * 1024);
    let incoming =
        tokio_stream::once(Ok::<_, std::io::Error>(server)).chain(tokio_stream::pending());
    let router = Server::builder().add_service(filesync.clone());
    tokio::spawn(router.serve_with_incoming(incoming));
    let mut client = Some(client);
    Endpoint::from_static("http://session")
        .connect_with_connector(tower::service_fn(move |_| {
            let client = client.take().map(TokioIo::new);
            async move { client.ok_or_else(|| std::io::Error::other("only one connection")) }
        }))
        .await
        .unwrap()
}

/// Metadata as pairs of key and value.
pub(super) type Metadata<'m> = &'m [(&'static str, &'m str)];

/// Receives everything under a name.
pub(super) async fn receive(
    filesync: &Filesync,
    name: &str,
    metadata: Metadata<'_>,
) -> Result<Received, Status> {
    receive_with(filesync, name, metadata, || {}).await
}

/// The same; `listed` runs between the end of the list and the first request.
pub(super) async fn receive_with(
    filesync: &Filesync,
    name: &str,
    metadata: Metadata<'_>,
    listed: impl FnOnce(),
) -> Result<Received, Status> {
    let mut client =
        FileSyncClient::new(connect(filesync).await).max_decoding_message_size(16 << 20);
    let (requests, outgoing) = mpsc::unbounded_channel();
    let mut call = tonic::Request::new(UnboundedReceiverStream::new(outgoing));
    for (key, value) in [("dir-name", name)].iter().chain(metadata) {
        let value: AsciiMetadataValue = value.parse().unwrap();
        call.metadata_mut().append(AsciiMetadataKey::from_static(key), value);
    }
    let mut packets = client.diff_copy(call).await?.into_inner();
    let packet =
        |kind: PacketType, id: u32| Packet { r#type: kind.into(), id, ..Packet::default() };
    let mut received = Received::default();
    let mut listed = Some(listed);
    let mut open = 0_usize;
    let mut error = String::new();
    while let Some(next) = packets.message().await? {
        match next.r#type() {
            PacketType::PacketStat => match next.stat {
                Some(stat) => received.stats.push(stat),
                None => {
                    (listed.take().unwrap())();
                    for (id, stat) in received.stats.iter().enumerate() {
                        if stat.mode >> 19 & !0b11010 == 0 && stat.linkname.is_empty() {
                            received.contents.insert(id, Vec::new());
                            open += 1;
                            requests
                                .send(packet(PacketType::PacketReq, u32::try_from(id).unwrap()))
                                .unwrap();
                        }
                    }
                    if open == 0 {
                        requests.send(packet(PacketType::PacketFin, 0)).unwrap();
                    }
                }
            },
            PacketType::PacketData if next.data.is_empty() => {
                open -= 1;
                if open == 0 {
                    requests.send(packet(PacketType::PacketFin, 0)).unwrap();
                }
            }
            PacketType::PacketData => {
                let id = usize::try_from(next.id).unwrap();
                received.contents.get_mut(&id).unwrap().extend(next.data);
            }
            PacketType::PacketErr => error = String::from_utf8(next.data).unwrap(),
            PacketType::PacketFin => assert_eq!(open, 0, "FIN before all contents"),
            PacketType::PacketReq => panic!("the sender asks for something"),
        }
    }
    assert_eq!(error, "", "an ERR packet without a failed call");
    Ok(received)
}
