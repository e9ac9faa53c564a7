//! A parallel walk over everything below one directory.
//!
//! Every name is looked up relative to an open directory and never through a
//! symbolic link, so no link of the image leads out of the root and no path is
//! too long. Memory follows the directories that wait, not the files seen.

mod node;
mod queue;

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, StatxAttributes, StatxFlags, openat, statat, statx,
};
use rustix::io::Errno;

pub use self::node::Node;
use self::queue::Queue;
use crate::error::Failure;

/// Directories that may stay open for their waiting children; beyond it they are reopened by name.
const OPEN_DIRECTORIES: usize = 256;
/// More threads than this only contend for the directory locks of the kernel.
const MAX_THREADS: usize = 8;
const BUFFER: usize = 32 * 1024;

/// Work that may wait to be done by another thread; each may hold a file open.
const WAITING_WORK: usize = 64;

/// What a walk does with what it finds; each thread has its own.
pub trait Visitor: Send {
    /// What is left to do about a file when it was seen; any thread may do it.
    type Work: Send;
    /// Sees a directory, the root included, with its permission bits, before what is in it.
    fn directory(&mut self, dir: &Dir<'_>, mode: u32) -> Result<Descend, Failure>;
    /// Sees one name of a regular file.
    fn file(&mut self, dir: &Dir<'_>, name: &CStr) -> Result<Option<Self::Work>, Failure>;
    /// Sees one name of a link, a device, a pipe or a socket.
    fn other(&mut self, dir: &Dir<'_>, name: &CStr, kind: FileType) -> Result<(), Failure> {
        let _ = (dir, name, kind);
        Ok(())
    }
    /// Does what was left to do.
    fn work(&mut self, work: Self::Work) -> Result<(), Failure>;
}

/// Where a walk goes from a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descend {
    /// Into it.
    Into,
    /// Past it and everything in it.
    Past,
}

/// An open directory of the tree.
pub struct Dir<'a> {
    /// Its descriptor.
    pub fd: BorrowedFd<'a>,
    /// Its place in the tree.
    pub node: &'a Arc<Node>,
}

/// Opens the directory to walk; the last component may not be a symbolic link.
pub fn open_root(path: &std::path::Path) -> Result<OwnedFd, Failure> {
    use std::os::unix::ffi::OsStrExt;
    rustix::fs::open(path, directory_flags(), Mode::empty())
        .map_err(|cause| Failure::at("open the root", path.as_os_str().as_bytes(), cause))
}

/// Walks everything below `root` and returns the visitors of all threads.
///
/// All of the tree is walked even after a failure, so that the failure
/// reported does not depend on which thread was faster.
pub fn walk<V: Visitor>(
    root: BorrowedFd<'_>,
    new_visitor: impl Fn() -> V + Sync,
) -> Result<Vec<V>, Failure> {
    let device = device(root).map_err(|cause| Failure::at("examine", b"/", cause))?;
    let open = AtomicUsize::new(0);
    let walker = Walker { root, device, open: &open, queue: Queue::new(Job::Root) };
    let work = || {
        let (mut visitor, mut failures) = (new_visitor(), Vec::new());
        walker.run(&mut visitor, &mut failures);
        (visitor, failures)
    };
    let extra = threads() - 1;
    let mut results = Vec::with_capacity(extra + 1);
    thread::scope(|scope| {
        // A thread that cannot be started (a limit on processes) costs speed, not the result.
        let others: Vec<_> = (0..extra)
            .map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        results.push(work());
        for thread in others {
            // What a thread saw must not get lost silently.
            results.push(thread.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause)));
        }
    });
    let (visitors, failures): (Vec<_>, Vec<_>) = results.into_iter().unzip();
    match Failure::gather(failures.into_iter().flatten().collect()) {
        None => Ok(visitors),
        Some(failure) => Err(failure),
    }
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MAX_THREADS)
}

fn directory_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

enum Job<'c, W> {
    Root,
    Child { parent: Arc<Held<'c>>, name: Box<CStr> },
    Work(W),
}

/// A directory whose children wait, open while the budget lasts.
struct Held<'c> {
    node: Arc<Node>,
    fd: Option<(OwnedFd, Permit<'c>)>,
}

/// One of [`OPEN_DIRECTORIES`].
struct Permit<'c>(&'c AtomicUsize);

