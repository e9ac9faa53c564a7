//! Builds told message by message.

use std::cell::Cell;
use std::time::Duration;

use crate::report::filter::{Filter, Unfiltered};
use crate::report::plain::{Clock, PlainProgress};
use crate::report::progress::testing::message::Message;

/// A clock that stands where the test puts it, in milliseconds.
#[derive(Default)]
pub(super) struct ManualClock(pub(super) Cell<u64>);

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.get())
    }
}

/// One build, told message by message.
pub(super) struct Build<F: Filter = Unfiltered> {
    pub(super) progress: PlainProgress<ManualClock, F>,
    out: Vec<u8>,
}

impl Build {
    pub(super) fn new() -> Self {
        Self::filtered(Unfiltered)
    }
}

impl<F: Filter> Build<F> {
    pub(super) fn filtered(filter: F) -> Self {
        Self { progress: PlainProgress::new(ManualClock::default(), filter), out: Vec::new() }
    }

    /// Sends a message at a time and lets the refresh that follows it happen.
    pub(super) fn at(&mut self, millis: u64, message: &Message) -> &mut Self {
        self.progress.clock.0.set(millis);
        self.progress.update(&message.0, &mut self.out).unwrap();
        self.progress.refresh(&mut self.out).unwrap();
        self
    }

    pub(super) fn end(&mut self) -> String {
        self.progress.finish(&mut self.out).unwrap();
        String::from_utf8_lossy(&self.out).into_owned()
    }
}
