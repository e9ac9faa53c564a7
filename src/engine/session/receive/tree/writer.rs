//! Writing a tree as its packets come: entries as they are listed, contents as they arrive.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::path::Path;

use bytes::Bytes;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::super::ReceiveError;
use super::super::service::Replies;
use super::dirs::{Dirs, set_xattrs};
use super::order::{self, Order};
use super::staging::Staging;
use super::wire::{self, Stat, Xattr};
use super::{at, mode};

/// Files that are asked for at a time: enough for a distant engine, and the answers fit in memory.
const ASKED: usize = 1024;
/// Files that are open at a time; engines send four.
const OPEN: usize = 64;
/// Entries at most: what is remembered of each must fit in memory.
const ENTRIES: u32 = 20_000_000;

/// A file whose content is still to come.
#[derive(Debug)]
struct Pending {
    id: u32,
    parent: u32,
    name: Box<[u8]>,
    mode: u32,
    mtime: i64,
    size: u64,
    xattrs: Vec<Xattr>,
}

/// A file whose content was asked for.
#[derive(Debug)]
struct Asked {
    pending: Pending,
    file: Option<File>,
    written: u64,
}

/// A further name of a file.
#[derive(Debug)]
struct Link {
    parent: u32,
    name: Box<[u8]>,
    target: Bytes,
}

/// A tree in the making.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    staging: &'a Staging,
    dirs: Dirs,
    order: Order,
    next_id: u32,
    listed: bool,
    finished: bool,
    waiting: VecDeque<Pending>,
    asked: HashMap<u32, Asked>,
    open: usize,
    links: Vec<Link>,
    replies: &'a Replies,
}

impl<'a> Writer<'a> {
    /// Begins a tree.
    pub(super) fn new(staging: &'a Staging, replies: &'a Replies) -> Result<Self, ReceiveError> {
        let dirs = Dirs::new(staging.root())
            .map_err(ReceiveError::io("open the directory", &staging.path))?;
        Ok(Self {
            staging,
            dirs,
            order: Order::default(),
            next_id: 0,
            listed: false,
            finished: false,
            waiting: VecDeque::new(),
            asked: HashMap::new(),
            open: 0,
            links: Vec::new(),
            replies,
        })
    }

    /// Takes the end of the list, after which only contents come.
    pub(super) fn end_of_list(&mut self) -> Result<(), ReceiveError> {
        if std::mem::replace(&mut self.listed, true) {
            return Err(ReceiveError::damaged("a second end of the list", b""));
        }
        self.proceed()
    }

