//! The gRPC service, by hand: two methods of nine, as a store that cannot be written.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::http;
use tonic::codegen::{Body, BoxFuture, StdError};
use tonic::metadata::MetadataMap;
use tonic::server::{Grpc, ServerStreamingService, UnaryService};
use tonic::{Request, Response, Status};

use super::super::handmade::handmade;
use super::super::raw::RawCodec;
use super::ContentStores;
use super::blob::Blob;
use super::layout::LayoutError;
use super::message::{Info, InfoRequest, InfoResponse, ReadContentRequest, ReadContentResponse};

const INFO: &str = "/containerd.services.content.v1.Content/Info";
const READ: &str = "/containerd.services.content.v1.Content/Read";
/// The methods that engines call.
pub(in crate::engine::session) const METHODS: [&str; 2] = [INFO, READ];
/// The header that names the store; the first one counts.
const STORE: &str = "buildkit-attachable-store-id";
/// One message's content, in bytes.
const CHUNK: usize = 256 * 1024;
/// Messages that wait for the connection.
const WAITING: usize = 4;

handmade!(ContentStores, "containerd.services.content.v1.Content");

impl ContentStores {
    async fn answer<B>(self, request: http::Request<B>) -> http::Response<tonic::body::Body>
    where
        B: Body + Send + 'static,
        B::Error: Into<StdError> + Send + 'static,
    {
        let mut grpc = Grpc::new(RawCodec);
        match request.uri().path() {
            INFO => grpc.unary(InfoCall(self), request).await,
            READ => grpc.server_streaming(ReadCall(self), request).await,
            _ => Status::unimplemented("this store can only be read").into_http(),
        }
    }
}

struct InfoCall(ContentStores);

impl UnaryService<Bytes> for InfoCall {
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let stores = self.0.clone();
        Box::pin(async move {
            let (metadata, _, message) = request.into_parts();
            let InfoRequest { digest } = decode(message)?;
            let blob = stores.blob(&metadata, digest.clone()).await?;
            let info = Info { digest, size: signed(blob.size) };
            Ok(Response::new(InfoResponse { info: Some(info) }.encode_to_vec().into()))
        })
    }
}

struct ReadCall(ContentStores);

impl ServerStreamingService<Bytes> for ReadCall {
    type Response = Bytes;
    type ResponseStream = ReceiverStream<Result<Bytes, Status>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let stores = self.0.clone();
        Box::pin(async move {
            let (metadata, _, message) = request.into_parts();
            let ReadContentRequest { digest, offset, size } = decode(message)?;
            let blob = stores.blob(&metadata, digest).await?;
            let start = u64::try_from(offset).unwrap_or(0);
            if start > blob.size {
                let length = blob.size;
                return Err(Status::out_of_range(format!("the blob has {length} bytes")));
            }
            let rest = blob.size - start;
            let length = u64::try_from(size).ok().filter(|size| *size > 0).unwrap_or(rest);
            let (sender, messages) = mpsc::channel(WAITING);
            let end = start + length.min(rest);
            tokio::task::spawn_blocking(move || send(&blob, start, end, &sender));
            Ok(Response::new(ReceiverStream::new(messages)))
        })
    }
}

/// Sends a part of a blob, until the engine hangs up.
fn send(blob: &Blob, start: u64, end: u64, to: &mpsc::Sender<Result<Bytes, Status>>) {
    let mut at = start;
    while at < end {
        let length = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
        let message = match blob.read_at(at, length) {
            Ok(data) => {
                let piece = ReadContentResponse { offset: signed(at), data: data.into() };
                Ok(piece.encode_to_vec().into())
            }
            Err(error) => Err(Status::data_loss(format!("cannot read the blob: {error}"))),
        };
        let failed = message.is_err();
        if to.blocking_send(message).is_err() || failed {
            return;
        }
        at += length as u64;
    }
}

impl ContentStores {
    async fn blob(&self, metadata: &MetadataMap, digest: String) -> Result<Arc<Blob>, Status> {
        let id = metadata.get(STORE).and_then(|id| id.to_str().ok());
        let Some(layout) = id.and_then(|id| self.get(id)) else {
            return Err(Status::not_found("this session has no such store"));
        };
        let opened = tokio::task::spawn_blocking(move || layout.blob(&digest)).await;
        match opened {
            Ok(opened) => opened.map_err(|error| status(&error)),
            Err(_) => Err(Status::aborted("the read was abandoned")),
        }
    }
}

fn status(error: &LayoutError) -> Status {
    let message = error.to_string();
    match error {
        LayoutError::Missing { .. } => Status::not_found(message),
        LayoutError::Digest { .. } => Status::invalid_argument(message),
        _ => Status::data_loss(message),
    }
}

fn decode<M: prost::Message + Default>(message: Bytes) -> Result<M, Status> {
    M::decode(message).map_err(|error| Status::invalid_argument(error.to_string()))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
