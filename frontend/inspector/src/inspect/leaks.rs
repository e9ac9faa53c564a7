//! Secrets of this build: in bytes, names, links and attributes.

use std::path::{Path, PathBuf};

use cofferdam_search::{FileHit, FileSearcher, Hit, Limits, Needles, Part, Searcher};

use super::content::Content;
use super::contents::Suspects;
use super::examine::{At, Examination, Examine, LayerRoot, Name, Want, shown};
use super::output::Sink;
use crate::error::Failure;
use crate::report::encode_path;
use crate::report::inspection::{Leak, Place, Unread};

/// Largest secret that engines hand out, in bytes, and some room (moby/buildkit,
/// session/secrets/secretsprovider/store.go).
const LARGEST: u64 = 1 << 20;

/// Reads the files that hold the values, in order.
pub(super) fn read(files: &[PathBuf]) -> Result<Needles, Failure> {
    let values = files.iter().map(|path| value(path)).collect::<Result<Vec<_>, _>>()?;
    Ok(Needles::new(values.iter().map(|value| ("", value.as_slice()))))
}

fn value(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, Failure> {
    use std::io::Read as _;
    use std::os::unix::ffi::OsStrExt;
    let fail =
        |cause| Failure::Unreadable { path: encode_path(path.as_os_str().as_bytes()), cause };
    let file = std::fs::File::open(path).map_err(fail)?;
    let size = file.metadata().map_err(fail)?.len();
    if size > LARGEST {
        return Err(fail(std::io::Error::other("larger than any secret")));
    }
    // Room for all of it: growing would leave copies behind.
    let mut value = zeroize::Zeroizing::new(Vec::with_capacity(LARGEST as usize + 1));
    file.take(LARGEST).read_to_end(&mut value).map_err(fail)?;
    Ok(value)
}

/// Searches for the values of a build.
pub(super) struct Leaks<'a, 'w> {
    pub(super) needles: &'a Needles,
    pub(super) sink: &'a Sink<'w>,
    /// Where other secrets are told that are met on the way.
    pub(super) suspects: &'a Suspects,
    /// Layers of which nobody asks for others.
    pub(super) bases: &'a [bool],
}

impl Examination for Leaks<'_, '_> {
    fn examiner<'s>(&'s self, layer: LayerRoot<'s>) -> Box<dyn Examine + 's> {
        Box::new(Search {
            search: Searcher::new(self.needles),
            files: FileSearcher::new(self.needles, Limits::default()),
            sink: self.sink,
            suspects: (!self.bases.get(layer.number).copied().unwrap_or_default())
                .then_some(self.suspects),
        })
    }
}

/// One thread's part of the search.
struct Search<'a, 'w> {
    /// For names and what else is short.
    search: Searcher<'a>,
    /// For files, and what is packed in them.
    files: FileSearcher<'a>,
    sink: &'a Sink<'w>,
    suspects: Option<&'a Suspects>,
}

impl Search<'_, '_> {
    /// Searches a few bytes that are no file's; hits that end before `from` are none.
    fn few(&mut self, at: &At, place: Place, bytes: &[&[u8]], from: u64) {
        bytes.iter().for_each(|part| self.search.feed(part));
        let found = self.search.finish().hits.into_iter();
        let found = found.filter(|hit| end(hit) > from);
        let found: Vec<FileHit> = found.map(|hit| FileHit { hit, trail: Vec::new() }).collect();
        self.tell(at, place, &found);
    }

    /// Tells each kind of hit once.
    fn tell(&mut self, at: &At, place: Place, found: &[FileHit]) {
        let mut told = Vec::new();
        for FileHit { hit, trail } in found {
            let kind = (hit.needle, hit.part, hit.transform);
            if told.contains(&kind) {
                continue;
            }
            told.push(kind);
            let leak = Leak {
                layer: at.layer,
                path: self.masked(at.path()),
                place,
                needle: hit.needle,
                line: match hit.part {
                    Part::Line(line) | Part::Field(line) => Some(line),
                    Part::Whole | Part::Excerpt(_) => None,
                },
                transform: hit.transform.name().to_string(),
                trail: self.trail(trail),
            };
            self.sink.leak(leak);
        }
    }

    fn trail(&mut self, members: &[String]) -> Vec<String> {
        members.iter().map(|member| self.masked(member.as_bytes())).collect()
    }

    /// A path as it is told, without the values that stand in it.
    fn masked(&mut self, path: &[u8]) -> String {
        shown(&self.search.masked(path.to_vec()))
    }
}

/// The byte behind a hit.
fn end(hit: &Hit) -> u64 {
    hit.offset + hit.length as u64
}

impl Examine for Search<'_, '_> {
    fn wants_attributes(&self) -> bool {
        true
    }

    fn name(&mut self, name: &Name<'_>) {
        let path = name.at.path();
        // The directories have had their turn.
        let last = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        self.few(name.at, Place::Name, &[path], last as u64 + 1);
        if let Some(target) = name.target {
            self.few(name.at, Place::Target, &[target], 0);
        }
        for (attribute, value) in name.attributes {
            self.few(name.at, Place::Attribute, &[attribute, b"\0", value], 0);
        }
    }

    fn wants(&self, _: &At) -> Want {
        Want::Bytes
    }

    fn content(&mut self, at: &At, content: &mut Content) -> std::io::Result<()> {
        let report = match self.suspects {
            None => self.files.search(content)?,
            Some(suspects) => {
                let path = at.path();
                let mut report = self.files.search_all(&shown(path), content)?;
                suspects.tell(path.to_vec(), std::mem::take(&mut report.suspects));
                report
            }
        };
        self.tell(at, Place::Content, &report.hits);
        for unread in &report.unread {
            let path = self.masked(at.path());
            let trail = self.trail(&unread.trail);
            let reason = unread.obstacle.words().to_string();
            self.sink.unread(Unread { layer: at.layer, path, trail, reason });
        }
        Ok(())
    }
}
