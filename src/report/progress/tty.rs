//! The live picture of a build, as `docker buildx build --progress=tty` shows it.

use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1::StatusResponse;

use super::MESSAGES;
use super::colors::{Colors, Role};
use super::columns::{clean, width};
use super::jobs::jobs;
use super::limiter::Limiter;
use super::picture::{Header, Line, Look, last, live};
use super::settings::ProgressSettings;
use super::time::{Clock, Moment};
use super::trace::Trace;
use super::window::plain_text;
use crate::report::failure::Failure;
use crate::report::filter::Filter;
use crate::report::screen::{Painted, Size};
use crate::report::style::Style;

/// How a build ended, as far as its last picture goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself, well or not.
    Done,
    /// From here: what still runs will not end well.
    Cut,
}

/// Takes the status stream and paints pictures of it.
#[derive(Debug)]
pub(crate) struct TtyProgress<C, F> {
    trace: Trace,
    limiter: Limiter,
    clock: C,
    filter: F,
    look: (Style, Colors),
    log_lines: usize,
    builder: Option<String>,
    /// The engine's time and ours at the same moment.
    epoch: Option<(Moment, Duration)>,
}

impl<C: Clock, F: Filter> TtyProgress<C, F> {
    /// Nothing seen yet.
    pub(crate) fn new(clock: C, filter: F, settings: &ProgressSettings, style: Style) -> Self {
        Self {
            trace: Trace::live(settings.log_lines),
            limiter: Limiter::new(MESSAGES),
            clock,
            filter,
            look: (style, settings.colors),
            log_lines: settings.log_lines,
            builder: settings.builder.as_ref().map(|builder| builder.short()),
            epoch: None,
        }
    }

    /// Takes one message of the status stream; true when it is time for a new picture.
    pub(crate) fn update(&mut self, status: &StatusResponse) -> bool {
        let now = self.clock.now();
        self.trace.update(status, now, &self.filter);
        self.trace.discard_logs();
        if self.epoch.is_none() {
            self.epoch = self.trace.first_start().map(|start| (start, now));
        }
        self.limiter.allow(now)
    }

    /// The picture of this moment.
    pub(crate) fn picture(&self, size: Size) -> Vec<Painted> {
        let jobs = jobs(&self.trace, self.now(), false, &self.filter);
        self.painted(live(&self.header(), &jobs, self.log_lines, size))
    }

    /// The picture that stays.
    pub(crate) fn last_picture(&mut self, end: End, size: Size) -> Vec<Painted> {
        self.trace.release_all(&self.filter);
        self.trace.forget_lost_ends();
        let jobs = jobs(&self.trace, self.now(), end == End::Cut, &self.filter);
        let mut header = self.header();
        // What has not started by now was not needed.
        if end == End::Done && jobs.iter().all(|job| job.done && job.role != Some(Role::Error)) {
            header.all = header.done;
        }
        self.painted(last(&header, &jobs, size))
    }

    /// The failed steps with their whole logs, which nobody has seen; without anything a terminal
    /// would obey.
    pub(crate) fn failures(&self) -> Vec<Failure> {
        let mut failures = self.trace.failures(&self.filter);
        for failure in &mut failures {
            failure.name = clean(&failure.name);
            for line in &mut failure.tail {
                *line = plain_text(line).into_bytes();
            }
        }
        failures
    }

    fn now(&self) -> Moment {
        let (start, at) = self.epoch.unwrap_or_default();
        start.plus(self.clock.now().saturating_sub(at))
    }

    fn header(&self) -> Header {
        let start = self.trace.first_start();
        let (done, all) = self.trace.count();
        Header {
            seconds: start.map_or(0.0, |start| self.now().seconds_since(start)),
            done,
            all,
            builder: self.builder.clone(),
        }
    }

    fn painted(&self, lines: Vec<Line>) -> Vec<Painted> {
        let (style, colors) = &self.look;
        let code = |look| match look {
            Look::Plain => None,
            Look::Faint => Some("2".to_owned()),
            Look::Role(role) => Some(colors.code(role)),
        };
        let paint = |line: Line| Painted {
            columns: width(&line.text),
            bytes: match code(line.look) {
                Some(code) if style.color => format!("\x1b[{code}m{}\x1b[0m", line.text),
                _ => line.text,
            },
        };
        lines.into_iter().map(paint).collect()
    }
}
