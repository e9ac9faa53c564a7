//! `cofferdam.lock` on disk.

use std::path::{Path, PathBuf};

use cofferdam_frontend::graph::digest;
use cofferdam_frontend::pins::{
    Entry, ImageSource, Joined, Lock, LockChange, LockError, LockedImage,
};

use crate::error::Error;
use crate::record::write_atomically;
use crate::report::printer::Printer;

/// The lock file, as it is on disk.
#[derive(Debug)]
pub(crate) struct LockFile {
    path: PathBuf,
    /// What it holds.
    pub(crate) content: Lock,
    /// sha256 of the file; `None` when there is none.
    digest: Option<String>,
    added: usize,
}

impl LockFile {
    /// Reads it; one that does not exist is empty.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let (content, digest) = match bytes(path)? {
            Some(bytes) => {
                let content = Lock::parse(&bytes).map_err(|error| explain(path, &error))?;
                (content, Some(digest(&bytes)))
            }
            None => (Lock::default(), None),
        };
        Ok(Self { path: path.to_path_buf(), content, digest, added: 0 })
    }

    /// Reads it and joins what git could not merge; the names on which both sides disagree, and
    /// whether there was a conflict.
    pub(crate) fn read_joining(path: &Path) -> Result<(Self, Vec<String>, bool), Error> {
        let Some(bytes) = bytes(path)? else {
            return Ok((Self::read(path)?, Vec::new(), false));
        };
        let joined = Lock::parse_joining(&bytes).map_err(|error| explain(path, &error))?;
        let Joined { lock: content, disputed, conflict } = joined;
        let digest = Some(digest(&bytes));
        Ok((Self { path: path.to_path_buf(), content, digest, added: 0 }, disputed, conflict))
    }

    /// Writes what is new and says so; an unchanged lock is not touched.
    pub(crate) fn update(&mut self, new: Lock, printer: &Printer) -> Result<(), Error> {
        let changes = self.content.diff(&new);
        if changes.is_empty() {
            return Ok(());
        }
        self.write(new)?;
        for change in &changes {
            printer.notice(&format!("{}: {}", self.shown(), say(change)));
        }
        self.added += changes.len();
        Ok(())
    }

    /// Writes it, whole or not at all.
    pub(crate) fn write(&mut self, new: Lock) -> Result<(), Error> {
        let text = new.render();
        write_atomically(&self.path, text.as_bytes())
            .map_err(Error::io(format!("write {}", self.path.display())))?;
        self.digest = Some(digest(text.as_bytes()));
        self.content = new;
        Ok(())
    }

    /// Whether there is one.
    pub(crate) fn exists(&self) -> bool {
        self.digest.is_some()
    }

    /// How many entries this build wrote.
    pub(crate) fn added(&self) -> usize {
        self.added
    }

    /// Its name for people.
    pub(crate) fn shown(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// sha256 of the file; `None` when there is none.
    pub(crate) fn digest(&self) -> Option<String> {
        self.digest.clone()
    }
}

fn bytes(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    // A pipe would be waited for, and a device has no end.
    if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return Err(Error::usage_hint(
            format!("{} is no file", path.display()),
            "remove it, and run `cofferdam lock`",
        ));
    }
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(format!("read {}", path.display()))(error)),
    }
}

fn explain(path: &Path, error: &LockError) -> Error {
    let hint = match error {
        LockError::Conflict { .. } => {
            "`cofferdam lock` joins both sides, and resolves again what they disagree on"
        }
        LockError::Newer { .. } => "use a cofferdam that is as new as the one that wrote it",
        _ => "restore it from version control, or remove it and run `cofferdam lock`",
    };
    Error::usage_hint(format!("{}: {error}", path.display()), hint)
}

/// One line about one entry.
fn say(change: &LockChange) -> String {
    match change {
        LockChange::Added(entry) => format!("locked {} at {}", entry.name(), stands_for(entry)),
        LockChange::Removed(entry) => format!("dropped {}", entry.name()),
        LockChange::Changed { before, after } => {
            format!("{} is now {}, was {}", after.name(), stands_for(after), stands_for(before))
        }
    }
}

fn stands_for(entry: &Entry) -> String {
    match entry {
        Entry::Image(LockedImage { source: ImageSource::Local { image_id }, .. }) => {
            format!("image ID {image_id}: only this engine's store has it")
        }
        other => other.stands_for().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cofferdam.lock");
        let pipe = rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        );
        pipe.unwrap();
        let error = LockFile::read(&path).unwrap_err();
        assert!(error.to_string().contains("is no file") && error.hint().is_some(), "{error}");
    }
}
