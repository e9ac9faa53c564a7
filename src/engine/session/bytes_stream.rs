//! The session through `Control.Session`: raw bytes in gRPC messages, for daemons that offer no
//! HTTP upgrade.
//!
//! Source: moby/buildkit, session/grpchijack.

use bollard_buildkit_proto::moby::buildkit::v1::BytesMessage;
use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{MetadataKey, MetadataMap};
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::{SessionId, grouped};

/// One chunk of the stream, in bytes; the pipe between the two sides is as large.
const CHUNK: usize = 64 * 1024;

/// Opens `Control.Session` and returns the byte stream that it carries.
pub(crate) async fn over_control(
    mut control: ControlClient<Channel>,
    id: &SessionId,
) -> Result<DuplexStream, Status> {
    let (ours, theirs) = tokio::io::duplex(CHUNK);
    let (mut from_us, mut to_us) = tokio::io::split(theirs);
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    tokio::spawn(async move {
        let mut buffer = vec![0; CHUNK];
        while let Ok(n @ 1..) = from_us.read(&mut buffer).await {
            let data = buffer.get(..n).unwrap_or_default().to_vec();
            if sender.send(BytesMessage { data }).await.is_err() {
                break;
            }
        }
    });
    let mut request = Request::new(ReceiverStream::new(receiver));
    announce(request.metadata_mut(), id)?;
    let mut answers = control.session(request).await?.into_inner();
    tokio::spawn(async move {
        while let Some(Ok(message)) = answers.next().await {
            if to_us.write_all(&message.data).await.is_err() {
                break;
            }
        }
    });
    Ok(ours)
}

fn announce(metadata: &mut MetadataMap, id: &SessionId) -> Result<(), Status> {
    for (name, values) in grouped(&id.headers()) {
        let key = MetadataKey::from_bytes(name.as_bytes())
            .map_err(|error| Status::internal(error.to_string()))?;
        for value in values {
            let value =
                value.parse().map_err(|_| Status::internal("unprintable session header"))?;
            metadata.append(key.clone(), value);
        }
    }
    Ok(())
}
