//! The response of a DiffCopy call: ready-made gRPC messages, then the status.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::Frame;
use tokio::sync::mpsc;
use tonic::{Status, codegen::http::HeaderMap};

use super::{session::Session, wire};

/// What the parts of a transfer hand to the connection.
#[derive(Debug)]
pub(super) enum Out {
    /// Whole gRPC messages.
    Data(Bytes),
    /// The engine is content.
    Fin,
    /// The transfer failed here; the text also goes to the engine as an ERR packet.
    Failed(Status),
    /// The other side failed or left.
    Ended(Status),
}

/// Streams a session's messages and ends the session when dropped.
#[derive(Debug)]
pub(super) struct SessionBody {
    out: mpsc::Receiver<Out>,
    last: Option<Status>,
    done: bool,
    session: Arc<Session>,
}

impl SessionBody {
    /// Takes the receiving end of a session's channel.
    pub(super) fn new(out: mpsc::Receiver<Out>, session: Arc<Session>) -> Self {
        Self { out, last: None, done: false, session }
    }

    fn end(&mut self, status: &Status) -> Frame<Bytes> {
        self.done = true;
        self.session.close();
        let mut trailers = HeaderMap::with_capacity(2);
        if status.add_header(&mut trailers).is_err() {
            // Only the details of a status can be unfit for a header.
            let _ = Status::new(status.code(), "").add_header(&mut trailers);
        }
        Frame::trailers(trailers)
    }
}

impl http_body::Body for SessionBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.done {
            return Poll::Ready(None);
        }
        if let Some(status) = self.last.take() {
            return Poll::Ready(Some(Ok(self.end(&status))));
        }
        let next = match self.out.poll_recv(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(next) => next,
        };
        let mut message = Vec::new();
        Poll::Ready(Some(Ok(match next {
            Some(Out::Data(bytes)) => Frame::data(bytes),
            Some(Out::Fin) => {
                wire::fin(&mut message);
                self.last = Some(Status::ok(""));
                Frame::data(message.into())
            }
            Some(Out::Failed(status)) => {
                wire::error(&mut message, status.message());
                self.last = Some(status);
                Frame::data(message.into())
            }
            Some(Out::Ended(status)) => self.end(&status),
            None => self.end(&Status::aborted("the transfer was abandoned")),
        })))
    }
}

impl Drop for SessionBody {
    fn drop(&mut self) {
        self.session.close();
    }
}
