//! `cofferdam.lock` on disk.

use std::path::{Path, PathBuf};

use cofferdam_frontend::graph::digest;
use cofferdam_frontend::pins::{ImageSource, Lock, LockChange, LockedImage};

use crate::error::Error;
use crate::record::write_atomically;
use crate::report::printer::Printer;

/// The lock file, as it is on disk.
#[derive(Debug)]
pub(crate) struct LockFile {
    path: PathBuf,
    /// What it holds.
    pub(crate) content: Lock,
    exists: bool,
    added: usize,
}

impl LockFile {
    /// Reads it; one that does not exist is empty.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let (content, exists) = match std::fs::read(path) {
            Ok(bytes) => (parse(path, &bytes)?, true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (Lock::default(), false),
            Err(error) => return Err(Error::io(format!("read {}", path.display()))(error)),
        };
        Ok(Self { path: path.to_path_buf(), content, exists, added: 0 })
    }

    /// Writes what is new and says so; an unchanged lock is not touched.
    pub(crate) fn update(&mut self, new: Lock, printer: &Printer) -> Result<(), Error> {
        let changes = self.content.diff(&new);
        if changes.is_empty() {
            return Ok(());
        }
        write_atomically(&self.path, new.render().as_bytes())
            .map_err(Error::io(format!("write {}", self.path.display())))?;
        for change in &changes {
            printer.notice(&format!("{}: {}", self.shown(), say(change)));
        }
        self.added += changes.len();
        self.content = new;
        self.exists = true;
        Ok(())
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
        self.exists.then(|| digest(self.content.render().as_bytes()))
    }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Lock, Error> {
    Lock::parse(bytes).map_err(|error| {
        Error::usage_hint(
            format!("{}: {error}", path.display()),
            "restore it from version control, or remove it and resolve every image again",
        )
    })
}

/// One line about one entry.
fn say(change: &LockChange) -> String {
    match change {
        LockChange::Added(image) => format!("locked {} at {}", image.name(), stands_for(image)),
        LockChange::Removed(image) => format!("dropped {}", image.name()),
        LockChange::Changed { before, after } => {
            format!("{} is now {}, was {}", after.name(), stands_for(after), stands_for(before))
        }
    }
}

fn stands_for(image: &LockedImage) -> String {
    match &image.source {
        ImageSource::Local { image_id } => {
            format!("image ID {image_id}: only this engine's store has it")
        }
        ImageSource::Registry { digest, .. } => digest.to_string(),
    }
}
