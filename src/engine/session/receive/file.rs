//! A result that is one file: nothing of it is at its place before all of it is there.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::ReceiveError;

/// A file on its way; dropped, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct PendingFile {
    target: PathBuf,
    place: Place,
    file: File,
}

/// How the bytes get to their place.
#[derive(Debug)]
enum Place {
    /// A file without a name beside the target; it gets one at the end.
    Unnamed,
    /// The same with a name, on file systems that have no unnamed files.
    Named(tempfile::TempPath),
    /// A spool elsewhere, for a target whose directory takes no new files: copied at the end.
    Copied,
    /// A pipe or a device: written straight through.
    Through,
}

impl PendingFile {
    /// Begins a file that is to be at `target`; links are followed to where they lead.
    pub(super) fn begin(target: &Path) -> Result<Self, ReceiveError> {
        let (target, existing) = match std::fs::canonicalize(target) {
            Ok(real) => {
                let existing = std::fs::metadata(&real).map_err(ReceiveError::io("read", &real))?;
                (real, Some(existing))
            }
            Err(_) => (target.to_path_buf(), None),
        };
        if existing.as_ref().is_some_and(|found| !found.is_file()) {
            let file = File::options().write(true).open(&target);
            let file = file.map_err(ReceiveError::io("open", &target))?;
            return Ok(Self { target, place: Place::Through, file });
        }
        let parent = parent(&target);
        std::fs::create_dir_all(parent).map_err(ReceiveError::io("make the directory", parent))?;
        let (place, file) = match unnamed(parent) {
            Ok(file) => (Place::Unnamed, file),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => {
                let named = tempfile::Builder::new()
                    .prefix(".cofferdam-")
                    .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
                    .tempfile_in(parent)
                    .map_err(ReceiveError::io("write in", parent))?;
                let (file, path) = named.into_parts();
                (Place::Named(path), file)
            }
            Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) if existing.is_some() => {
                let spool = tempfile::tempfile().map_err(ReceiveError::io("spool", &target))?;
                (Place::Copied, spool)
            }
            Err(error) => return Err(ReceiveError::io("write in", parent)(error)),
        };
        if let Some(existing) = existing {
            // As if it had been overwritten; whoever may not change the mode gets the usual one.
            let _ = file.set_permissions(existing.permissions());
        }
        Ok(Self { target, place, file })
    }

    /// Appends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), ReceiveError> {
        self.file.write_all(bytes).map_err(ReceiveError::io("write", &self.target))
    }

    /// Puts the file at its place.
    pub(super) fn commit(mut self) -> Result<(), ReceiveError> {
        let wrong = |source: std::io::Error| ReceiveError::io("put in place", &self.target)(source);
        match std::mem::replace(&mut self.place, Place::Copied) {
            Place::Through => Ok(()),
            Place::Copied => self.copy(),
            Place::Unnamed => match name(&self.file, &self.target) {
                Ok(()) => Ok(()),
                Err(error) if fixed(&error) => self.copy(),
                Err(error) => Err(wrong(error)),
            },
            Place::Named(path) => match path.persist(&self.target) {
                Ok(()) => Ok(()),
                Err(error) if fixed(&error.error) => self.copy(),
                Err(error) => Err(wrong(error.error)),
            },
        }
    }

    /// Writes into the file that is there.
    fn copy(mut self) -> Result<(), ReceiveError> {
        self.file.seek(SeekFrom::Start(0)).map_err(ReceiveError::io("read", &self.target))?;
        let mut out = File::options()
            .write(true)
            .truncate(true)
            .open(&self.target)
            .map_err(ReceiveError::io("open", &self.target))?;
        std::io::copy(&mut self.file, &mut out).map_err(ReceiveError::io("write", &self.target))?;
        Ok(())
    }
}

/// Whether the error says that a name cannot be given anew: a mount point, or no right to.
fn fixed(error: &std::io::Error) -> bool {
    error.raw_os_error().map(Errno::from_raw_os_error).is_some_and(|errno| {
        matches!(errno, Errno::BUSY | Errno::XDEV | Errno::ACCESS | Errno::PERM)
    })
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn unnamed(parent: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    // The umask takes its part.
    let mode = Mode::from_raw_mode(0o666);
    rustix::fs::open(parent, flags, mode).map(File::from)
}

/// Gives an unnamed file its name, over what bears it.
fn name(file: &File, target: &Path) -> Result<(), std::io::Error> {
    use std::os::fd::AsRawFd as _;
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    let link = |at: &Path| rustix::fs::linkat(CWD, open.as_str(), CWD, at, AtFlags::SYMLINK_FOLLOW);
    match link(target) {
        Ok(()) => return Ok(()),
        Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    // No call links over a name, so it passes through another one.
    let beside = target.with_file_name(beside(target.file_name().unwrap_or_default())?);
    link(&beside)?;
    std::fs::rename(&beside, target).inspect_err(|_| {
        let _ = std::fs::remove_file(&beside);
    })
}

/// A name beside `name` that nobody else chooses.
fn beside(name: &OsStr) -> std::io::Result<std::ffi::OsString> {
    let mut beside = std::ffi::OsString::from(".cofferdam-");
    beside.push(crate::random::hex::<8>()?);
    // Only to be recognized; long names are cut off by leaving them out.
    if name.len() < 200 {
        beside.push("-");
        beside.push(name);
    }
    Ok(beside)
}
