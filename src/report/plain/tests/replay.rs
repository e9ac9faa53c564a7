//! Feeds a recorded status stream to the plain printer at its own pace.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use crate::report::filter::Unfiltered;
use crate::report::plain::{Clock, PlainProgress, REFRESH};
use crate::report::progress::testing::recording::status;

#[derive(Default)]
struct ManualClock(Cell<Duration>);

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        self.0.get()
    }
}

/// What we print for the recording.
pub(super) fn replay(recording: &str) -> String {
    let clock = Rc::new(ManualClock::default());
    let mut progress = PlainProgress::new(Rc::clone(&clock), Unfiltered)
        .with_description("building with \"default\" instance using docker driver");
    let mut out = Vec::new();
    for line in recording.lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        let at = Duration::from_millis(message["at_ms"].as_u64().unwrap());
        while clock.now() + REFRESH < at {
            clock.0.set(clock.now() + REFRESH);
            progress.refresh(&mut out).unwrap();
        }
        clock.0.set(at);
        progress.update(&status(&message["status"]), &mut out).unwrap();
    }
    progress.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}
