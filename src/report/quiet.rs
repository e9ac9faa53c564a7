//! Progress that shows nothing and remembers what failed.

use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1::StatusResponse;

use super::failure::Failure;
use super::filter::{Filter, Unfiltered};
use super::progress::trace::Trace;

/// Takes the status stream without a word; what failed can be asked for at the end.
#[derive(Debug)]
pub struct QuietProgress<F = Unfiltered> {
    trace: Trace,
    filter: F,
}

impl Default for QuietProgress {
    fn default() -> Self {
        Self::new(Unfiltered)
    }
}

impl<F: Filter> QuietProgress<F> {
    /// A quiet sink whose remembered lines pass `filter`.
    pub fn new(filter: F) -> Self {
        Self { trace: Trace::default(), filter }
    }

    /// Takes one message of the status stream.
    pub fn update(&mut self, status: &StatusResponse) {
        self.trace.update(status, Duration::ZERO, &self.filter);
        self.trace.discard_logs();
    }

    /// The failed steps so far, in the order in which they started.
    pub fn failures(&mut self) -> Vec<Failure> {
        self.trace.release_all(&self.filter);
        self.trace.failures(&self.filter)
    }
}
