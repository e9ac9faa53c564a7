//! Answering requests: open, compare with what was announced, read, hash, send.

use std::os::fd::OwnedFd;

use bytes::Bytes;
use rustix::{
    fs::{Advice, FileType, fadvise, fstat},
    io::{Errno, read},
};
use sha2::{Digest as _, Sha256};

use super::{
    Source,
    disk::{full_path, identity, is_gone, mtime},
    error::{Change, FilesyncError, Stop},
    pool::{BUFFER, Buffer},
    root::Root,
    session::{Job, Session},
    wire::{DATA_HEADER, data_header},
};

/// Content per DATA packet of a file that takes several.
const CHUNK: usize = BUFFER - 2 * DATA_HEADER - 1;

/// Small answers are collected up to this size, or until nothing else waits.
const BATCH: usize = 128 * 1024;

/// Serves requests until the session ends; runs on a blocking thread.
pub(super) fn run(session: &Session) -> Result<(), Stop> {
    let mut batch: Option<Buffer> = None;
    loop {
        let job = match session.try_next() {
            Some(job) => job,
            None => {
                flush(session, &mut batch)?;
                match session.next() {
                    Some(job) => job,
                    None => return Ok(()),
                }
            }
        };
        if session.stopped() {
            return Err(Stop::Cancelled);
        }
        match &*session.source {
            Source::Disk(root) => from_disk(session, root, &job, &mut batch)?,
            Source::Memory(tree) => {
                let content = tree.content(&job.wanted.path).unwrap_or_default();
                from_memory(session, &content, &job, &mut batch)?;
            }
        }
        if batch.as_ref().is_some_and(|batch| batch.bytes.len() >= BATCH) {
            flush(session, &mut batch)?;
        }
    }
}

fn flush(session: &Session, batch: &mut Option<Buffer>) -> Result<(), Stop> {
    match batch.take() {
        Some(full) => session.send(full),
        None => Ok(()),
    }
}

/// The current batch with room for so many bytes, which must be less than [`BUFFER`].
fn with_room<'b>(
    session: &Session,
    batch: &'b mut Option<Buffer>,
    bytes: usize,
) -> Result<&'b mut Buffer, Stop> {
    if batch.as_ref().is_some_and(|batch| batch.room() < bytes) {
        flush(session, batch)?;
    }
    if batch.is_none() {
        let mut fresh = session.pool.take().ok_or(Stop::Cancelled)?;
        fresh.bytes.reserve_exact(BUFFER);
        *batch = Some(fresh);
    }
    batch.as_mut().ok_or(Stop::Cancelled)
}

fn from_memory(
    session: &Session,
    content: &Bytes,
    job: &Job,
    batch: &mut Option<Buffer>,
) -> Result<(), Stop> {
    let mut rest = content.clone();
    while !rest.is_empty() {
        let chunk = rest.split_to(rest.len().min(CHUNK));
        let len = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        let buffer = with_room(session, batch, chunk.len() + 2 * DATA_HEADER)?;
        data_header(&mut buffer.bytes, job.id, len);
        buffer.bytes.extend_from_slice(&chunk);
    }
    finish(session, job, Sha256::digest(content).into(), batch)
}

