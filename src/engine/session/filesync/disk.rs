//! Walking a directory on disk in sending order.

use std::{
    ffi::{CStr, OsStr},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::PathBuf,
};

use rustix::{
    fs::{AtFlags, FileType, lgetxattr, llistxattr, readlinkat, statat},
    io::Errno,
};

use super::{
    error::{FilesyncError, Stop},
    filter::{Entry, Filter, FilterWalk, Identity, Looked, Next},
    names::Names,
    root::Root,
    stat::{Stat, Xattrs, go_mode, mode},
};

/// Directories kept open at once; deeper trees reopen what they return to.
const OPEN_DIRS: usize = 64;

/// Largest list of attribute names Linux gives.
const XATTR_LIST_MAX: usize = 64 * 1024;

/// A directory being walked.
struct Frame {
    fd: Option<OwnedFd>,
    names: Names,
    next: usize,
    path_len: usize,
}

/// The absolute path of an entry, for messages.
pub(super) fn full_path(root: &Root, path: &[u8]) -> PathBuf {
    root.path().join(OsStr::from_bytes(path))
}

/// Whether an error only says that the entry is gone, or another one took its place.
pub(super) fn is_gone(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}

/// Feeds every entry the filter lets through to `emit`, parents first.
///
/// An entry that goes between being listed and being looked at was never announced and is left out.
pub(super) fn walk(
    root: &Root,
    filter: &Filter,
    emit: &mut dyn FnMut(Entry) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut walk = FilterWalk::new(filter);
    let mut looker = Looker { root, via_proc: proc_usable(), list: vec![0; 1024] };
    let mut path: Vec<u8> = Vec::with_capacity(256);
    let mut stack = Vec::new();
    push_frame(&mut stack, root, &path, false)?;
    while let Some(depth) = stack.len().checked_sub(1) {
        let Some(frame) = stack.get_mut(depth) else {
            break;
        };
        path.truncate(frame.path_len);
        let Some((name, kind)) = frame.names.get(frame.next) else {
            stack.pop();
            continue;
        };
        frame.next += 1;
        let fd = match frame.fd.take() {
            Some(fd) => fd,
            None => match root.open_dir(&path) {
                Ok(fd) => fd,
                Err(error) if is_gone(error) => {
                    stack.pop();
                    continue;
                }
                Err(error) => return Err(io("open", root, &path, error).into()),
            },
        };
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name.to_bytes());
        let kind = if kind == FileType::Unknown { real_type(&fd, name) } else { Some(kind) };
        let is_dir = kind == Some(FileType::Directory);
        let mut next = Next::Prune;
        if !matches!(kind, None | Some(FileType::Socket)) {
            next = walk.visit(&path, is_dir, || looker.look(&fd, name, &path), emit)?;
        }
        frame.fd = Some(fd);
        if let Next::Walk { skipped } = next
            && is_dir
        {
            push_frame(&mut stack, root, &path, skipped)?;
        }
    }
    Ok(())
}

/// Opens and lists a directory; one that is gone, or skipped and forbidden, counts as empty.
fn push_frame(
    stack: &mut Vec<Frame>,
    root: &Root,
    path: &[u8],
    skipped: bool,
) -> Result<(), FilesyncError> {
    let listed =
        root.open_dir(path).and_then(|fd| Names::read(fd.as_fd()).map(|names| (fd, names)));
    match listed {
        Ok((fd, names)) => {
            let far = stack.len().checked_sub(OPEN_DIRS).and_then(|far| stack.get_mut(far));
            if let Some(far) = far {
                far.fd = None;
            }
            stack.push(Frame { fd: Some(fd), names, next: 0, path_len: path.len() });
            Ok(())
        }
        Err(error) if is_gone(error) && !path.is_empty() => Ok(()),
        Err(Errno::ACCESS | Errno::PERM) if skipped => Ok(()),
        Err(error) => Err(io("read the directory", root, path, error)),
    }
}

fn real_type(dir: &OwnedFd, name: &CStr) -> Option<FileType> {
    let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(FileType::from_raw_mode(stat.st_mode))
}

