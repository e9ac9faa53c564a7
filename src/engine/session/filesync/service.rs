//! The gRPC service, by hand: the generated one would copy every byte of content twice more.

use std::sync::{Arc, Mutex, PoisonError};

use bollard_buildkit_proto::fsutil::types::Packet;
use prost::Message as _;
use tokio::sync::mpsc;
use tonic::{
    Status, Streaming,
    codec::{DecodeBuf, Decoder},
    codegen::{
        Body, StdError,
        http::{self, header::CONTENT_TYPE},
    },
};

use super::super::handmade::handmade;
use super::{
    Failure, Filesync, FilesyncError, Request, Shared, Source,
    body::SessionBody,
    session::{CHANNEL, Session},
};

/// Requests and errors from the engine are short.
const MAX_PACKET: usize = 1 << 20;

/// Decodes the engine's packets.
struct PacketDecoder;

impl Decoder for PacketDecoder {
    type Item = Packet;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Packet>, Status> {
        Packet::decode(source)
            .map(Some)
            .map_err(|error| Status::internal(format!("malformed packet: {error}")))
    }
}

handmade!(Filesync, "moby.filesync.v1.FileSync");

impl Filesync {
    async fn answer<B>(self, request: http::Request<B>) -> http::Response<tonic::body::Body>
    where
        B: Body + Send + 'static,
        B::Error: Into<StdError> + Send + 'static,
    {
        let answer = if request.uri().path() == "/moby.filesync.v1.FileSync/DiffCopy" {
            self.diff_copy(request).await
        } else {
            Err(Status::unimplemented("only DiffCopy is offered"))
        };
        answer.unwrap_or_else(Status::into_http)
    }
}

impl Filesync {
    async fn diff_copy<B>(
        self,
        request: http::Request<B>,
    ) -> Result<http::Response<tonic::body::Body>, Status>
    where
        B: Body + Send + 'static,
        B::Error: Into<StdError> + Send + 'static,
    {
        let wanted = Request::from_headers(request.headers()).map_err(Status::invalid_argument)?;
        tracing::debug!(?wanted, "context transfer requested");
        let name = wanted.dir_name.clone();
        let Some(shared) = self.shared(&name) else {
            return Err(Status::not_found(format!("no access allowed to dir {name:?}")));
        };
        let tree = shared.tree.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let source = Source::open(&tree)?;
            let filter = source.filter(&wanted)?;
            Ok::<_, FilesyncError>((source, filter))
        });
        let (source, filter) = match opened.await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return Err(refuse(&self.failure, error)),
            Err(_) => return Err(Status::aborted("the transfer was abandoned")),
        };
        let (out, messages) = mpsc::channel(CHANNEL);
        let manifest = begin(&shared);
        let session =
            Arc::new(Session::new(Arc::new(source), filter, manifest, self.failure.clone(), out));
        let packets =
            Streaming::new_request(PacketDecoder, request.into_body(), None, Some(MAX_PACKET));
        let lister = Arc::clone(&session);
        tokio::task::spawn_blocking(move || lister.list());
        tokio::spawn(Arc::clone(&session).drive(packets));
        let mut response =
            http::Response::new(tonic::body::Body::new(SessionBody::new(messages, session)));
        response
            .headers_mut()
            .insert(CONTENT_TYPE, http::HeaderValue::from_static("application/grpc"));
        Ok(response)
    }
}

fn refuse(failure: &Failure, error: FilesyncError) -> Status {
    let status = Status::aborted(super::session::describe(&error));
    failure.record(error);
    status
}

/// Opens a new manifest for one call.
fn begin(shared: &Shared) -> Arc<Mutex<super::Manifest>> {
    let manifest = Arc::default();
    shared.transfers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&manifest));
    manifest
}
