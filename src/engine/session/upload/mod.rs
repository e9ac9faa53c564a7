//! Handing one file to the engine under `http://buildkit-session/<id>`: the `moby.upload.v1.Upload`
//! service of the session, for a context that came through standard input.
//!
//! Source: moby/buildkit, session/upload and session/upload/uploadprovider.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bollard_buildkit_proto::moby::upload::v1::BytesMessage;
use bollard_buildkit_proto::moby::upload::v1::upload_server::Upload;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

mod sniff;
mod spool;

pub use sniff::Archive;
pub use spool::{MAX_DOCKERFILE, Spool, SpoolError, Stdin};

/// The method that engines call.
pub(super) const METHOD: &str = "/moby.upload.v1.Upload/Pull";
/// The host that means this session.
const PREFIX: &str = "http://buildkit-session/";
/// The header that names the file, as a path.
const PATH: &str = "urlpath";
/// One message's content, in bytes.
const CHUNK: usize = 256 * 1024;
/// Messages that wait for the connection.
const WAITING: usize = 4;

/// The files that the engine may fetch, as often as it likes; clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Uploads(Arc<Mutex<HashMap<String, Spool>>>);

impl Uploads {
    /// Offers a file and returns the URL that the engine knows it by; also while the session is
    /// served.
    ///
    /// # Errors
    /// There is no randomness to name it.
    pub fn add(&self, file: Spool) -> io::Result<String> {
        let id = crate::random::hex::<16>()?;
        let url = format!("{PREFIX}{id}");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, file);
        Ok(url)
    }

    fn get(&self, path: &str) -> Option<Spool> {
        let id = path.rsplit('/').next().unwrap_or(path);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

#[tonic::async_trait]
impl Upload for Uploads {
    type PullStream = ReceiverStream<Result<BytesMessage, Status>>;

    async fn pull(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::PullStream>, Status> {
        let path = request.metadata().get(PATH).and_then(|path| path.to_str().ok());
        let Some(file) = path.and_then(|path| self.get(path)) else {
            return Err(Status::not_found("this session has no such file"));
        };
        let (sender, messages) = mpsc::channel(WAITING);
        tokio::task::spawn_blocking(move || {
            let mut at = 0;
            loop {
                let message = match file.read_at(at, CHUNK) {
                    Ok(data) if data.is_empty() => return,
                    Ok(data) => {
                        at += data.len() as u64;
                        Ok(BytesMessage { data })
                    }
                    Err(error) => Err(Status::aborted(format!("cannot read the context: {error}"))),
                };
                let failed = message.is_err();
                if sender.blocking_send(message).is_err() || failed {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(messages)))
    }
}
