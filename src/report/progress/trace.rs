//! The state of the whole build, fed by the status stream of the engine.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1 as api;

use super::group::Group;
use super::lines::LogLines;
use super::time::Moment;
use super::vertex::Vertex;
use crate::report::failure::Failure;
use crate::report::filter::Filter;

/// Every step seen so far and which of them have something to show.
///
/// Steps are named by their place in the order in which they were first seen, so
/// that output never depends on the order of a hash map.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    vertexes: Vec<Vertex>,
    by_digest: HashMap<String, usize>,
    groups: HashMap<String, Group>,
    /// Steps in the order in which they started.
    started: Vec<usize>,
    /// Steps with something to show.
    pub(crate) updates: BTreeSet<usize>,
    /// Lines of each step's log that a live picture shows.
    window: Option<usize>,
}

impl Trace {
    /// The state for a live picture, which shows the last lines of a log while its step runs and
    /// all of it when the step fails.
    pub(crate) fn live(window: usize) -> Self {
        Self { window: Some(window), ..Self::default() }
    }

    /// Takes one message of the status stream.
    pub(crate) fn update(
        &mut self,
        status: &api::StatusResponse,
        now: Duration,
        filter: &impl Filter,
    ) {
        let ended = self.take_vertexes(&status.vertexes, now);
        for transfer in &status.statuses {
            if let Some(place) = self.by_digest.get(&transfer.vertex).copied()
                && let Some(vertex) = self.vertexes.get_mut(place)
            {
                vertex.transfers.report(transfer);
                vertex.touch(now);
                self.updates.insert(place);
            }
        }
        for warning in &status.warnings {
            if let Some(place) = self.by_digest.get(&warning.vertex)
                && let Some(vertex) = self.vertexes.get_mut(*place)
            {
                vertex.warnings.push(warning.short.clone());
                vertex.touch(now);
            }
        }
        for log in &status.logs {
            if let Some(place) = self.by_digest.get(&log.vertex).copied()
                && let Some(vertex) = self.vertexes.get_mut(place)
            {
                let seconds = vertex.intervals.latest_start().map_or(0.0, |start| {
                    Moment::or_epoch(log.timestamp.as_ref()).seconds_since(start)
                });
                vertex.logs.push(&log.msg, log.stream, seconds, filter);
                vertex.touch(now);
                self.updates.insert(place);
            }
        }
        // Only now, as the last of the log may come in the same message; what comes
        // later waits for its end, so that it cannot slip past the filter in pieces.
        for place in ended {
            self.release(place, filter);
            if self.window.is_some()
                && let Some(vertex) = self.vertexes.get_mut(place)
                && vertex.error.is_empty()
            {
                vertex.logs.forget();
            }
        }
    }

    /// Lets go of every unfinished line that was kept back for a filter.
    pub(crate) fn release_all(&mut self, filter: &impl Filter) {
        for place in 0..self.vertexes.len() {
            self.release(place, filter);
        }
    }

    fn release(&mut self, place: usize, filter: &impl Filter) {
        if let Some(vertex) = self.vertexes.get_mut(place)
            && vertex.logs.release(filter)
        {
            self.updates.insert(place);
        }
    }

    /// Takes the end of the status stream: what it never told will not be told any more.
    pub(crate) fn forget_lost_ends(&mut self) {
        for vertex in &mut self.vertexes {
            vertex.intervals.forget_lost_ends();
        }
    }

    /// How many steps are over, and how many there are.
    pub(crate) fn count(&self) -> (usize, usize) {
        let visible = self.vertexes.iter().filter(|vertex| !vertex.hidden);
        visible.fold((0, 0), |(over, all), vertex| {
            (over + usize::from(vertex.intervals.is_completed()), all + 1)
        })
    }

    /// The visible steps in the order in which they started.
    pub(crate) fn started(&self) -> impl Iterator<Item = &Vertex> {
        let started = self.started.iter().filter_map(|&place| self.vertexes.get(place));
        started.filter(|vertex| !vertex.hidden)
    }

    /// When the first step started.
    pub(crate) fn first_start(&self) -> Option<Moment> {
        self.vertexes.iter().filter_map(|vertex| vertex.intervals.first_start()).min()
    }