    /// Takes an entry.
    pub(super) fn entry(&mut self, stat: Stat) -> Result<(), ReceiveError> {
        let path = stat.path.clone();
        let id = self.next_id;
        if self.listed {
            return Err(ReceiveError::damaged("an entry behind the end of the list", &path));
        }
        if id >= ENTRIES {
            return Err(ReceiveError::damaged("too many entries", &path));
        }
        self.next_id += 1;
        let spot = self.order.next(&path)?;
        let permissions = mode::permissions(stat.mode);
        let wrong = io(self.staging, "make", &path);
        match mode::kind(stat.mode) {
            FileType::Directory => {
                let later = (permissions, stat.mtime, stat.xattrs);
                let index = self.dirs.make(spot.parent, spot.name, later).map_err(wrong)?;
                self.order.enter(&path, index)?;
            }
            FileType::Symlink => {
                let dir = self.dirs.open(spot.parent).map_err(&wrong)?;
                let name = at::name(spot.name).map_err(&wrong)?;
                rustix::fs::symlinkat(&stat.linkname[..], &dir, name).map_err(&wrong)?;
                let times = at::times(stat.mtime);
                rustix::fs::utimensat(&dir, name, &times, AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(&wrong)?;
            }
            FileType::RegularFile if !stat.linkname.is_empty() => self.links.push(Link {
                parent: spot.parent,
                name: spot.name.into(),
                target: stat.linkname,
            }),
            FileType::RegularFile => {
                let size = u64::try_from(stat.size)
                    .map_err(|_| ReceiveError::damaged("a size below nothing", &path))?;
                let pending = Pending {
                    id,
                    parent: spot.parent,
                    name: spot.name.into(),
                    mode: permissions,
                    mtime: stat.mtime,
                    size,
                    xattrs: stat.xattrs,
                };
                if size == 0 {
                    let file = self.create(&pending)?;
                    self.complete(&pending, &file)?;
                } else {
                    self.waiting.push_back(pending);
                    self.proceed()?;
                }
            }
            special => {
                let dir = self.dirs.open(spot.parent).map_err(&wrong)?;
                let name = at::name(spot.name).map_err(&wrong)?;
                let device = mode::device(stat.devmajor, stat.devminor)
                    .ok_or_else(|| ReceiveError::damaged("a device number", &path))?;
                let pipe = special == FileType::Fifo;
                let mode = Mode::from_raw_mode(mode::of_special(permissions, pipe));
                rustix::fs::mknodat(&dir, name, special, mode, device).map_err(&wrong)?;
                // The umask took its part.
                rustix::fs::chmodat(&dir, name, mode, AtFlags::empty()).map_err(&wrong)?;
                let times = at::times(stat.mtime);
                rustix::fs::utimensat(&dir, name, &times, AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(&wrong)?;
            }
        }
        Ok(())
    }

    /// Takes a piece of a file; an empty one ends it.
    pub(super) fn data(&mut self, id: u32, data: &[u8]) -> Result<(), ReceiveError> {
        let Some(mut asked) = self.asked.remove(&id) else {
            return Err(ReceiveError::damaged("content that nobody asked for", b""));
        };
        asked.written += data.len() as u64;
        let fits = asked.written <= asked.pending.size;
        if !fits || data.is_empty() && asked.written < asked.pending.size {
            return Err(ReceiveError::damaged("a file of another size", &asked.pending.name));
        }
        let mut file = match asked.file.take() {
            Some(file) => file,
            None => {
                if self.open == OPEN {
                    return Err(ReceiveError::damaged("too many files at a time", b""));
                }
                self.open += 1;
                self.create(&asked.pending)?
            }
        };
        if data.is_empty() {
            self.complete(&asked.pending, &file)?;
            self.open -= 1;
            return self.proceed();
        }
        file.write_all(data).map_err(ReceiveError::io("write", self.shown(&asked.pending.name)))?;
        asked.file = Some(file);
        self.asked.insert(id, asked);
        Ok(())
    }

    /// Asks for more, and ends the transfer when nothing is left to ask for.
    fn proceed(&mut self) -> Result<(), ReceiveError> {
        while self.asked.len() < ASKED {
            let Some(pending) = self.waiting.pop_front() else { break };
            let id = pending.id;
            self.asked.insert(id, Asked { pending, file: None, written: 0 });
            self.send(wire::REQUEST, id);
        }
        if self.listed && self.asked.is_empty() && !self.finished {
            self.finished = true;
            self.link()?;
            self.send(wire::FIN, 0);
        }
        Ok(())
    }

    /// Whether everything is there.
    pub(super) fn finished(&self) -> bool {
        self.finished
    }

    /// The directories, whose modes are still to be set.
    pub(super) fn into_dirs(self) -> Dirs {
        self.dirs
    }

    fn send(&self, kind: i32, id: u32) {
        // An engine that hung up is noticed when the next message is read.
        let _ = self.replies.send(Ok(wire::encoded(kind, id, b"")));
    }

    fn shown(&self, name: &[u8]) -> std::path::PathBuf {
        shown(self.staging, name)
    }

    fn create(&mut self, pending: &Pending) -> Result<File, ReceiveError> {
        let wrong = io(self.staging, "write", &pending.name);
        let dir = self.dirs.open(pending.parent).map_err(&wrong)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let name = at::name(&pending.name).map_err(&wrong)?;
        let file = rustix::fs::openat(&dir, name, flags, Mode::from_raw_mode(0o600));
        Ok(file.map_err(&wrong)?.into())
    }

    /// Gives a whole file its mode and times.
    fn complete(&self, pending: &Pending, file: &File) -> Result<(), ReceiveError> {
        let wrong = io(self.staging, "finish", &pending.name);
        set_xattrs(file.as_fd(), &pending.xattrs);
        rustix::fs::fchmod(file, Mode::from_raw_mode(pending.mode)).map_err(&wrong)?;
        rustix::fs::futimens(file, &at::times(pending.mtime)).map_err(&wrong)
    }

    /// Makes hard links, which may be to files whose content came later.
    fn link(&mut self) -> Result<(), ReceiveError> {
        for Link { parent, name, target } in std::mem::take(&mut self.links) {
            order::check(&target)?;
            let wrong = io(self.staging, "link", &name);
            let (above, base) = order::split(&target);
            let mut from = self.dirs.open(0).map_err(&wrong)?;
            for part in above.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
                let next = at::open_dir(from.as_fd(), at::name(part).map_err(&wrong)?);
                from = next.map_err(|_| unknown(&target))?.into();
            }
            let base = at::name(base).map_err(&wrong)?;
            let found = at::look(from.as_fd(), base).map_err(&wrong)?;
            let kind = found.map(|stat| FileType::from_raw_mode(stat.st_mode));
            if !kind.is_some_and(|kind| !matches!(kind, FileType::Directory | FileType::Symlink)) {
                return Err(unknown(&target));
            }
            let to = self.dirs.open(parent).map_err(&wrong)?;
            let name = at::name(&name).map_err(&wrong)?;
            rustix::fs::linkat(&from, base, &to, name, AtFlags::empty()).map_err(&wrong)?;
        }
        Ok(())
    }
}

fn unknown(target: &[u8]) -> ReceiveError {
    ReceiveError::damaged("a link to a file that is not in it", target)
}

fn shown(staging: &Staging, path: &[u8]) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    staging.path.join(Path::new(std::ffi::OsStr::from_bytes(path)))
}

fn io<'s>(
    staging: &'s Staging,
    action: &'static str,
    path: &'s [u8],
) -> impl Fn(Errno) -> ReceiveError + 's {
    move |error| ReceiveError::io(action, shown(staging, path))(error)
}
