//! What is known of one step of the build.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1 as api;

use super::interval::{Interval, Intervals};
use super::lines::LogLines;
use super::time::Moment;

/// The suffix of the error of a step that another failure cut short.
const CANCELED: &str = "context canceled";

/// The last state of a step that the engine reported as started.
#[derive(Debug, PartialEq)]
struct Seen {
    name: String,
    started: Moment,
    cached: bool,
    error: String,
}

/// One step, or a group of steps that is shown as one.
#[derive(Debug, Default)]
pub(crate) struct Vertex {
    pub(crate) name: String,
    pub(crate) cached: bool,
    pub(crate) error: String,
    pub(crate) intervals: Intervals,
    pub(crate) transfers: Transfers,
    pub(crate) logs: LogLines,
    /// The short texts of warnings; `plain` takes them away when they are printed.
    pub(crate) warnings: Vec<Vec<u8>>,
    /// The number on the screen, given when the step is first printed.
    pub(crate) index: Option<u64>,
    /// True for a group whose members only ran for the sake of others.
    pub(crate) hidden: bool,
    /// Updates since the step last had the screen.
    pub(crate) count: u64,
    /// When the first of these updates came.
    pub(crate) waiting_since: Option<Duration>,
    seen: Option<Seen>,
}

impl Vertex {
    /// The vertex that stands for a group, hidden until a member that matters runs.
    pub(crate) fn of_group(name: &str) -> Self {
        Self { name: name.to_owned(), hidden: true, ..Self::default() }
    }

    /// The same with these log lines.
    pub(crate) fn with_logs(self, logs: LogLines) -> Self {
        Self { logs, ..self }
    }

    /// Counts updates, which is what the share of the screen is measured by.
    pub(crate) fn touch(&mut self, now: Duration) {
        if self.count == 0 {
            self.waiting_since = Some(now);
        }
        self.count += 1;
    }

    /// Takes a report on this step; true when there is something to show.
    ///
    /// A report of completion always counts as news, as in buildx.
    pub(crate) fn report(&mut self, report: &api::Vertex) -> bool {
        let was_started = self.intervals.is_started();
        let started = report.started.as_ref().map(Moment::from);
        let mut news = false;
        if let Some(started) = started {
            let seen = Seen {
                name: report.name.clone(),
                started,
                cached: report.cached,
                error: report.error.clone(),
            };
            news = report.completed.is_some() || self.seen.as_ref() != Some(&seen);
            self.seen = Some(seen);
        }
        // A late copy of the initial report must not reset anything.
        if started.is_some() || !was_started {
            self.name.clone_from(&report.name);
            self.cached = report.cached;
            self.error.clone_from(&report.error);
        }
        if let Some(start) = started {
            let stop = report.completed.as_ref().map(Moment::from);
            self.intervals.insert(Interval { start, stop });
        }
        news
    }

    /// True while the step runs.
    pub(crate) fn is_open(&self) -> bool {
        self.intervals.is_started() && !self.intervals.is_completed()
    }

    /// True when the step was cut short by something else.
    pub(crate) fn is_canceled(&self) -> bool {
        self.error.ends_with(CANCELED)
    }

    /// True when the step itself failed.
    pub(crate) fn is_failed(&self) -> bool {
        !self.error.is_empty() && !self.is_canceled()
    }
}

/// The transfers of one step (`transferring context`, layers), in order of start.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    by_id: HashMap<String, Transfer>,
    order: Vec<String>,
    updated: BTreeSet<String>,
}

/// The last report on one transfer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transfer {
    pub(crate) current: i64,
    pub(crate) total: i64,
    pub(crate) at: Moment,
    pub(crate) started: Option<Moment>,
    pub(crate) completed: Option<Moment>,
}

impl Transfers {
    /// Takes a report; a transfer is listed once it has started.
    pub(crate) fn report(&mut self, status: &api::VertexStatus) {
        let transfer = Transfer {
            current: status.current,
            total: status.total,
            at: Moment::or_epoch(status.timestamp.as_ref()),
            started: status.started.as_ref().map(Moment::from),
            completed: status.completed.as_ref().map(Moment::from),
        };
        let before = self.by_id.insert(status.id.clone(), transfer);
        let listed = match before {
            None => false,
            Some(before) => before.started.is_some() || self.order.contains(&status.id),
        };
        if transfer.started.is_some() && !listed {
            self.order.push(status.id.clone());
        }
        self.updated.insert(status.id.clone());
    }

    /// The listed transfers.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (&str, Transfer)> {
        self.order.iter().filter_map(|id| Some((id.as_str(), *self.by_id.get(id)?)))
    }

    /// The listed transfers that were reported on since the last call.
    pub(crate) fn take_updated(&mut self) -> Vec<(&str, Transfer)> {
        let updated = std::mem::take(&mut self.updated);
        self.order
            .iter()
            .filter(|id| updated.contains(*id))
            .filter_map(|id| Some((id.as_str(), *self.by_id.get(id)?)))
            .collect()
    }
}
