//! Secrets of this build: in bytes, names, links and attributes.

use std::path::{Path, PathBuf};

use cofferdam_search::{Found, Hit, Needles, Part, Searcher};

use super::content::Content;
use super::examine::{At, Examine, Name, shown};
use super::output::Sink;
use crate::error::Failure;
use crate::report::encode_path;
use crate::report::inspection::{Leak, Place};

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
    search: Searcher<'a>,
    searches: bool,
    sink: &'a Sink<'w>,
}

impl<'a, 'w> Leaks<'a, 'w> {
    pub(super) fn new(needles: &'a Needles, sink: &'a Sink<'w>) -> Self {
        Self { search: Searcher::new(needles), searches: !needles.is_empty(), sink }
    }

    /// Searches a few bytes that are no file's.
    fn few(&mut self, at: &At, place: Place, bytes: &[&[u8]]) {
        bytes.iter().for_each(|part| self.search.feed(part));
        let found = self.search.finish();
        self.tell(at, place, &found, 0);
    }

    /// Tells each kind of hit once that does not end before `from`.
    fn tell(&mut self, at: &At, place: Place, found: &Found, from: u64) {
        let mut told = Vec::new();
        for hit in &found.hits {
            let kind = (hit.needle, hit.part, hit.transform);
            if end(hit) <= from || told.contains(&kind) {
                continue;
            }
            told.push(kind);
            let path = self.masked(at.path());
            self.sink.leak(Leak {
                layer: at.layer,
                path: shown(&path),
                place,
                needle: hit.needle,
                line: match hit.part {
                    Part::Line(line) | Part::Field(line) => Some(line),
                    Part::Whole | Part::Excerpt(_) => None,
                },
                transform: hit.transform.name().to_string(),
                trail: Vec::new(),
            });
        }
    }

    /// A path without the values that stand in it: the answer must not repeat them.
    fn masked(&mut self, mut path: Vec<u8>) -> Vec<u8> {
        loop {
            self.search.feed(&path);
            let found = self.search.finish();
            // One after the other: hits may overlap, and not all of them are kept.
            let Some(hit) = found.hits.first() else { return path };
            let range = usize::try_from(hit.offset).unwrap_or(0)
                ..usize::try_from(end(hit)).unwrap_or(usize::MAX).min(path.len());
            path.splice(range, *b"***");
        }
    }
}

/// The byte behind a hit.
fn end(hit: &Hit) -> u64 {
    hit.offset + hit.length as u64
}

impl Examine for Leaks<'_, '_> {
    fn name(&mut self, name: &Name<'_>) {
        if !self.searches {
            return;
        }
        let path = name.at.path();
        self.search.feed(&path);
        let found = self.search.finish();
        if !found.hits.is_empty() {
            // The directories have had their turn.
            let last = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
            self.tell(name.at, Place::Name, &found, last as u64 + 1);
        }
        if let Some(target) = name.target {
            self.few(name.at, Place::Target, &[target]);
        }
        for (attribute, value) in name.attributes {
            self.few(name.at, Place::Attribute, &[attribute, b"\0", value]);
        }
    }

    fn wants(&self, _: &At) -> bool {
        self.searches
    }

    fn content(&mut self, at: &At, content: &mut Content) -> std::io::Result<()> {
        while self.search.feed_from(content)? > 0 {}
        let found = self.search.finish();
        self.tell(at, Place::Content, &found, 0);
        Ok(())
    }
}
