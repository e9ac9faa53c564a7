//! When a step ran: intervals and their union.

use std::collections::BTreeMap;

use super::time::Moment;

/// One run of a step; no `stop` means it still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) start: Moment,
    pub(crate) stop: Option<Moment>,
}

/// The runs of one step, keyed by start so that a newer report of the same run
/// replaces the older, and their union.
#[derive(Clone, Debug, Default)]
pub(crate) struct Intervals {
    reported: BTreeMap<Moment, Option<Moment>>,
    merged: Vec<Interval>,
}

impl Intervals {
    /// Records a run; true when it was not known in this form.
    pub(crate) fn insert(&mut self, run: Interval) -> bool {
        let known = self.reported.insert(run.start, run.stop);
        let changed = known != Some(run.stop);
        if changed {
            self.merged = merge(&self.reported);
        }
        changed
    }

    /// Forgets runs whose end was never told although another run of the step has ended.
    ///
    /// BuildKit 0.8 loses the end of one of two that run at the same time, as when two stages ask
    /// for the metadata of one image.
    pub(crate) fn forget_lost_ends(&mut self) {
        if self.reported.values().any(Option::is_some) {
            self.reported.retain(|_, stop| stop.is_some());
            self.merged = merge(&self.reported);
        }
    }

    /// True once the step ran at all.
    pub(crate) fn is_started(&self) -> bool {
        !self.merged.is_empty()
    }

    /// True when nothing of the step runs any more.
    pub(crate) fn is_completed(&self) -> bool {
        self.stop().is_some()
    }

    /// The start that log times are measured from.
    pub(crate) fn latest_start(&self) -> Option<Moment> {
        self.merged.last().map(|run| run.start)
    }

    /// The end of the latest run.
    pub(crate) fn stop(&self) -> Option<Moment> {
        self.merged.last().and_then(|run| run.stop)
    }

    /// The runs that have ended.
    pub(crate) fn finished(&self) -> impl Iterator<Item = (Moment, Moment)> {
        self.merged.iter().filter_map(|run| Some((run.start, run.stop?)))
    }

    /// The start of the first run.
    pub(crate) fn first_start(&self) -> Option<Moment> {
        self.merged.first().map(|run| run.start)
    }

    /// Seconds during which the step ran until `now`, overlaps counted once.
    pub(crate) fn seconds_until(&self, now: Moment) -> Option<f64> {
        let last = self.merged.last()?;
        let running = if last.stop.is_none() { now.seconds_since(last.start) } else { 0.0 };
        Some(self.seconds()? + running.max(0.0))
    }

    /// Seconds during which the step ran, overlaps counted once.
    pub(crate) fn seconds(&self) -> Option<f64> {
        if self.merged.is_empty() {
            return None;
        }
        let finished = self.merged.iter();
        Some(finished.filter_map(|run| run.stop.map(|stop| stop.seconds_since(run.start))).sum())
    }
}

/// Runs of several steps, combined where they overlap, in order; empty ones are left out.
pub(crate) fn union(runs: impl Iterator<Item = (Moment, Moment)>) -> Vec<(Moment, Moment)> {
    let mut runs: Vec<_> = runs.filter(|(start, stop)| start < stop).collect();
    runs.sort_unstable();
    let mut merged: Vec<(Moment, Moment)> = Vec::new();
    for (start, stop) in runs {
        match merged.last_mut() {
            Some((_, end)) if start <= *end => *end = stop.max(*end),
            _ => merged.push((start, stop)),
        }
    }
    merged
}

/// Combines overlapping runs; an open one swallows whatever starts after it.
fn merge(runs: &BTreeMap<Moment, Option<Moment>>) -> Vec<Interval> {
    let mut merged: Vec<Interval> = Vec::new();
    for (&start, &stop) in runs {
        let Some(last) = merged.last_mut() else {
            merged.push(Interval { start, stop });
            continue;
        };
        match (last.stop, stop) {
            (None, _) => break,
            (Some(end), _) if end < start => merged.push(Interval { start, stop }),
            (Some(end), Some(stop)) => last.stop = Some(end.max(stop)),
            (Some(_), None) => last.stop = None,
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard_buildkit_proto::google::protobuf::Timestamp;

    fn at(seconds: i64) -> Moment {
        Moment::from(&Timestamp { seconds, nanos: 0 })
    }

    fn union(runs: &[(i64, Option<i64>)]) -> Vec<(Moment, Option<Moment>)> {
        let mut all = Intervals::default();
        for &(start, stop) in runs {
            all.insert(Interval { start: at(start), stop: stop.map(at) });
        }
        all.merged.iter().map(|run| (run.start, run.stop)).collect()
    }

    #[test]
    fn overlapping_runs_become_one() {
        assert_eq!(
            union(&[(5, Some(7)), (0, Some(2)), (1, Some(3)), (6, Some(6))]),
            [(at(0), Some(at(3))), (at(5), Some(at(7)))]
        );
    }

    #[test]
    fn an_open_run_swallows_later_ones() {
        assert_eq!(union(&[(0, None), (4, Some(5))]), [(at(0), None)]);
        assert_eq!(union(&[(0, Some(3)), (2, None), (4, Some(5))]), [(at(0), None)]);
    }

    #[test]
    fn a_run_without_its_end_is_lost_when_another_ended() {
        let runs = |all: &[(i64, Option<i64>)]| {
            let mut runs = Intervals::default();
            for &(start, stop) in all {
                runs.insert(Interval { start: at(start), stop: stop.map(at) });
            }
            runs.forget_lost_ends();
            (runs.is_completed(), runs.seconds())
        };
        assert_eq!(runs(&[(0, None), (1, Some(3))]), (true, Some(2.0)));
        assert!(!runs(&[(0, None)]).0, "what runs alone still runs");
    }

    #[test]
    fn a_newer_report_of_the_same_run_replaces_the_older() {
        let mut runs = Intervals::default();
        let open = Interval { start: at(1), stop: None };
        assert!(runs.insert(open));
        assert!(!runs.insert(open));
        assert!(!runs.is_completed());
        assert!(runs.insert(Interval { start: at(1), stop: Some(at(4)) }));
        assert_eq!(runs.seconds(), Some(3.0));
        assert!(runs.is_completed());
    }
}
