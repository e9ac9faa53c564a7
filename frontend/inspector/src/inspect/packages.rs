//! Packages: what the few files that speak of them say, layer by layer.
//!
//! Each reading leaves at once. What stays here is the names of the files that were read, so that
//! later layers can be asked whether they still have them.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use cofferdam_inventory::{HEAD, Interest, Kind, Reading, Source, by_name, read, read_pair, wants};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

use super::content::Content;
use super::examine::{At, Examination, Examine, LayerRoot, Name, Want};
use super::output::Sink;
use crate::error::Failure;
use crate::report::inspection::{Removed, Said};
use crate::report::{decode_path, encode_path};
use crate::walk::open_file;

/// Bytes of the names that are kept, 32 MB: more files than any image has that was not made to be a
/// burden. Beyond it nothing is said of packages any more, except that it is so.
const NAMES: usize = 32 << 20;

/// Reads what speaks of packages.
pub(super) struct Packages<'s, 'w> {
    sink: &'s Sink<'w>,
    /// Files of the layers so far that said something and are still there.
    known: BTreeSet<Box<[u8]>>,
    size: usize,
    /// The present layer's.
    now: Mutex<Now>,
}

/// What a layer has about it.
#[derive(Default)]
struct Now {
    /// Files that say something.
    read: BTreeSet<Box<[u8]>>,
    /// Bytes of their names.
    size: usize,
    /// Known names that are something else now.
    replaced: BTreeSet<Box<[u8]>>,
}

impl<'s, 'w> Packages<'s, 'w> {
    pub(super) fn new(sink: &'s Sink<'w>) -> Self {
        Self { sink, known: BTreeSet::new(), size: 0, now: Mutex::default() }
    }

    /// The same above layers in which these files say something.
    pub(super) fn over(mut self, files: &BTreeSet<String>) -> Self {
        self.known = files.iter().filter_map(|path| Some(decode_path(path)?.into())).collect();
        self.size = self.known.iter().map(|path| path.len()).sum();
        self
    }
}

impl Examination for Packages<'_, '_> {
    fn examiner<'e>(&'e self, layer: LayerRoot<'e>) -> Box<dyn Examine + 'e> {
        Box::new(Reader { all: self, layer })
    }

    fn end(&mut self, layer: LayerRoot<'_>) -> Result<(), Failure> {
        let now = self.now.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Now { read, size, mut replaced } = std::mem::take(now);
        let others = self.known.iter().filter(|path| !read.contains(*path));
        replaced.extend(layer.gone(others)?.into_iter().cloned());
        for path in replaced.difference(&read) {
            self.sink.removed(Removed { layer: layer.number, path: encode_path(path) });
            self.known.remove(path);
        }
        self.known.extend(read);
        self.size += size;
        Ok(())
    }
}

/// One thread's part.
struct Reader<'a, 's, 'w> {
    all: &'a Packages<'s, 'w>,
    layer: LayerRoot<'a>,
}

impl Examine for Reader<'_, '_, '_> {
    fn wants_attributes(&self) -> bool {
        false
    }

    fn name(&mut self, name: &Name<'_>) {
        if self.all.known.is_empty() || name.at.node.is_root() && name.at.name.is_empty() {
            return;
        }
        // A file that still says something counts as read, and not as this.
        let path = name.at.path();
        if self.all.known.contains(path) {
            let mut now = self.all.now.lock().unwrap_or_else(PoisonError::into_inner);
            now.replaced.insert(path.into());
        }
    }

    fn wants(&self, at: &At) -> Want {
        match by_name(at.path(), at.stat.st_mode) {
            Interest::No => Want::Nothing,
            Interest::Look | Interest::Yes(_) => Want::EachName,
        }
    }

    fn content(&mut self, at: &At, content: &mut Content) -> io::Result<()> {
        let (path, mode) = (at.path(), at.stat.st_mode);
        let mut head = [0; HEAD];
        let head = match by_name(path, mode) {
            Interest::Look => beginning(content, &mut head)?,
            Interest::No | Interest::Yes(_) => &[],
        };
        match wants(path, Source::size(content), mode, head) {
            None => {}
            Some(Kind::RpmLog) => self.log(at, path, content)?,
            Some(kind) => {
                let reading = match kind.companion() {
                    Some(end) => self.with_companion(at, kind, path, end, content)?,
                    None => read(kind, path, content),
                };
                self.tell(path, reading);
            }
        }
        Ok(())
    }
}

impl Reader<'_, '_, '_> {
    fn tell(&self, path: &[u8], reading: Reading) {
        if reading.is_empty() {
            return;
        }
        let mut now = self.all.now.lock().unwrap_or_else(PoisonError::into_inner);
        if self.all.size + now.size + path.len() > NAMES {
            return self.all.sink.unsaid();
        }
        let said = Said { layer: self.layer.number, path: encode_path(path), reading };
        if self.all.sink.said(said) {
            now.size += path.len();
            now.read.insert(path.into());
        }
    }

    fn with_companion(
        &self,
        at: &At,
        kind: Kind,
        path: &[u8],
        end: &str,
        content: &mut Content,
    ) -> io::Result<Reading> {
        let name = [at.name.to_bytes(), end.as_bytes()].concat();
        Ok(match self.beside(at, &CString::new(name)?)? {
            Some(mut log) => read_pair(kind, path, content, &mut log),
            None => read(kind, path, content),
        })
    }

    /// A log says something about the database beside it, which may be in a lower layer.
    fn log(&self, at: &At, path: &[u8], log: &mut Content) -> io::Result<()> {
        let kind = Kind::RpmSqlite;
        let end = kind.companion().unwrap_or_default().as_bytes();
        let database = at.name.to_bytes().strip_suffix(end).unwrap_or_default();
        match self.beside(at, &CString::new(database)?)? {
            Some(mut database) => {
                let path = path.strip_suffix(end).unwrap_or_default();
                self.tell(path, read_pair(kind, path, &mut database, log));
            }
            None => self.tell(path, read(Kind::RpmLog, path, log)),
        }
        Ok(())
    }

    /// A regular file that is not empty, in the same directory.
    fn beside(&self, at: &At, name: &CStr) -> io::Result<Option<Content>> {
        let file: OwnedFd = match open_file(at.node.open(self.layer.root)?.as_fd(), name) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(None),
            Err(cause) => return Err(cause.into()),
        };
        let stat = fstat(&file)?;
        let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        Ok((regular && stat.st_size > 0).then(|| Content::new(file, &stat)))
    }
}

/// The first bytes; fewer when the file is shorter.
fn beginning<'b>(content: &mut Content, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match content.read_at(length as u64, rest)? {
            0 => break,
            more => length += more,
        }
    }
    Ok(buffer.get(..length).unwrap_or_default())
}
