//! The `plain` progress format of buildx.
//!
//! ```text
//! #5 [2/3] RUN make
//! #5 0.321 cc -o app main.c
//! #5 DONE 0.4s
//! ```

mod mux;

use std::io;

use bollard_buildkit_proto::moby::buildkit::v1::StatusResponse;

use self::mux::Mux;
use super::failure::Failure;
use super::filter::{Filter, Unfiltered};
use super::progress::limiter::Limiter;
pub use super::progress::time::{Clock, SystemClock};
use super::progress::trace::Trace;
pub use super::progress::{MESSAGES, REFRESH};

/// Prints the status stream of a build as `docker buildx build --progress=plain`.
///
/// The caller feeds every message to [`update`](Self::update), calls
/// [`refresh`](Self::refresh) when [`REFRESH`] passed without one, and
/// [`finish`](Self::finish) at the end.
#[derive(Debug)]
pub struct PlainProgress<C = SystemClock, F = Unfiltered> {
    trace: Trace,
    mux: Mux,
    limiter: Limiter,
    clock: C,
    filter: F,
}

impl Default for PlainProgress {
    fn default() -> Self {
        Self::new(SystemClock::default(), Unfiltered)
    }
}

impl<C: Clock, F: Filter> PlainProgress<C, F> {
    /// A printer that paces itself by `clock` and shows nothing but what `filter`
    /// lets through.
    pub fn new(clock: C, filter: F) -> Self {
        Self {
            trace: Trace::default(),
            mux: Mux::default(),
            limiter: Limiter::new(MESSAGES),
            clock,
            filter,
        }
    }

    /// Prints `#0 text` before the first step, as
    /// `building with "default" instance using docker driver`.
    #[must_use]
    pub fn with_description(mut self, text: impl Into<String>) -> Self {
        self.mux.description = Some(text.into()).filter(|text: &String| !text.is_empty());
        self
    }

    /// Cuts the names of steps to 72 bytes, which buildx does when
    /// `PROGRESS_NO_TRUNC` is `0`.
    #[must_use]
    pub fn with_short_names(mut self, short: bool) -> Self {
        self.mux.short_names = short;
        self
    }

    /// Takes one message of the status stream and prints what is due.
    pub fn update(&mut self, status: &StatusResponse, out: &mut impl io::Write) -> io::Result<()> {
        let now = self.clock.now();
        self.trace.update(status, now, &self.filter);
        if !self.limiter.allow(now) {
            return Ok(());
        }
        self.refresh(out)
    }

    /// Prints what messages left unprinted.
    pub fn refresh(&mut self, out: &mut impl io::Write) -> io::Result<()> {
        let mut text = Vec::new();
        let now = self.clock.now();
        self.mux.print(&mut self.trace, now, &self.filter, &mut text);
        // One write per turn, so that nothing can get in between.
        if text.is_empty() {
            return Ok(());
        }
        out.write_all(&text)
    }

    /// Prints what is left and a block for each failed step, then flushes.
    pub fn finish(&mut self, out: &mut impl io::Write) -> io::Result<()> {
        self.trace.release_all(&self.filter);
        self.refresh(out)?;
        let mut text = Vec::new();
        self.mux.print_rest(&mut self.trace, &self.filter, &mut text);
        out.write_all(&text)?;
        for failure in self.failures() {
            failure.write(out)?;
        }
        out.flush()
    }

    /// The failed steps so far, in the order in which they started.
    pub fn failures(&self) -> Vec<Failure> {
        self.trace.failures(&self.filter)
    }
}

#[cfg(test)]
mod tests;
