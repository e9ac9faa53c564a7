//! What one stream is searched by.

use zeroize::Zeroizing;

use crate::hit::Found;
use crate::needles::Needles;
use crate::searcher::Searcher;
use crate::unknown::{CredentialsFile, Suspect, Suspects, Unknown, is_public_path};

/// Suspects of all members of a file that are kept.
pub(super) const SUSPECTS: usize = 16;
/// Bytes that are read at once.
const BUFFER: usize = 32 * 1024;
/// Bytes of a file of credentials that are looked at; people's are small.
const CREDENTIALS: usize = 64 * 1024;

/// What one level of containers needs, used again by the next stream.
#[derive(Debug)]
pub(super) struct Level<'n> {
    pub(super) buffer: Zeroizing<Vec<u8>>,
    searcher: Searcher<'n>,
    /// Made when secrets are first asked for that nobody told us of.
    unknown: Option<Unknown>,
    asked: bool,
    credentials: Option<CredentialsFile>,
    contents: Zeroizing<Vec<u8>>,
}

impl<'n> Level<'n> {
    pub(super) fn new(needles: &'n Needles) -> Self {
        Self {
            buffer: Zeroizing::new(vec![0; BUFFER]),
            searcher: Searcher::new(needles),
            unknown: None,
            asked: false,
            credentials: None,
            contents: Zeroizing::default(),
        }
    }

    /// Begins a stream; with names, unknown secrets are looked for as well.
    pub(super) fn begin(&mut self, names: Option<&[String]>) {
        let names = names.filter(|names| !names.iter().any(|name| is_public_path(name)));
        self.asked = names.is_some();
        self.credentials =
            names.and_then(<[String]>::last).and_then(|name| CredentialsFile::of(name));
        self.contents.clear();
    }

    /// Searches what was read to a part of the buffer.
    pub(super) fn read(&mut self, from: usize, to: usize) {
        let bytes = self.buffer.get(from..to).unwrap_or_default();
        self.searcher.feed(bytes);
        if self.asked {
            self.unknown.get_or_insert_default().feed(bytes);
        }
        if self.credentials.is_some() {
            let room = CREDENTIALS.saturating_sub(self.contents.len()).min(bytes.len());
            self.contents.extend_from_slice(bytes.get(..room).unwrap_or_default());
        }
    }

    /// Ends the stream.
    pub(super) fn finish(&mut self) -> (Found, Suspects) {
        let mut suspects = match &mut self.unknown {
            Some(unknown) if self.asked => unknown.finish(),
            _ => Suspects::default(),
        };
        if let Some(what) = self.credentials.take().and_then(|file| file.holds(&self.contents)) {
            suspects.total += 1;
            suspects.found.push(Suspect { what: what.to_owned(), offset: 0 });
        }
        (self.searcher.finish(), suspects)
    }
}
