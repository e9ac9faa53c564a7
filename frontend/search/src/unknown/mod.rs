//! Secrets that nobody told us of, by shapes that leave no doubt.
//!
//! Few kinds, and nothing guessed: what looks random is no sign. Whatever is made up for tests or
//! documentation stays silent, by its path ([`is_public_path`]) or by its look.

mod aws;
mod azure;
mod der;
mod files;
mod keys;
mod paths;
mod runs;
mod tokens;

use std::fmt;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::index::{Index, Owner, Pattern, Work};
use crate::needles::Part;
use crate::transform::Transform;

pub use self::files::CredentialsFile;
pub use self::paths::is_public_path;

/// A secret that was found; holds nothing of its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// What it is, with an article: "a GitHub token".
    pub what: String,
    /// Byte of the stream near which it begins.
    pub offset: u64,
}

/// Everything that was found in one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspects {
    /// The first few.
    pub found: Vec<Suspect>,
    /// All of them, those that were not kept too.
    pub total: u64,
}

/// Suspects that are kept of a stream.
const KEPT: usize = 8;
/// Bytes that are judged at once.
const BLOCK: usize = 64 * 1024;
/// Bytes behind a mark that may belong to it: a private key of 16384 bits.
const AHEAD: usize = 16 * 1024;
/// Bytes before a mark that may belong to it.
const BEHIND: usize = 1024;

/// What a mark is the sign of, and who judges it.
type Judge = fn(&[u8], usize) -> Option<&'static str>;

/// Texts that are looked for, and what is asked around them.
const MARKS: [(&[u8], Judge); 8] = [
    (b"PRIVATE KEY-----", keys::pem),
    (b"PGP PRIVATE KEY BLOCK-----", keys::pgp),
    (b"PuTTY-User-Key-File-", keys::putty),
    (b"secret_access_key", aws::pair),
    (b"SECRET_ACCESS_KEY", aws::pair),
    (b"SecretAccessKey", aws::pair),
    (b"secretAccessKey", aws::pair),
    (b"AccountKey=", azure::account),
];

/// Looks for unknown secrets in one stream of bytes, in fixed memory.
pub struct Unknown {
    marks: &'static Index,
    buffer: Zeroizing<Vec<u8>>,
    /// Where in the buffer begins what is not yet judged.
    judged: usize,
    /// Where in the buffer the last word ends that was judged.
    word: usize,
    /// Where in the stream the buffer begins.
    offset: u64,
    suspects: Suspects,
}

impl Unknown {
    /// Begins a stream.
    pub fn new() -> Self {
        Self {
            marks: marks(),
            buffer: Zeroizing::new(Vec::with_capacity(BEHIND + BLOCK + AHEAD)),
            judged: 0,
            word: 0,
            offset: 0,
            suspects: Suspects::default(),
        }
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let space = BEHIND + BLOCK + AHEAD - self.buffer.len();
            let (now, later) = rest.split_at(rest.len().min(space));
            self.buffer.extend_from_slice(now);
            rest = later;
            if now.len() == space {
                self.judge(self.buffer.len() - AHEAD);
                self.forget();
            }
        }
    }

    /// Ends the stream, tells what was found in it, and is ready for the next one.
    pub fn finish(&mut self) -> Suspects {
        self.judge(self.buffer.len());
        self.buffer.clear();
        (self.judged, self.word, self.offset) = (0, 0, 0);
        std::mem::take(&mut self.suspects)
    }

    /// Judges everything that begins before `until`, with all that is there around it.
    fn judge(&mut self, until: usize) {
        let text = self.buffer.as_slice();
        let (from, offset, suspects) = (self.judged, self.offset, &mut self.suspects);
        let mut suspect = |what: &'static str, at: usize| {
            suspects.total += 1;
            if suspects.found.len() < KEPT {
                let offset = offset + at as u64;
                suspects.found.push(Suspect { what: what.to_owned(), offset });
            }
        };
        let longest = self.marks.extent();
        let marked = text.get(from..(until + longest).min(text.len())).unwrap_or_default();
        self.marks.scan(marked, &mut Work::default(), &mut |found| {
            let at = from + found.start;
            let owner = self.marks.owners(&found).first();
            let judge = owner.and_then(|owner| MARKS.get(owner.needle)).map(|mark| mark.1);
            if at < until
                && let Some(what) = judge.and_then(|judge| judge(text, at))
            {
                suspect(what, at);
            }
        });
        runs::each(text, from, until, &mut self.word, |run, at| {
            if let Some(what) = tokens::judge(run) {
                suspect(what, at);
            }
        });
        self.judged = until;
    }

    /// Lets go of what is judged, but for what may belong to what follows.
    fn forget(&mut self) {
        let from = self.judged.saturating_sub(BEHIND);
        let rest = self.buffer.len() - from;
        self.buffer.copy_within(from.., 0);
        self.buffer.truncate(rest);
        self.judged -= from;
        self.word = self.word.saturating_sub(from);
        self.offset += from as u64;
    }
}

impl Default for Unknown {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unknown").field("suspects", &self.suspects).finish()
    }
}

fn marks() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let pattern = |(needle, mark): (usize, &(&[u8], Judge))| {
            let owner = Owner { needle, part: Part::Whole, transform: Transform::Raw };
            Pattern::new(Zeroizing::new(mark.0.to_vec()), owner)
        };
        Index::new(MARKS.iter().enumerate().filter_map(pattern).collect())
    })
}

#[cfg(test)]
mod tests;