fn io(action: &'static str, root: &Root, path: &[u8], source: Errno) -> FilesyncError {
    FilesyncError::Io { action, path: full_path(root, path), source }
}

/// Attributes are read through `/proc/self/fd`, the only way to name a directory by descriptor for them.
fn proc_usable() -> bool {
    rustix::fs::stat("/proc/self/fd").is_ok()
}

/// Reads metadata of entries.
struct Looker<'r> {
    root: &'r Root,
    via_proc: bool,
    list: Vec<u8>,
}

impl Looker<'_> {
    fn look(&mut self, dir: &OwnedFd, name: &CStr, path: &[u8]) -> Looked {
        match self.entry(dir, name, path) {
            Ok(entry) => Ok(Some(entry)),
            Err((_, error)) if is_gone(error) => Ok(None),
            Err((action, error)) => Err(io(action, self.root, path, error)),
        }
    }

    fn entry(
        &mut self,
        dir: &OwnedFd,
        name: &CStr,
        path: &[u8],
    ) -> Result<Entry, (&'static str, Errno)> {
        let st = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| ("stat", error))?;
        let mut stat = Stat {
            path: path.to_vec(),
            mode: go_mode(st.st_mode),
            mtime: mtime(&st),
            ..Stat::default()
        };
        if !stat.is_dir() {
            stat.size = u64::try_from(st.st_size).unwrap_or_default();
            if stat.mode & mode::DEVICE != 0 {
                let dev = i64::try_from(st.st_rdev).unwrap_or_default();
                stat.devmajor = (dev >> 8) & 0xfff;
                stat.devminor = (dev & 0xff) | ((dev >> 12) & 0xf_ff00);
            }
            if stat.mode & mode::SYMLINK != 0 {
                let target = readlinkat(dir, name, Vec::new());
                stat.linkname = target.map_err(|error| ("read the link", error))?.into_bytes();
            }
        }
        stat.xattrs =
            self.xattrs(dir, name, path).map_err(|error| ("read the attributes of", error))?;
        Ok(Entry { linked: !stat.is_dir() && st.st_nlink > 1, identity: identity(&st), stat })
    }

    /// All extended attributes but Apple's, sorted; one that cannot be read is left out, as in fsutil.
    fn xattrs(&mut self, dir: &OwnedFd, name: &CStr, path: &[u8]) -> Result<Xattrs, Errno> {
        let place = if self.via_proc {
            let mut place = format!("/proc/self/fd/{}/", dir.as_raw_fd()).into_bytes();
            place.extend_from_slice(name.to_bytes());
            place
        } else {
            full_path(self.root, path).into_os_string().as_bytes().to_vec()
        };
        let len = loop {
            match llistxattr(place.as_slice(), self.list.as_mut_slice()) {
                Ok(len) => break len,
                Err(Errno::RANGE) if self.list.len() < XATTR_LIST_MAX => {
                    self.list = vec![0; XATTR_LIST_MAX];
                }
                Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        };
        let mut found = Vec::new();
        let names = self.list.get(..len).unwrap_or_default();
        for key in names.split(|&byte| byte == 0) {
            if !key.is_empty()
                && !key.starts_with(b"com.apple.")
                && let Some(value) = xattr(&place, key)
            {
                found.push((key.to_vec(), value));
            }
        }
        found.sort();
        Ok(found)
    }
}

fn xattr(place: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let mut value = vec![0; 256];
    loop {
        match lgetxattr(place, key, value.as_mut_slice()) {
            Ok(len) => {
                value.truncate(len);
                return Some(value);
            }
            // Values have at most 64 KiB on Linux.
            Err(Errno::RANGE) if value.len() < 64 * 1024 => value = vec![0; 64 * 1024],
            Err(_) => return None,
        }
    }
}

/// Modification time in nanoseconds since 1970.
pub(super) fn mtime(st: &rustix::fs::Stat) -> i64 {
    let nanos = i64::try_from(st.st_mtime_nsec).unwrap_or_default();
    st.st_mtime.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// Device and inode.
pub(super) fn identity(st: &rustix::fs::Stat) -> Identity {
    Identity { dev: st.st_dev, ino: st.st_ino }
}
