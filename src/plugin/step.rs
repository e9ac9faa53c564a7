//! One change of the disk: planned, told, carried out.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A change that was not made yet.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Makes a directory.
    Directory { path: PathBuf, mode: u32 },
    /// Makes a link, in place of what is there.
    Link { at: PathBuf, to: PathBuf },
    /// Makes a copy of this program, in place of what is there.
    Copy { at: PathBuf, from: PathBuf },
    /// Writes a file, which has to be as it was: owner and mode stay, links are followed.
    Write { path: PathBuf, before: Option<Vec<u8>>, after: Vec<u8>, told: Option<String> },
    /// Removes a file or link.
    Remove { path: PathBuf, told: Option<String> },
    /// Removes a directory if nothing is in it.
    RemoveEmpty { path: PathBuf },
}

impl Step {
    /// What it does, for people; small things are not told.
    pub fn told(&self) -> Option<String> {
        match self {
            Self::Directory { .. } | Self::RemoveEmpty { .. } => None,
            Self::Link { at, to } => Some(format!("link {} to {}", at.display(), to.display())),
            Self::Copy { at, .. } => Some(format!("copy this program to {}", at.display())),
            Self::Write { told, .. } | Self::Remove { told, .. } => told.clone(),
        }
    }

    /// Does it.
    pub fn carry_out(&self) -> Result<(), Error> {
        match self {
            Self::Directory { path, mode } => {
                let made = std::fs::DirBuilder::new().recursive(true).mode(*mode).create(path);
                made.map_err(Error::io(format!("make {}", path.display())))
            }
            Self::Link { at, to } => {
                link(at, to).map_err(Error::io(format!("link {}", at.display())))
            }
            Self::Copy { at, from } => std::fs::read(from)
                .and_then(|bytes| replace(at, &bytes, 0o755, None))
                .map_err(Error::io(format!("copy to {}", at.display()))),
            Self::Write { path, before, after, told: _ } => write(path, before.as_deref(), after),
            Self::Remove { path, told: _ } => match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(Error::io(format!("remove {}", path.display()))(error))
                }
                _ => Ok(()),
            },
            Self::RemoveEmpty { path } => {
                // Whatever somebody put there meanwhile keeps it.
                let _ = std::fs::remove_dir(path);
                Ok(())
            }
        }
    }
}

fn directory_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

fn link(at: &Path, to: &Path) -> std::io::Result<()> {
    let made = tempfile::Builder::new()
        .prefix(".cofferdam-")
        .make_in(directory_of(at), |path| std::os::unix::fs::symlink(to, path))?;
    made.into_temp_path().persist(at).map_err(|error| error.error)
}

fn write(path: &Path, before: Option<&[u8]>, after: &[u8]) -> Result<(), Error> {
    let failed = |error| Error::io(format!("write {}", path.display()))(error);
    let target = followed(path);
    if read(&target).map_err(failed)?.as_deref() != before {
        return Err(Error::usage_hint(
            format!("{} was changed by somebody else just now", path.display()),
            "run the command again",
        ));
    }
    let owner = std::fs::metadata(&target).ok();
    let mode = owner.as_ref().map_or(0o600, |owner| owner.mode() & 0o7777);
    replace(&target, after, mode, owner.as_ref()).map_err(failed)
}

/// A file that appears whole or not at all.
fn replace(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    owner: Option<&std::fs::Metadata>,
) -> std::io::Result<()> {
    let mut file =
        tempfile::Builder::new().prefix(".cofferdam-").tempfile_in(directory_of(path))?;
    file.write_all(bytes)?;
    if let Some(owner) = owner {
        let new = file.as_file().metadata()?;
        if (new.uid(), new.gid()) != (owner.uid(), owner.gid()) {
            std::os::unix::fs::fchown(file.as_file(), Some(owner.uid()), Some(owner.gid()))?;
        }
    }
    // After the owner, whose change may take bits away.
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Where a path leads, also when nothing is there yet.
pub(super) fn followed(path: &Path) -> PathBuf {
    if let Ok(whole) = path.canonicalize() {
        return whole;
    }
    match std::fs::read_link(path) {
        Ok(target) => directory_of(path).join(target),
        Err(_) => path.to_path_buf(),
    }
}

/// A file's bytes; `None` when there is none.
pub(super) fn read(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
