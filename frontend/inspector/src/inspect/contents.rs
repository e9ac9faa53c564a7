//! What stands out: entries and files that rules of images ask for, layer by layer.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use cofferdam_contents::{Entry, FileKind, Gather, Known};
use cofferdam_search::{FileSuspect, Needles};
use rustix::fs::FileType;

use super::content::Content;
use super::examine::{At, Examination, Examine, LayerRoot, Name, Want};
use super::output::Sink;
use crate::capability;
use crate::error::Failure;
use crate::report::decode_path;
use crate::report::inspection::Remarkable;

/// Files with secrets that nobody told us of which are kept of a layer.
const SUSPECTS: usize = 10_000;

/// Secrets that the search for those of the build meets on its way: no file is searched twice.
#[derive(Debug, Default)]
pub(super) struct Suspects(Mutex<Vec<(Vec<u8>, Vec<FileSuspect>)>>);

impl Suspects {
    /// Takes what was found in a file.
    pub(super) fn tell(&self, path: Vec<u8>, found: Vec<FileSuspect>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !found.is_empty() && all.len() < SUSPECTS {
            all.push((path, found));
        }
    }

    fn take(&self) -> Vec<(Vec<u8>, Vec<FileSuspect>)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Gathers what stands out.
pub(super) struct Contents<'s, 'w> {
    sink: &'s Sink<'w>,
    /// The secrets of the build, and what the search for them finds on its way; without it the
    /// files are searched here.
    search: Option<(&'s Needles, &'s Suspects)>,
    /// Layers of which nobody asks for secrets.
    bases: &'s [bool],
    /// What the layers so far hold that matters, and where.
    known: Arc<Known>,
    paths: BTreeSet<String>,
    /// What the threads have gathered of the present layer.
    now: Mutex<Gather>,
}

impl<'s, 'w> Contents<'s, 'w> {
    pub(super) fn new(
        sink: &'s Sink<'w>,
        search: Option<(&'s Needles, &'s Suspects)>,
        bases: &'s [bool],
    ) -> Self {
        let (known, paths, now) = (Arc::default(), BTreeSet::new(), Mutex::default());
        Self { sink, search, bases, known, paths, now }
    }

    /// The same above layers in which these places stand out.
    pub(super) fn over(self, paths: BTreeSet<String>) -> Self {
        let mut known = Known::default();
        known.add_paths(&paths);
        Self { known: Arc::new(known), paths, ..self }
    }
}

/// A path that is asked for.
struct Asked<'p> {
    text: &'p String,
    path: Vec<u8>,
}

impl AsRef<[u8]> for Asked<'_> {
    fn as_ref(&self) -> &[u8] {
        &self.path
    }
}

impl Examination for Contents<'_, '_> {
    fn examiner<'e>(&'e self, layer: LayerRoot<'e>) -> Box<dyn Examine + 'e> {
        let gather = Gather::new().over(Arc::clone(&self.known));
        let base = self.bases.get(layer.number).copied().unwrap_or_default();
        let gather = match base || self.search.is_some() {
            true => gather.without_secrets(),
            false => gather,
        };
        Box::new(Reader { gather, all: &self.now })
    }

    fn end(&mut self, layer: LayerRoot<'_>) -> Result<(), Failure> {
        let now = self.now.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut gather = std::mem::take(now);
        let suspects = self.search.map(|(_, found)| found.take()).unwrap_or_default();
        suspects.iter().for_each(|(path, found)| gather.suspects(path, found));
        let asked = self.paths.iter().filter_map(|text| {
            let path = decode_path(&format!("/{text}"))?;
            Some(Asked { text, path })
        });
        let gone: Vec<String> =
            layer.gone(asked)?.into_iter().map(|asked| asked.text.clone()).collect();
        for path in gone {
            self.paths.remove(&path);
            gather.remove_text(path);
        }
        let contents = gather.finish();
        self.paths.extend(contents.paths());
        Arc::make_mut(&mut self.known).add(&contents);
        // The answer must not repeat what it is about; a name with a secret is a leak, and told so.
        let repeats = match self.search {
            Some((needles, _)) => {
                let text = serde_json::to_vec(&contents).unwrap_or_default();
                !needles.search(&text).hits.is_empty()
            }
            None => false,
        };
        let contents = if repeats { cofferdam_contents::Contents::default() } else { contents };
        self.sink.remarkable(Remarkable { layer: layer.number, contents });
        Ok(())
    }
}

/// One thread's part; what it has gathered is put together when it ends.
struct Reader<'a> {
    gather: Gather,
    all: &'a Mutex<Gather>,
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.absorb(std::mem::take(&mut self.gather));
    }
}

impl Examine for Reader<'_> {
    /// Capabilities are the business of `strip`, which looks at every file that is left.
    fn wants_attributes(&self) -> bool {
        false
    }

    fn name(&mut self, name: &Name<'_>) {
        let Some(mut entry) = entry(name.at, name.kind) else { return };
        entry.target = name.target;
        entry.capability =
            name.attributes.iter().any(|(name, _)| name == capability::ATTRIBUTE.to_bytes());
        self.gather.entry(&entry);
    }

    fn wants(&self, at: &At) -> Want {
        match entry(at, FileType::RegularFile) {
            Some(entry) if !self.gather.wants(&entry) => Want::Nothing,
            Some(entry) if self.gather.wants_by_name(&entry) => Want::EachName,
            Some(_) => Want::Bytes,
            None => Want::Nothing,
        }
    }

    fn content(&mut self, at: &At, content: &mut Content) -> io::Result<()> {
        match entry(at, FileType::RegularFile) {
            Some(entry) => self.gather.content(&entry, content),
            None => Ok(()),
        }
    }
}

fn entry(at: &At, kind: FileType) -> Option<Entry<'_>> {
    let kind = match kind {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        FileType::CharacterDevice => FileKind::CharDevice,
        FileType::BlockDevice => FileKind::BlockDevice,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::Unknown => return None,
    };
    let stat = &at.stat;
    Some(Entry {
        path: at.path(),
        kind,
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        capability: false,
        target: None,
    })
}
