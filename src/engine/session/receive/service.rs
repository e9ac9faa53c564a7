//! The gRPC service, by hand: one method carries two protocols.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt as _};
use tonic::codegen::http::{self, HeaderMap};
use tonic::codegen::{Body, BoxFuture, Context, Poll, StdError};
use tonic::server::{Grpc, StreamingService};
use tonic::{Request, Response, Status, Streaming};

use super::super::handmade::handmade;
use super::super::raw::{MAX_MESSAGE, RawCodec};
use super::feed::{End, Feed};
use super::tree::{Counters, Tree};
use super::{
    Destination, FileReceiver, Part, PendingFile, PendingLayout, ReceiveError, Slot, lock,
};

/// The method that engines call.
pub(in crate::engine::session) const METHOD: &str = "/moby.filesync.v1.FileSend/DiffCopy";
/// Which exporter sends, since BuildKit 0.13.
const EXPORTER: &str = "buildkit-attachable-exporter-id";
/// Prefix of what an exporter says of its file.
const METADATA: &str = "exporter-md-";

/// What goes back to the engine.
pub(super) type Replies = mpsc::UnboundedSender<Result<Bytes, Status>>;

/// The answer to one call; dropped when the engine hangs up.
#[derive(Debug)]
pub struct Answer {
    replies: mpsc::UnboundedReceiver<Result<Bytes, Status>>,
    feed: Arc<Feed>,
}

impl Stream for Answer {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.replies.poll_recv(context)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.feed.end(End::Broken("it hung up".into()));
    }
}

/// A piece of a file.
#[derive(Clone, PartialEq, prost::Message)]
struct BytesMessage {
    #[prost(bytes = "bytes", tag = "1")]
    data: Bytes,
}

handmade!(FileReceiver, "moby.filesync.v1.FileSend");

impl FileReceiver {
    async fn answer<B>(self, request: http::Request<B>) -> http::Response<tonic::body::Body>
    where
        B: Body + Send + 'static,
        B::Error: Into<StdError> + Send + 'static,
    {
        if request.uri().path() != METHOD {
            return Status::unimplemented("only DiffCopy is offered").into_http();
        }
        let mut grpc =
            Grpc::new(RawCodec).apply_max_message_size_config(Some(MAX_MESSAGE), Some(MAX_MESSAGE));
        grpc.streaming(self, request).await
    }
}

impl StreamingService<Bytes> for FileReceiver {
    type Response = Bytes;
    type ResponseStream = Answer;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let headers = request.metadata().clone().into_headers();
            let exporter = this.exporter(&headers)?;
            let feed = this.begin(exporter, &headers)?;
            let (replies, answers) = mpsc::unbounded_channel();
            let carried = Arc::clone(&feed);
            tokio::spawn(async move { carry(request.into_inner(), &carried).await });
            let writing = Arc::clone(&feed);
            let writer = std::thread::Builder::new().name("receive".into());
            let written = writer.spawn(move || {
                this.write(exporter, &writing, &replies);
                writing.finish();
            });
            if let Err(error) = written {
                feed.end(End::Stopped);
                feed.finish();
                return Err(Status::resource_exhausted(format!("no thread to write: {error}")));
            }
            Ok(Response::new(Answer { replies: answers, feed }))
        })
    }
}

/// Hands the engine's messages to the writer until it has enough.
async fn carry(mut messages: Streaming<Bytes>, feed: &Feed) {
    loop {
        match messages.next().await {
            Some(Ok(message)) => {
                if !feed.push(message).await {
                    return;
                }
            }
            Some(Err(status)) => return feed.end(End::Broken(status.message().to_string())),
            None => return feed.end(End::Complete),
        }
    }
}

impl FileReceiver {
    /// The exporter that calls; engines before 0.13 have only one and do not name it.
    fn exporter(&self, headers: &HeaderMap) -> Result<usize, Status> {
        let named = headers.get(EXPORTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let exporter = match (named, self.0.slots.len()) {
            (Some(exporter), _) => Some(exporter),
            (None, 1) => self.0.slots.keys().next().copied(),
            (None, _) => None,
        };
        exporter.filter(|exporter| self.0.slots.contains_key(exporter)).ok_or_else(|| {
            Status::not_found("this build expects no result of such an exporter".to_string())
        })
    }

    fn slot(&self, exporter: usize) -> Result<&Slot, ReceiveError> {
        self.0
            .slots
            .get(&exporter)
            .ok_or_else(|| ReceiveError::Interrupted { message: "no such exporter".into() })
    }

    /// Registers a stream.
    fn begin(&self, exporter: usize, headers: &HeaderMap) -> Result<Arc<Feed>, Status> {
        let slot = self.slot(exporter).map_err(|error| Status::not_found(error.to_string()))?;
        let is_directory = matches!(slot.destination, Destination::Directory { .. });
        let mut running = lock(&self.0.running);
        if running.closed {
            return Err(Status::cancelled("the build has ended here"));
        }
        let mut received = lock(&slot.received);
        if !is_directory && std::mem::replace(&mut received.begun, true) {
            return Err(Status::already_exists("the result was already sent"));
        }
        received.metadata.extend(described(headers));
        drop(received);
        let feed = Arc::new(Feed::default());
        let through = matches!(slot.destination, Destination::Stream(_) | Destination::Pipe(_));
        running.feeds.push((Arc::clone(&feed), through));
        Ok(feed)
    }

    /// Receives one stream, on a thread of its own.
    fn write(&self, exporter: usize, feed: &Feed, replies: &Replies) {
        let result = self.slot(exporter).and_then(|slot| {
            let part = match &slot.destination {
                Destination::File(path) => {
                    let mut file = PendingFile::begin(path)?;
                    self.copy(feed, |bytes| file.write(&bytes))?;
                    Part::File(file)
                }
                Destination::Layout(path) => {
                    let mut layout = PendingLayout::begin(path)?;
                    self.copy(feed, |bytes| layout.write(&bytes))?;
                    Part::Layout(layout)
                }
                Destination::Stream(file) => {
                    let wrong = |error| ReceiveError::io("write to", "the output")(error);
                    self.copy(feed, |bytes| (&**file).write_all(&bytes).map_err(wrong))?;
                    Part::Stream
                }
                Destination::Pipe(pipe) => {
                    pipe.fill(|write| self.copy(feed, write))?;
                    Part::Stream
                }
                Destination::Directory { path, .. } => {
                    let counters = Counters { bytes: &self.0.bytes, entries: &self.0.entries };
                    Part::Tree(Tree::receive(path, feed, replies, counters)?)
                }
            };
            lock(&slot.received).parts.push(part);
            Ok(())
        });
        if let Err(error) = result {
            let _ = replies.send(Err(Status::aborted(error.to_string())));
            if !matches!(error, ReceiveError::Interrupted { .. }) {
                lock(&self.0.failure).get_or_insert(error);
            }
        }
    }

    fn copy(
        &self,
        feed: &Feed,
        mut write: impl FnMut(Bytes) -> Result<(), ReceiveError>,
    ) -> Result<(), ReceiveError> {
        while let Some(message) = feed.next()? {
            let data = BytesMessage::decode(message)
                .map_err(|_| ReceiveError::damaged("a malformed message", b""))?
                .data;
            let length = data.len() as u64;
            write(data)?;
            self.0.bytes.fetch_add(length, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// What an exporter says of its file.
fn described(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .filter_map(|(name, value)| {
            let key = name.as_str().strip_prefix(METADATA)?;
            Some((key.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        })
        .collect()
}
