//! Which directories of a base hold nothing to strip.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{FileType, Stat};

use super::content::Content;
use super::examine::{At, Examination, Examine, LayerRoot, Name, Want};
use super::output::Sink;
use crate::capability::ATTRIBUTE;
use crate::error::Failure;
use crate::overlay::{changed, is_of_one_layer};
use crate::report::plain::{MOST, Plain};
use crate::strip::PRIVILEGE_BITS;
use crate::walk::Node;

/// Directories that are remembered; of an image with more nothing is told, and nothing is lost.
const DIRECTORIES: usize = 200_000;

/// Looks at every directory of a layer that stands on no other.
pub(super) struct Directories<'s, 'w> {
    sink: &'s Sink<'w>,
    /// How many were met.
    met: AtomicUsize,
    all: Mutex<Vec<Directory>>,
}

/// A directory and, in the end, all below it.
struct Directory {
    node: Arc<Node>,
    /// Whoever comes later is not above.
    number: usize,
    /// What it is known by; `None` when it could not be told from others.
    known: Option<(u64, (i64, u32))>,
    /// Whether something in it has privileges, or may get them from outside of it.
    privileged: bool,
    files: u32,
    dirs: u32,
    setgid_dirs: u32,
}

impl<'s, 'w> Directories<'s, 'w> {
    pub(super) fn new(sink: &'s Sink<'w>) -> Self {
        Self { sink, met: AtomicUsize::new(0), all: Mutex::default() }
    }
}

impl Examination for Directories<'_, '_> {
    fn examiner<'e>(&'e self, _: LayerRoot<'e>) -> Box<dyn Examine + 'e> {
        Box::new(Reader { of: self, seen: Vec::new() })
    }

    fn end(&mut self, _: LayerRoot<'_>) -> Result<(), Failure> {
        let all = std::mem::take(self.all.get_mut().unwrap_or_else(PoisonError::into_inner));
        if *self.met.get_mut() <= DIRECTORIES {
            self.sink.plain(plain(all));
        }
        Ok(())
    }
}

/// Those without privileges in them or below, with the most in them first.
fn plain(mut all: Vec<Directory>) -> Vec<Plain> {
    all.sort_unstable_by_key(|directory| directory.number);
    let places: HashMap<*const Node, usize> =
        all.iter().enumerate().map(|(at, directory)| (Arc::as_ptr(&directory.node), at)).collect();
    let mut found = Vec::new();
    // Those below come before those above.
    while let Some(directory) = all.pop() {
        let Directory { node, known, privileged, files, dirs, setgid_dirs, number: _ } = directory;
        let Some(parent) = node.parent() else { continue };
        if let Some(above) = places.get(&Arc::as_ptr(parent)).and_then(|&at| all.get_mut(at)) {
            above.privileged |= privileged;
            above.files = above.files.saturating_add(files);
            above.dirs = above.dirs.saturating_add(dirs);
            above.setgid_dirs = above.setgid_dirs.saturating_add(setgid_dirs);
        }
        if let (Some((inode, changed)), false) = (known, privileged) {
            found.push(Plain { inode, changed, files, dirs, setgid_dirs });
        }
    }
    found.sort_by_key(|it| (std::cmp::Reverse(it.files.saturating_add(it.dirs)), it.inode));
    found.truncate(MOST);
    found
}

/// One thread's part.
struct Reader<'a, 's, 'w> {
    of: &'a Directories<'s, 'w>,
    seen: Vec<Directory>,
}

impl Drop for Reader<'_, '_, '_> {
    fn drop(&mut self) {
        let mut all = self.of.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.append(&mut self.seen);
    }
}

impl Reader<'_, '_, '_> {
    fn directory(&mut self, at: &At) {
        let number = self.of.met.fetch_add(1, Ordering::Relaxed);
        if number >= DIRECTORIES {
            self.seen = Vec::new();
            return;
        }
        let known = is_of_one_layer(&at.stat).then(|| identity(&at.stat)).flatten();
        let setgid_dirs = u32::from(at.stat.st_mode & 0o2000 != 0);
        let node = Arc::clone(&at.node);
        let (privileged, files, dirs) = (false, 0, 1);
        self.seen.push(Directory { node, number, known, privileged, files, dirs, setgid_dirs });
    }
}

impl Examine for Reader<'_, '_, '_> {
    fn wants_attributes(&self) -> bool {
        true
    }

    fn name(&mut self, name: &Name<'_>) {
        match name.kind {
            FileType::Directory => self.directory(name.at),
            FileType::RegularFile => {
                // A thread is done with one directory before it begins with another.
                let Some(directory) = self.seen.last_mut() else { return };
                let capable = |(name, _): &(Vec<u8>, Vec<u8>)| name == ATTRIBUTE.to_bytes();
                directory.files = directory.files.saturating_add(1);
                // A file with another name may change by it: an overlay with an index shows both.
                directory.privileged |= name.at.stat.st_mode & PRIVILEGE_BITS != 0
                    || name.at.stat.st_nlink > 1
                    || name.attributes.iter().any(capable)
                    || !Arc::ptr_eq(&directory.node, &name.at.node);
            }
            _ => {}
        }
    }

    fn wants(&self, _: &At) -> Want {
        Want::Nothing
    }

    fn content(&mut self, _: &At, _: &mut Content) -> std::io::Result<()> {
        Ok(())
    }
}

fn identity(stat: &Stat) -> Option<(u64, (i64, u32))> {
    let (seconds, nanoseconds) = changed(stat);
    Some((stat.st_ino, (seconds, u32::try_from(nanoseconds).ok()?)))
}