fn from_disk(
    session: &Session,
    root: &Root,
    job: &Job,
    batch: &mut Option<Buffer>,
) -> Result<(), Stop> {
    let path = || full_path(root, &job.wanted.path);
    let io = |action| move |source| FilesyncError::Io { action, path: path(), source };
    let fd = root.open_file(&job.wanted.path).map_err(|error| match error {
        error if is_gone(error) => FilesyncError::Vanished { path: path() },
        // A socket took the file's place.
        Errno::NXIO => FilesyncError::Changed { path: path(), change: Change::Replaced },
        error => io("open")(error),
    })?;
    check(session, job, &fd, true).map_err(|error| error.at(root, job))?;
    let mut hash = Sha256::new();
    let mut left = job.wanted.size;
    if left > BUFFER as u64 {
        let _ = fadvise(&fd, 0, None, Advice::Sequential);
    }
    while left > 0 {
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK);
        let buffer = with_room(session, batch, len + 2 * DATA_HEADER)?;
        data_header(&mut buffer.bytes, job.id, u32::try_from(len).unwrap_or(u32::MAX));
        let start = buffer.bytes.len();
        let got = fill(&fd, &mut buffer.bytes, len).map_err(io("read"))?;
        if got < len {
            let found = job.wanted.size - left + got as u64;
            let change = Change::Size { announced: job.wanted.size, found };
            return Err(FilesyncError::Changed { path: path(), change }.into());
        }
        left -= len as u64;
        if left == 0 && len < CHUNK {
            hash.update(buffer.bytes.get(start..).unwrap_or_default());
        } else if let Some(full) = batch.take() {
            // Hashed from the shared bytes while they are already being written.
            let bytes = full.freeze();
            session.send_bytes(bytes.clone())?;
            hash.update(bytes.get(start..).unwrap_or_default());
        }
    }
    check(session, job, &fd, false).map_err(|error| error.at(root, job))?;
    finish(session, job, hash.finalize().into(), batch)
}

/// Ends a file and records its digest.
fn finish(
    session: &Session,
    job: &Job,
    sha256: [u8; 32],
    batch: &mut Option<Buffer>,
) -> Result<(), Stop> {
    let buffer = with_room(session, batch, DATA_HEADER)?;
    data_header(&mut buffer.bytes, job.id, 0);
    let mut manifest = session.manifest();
    manifest.bytes += job.wanted.size;
    manifest.sent(job.id, sha256);
    Ok(())
}

/// What an opened file does not agree with.
enum Mismatch {
    Change(Change),
    Stat(Errno),
}

impl Mismatch {
    fn at(self, root: &Root, job: &Job) -> FilesyncError {
        let path = full_path(root, &job.wanted.path);
        match self {
            Self::Change(change) => FilesyncError::Changed { path, change },
            Self::Stat(source) => FilesyncError::Io { action: "stat", path, source },
        }
    }
}

/// Compares an open file with what was announced of it.
fn check(session: &Session, job: &Job, fd: &OwnedFd, opened: bool) -> Result<(), Mismatch> {
    let st = fstat(fd).map_err(Mismatch::Stat)?;
    if FileType::from_raw_mode(st.st_mode) != FileType::RegularFile {
        return Err(Mismatch::Change(Change::Replaced));
    }
    let (announced, found) = (job.wanted.size, u64::try_from(st.st_size).unwrap_or_default());
    if announced != found {
        return Err(Mismatch::Change(Change::Size { announced, found }));
    }
    let stamp = session.manifest().stamp(identity(&st), mtime(&st));
    if stamp != job.wanted.stamp {
        // The fingerprint does not say which part differs, but an open file keeps its identity.
        let change = if opened { Change::Replaced } else { Change::Modified };
        return Err(Mismatch::Change(change));
    }
    Ok(())
}

/// Appends exactly `len` bytes unless the file ends before.
fn fill(fd: &OwnedFd, out: &mut Vec<u8>, len: usize) -> Result<usize, Errno> {
    let end = out.len() + len;
    while out.len() < end {
        let room = end - out.len();
        // The capacity was reserved, so this initialises nothing twice and moves nothing.
        match read_spare(fd, out, room) {
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len - (end - out.len()))
}

fn read_spare(fd: &OwnedFd, out: &mut Vec<u8>, room: usize) -> Result<usize, Errno> {
    let start = out.len();
    out.resize(start + room, 0);
    let got = match out.get_mut(start..) {
        Some(space) => read(fd, space),
        None => Ok(0),
    };
    out.truncate(start + got.as_ref().copied().unwrap_or(0));
    got
}
