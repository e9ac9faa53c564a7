//! Progress groups: several steps shown as one.

use bollard_buildkit_proto::moby::buildkit::v1 as api;

use super::interval::Interval;
use super::time::Moment;
use super::vertex::Vertex;

/// The members of a group; what is shown of it is the vertex at `shown`.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) shown: usize,
    members: Vec<Member>,
}

/// The last report on one member.
#[derive(Debug)]
struct Member {
    digest: String,
    run: Option<Interval>,
    cached: bool,
    error: String,
    /// A weak member alone does not make the group visible.
    weak: bool,
}

/// What a round of reports changed in a group.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) changed: bool,
    pub(crate) revealed: bool,
}

impl Group {
    /// A group without members, shown as the vertex at `shown`.
    pub(crate) fn new(shown: usize) -> Self {
        Self { shown, members: Vec::new() }
    }

    /// Takes a report on a member.
    pub(crate) fn report(&mut self, report: &api::Vertex) {
        let member = Member {
            digest: report.digest.clone(),
            run: report.started.as_ref().map(|started| Interval {
                start: Moment::from(started),
                stop: report.completed.as_ref().map(Moment::from),
            }),
            cached: report.cached,
            error: report.error.clone(),
            weak: report.progress_group.as_ref().is_some_and(|g| g.weak),
        };
        match self.members.iter_mut().find(|m| m.digest == member.digest) {
            Some(known) => *known = member,
            None => self.members.push(member),
        }
    }

    /// Brings the shown vertex up to date with the members.
    ///
    /// It is cached when all members are, and fails with the first error found.
    pub(crate) fn refresh(&self, vertex: &mut Vertex) -> Change {
        let mut change = Change::default();
        let was_hidden = vertex.hidden;
        let mut cached = true;
        let mut error = vertex.error.clone();
        for member in &self.members {
            if let Some(run) = member.run {
                change.changed |= vertex.intervals.insert(run);
                vertex.hidden &= member.weak;
            }
            cached &= member.cached;
            if error.is_empty() {
                error.clone_from(&member.error);
            } else {
                vertex.hidden = false;
            }
        }
        change.changed |= vertex.cached != cached || vertex.error != error;
        vertex.cached = cached;
        vertex.error = error;
        change.revealed = was_hidden && !vertex.hidden;
        change.changed |= change.revealed;
        change
    }
}
