//! Where results go, and whether they can go there: checked before anything is built.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::Access;

use super::{Pipe, ReceiveError};

/// Where the result of one exporter goes.
#[derive(Clone, Debug)]
pub enum Destination {
    /// A directory (`type=local`); what is there already is merged with.
    Directory {
        /// The directory; it is made when it is missing.
        path: PathBuf,
        /// Whether what is not in the result is removed (`mode=delete`).
        delete: bool,
    },
    /// One file (`type=tar`, `oci`, `docker`).
    File(PathBuf),
    /// A directory in the form of an OCI layout (`oci` and `docker` with `tar=false`); images are
    /// added to what is there.
    Layout(PathBuf),
    /// An open file, such as standard output; what was written cannot be taken back.
    Stream(Arc<File>),
    /// Whoever reads it while it comes.
    Pipe(Pipe),
}

impl Destination {
    /// How the place is named to the user.
    pub(super) fn shown(&self) -> PathBuf {
        match self {
            Self::Directory { path, .. } | Self::File(path) | Self::Layout(path) => path.clone(),
            Self::Stream(_) | Self::Pipe(_) => PathBuf::from("-"),
        }
    }

    /// Refuses places that cannot work, with nothing written.
    ///
    /// # Errors
    /// A directory where a file is wanted and the reverse, and a place that may not be written.
    pub fn check(&self) -> Result<(), ReceiveError> {
        match self {
            Self::Stream(_) | Self::Pipe(_) => Ok(()),
            Self::Directory { path, .. } | Self::Layout(path) => match std::fs::metadata(path) {
                Ok(found) if found.is_dir() => writable(path),
                Ok(_) => Err(refuse(format!(
                    "the destination {} is a file: name a directory",
                    path.display()
                ))),
                Err(error) => missing(path, error),
            },
            Self::File(path) => match std::fs::metadata(path) {
                Ok(found) if found.is_dir() => Err(refuse(format!(
                    "the destination {} is a directory: name a file",
                    path.display()
                ))),
                Ok(_) => writable(path),
                Err(error) => missing(path, error),
            },
        }
    }
}

fn refuse(message: String) -> ReceiveError {
    ReceiveError::Destination { message }
}

fn writable(path: &Path) -> Result<(), ReceiveError> {
    rustix::fs::access(path, Access::WRITE_OK).map_err(ReceiveError::io("write to", path))
}

/// A place that is not there yet can be made where its nearest ancestor is a directory.
fn missing(path: &Path, error: std::io::Error) -> Result<(), ReceiveError> {
    if error.kind() != std::io::ErrorKind::NotFound {
        return Err(ReceiveError::io("use", path)(error));
    }
    if std::fs::symlink_metadata(path).is_ok() {
        return Err(refuse(format!(
            "the destination {} is a link that leads nowhere: remove it",
            path.display()
        )));
    }
    let ancestor = existing_ancestor(path);
    match std::fs::metadata(&ancestor) {
        Ok(found) if found.is_dir() => writable(&ancestor),
        Ok(_) => Err(refuse(format!(
            "the destination {} cannot be made: {} is a file",
            path.display(),
            ancestor.display()
        ))),
        Err(error) => Err(ReceiveError::io("use", ancestor)(error)),
    }
}

/// The nearest ancestor of a missing path that is there.
pub(super) fn existing_ancestor(path: &Path) -> PathBuf {
    let above = path
        .ancestors()
        .skip(1)
        .find(|above| !above.as_os_str().is_empty() && std::fs::symlink_metadata(above).is_ok());
    above.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_cannot_work_are_refused_before_anything_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("dangling")).unwrap();
        let directory = |path: PathBuf| Destination::Directory { path, delete: false };
        let bad = [
            (directory(file.clone()), "is a file"),
            (directory(file.join("below")), "use"),
            (Destination::File(dir.path().to_path_buf()), "is a directory"),
            (Destination::File(dir.path().join("dangling")), "leads nowhere"),
        ];
        for (destination, words) in bad {
            let error = destination.check().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        for good in [
            directory(dir.path().to_path_buf()),
            directory(dir.path().join("a/b/c")),
            Destination::File(file),
            Destination::File(dir.path().join("a/b.tar")),
            Destination::File("/dev/null".into()),
            directory("some-new-directory".into()),
        ] {
            good.check().unwrap();
        }
    }
}
