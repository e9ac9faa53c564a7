//! Values that should be nowhere: searched for in what a layer holds and in what it is called.

use std::io::{self, Read};

use cofferdam_inspector::report::encode_path;
use cofferdam_inspector::report::inspection::{Leak, Place};
use cofferdam_search::unknown::is_public_path;
use cofferdam_search::{FileHit, FileSearcher, FileSuspect, Hit, Limits, Needles, Part, Searcher};

use super::tar::Member;

/// Leaks that are kept of a layer.
const KEPT: usize = 1000;
/// Longest path that is told, bytes.
const LONGEST: usize = 4096;

/// What a search of one layer came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// The first leaks.
    pub leaks: Vec<Leak>,
    /// All of them.
    pub total: u64,
    /// Files, and members of them, that could not be unpacked.
    pub unread_total: u64,
    /// Bytes of files.
    pub bytes: u64,
}

/// Searches one layer.
pub(super) struct Leaks<'n> {
    layer: usize,
    few: Searcher<'n>,
    files: FileSearcher<'n>,
    searched: Searched,
}

impl<'n> Leaks<'n> {
    pub(super) fn new(layer: usize, needles: &'n Needles) -> Self {
        Self {
            layer,
            few: Searcher::new(needles),
            files: FileSearcher::new(needles, Limits::default()),
            searched: Searched::default(),
        }
    }

    /// What a member is called, leads to and carries; `path` is its normal form.
    pub(super) fn name(&mut self, path: &[u8], member: &Member) {
        // Directories have had their turn.
        let last = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        self.search(path, Place::Name, &[path], last as u64);
        if !member.target.is_empty() {
            self.search(path, Place::Target, &[&member.target], 0);
        }
        for (name, value) in &member.attributes {
            self.search(path, Place::Attribute, &[name, b"\0", value], 0);
        }
    }

    /// What a file holds; gives back secrets that nobody told us of.
    pub(super) fn content(
        &mut self,
        path: &[u8],
        content: impl Read,
    ) -> io::Result<Vec<FileSuspect>> {
        let name = String::from_utf8_lossy(path);
        let report = match is_public_path(&name) {
            true => self.files.search(content)?,
            false => self.files.search_all(&name, content)?,
        };
        self.searched.bytes += report.bytes;
        self.tell(path, Place::Content, &report.hits);
        self.searched.unread_total += report.unread_total;
        Ok(report.suspects)
    }

    pub(super) fn finish(self) -> Searched {
        self.searched
    }

    /// Searches a few bytes; hits that end before `from` are none.
    fn search(&mut self, path: &[u8], place: Place, bytes: &[&[u8]], from: u64) {
        bytes.iter().for_each(|part| self.few.feed(part));
        let found = self.few.finish().hits.into_iter().filter(|hit| end(hit) > from);
        let found: Vec<FileHit> = found.map(|hit| FileHit { hit, trail: Vec::new() }).collect();
        self.tell(path, place, &found);
    }

    /// Tells each kind of hit once.
    fn tell(&mut self, path: &[u8], place: Place, found: &[FileHit]) {
        let mut told = Vec::new();
        for FileHit { hit, trail } in found {
            let kind = (hit.needle, hit.part, hit.transform);
            if told.contains(&kind) {
                continue;
            }
            told.push(kind);
            self.searched.total += 1;
            if self.searched.leaks.len() < KEPT {
                let leak = Leak {
                    layer: self.layer,
                    path: format!("/{}", self.masked(path)),
                    place,
                    needle: hit.needle,
                    line: match hit.part {
                        Part::Line(line) | Part::Field(line) => Some(line),
                        Part::Whole | Part::Excerpt(_) => None,
                    },
                    transform: hit.transform.name().to_string(),
                    trail: self.trail(trail),
                };
                self.searched.leaks.push(leak);
            }
        }
    }

    fn trail(&mut self, members: &[String]) -> Vec<String> {
        members.iter().map(|member| self.masked(member.as_bytes())).collect()
    }

    /// A path as it is told, without the values that stand in it.
    fn masked(&mut self, path: &[u8]) -> String {
        let mut path = self.few.masked(path.to_vec());
        path.truncate(LONGEST);
        encode_path(&path)
    }
}

/// The byte behind a hit.
fn end(hit: &Hit) -> u64 {
    hit.offset + hit.length as u64
}
