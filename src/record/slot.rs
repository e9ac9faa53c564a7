//! A namespace for cache mounts that no other running build has.
//!
//! The engine keeps cache mounts by their id. A new namespace for every build would leave orphans
//! there whenever a build is killed; so this machine has a few names, a running build holds one of
//! them by a file lock, and its file lists the ids to be emptied until that was done.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use cofferdam_frontend::graph::digest;

/// More builds than this at once get a name of their own.
const SLOTS: usize = 64;
const PREFIX: &str = "cofferdam";

/// A namespace, held until dropped.
#[derive(Debug)]
pub struct Slot {
    name: String,
    ids: Vec<String>,
    lock: Option<File>,
}

impl Slot {
    /// Takes a free slot of `engine` in `directory`; `unique` names the build where none can be held.
    pub fn take(directory: Option<&Path>, engine: &str, unique: &str) -> Self {
        match directory.map(|directory| take(directory, engine)) {
            Some(Ok(Some(slot))) => slot,
            other => {
                tracing::debug!(?other, "no slot for cache mounts, using a name of its own");
                Self { name: format!("{PREFIX}-{unique}"), ids: Vec::new(), lock: None }
            }
        }
    }

    /// The namespace.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ids of cache mounts to be emptied: this build's and those of one that was killed.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Notes ids before a step can use them.
    pub fn remember(&mut self, ids: &[String]) {
        self.ids.extend(ids.iter().cloned());
        self.ids.sort();
        self.ids.dedup();
        self.save();
    }

    /// Notes that everything was emptied.
    pub fn forget(&mut self) {
        self.ids.clear();
        self.save();
    }

    fn save(&mut self) {
        let text: String = self.ids.iter().map(|id| format!("{id}\n")).collect();
        let Some(file) = &mut self.lock else { return };
        let saved = file
            .rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| file.write_all(text.as_bytes()));
        if let Err(error) = saved {
            tracing::debug!(%error, "cannot note cache mounts");
        }
    }
}

fn take(directory: &Path, engine: &str) -> std::io::Result<Option<Slot>> {
    // What is to be emptied on one engine must not be thought emptied by another.
    let engine = digest(engine.as_bytes()).replace("sha256:", "engine-");
    let slots = directory.join(engine);
    std::fs::create_dir_all(&slots)?;
    let machine = machine_name(directory)?;
    for slot in 0..SLOTS {
        let path = slots.join(format!("slot-{slot}"));
        let mut lock =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        match lock.try_lock() {
            Ok(()) => {
                let mut text = String::new();
                lock.read_to_string(&mut text)?;
                let name = format!("{PREFIX}-{machine}-{slot}");
                let ids = text.lines().map(String::from).collect();
                return Ok(Some(Slot { name, ids, lock: Some(lock) }));
            }
            Err(std::fs::TryLockError::WouldBlock) => {}
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// A random name of this machine's user, so that two machines on one engine never meet.
fn machine_name(directory: &Path) -> std::io::Result<String> {
    let path = directory.join("machine");
    for _ in 0..2 {
        let mut name = String::new();
        match File::open(&path) {
            Ok(mut file) => {
                file.read_to_string(&mut name)?;
                if name.len() == 16 && name.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return Ok(name);
                }
                std::fs::remove_file(&path)?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(crate::random::hex::<8>()?.as_bytes())?;
        // Whoever comes second takes the first one's name.
        if let Err(error) = file.persist_noclobber(&path)
            && error.error.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(error.error);
        }
    }
    Err(std::io::Error::other("the machine's name does not stay written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_running_builds_never_share_a_name_and_the_next_build_reuses_one() {
        let dir = tempfile::tempdir().unwrap();
        let take = || Slot::take(Some(dir.path()), "engine", "unique");
        let (first, second) = (take(), take());
        assert_ne!(first.name(), second.name());
        let name = first.name().to_string();
        drop(first);
        assert_eq!(take().name(), name);
    }

    #[test]
    fn what_a_killed_build_left_is_told_to_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let take = || Slot::take(Some(dir.path()), "engine", "unique");
        take().remember(&["b".into(), "a".into(), "b".into()]);
        let mut next = take();
        assert_eq!(next.ids(), ["a", "b"]);
        next.forget();
        drop(next);
        assert!(take().ids().is_empty());
    }

    #[test]
    fn without_a_directory_the_build_has_a_name_of_its_own() {
        assert_eq!(Slot::take(None, "e", "b1").name(), "cofferdam-b1");
        assert_eq!(Slot::take(Some(Path::new("/proc/nowhere")), "e", "b1").name(), "cofferdam-b1");
    }
}