impl<'c> Permit<'c> {
    fn take(open: &'c AtomicUsize) -> Option<Self> {
        let permit = Self(open);
        // When the budget is spent the permit is dropped at once, which gives it back.
        (open.fetch_add(1, Ordering::Relaxed) < OPEN_DIRECTORIES).then_some(permit)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Walker<'r, 'c, W> {
    root: BorrowedFd<'r>,
    device: (u32, u32),
    open: &'c AtomicUsize,
    queue: Queue<Job<'c, W>>,
}

impl<'c, W: Send> Walker<'_, 'c, W> {
    fn run<V: Visitor<Work = W>>(&self, visitor: &mut V, failures: &mut Vec<Failure>) {
        let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
        let mut children = Vec::new();
        while let Some(job) = self.queue.take() {
            if let Err(failure) = self.one(job, visitor, &mut buffer, &mut children, failures) {
                failures.push(failure);
            }
            self.queue.finish(&mut children);
        }
    }

    fn one<V: Visitor<Work = W>>(
        &self,
        job: Job<'c, W>,
        visitor: &mut V,
        buffer: &mut [MaybeUninit<u8>],
        children: &mut Vec<Job<'c, W>>,
        failures: &mut Vec<Failure>,
    ) -> Result<(), Failure> {
        let (fd, node) = match job {
            Job::Root => self.enter(None)?,
            Job::Child { parent, name } => self.enter(Some((parent, name)))?,
            Job::Work(work) => return visitor.work(work),
        };
        let fail = |action, cause| Failure::at(action, &node.path(), cause);
        let mode = self.examine(fd.as_fd(), &node)?;
        let dir = Dir { fd: fd.as_fd(), node: &node };
        match visitor.directory(&dir, mode) {
            Ok(Descend::Into) => {}
            Ok(Descend::Past) => return Ok(()),
            Err(failure) => failures.push(failure),
        }
        let mut subdirectories = Vec::new();
        let mut entries = RawDir::new(&fd, buffer);
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(|cause| fail("list", cause))?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW)
                    .map(|stat| FileType::from_raw_mode(stat.st_mode))
                    .map_err(|cause| Failure::at("examine", &node.path_of(name), cause))?,
                kind => kind,
            };
            match kind {
                FileType::Directory => subdirectories.push(Box::from(name)),
                FileType::RegularFile => {
                    if let Err(failure) = self.file(visitor, &dir, name) {
                        failures.push(failure);
                    }
                }
                kind => {
                    if let Err(failure) = visitor.other(&dir, name, kind) {
                        failures.push(failure);
                    }
                }
            }
        }
        if !subdirectories.is_empty() {
            let fd = Permit::take(self.open).map(|permit| (fd, permit));
            let parent = Arc::new(Held { node, fd });
            children.extend(
                subdirectories
                    .into_iter()
                    .map(|name| Job::Child { parent: Arc::clone(&parent), name }),
            );
        }
        Ok(())
    }

    fn file<V: Visitor<Work = W>>(
        &self,
        visitor: &mut V,
        dir: &Dir<'_>,
        name: &CStr,
    ) -> Result<(), Failure> {
        let Some(work) = visitor.file(dir, name)? else { return Ok(()) };
        // One directory can hold most of an image's bytes: they are for all threads.
        match self.queue.offer(Job::Work(work), WAITING_WORK) {
            Some(Job::Work(work)) => visitor.work(work),
            _ => Ok(()),
        }
    }

    fn enter(
        &self,
        child: Option<(Arc<Held<'c>>, Box<CStr>)>,
    ) -> Result<(OwnedFd, Arc<Node>), Failure> {
        let Some((parent, name)) = child else {
            let node = Node::root();
            let fd = node.open(self.root).map_err(|cause| Failure::at("open", b"/", cause))?;
            return Ok((fd, node));
        };
        let opened = match &parent.fd {
            Some((fd, _)) => openat(fd, &*name, directory_flags(), Mode::empty()),
            None => parent
                .node
                .open(self.root)
                .and_then(|fd| openat(fd, &*name, directory_flags(), Mode::empty())),
        };
        let fd = opened.map_err(|cause| Failure::at("open", &parent.node.path_of(&name), cause))?;
        Ok((fd, Node::child(&parent.node, name)))
    }

    /// The permission bits of a directory that belongs to the image.
    fn examine(&self, fd: BorrowedFd<'_>, node: &Node) -> Result<u32, Failure> {
        let fail = |cause| Failure::at("examine", &node.path(), cause);
        if node.is_root() {
            return rustix::fs::fstat(fd).map(|stat| stat.st_mode & 0o7777).map_err(fail);
        }
        let foreign = || Failure::MountInside { path: crate::report::encode_path(&node.path()) };
        match is_mount_point(fd) {
            Ok((true, _)) => Err(foreign()),
            Ok((false, mode)) => Ok(mode),
            // An old kernel or sandbox without statx: another device is taken
            // for a mount. A subvolume looks the same and is refused as well.
            Err(Errno::NOSYS | Errno::PERM | Errno::OPNOTSUPP) => {
                let stat = rustix::fs::fstat(fd).map_err(fail)?;
                let same = device(fd).map_err(fail)? == self.device;
                if same { Ok(stat.st_mode & 0o7777) } else { Err(foreign()) }
            }
            Err(cause) => Err(fail(cause)),
        }
    }
}

/// Opens a file to read it, never through a link.
///
/// Reading does not copy an overlay's file up, and a change through this
/// descriptor reaches the right file whatever the path's length, without /proc.
/// Non-blocking, in case the name is a pipe by now.
pub fn open_file(dir: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | OFlags::NOATIME
        | OFlags::CLOEXEC;
    match openat(dir, name, flags, Mode::empty()) {
        // Only a file's owner or CAP_FOWNER may leave the access time alone.
        Err(Errno::PERM) => openat(dir, name, flags - OFlags::NOATIME, Mode::empty()),
        answer => answer,
    }
}

/// Whether something is mounted on what `fd` refers to, and its permission bits.
///
/// Fails with `ENOTSUP` where the kernel does not say.
pub fn is_mount_point(fd: BorrowedFd<'_>) -> Result<(bool, u32), Errno> {
    let stat = statx(fd, c"", AtFlags::EMPTY_PATH, StatxFlags::TYPE | StatxFlags::MODE)?;
    if !stat.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) {
        return Err(Errno::OPNOTSUPP);
    }
    let mounted = stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
    Ok((mounted, u32::from(stat.stx_mode) & 0o7777))
}

fn device(fd: BorrowedFd<'_>) -> Result<(u32, u32), Errno> {
    let stat = rustix::fs::fstat(fd)?;
    Ok((rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev)))
}
