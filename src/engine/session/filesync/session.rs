//! One DiffCopy call: a walker lists, readers answer requests, both bounded by the buffer pool.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bollard_buildkit_proto::fsutil::types::{Packet, packet::PacketType};
use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};

use super::{
    Failure, Source,
    body::Out,
    error::{FilesyncError, Stop},
    filter::{Entry, Filter, Identity},
    manifest::{Manifest, Wanted},
    pool::{Buffer, Pool},
    reader, wire,
};

/// Messages in flight to the connection; the buffer pool is the real bound.
pub(super) const CHANNEL: usize = 64;

/// Listing is handed over in pieces of about this size.
const LISTING_PIECE: usize = 16 * 1024;

/// Readers at most, for disks that answer slowly.
const READERS: usize = 4;

/// Requests one reader takes on before another one helps.
const BACKLOG: usize = 16;

/// A request that waits for a reader.
#[derive(Debug)]
pub(super) struct Job {
    /// Position in the listing.
    pub id: u32,
    /// The file.
    pub wanted: Wanted,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    readers: usize,
    idle: usize,
    closed: bool,
}

/// State shared by the parts of one call.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) source: Arc<Source>,
    pub(super) pool: Arc<Pool>,
    pub(super) out: mpsc::Sender<Out>,
    filter: Filter,
    manifest: Arc<Mutex<Manifest>>,
    failure: Failure,
    queue: Mutex<Queue>,
    wake: Condvar,
    stopped: AtomicBool,
}

/// Ends the session when the task that reads the engine's packets goes away.
struct CloseOnDrop(Arc<Session>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Session {
    /// Prepares a call.
    pub(super) fn new(
        source: Arc<Source>,
        filter: Filter,
        manifest: Arc<Mutex<Manifest>>,
        failure: Failure,
        out: mpsc::Sender<Out>,
    ) -> Self {
        Self {
            source,
            pool: Arc::default(),
            out,
            filter,
            manifest,
            failure,
            queue: Mutex::default(),
            wake: Condvar::new(),
            stopped: AtomicBool::new(false),
        }
    }

    /// Lets every part come to its end.
    pub(super) fn close(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.queue().closed = true;
        self.wake.notify_all();
        self.pool.close();
    }

    /// Whether there is still somebody to send to.
    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// The list of what was announced.
    pub(super) fn manifest(&self) -> MutexGuard<'_, Manifest> {
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a local failure and tells the engine; only the first one counts.
    pub(super) fn fail(&self, stop: Stop) {
        let Stop::Failed(error) = stop else { return };
        if self.stopped.swap(true, Ordering::Relaxed) {
            return;
        }
        let text = describe(&error);
        tracing::debug!(error = %text, "context transfer failed");
        self.failure.record(error);
        let _ = self.out.blocking_send(Out::Failed(Status::new(Code::Aborted, text)));
    }

    /// Hands bytes to the connection, waiting while it is busy.
    pub(super) fn send(&self, buffer: Buffer) -> Result<(), Stop> {
        self.send_bytes(buffer.freeze())
    }

    /// The same for shared bytes.
    pub(super) fn send_bytes(&self, bytes: bytes::Bytes) -> Result<(), Stop> {
        if self.stopped() {
            return Err(Stop::Cancelled);
        }
        self.out.blocking_send(Out::Data(bytes)).map_err(|_| Stop::Cancelled)
    }

    /// Lists the tree; runs on a blocking thread.
    pub(super) fn list(&self) {
        if let Err(stop) = self.try_list() {
            self.fail(stop);
        }
    }

    fn try_list(&self) -> Result<(), Stop> {
        let mut buffer = self.pool.take().ok_or(Stop::Cancelled)?;
        let mut first_names: HashMap<Identity, Vec<u8>> = HashMap::new();
        // The engine can start on the first entries while the rest is still being read.
        let mut piece = 1024;
        let mut emit = |mut entry: Entry| {
            if entry.linked && entry.stat.mode & super::stat::mode::SYMLINK == 0 {
                match first_names.get(&entry.identity) {
                    Some(first) => entry.stat.linkname.clone_from(first),
                    None => {
                        first_names.insert(entry.identity, entry.stat.path.clone());
                    }
                }
            }
            self.manifest().push(&entry)?;
            wire::stat(&mut buffer.bytes, &entry.stat);
            if buffer.bytes.len() >= piece {
                piece = LISTING_PIECE;
                let full = std::mem::replace(&mut buffer, self.pool.take().ok_or(Stop::Cancelled)?);
                self.send(full)?;
            }
            if self.stopped() { Err(Stop::Cancelled) } else { Ok(()) }
        };
        self.source.walk(&self.filter, &mut emit)?;
        wire::last_stat(&mut buffer.bytes);
        self.send(buffer)
    }

    /// Reads the engine's packets until the transfer is over.
    pub(super) async fn drive(self: Arc<Self>, mut packets: Streaming<Packet>) {
        let _guard = CloseOnDrop(Arc::clone(&self));
        let end = loop {
            let packet = tokio::select! {
                () = self.out.closed() => return,
                packet = packets.message() => packet,
            };
            match packet {
                Ok(Some(packet)) => match packet.r#type() {
                    PacketType::PacketReq => {
                        if let Err(status) = self.request(packet.id) {
                            break Out::Failed(status);
                        }
                    }
                    PacketType::PacketFin => {
                        let mut manifest = self.manifest();
                        manifest.finished = true;
                        manifest.close();
                        break Out::Fin;
                    }
                    PacketType::PacketErr => {
                        let text = String::from_utf8_lossy(&packet.data);
                        break Out::Ended(Status::aborted(format!("error from receiver: {text}")));
                    }
                    // As fsutil, which ignores what a receiver has no reason to send.
                    PacketType::PacketStat | PacketType::PacketData => {}
                },
                Ok(None) => {
                    break Out::Ended(Status::cancelled("the receiver left before the end"));
                }
                Err(status) => break Out::Ended(status),
            }
        };
        let _ = self.out.send(end).await;
        // The response ends the session once the last message is out; until then nothing may be cut off.
        self.out.closed().await;
    }

    fn request(self: &Arc<Self>, id: u32) -> Result<(), Status> {
        let Some(wanted) = self.manifest().request(id) else {
            return Err(Status::invalid_argument(format!("invalid file id {id}")));
        };
        let mut queue = self.queue();
        queue.jobs.push_back(Job { id, wanted });
        let busy = queue.readers - queue.idle;
        if queue.jobs.len() <= busy * BACKLOG || queue.closed {
            return Ok(());
        }
        if queue.idle > 0 {
            drop(queue);
            self.wake.notify_one();
        } else if queue.readers < READERS {
            queue.readers += 1;
            drop(queue);
            let session = Arc::clone(self);
            tokio::task::spawn_blocking(move || {
                if let Err(stop) = reader::run(&session) {
                    session.fail(stop);
                }
                // Whatever ended this reader, the others must not wait for its backlog.
                session.queue().readers -= 1;
            });
        }
        Ok(())
    }

    /// The next request if there is one now.
    pub(super) fn try_next(&self) -> Option<Job> {
        self.queue().jobs.pop_front()
    }

    /// Waits for the next request; `None` at the end of the session.
    pub(super) fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            queue.idle += 1;
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }
}

/// The error with its causes, on one line.
pub(super) fn describe(error: &FilesyncError) -> String {
    match error {
        FilesyncError::Io { source, .. } => format!("{error}: {source}"),
        other => other.to_string(),
    }
}
