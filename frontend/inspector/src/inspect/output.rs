//! Records on their way out: whole lines, counted into a digest.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::report::inspection::{
    Leak, MOST_SAID, Record, Remarkable, Removed, Said, Sum, Unread, VERSION, hex,
};
use crate::report::plain::Plain;

/// Records of one kind that are written; a hostile image could have any number.
const MOST: u64 = 10_000;
/// Bytes of what stands out.
const REMARKABLE: usize = 16 << 20;

/// Where all threads put what they find.
pub struct Sink<'w>(Mutex<State<'w>>);

struct State<'w> {
    out: Box<dyn Write + Send + 'w>,
    hash: Sha256,
    leaks: u64,
    unread: u64,
    /// Bytes of what was said about packages, and readings that were left out.
    said: usize,
    unsaid: u64,
    /// Bytes of what stands out.
    remarkable: usize,
    /// The first failure to write: nothing can be said any more.
    failed: Option<io::Error>,
}

impl<'w> Sink<'w> {
    /// Writes to `out`.
    pub fn new(out: impl Write + Send + 'w) -> Self {
        Self(Mutex::new(State {
            out: Box::new(out),
            hash: Sha256::new(),
            leaks: 0,
            unread: 0,
            said: 0,
            unsaid: 0,
            remarkable: 0,
            failed: None,
        }))
    }

    /// A secret was found.
    pub fn leak(&self, leak: Leak) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.leaks += 1;
        if state.leaks <= MOST {
            state.write(&Record::Leak(leak));
        }
    }

    /// Something could not be looked into.
    pub fn unread(&self, unread: Unread) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.unread += 1;
        if state.unread <= MOST {
            state.write(&Record::Unread(unread));
        }
    }

    /// A file says something about packages; `false` when there is no room for it any more.
    pub fn said(&self, said: Said) -> bool {
        // The others go on meanwhile: some files list tens of thousands of names.
        let line = line(&Record::Said(Box::new(said)));
        let length = line.as_ref().map_or(0, Vec::len);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.said + length > MOST_SAID {
            state.unsaid += 1;
            return false;
        }
        state.said += length;
        state.write_line(line);
        true
    }

    /// The same, of a file whose name was too much already.
    pub fn unsaid(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).unsaid += 1;
    }

    /// What stands out in a layer; only the gravest of it when there is no room for more.
    pub fn remarkable(&self, found: Remarkable) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut record = Record::Remarkable(Box::new(found));
        let mut line = line(&record);
        if state.remarkable + line.as_ref().map_or(0, Vec::len) > REMARKABLE
            && let Record::Remarkable(found) = &mut record
        {
            found.contents.shorten();
            line = self::line(&record);
        }
        state.remarkable += line.as_ref().map_or(0, Vec::len);
        state.write_line(line);
    }

    /// A file that said something is gone.
    pub fn removed(&self, removed: Removed) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(&Record::Removed(removed));
    }

    /// Directories that hold nothing to strip.
    pub fn plain(&self, directories: Vec<Plain>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.write(&Record::Plain { directories });
    }

    /// Ends the answer.
    pub fn finish(self, sum: Sum) -> io::Result<()> {
        let mut state = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let State { leaks, unread, unsaid, .. } = state;
        state.write(&Record::Sum(Sum { leaks, unread, unsaid, ..sum }));
        let digest = hex(&state.hash.clone().finalize());
        state.write(&Record::End { version: VERSION, digest });
        if let Some(failed) = state.failed {
            return Err(failed);
        }
        state.out.flush()
    }
}

impl State<'_> {
    fn write(&mut self, record: &Record) {
        self.write_line(line(record));
    }

    fn write_line(&mut self, line: io::Result<Vec<u8>>) {
        if self.failed.is_some() {
            return;
        }
        let written = line.and_then(|line| {
            self.hash.update(&line);
            self.out.write_all(&line)
        });
        self.failed = written.err();
    }
}

fn line(record: &Record) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    Ok(line)
}
