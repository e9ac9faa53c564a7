//! Records on their way out: whole lines, counted into a digest.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::report::inspection::{Leak, Record, Sum, Unread, VERSION, hex};

/// Records of one kind that are written; a hostile image could have any number.
const MOST: u64 = 10_000;

/// Where all threads put what they find.
pub struct Sink<'w>(Mutex<State<'w>>);

struct State<'w> {
    out: Box<dyn Write + Send + 'w>,
    hash: Sha256,
    leaks: u64,
    unread: u64,
    /// The first failure to write: nothing can be said any more.
    failed: Option<io::Error>,
}

impl<'w> Sink<'w> {
    /// Writes to `out`.
    pub fn new(out: impl Write + Send + 'w) -> Self {
        let hash = Sha256::new();
        Self(Mutex::new(State { out: Box::new(out), hash, leaks: 0, unread: 0, failed: None }))
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

    /// Ends the answer.
    pub fn finish(self, sum: Sum) -> io::Result<()> {
        let mut state = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (leaks, unread) = (state.leaks, state.unread);
        state.write(&Record::Sum(Sum { leaks, unread, ..sum }));
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
        if self.failed.is_some() {
            return;
        }
        let written = serde_json::to_vec(record).map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            self.hash.update(&line);
            self.out.write_all(&line)
        });
        self.failed = written.err();
    }
}
