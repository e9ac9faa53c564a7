//! Receiving results: the `moby.filesync.v1.FileSend` service of the session.
//!
//! The engine's exporters call `DiffCopy`, once for each platform for directories. A directory comes
//! in fsutil's protocol, where this side asks for contents; everything else is one stream of bytes.
//! Whether a stream is all of the result only shows when the build is over: engines end it in the
//! same way when they give up. So everything is received beside its place, and [`Outputs::commit`]
//! puts it there.
//!
//! Source: moby/buildkit, session/filesync; tonistiigi/fsutil, receive.go.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod destination;
mod error;
mod feed;
mod file;
mod layout;
mod pipe;
mod service;
#[cfg(test)]
mod tests;
mod tree;

pub use destination::Destination;
pub use error::ReceiveError;
pub use pipe::{Pipe, Piped, UNREAD, pipe};

use feed::{End, Feed};
pub(super) use service::METHOD;

use file::PendingFile;
use layout::PendingLayout;
use tree::Tree;

/// How long a writer may take to notice that nobody wants its result, then to remove it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The results of one build; dropping it removes what was not committed.
#[derive(Debug)]
pub struct Outputs(FileReceiver);

/// The service that receives; clones share everything.
#[derive(Clone, Debug)]
pub struct FileReceiver(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    slots: BTreeMap<usize, Slot>,
    failure: Mutex<Option<ReceiveError>>,
    running: Mutex<Running>,
    bytes: AtomicU64,
    entries: AtomicU64,
}

/// One exporter's result.
#[derive(Debug)]
struct Slot {
    destination: Destination,
    received: Mutex<Received>,
}

#[derive(Debug, Default)]
struct Received {
    /// Whether a stream for a file has begun: there is one.
    begun: bool,
    metadata: BTreeMap<String, String>,
    parts: Vec<Part>,
}

/// A stream that was received in full.
#[derive(Debug)]
enum Part {
    File(PendingFile),
    Layout(PendingLayout),
    Tree(Tree),
    Stream,
}

#[derive(Debug, Default)]
struct Running {
    closed: bool,
    feeds: Vec<(Arc<Feed>, bool)>,
}

/// How far the transfer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of content that arrived.
    pub bytes: u64,
    /// Entries of directories that arrived.
    pub entries: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Outputs {
    /// Offers places by the position of their exporter in the solve request.
    ///
    /// # Errors
    /// What [`Destination::check`] finds.
    pub fn new(places: Vec<(usize, Destination)>) -> Result<Self, ReceiveError> {
        let mut slots = BTreeMap::new();
        for (exporter, destination) in places {
            destination.check()?;
            slots.insert(exporter, Slot { destination, received: Mutex::default() });
        }
        Ok(Self(FileReceiver(Arc::new(Shared {
            slots,
            failure: Mutex::default(),
            running: Mutex::default(),
            bytes: AtomicU64::new(0),
            entries: AtomicU64::new(0),
        }))))
    }

    /// The service for the session.
    pub fn service(&self) -> FileReceiver {
        self.0.clone()
    }

    /// How far the transfer is.
    pub fn progress(&self) -> Progress {
        let shared = &self.0.0;
        Progress {
            bytes: shared.bytes.load(Ordering::Relaxed),
            entries: shared.entries.load(Ordering::Relaxed),
        }
    }

    /// What the engine says of an exporter's file, such as `containerimage.digest`.
    pub fn metadata(&self, exporter: usize) -> BTreeMap<String, String> {
        let slot = self.0.0.slots.get(&exporter);
        slot.map(|slot| lock(&slot.received).metadata.clone()).unwrap_or_default()
    }

    /// Takes the first local failure: the engine's own message wraps it beyond recognition.
    pub fn take_error(&self) -> Option<ReceiveError> {
        lock(&self.0.0.failure).take()
    }

    /// Puts everything in place; for after the solve, which alone says that a stream was whole.
    ///
    /// # Errors
    /// A place for which nothing came, and what the file system refuses. Places before it in the
    /// order of their exporters have their result then.
    pub async fn commit(&self) -> Result<(), ReceiveError> {
        let receiver = self.0.clone();
        let work = tokio::task::spawn_blocking(move || receiver.0.commit());
        work.await
            .unwrap_or_else(|error| Err(ReceiveError::Interrupted { message: error.to_string() }))
    }

    /// Ends what is under way and removes what was received and not committed.
    pub fn discard(&self) {
        let shared = &self.0.0;
        let feeds = {
            let mut running = lock(&shared.running);
            running.closed = true;
            std::mem::take(&mut running.feeds)
        };
        feeds.iter().for_each(|(feed, _)| feed.end(End::Stopped));
        // A writer that goes straight through has nothing to remove and may be stuck there.
        for (feed, _) in feeds.iter().filter(|(_, through)| !through) {
            if !feed.finished(PATIENCE) {
                tracing::debug!("a writer did not end");
            }
        }
        for slot in shared.slots.values() {
            if let Destination::Pipe(pipe) = &slot.destination {
                pipe.close();
            }
            lock(&slot.received).parts.clear();
        }
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.discard();
    }
}

impl Shared {
    fn commit(&self) -> Result<(), ReceiveError> {
        // The engine may say that it is done before its last word was read here.
        let feeds: Vec<_> =
            lock(&self.running).feeds.iter().map(|(feed, _)| Arc::clone(feed)).collect();
        let finished = feeds.iter().all(|feed| feed.finished(PATIENCE));
        if let Some(error) = lock(&self.failure).take() {
            return Err(error);
        }
        if !finished {
            return Err(ReceiveError::Interrupted { message: "it never came to its end".into() });
        }
        let mut ready = Vec::new();
        for slot in self.slots.values() {
            let parts = std::mem::take(&mut lock(&slot.received).parts);
            if parts.is_empty() {
                return Err(ReceiveError::NothingSent { path: slot.destination.shown() });
            }
            ready.push((&slot.destination, parts));
        }
        ready.into_iter().try_for_each(|(destination, parts)| put(destination, parts))
    }
}

/// Puts one exporter's result in place.
fn put(destination: &Destination, parts: Vec<Part>) -> Result<(), ReceiveError> {
    let mut trees = Vec::new();
    for part in parts {
        match part {
            Part::File(file) => file.commit()?,
            Part::Layout(layout) => layout.commit()?,
            Part::Tree(tree) => trees.push(tree),
            Part::Stream => {}
        }
    }
    Tree::commit(trees, matches!(destination, Destination::Directory { delete: true, .. }))
}
