//! A result that is a directory: fsutil's protocol with this side as the receiver.
//!
//! Source: tonistiigi/fsutil, receive.go and diskwriter.go.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use prost::Message as _;
use rustix::fs::{CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

mod at;
mod dirs;
mod merge;
mod mode;
mod order;
mod staging;
mod wire;
mod writer;

use super::ReceiveError;
use super::feed::Feed;
use super::service::Replies;
use dirs::Dirs;
use merge::{Merge, Stuck};
use staging::Staging;
use std::os::fd::AsFd as _;
use wire::Packet;
use writer::Writer;

/// A tree that arrived in full and waits beside its place.
#[derive(Debug)]
pub(super) struct Tree {
    staging: Staging,
    dirs: Dirs,
}

/// Counts what arrives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counters<'a> {
    /// Bytes of content.
    pub bytes: &'a AtomicU64,
    /// Entries.
    pub entries: &'a AtomicU64,
}

impl Tree {
    /// Receives a tree that is to be at `destination`.
    pub(super) fn receive(
        destination: &Path,
        feed: &Feed,
        replies: &Replies,
        counters: Counters<'_>,
    ) -> Result<Self, ReceiveError> {
        let staging = Staging::new(destination)?;
        let received = receive(&staging, feed, replies, counters);
        if let Err(error) = &received {
            let text = wire::encoded(wire::ERROR, 0, error.to_string().as_bytes());
            let _ = replies.send(Ok(text));
        }
        let dirs = received?;
        Ok(Self { staging, dirs })
    }

    /// Puts trees for one destination in place, as one.
    pub(super) fn commit(trees: Vec<Self>, delete: bool) -> Result<(), ReceiveError> {
        let mut all: Option<Staging> = None;
        for Self { staging, dirs } in trees {
            dirs.finish().map_err(ReceiveError::io("finish", &staging.path))?;
            let Some(first) = &all else {
                all = Some(staging);
                continue;
            };
            let merge = Merge { delete: false, keep: None };
            merge
                .contents(staging.root(), first.root(), &mut Vec::new())
                .map_err(|stuck| error(&staging.path, stuck))?;
        }
        let Some(staging) = all else { return Ok(()) };
        place(&staging, delete)
    }
}

/// Moves a staged tree to its place.
fn place(staging: &Staging, delete: bool) -> Result<(), ReceiveError> {
    let path = &staging.path;
    if staging.inside {
        return into(staging, staging.base(), delete);
    }
    // Private, as every BuildKit client makes it.
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(ReceiveError::io("make the directory", parent))?;
    }
    let moved = rustix::fs::renameat_with(
        staging.base(),
        staging.name(),
        CWD,
        path,
        RenameFlags::NOREPLACE,
    );
    match moved {
        Ok(()) => Ok(()),
        // It was made meanwhile, or this file system knows no such renaming.
        Err(Errno::EXIST | Errno::INVAL | Errno::NOSYS | Errno::XDEV) => {
            match rustix::fs::mkdirat(CWD, path, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(ReceiveError::io("make the directory", path)(error)),
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let to = rustix::fs::openat(CWD, path, flags, Mode::empty())
                .map_err(ReceiveError::io("open the directory", path))?;
            into(staging, to.as_fd(), delete)
        }
        Err(error) => Err(ReceiveError::io("make the directory", path)(error)),
    }
}

fn into(
    staging: &Staging,
    to: std::os::fd::BorrowedFd<'_>,
    delete: bool,
) -> Result<(), ReceiveError> {
    Merge { delete, keep: Some(staging.name()) }
        .contents(staging.root(), to, &mut Vec::new())
        .map_err(|stuck| error(&staging.path, stuck))
}

fn error(destination: &Path, Stuck { path, error }: Stuck) -> ReceiveError {
    use std::os::unix::ffi::OsStrExt as _;
    let path: PathBuf = destination.join(std::ffi::OsStr::from_bytes(&path));
    ReceiveError::io("put in place", path)(error)
}

fn receive(
    staging: &Staging,
    feed: &Feed,
    replies: &Replies,
    counters: Counters<'_>,
) -> Result<Dirs, ReceiveError> {
    let mut writer = Writer::new(staging, replies)?;
    loop {
        let message = match feed.next() {
            Ok(Some(message)) => message,
            // Engines hang up right behind their last word, which may get lost then.
            _ if writer.finished() => return Ok(writer.into_dirs()),
            Ok(None) => {
                return Err(ReceiveError::Interrupted { message: "it left in the middle".into() });
            }
            Err(error) => return Err(error),
        };
        let packet = Packet::decode(message)
            .map_err(|_| ReceiveError::damaged("a malformed packet", b""))?;
        match packet.kind {
            wire::STAT => match packet.stat {
                Some(stat) => {
                    counters.entries.fetch_add(1, Ordering::Relaxed);
                    writer.entry(stat)?;
                }
                None => writer.end_of_list()?,
            },
            wire::DATA => {
                writer.data(packet.id, &packet.data)?;
                counters.bytes.fetch_add(packet.data.len() as u64, Ordering::Relaxed);
            }
            wire::FIN if writer.finished() => return Ok(writer.into_dirs()),
            wire::FIN => return Err(ReceiveError::damaged("an end before everything came", b"")),
            wire::ERROR => {
                let message = String::from_utf8_lossy(&packet.data).into_owned();
                return Err(ReceiveError::Interrupted { message });
            }
            _ => {}
        }
    }
}