    /// Takes the reports on steps; returns the steps they ended.
    fn take_vertexes(&mut self, reports: &[api::Vertex], now: Duration) -> BTreeSet<usize> {
        let mut groups: Vec<&str> = Vec::new();
        let mut ended: BTreeSet<usize> = BTreeSet::new();
        for report in reports {
            if let Some(group) = &report.progress_group {
                self.take_member(&group.id, &group.name, report);
                if !groups.contains(&group.id.as_str()) {
                    groups.push(&group.id);
                }
            } else {
                self.take_vertex(report, now);
            }
            if report.completed.is_some() {
                ended.extend(self.by_digest.get(&report.digest));
            }
        }
        for id in groups {
            self.refresh_group(id, now);
        }
        ended.retain(|&place| {
            let vertex = self.vertexes.get(place);
            vertex.is_some_and(|v: &Vertex| v.intervals.is_completed())
        });
        ended
    }

    fn take_vertex(&mut self, report: &api::Vertex, now: Duration) {
        let place = match self.by_digest.get(&report.digest) {
            Some(place) => *place,
            None => self.add(report.digest.clone(), Vertex::default()),
        };
        let Some(vertex) = self.vertexes.get_mut(place) else {
            return;
        };
        let was_started = vertex.intervals.is_started();
        if vertex.report(report) {
            vertex.touch(now);
            self.updates.insert(place);
        }
        if report.started.is_some() && !was_started {
            self.started.push(place);
        }
    }

    fn take_member(&mut self, id: &str, name: &str, report: &api::Vertex) {
        if !self.groups.contains_key(id) {
            let shown = self.add(id.to_owned(), Vertex::of_group(name));
            self.groups.insert(id.to_owned(), Group::new(shown));
        }
        if let Some(group) = self.groups.get_mut(id) {
            group.report(report);
            let shown = group.shown;
            self.point(report.digest.clone(), shown);
        }
    }

    fn refresh_group(&mut self, id: &str, now: Duration) {
        let Some(group) = self.groups.get(id) else {
            return;
        };
        let Some(vertex) = self.vertexes.get_mut(group.shown) else {
            return;
        };
        let change = group.refresh(vertex);
        if vertex.hidden {
            return;
        }
        if change.revealed {
            self.started.push(group.shown);
        }
        if change.changed {
            vertex.touch(now);
            self.updates.insert(group.shown);
        }
    }

    fn add(&mut self, digest: String, vertex: Vertex) -> usize {
        let place = self.vertexes.len();
        self.vertexes.push(vertex.with_logs(self.window.map(LogLines::live).unwrap_or_default()));
        self.point(digest, place);
        place
    }

    /// Makes `digest` mean the step at `place`; a step that loses its name to a
    /// group is not shown any more.
    fn point(&mut self, digest: String, place: usize) {
        if let Some(old) = self.by_digest.insert(digest, place)
            && old != place
            && let Some(old) = self.vertexes.get_mut(old)
        {
            old.hidden = true;
        }
    }

    /// The step at a place.
    pub(crate) fn get(&self, place: usize) -> Option<&Vertex> {
        self.vertexes.get(place)
    }

    /// The step at a place, to be changed.
    pub(crate) fn get_mut(&mut self, place: usize) -> Option<&mut Vertex> {
        self.vertexes.get_mut(place)
    }

    /// The first visible step that still runs.
    pub(crate) fn first_open(&self) -> Option<usize> {
        self.vertexes.iter().position(|vertex| vertex.is_open() && !vertex.hidden)
    }

    /// Drops the log lines nobody will print, except for the tails.
    pub(crate) fn discard_logs(&mut self) {
        for place in std::mem::take(&mut self.updates) {
            if let Some(vertex) = self.vertexes.get_mut(place) {
                vertex.logs.discard();
            }
        }
    }

    /// The steps that failed, in the order in which they started, with the last
    /// lines of their logs.
    pub(crate) fn failures(&self, filter: &impl Filter) -> Vec<Failure> {
        self.started
            .iter()
            .filter_map(|&place| self.vertexes.get(place))
            .filter(|vertex| vertex.is_failed())
            .map(|vertex| Failure {
                name: filter.text(&vertex.name).into_owned(),
                error: filter.text(&vertex.error).into_owned(),
                tail: vertex.logs.tail().map(<[u8]>::to_vec).collect(),
            })
            .collect()
    }
}
