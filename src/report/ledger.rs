//! The time ledger: what the steps and the checks of a build cost, read from its status stream.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use bollard_buildkit_proto::moby::buildkit::v1::StatusResponse;

use super::progress::interval::{Interval, Intervals, union};
use super::progress::time::Moment;
use super::verdict::Cost;

/// What a step is in the eyes of the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// The cache of an ordinary build could have answered it.
    Repeated,
    /// It is there because of us.
    Check,
    /// Every build does it: sources, exports, the frontend's own work.
    #[default]
    Other,
}

/// When each step ran, and when we checked.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    steps: HashMap<String, (Kind, Intervals)>,
    checks: Vec<(SystemTime, SystemTime)>,
    /// The engine's time and ours at the same moment.
    epoch: Option<(Moment, SystemTime)>,
}

impl Ledger {
    /// Reads a message that came at `now`.
    pub fn read(&mut self, status: &StatusResponse, now: SystemTime) {
        for vertex in &status.vertexes {
            let Some(start) = vertex.started.as_ref().map(Moment::from) else { continue };
            self.epoch.get_or_insert((start, now));
            let kind = if vertex.cached { Kind::Other } else { kind(&vertex.name) };
            let stop = vertex.completed.as_ref().map(Moment::from);
            let (known, runs) = self.steps.entry(vertex.digest.clone()).or_default();
            *known = kind;
            runs.insert(Interval { start, stop });
        }
    }

    /// Adds a check of ours, by the clock of this machine.
    pub fn checked(&mut self, started: SystemTime, finished: SystemTime) {
        self.checks.push((started, finished));
    }

    /// What all of it cost; runs that have not ended count for nothing.
    pub fn cost(&self) -> Cost {
        let repeated = union(self.runs(|kind| kind == Kind::Repeated));
        let others = union(self.runs(|kind| kind != Kind::Check));
        let own = self.checks.iter().map(|&(from, to)| (self.at(from), self.at(to)));
        let checks = union(self.runs(|kind| kind == Kind::Check).chain(own));
        Cost {
            no_cache: total(&repeated),
            checks: total(&checks),
            overlapped: total(&common(&checks, &others)),
        }
    }

    fn runs(&self, wanted: impl Fn(Kind) -> bool) -> impl Iterator<Item = (Moment, Moment)> {
        let steps = self.steps.values().filter(move |(kind, _)| wanted(*kind));
        steps.flat_map(|(_, runs)| runs.finished())
    }

    /// A moment of ours on the engine's clock; on any clock when the engine told no time.
    fn at(&self, time: SystemTime) -> Moment {
        let (engine, ours) = self.epoch.unwrap_or((Moment::default(), SystemTime::UNIX_EPOCH));
        match time.duration_since(ours) {
            Ok(later) => engine.plus(later),
            Err(earlier) => engine.minus(earlier.duration()),
        }
    }
}

/// The name without the node or the platform that such steps are of, when several build.
fn without_node(name: &str) -> Cow<'_, str> {
    let Some((inside, rest)) = name.strip_prefix('[').and_then(|name| name.split_once("] ")) else {
        return Cow::Borrowed(name);
    };
    match inside.split_once(' ') {
        Some((_, kind @ ("internal" | "cofferdam" | "auth"))) => {
            Cow::Owned(format!("[{kind}] {rest}"))
        }
        None if rest.starts_with("exporting ") => Cow::Borrowed(rest),
        _ => Cow::Borrowed(name),
    }
}

/// Steps are told apart by their names, as the Dockerfile frontend gives them.
fn kind(name: &str) -> Kind {
    const OURS: [&str; 2] = ["[cofferdam]", "[internal] load cofferdam helper"];
    const OTHERS: [&str; 14] = [
        "[internal]",
        "[auth]",
        "[context ",
        "exporting ",
        "naming ",
        "pushing ",
        "loading ",
        "writing ",
        "sending ",
        "importing ",
        "resolve image config for ",
        "docker-image://",
        "local://",
        "oci-layout://",
    ];
    let name = &*without_node(name);
    let starts = |list: &[&str]| list.iter().any(|start| name.starts_with(start));
    let is_base = name.starts_with('[')
        && name.split_once("] ").is_some_and(|(_, command)| command.starts_with("FROM "));
    if starts(&OURS) {
        Kind::Check
    } else if starts(&OTHERS) || is_base {
        Kind::Other
    } else {
        Kind::Repeated
    }
}

fn total(runs: &[(Moment, Moment)]) -> Duration {
    runs.iter().map(|(start, stop)| stop.since(*start)).sum()
}

/// What two lists of runs, each in order and without overlaps, have in common.
fn common(left: &[(Moment, Moment)], right: &[(Moment, Moment)]) -> Vec<(Moment, Moment)> {
    let pairs = left.iter().flat_map(|a| right.iter().map(move |b| (a, b)));
    let overlaps = pairs.map(|(a, b)| (a.0.max(b.0), a.1.min(b.1)));
    overlaps.filter(|(start, stop)| start < stop).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::progress::testing::message::{Message, vertex};

    fn ours(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(5000 + millis)
    }

    fn cost(message: &Message, checks: &[(u64, u64)]) -> (u128, u128, u128) {
        let mut ledger = Ledger::default();
        ledger.read(&message.0, ours(0));
        checks.iter().for_each(|&(from, to)| ledger.checked(ours(from), ours(to)));
        let Cost { no_cache, checks, overlapped } = ledger.cost();
        (no_cache.as_millis(), checks.as_millis(), overlapped.as_millis())
    }

    #[test]
    fn a_step_is_what_it_is_on_any_node() {
        for (name, bare) in [
            ("[far0 cofferdam] strip x", "[cofferdam] strip x"),
            ("[far0 internal] load cofferdam helper", "[internal] load cofferdam helper"),
            ("[far0] exporting to image", "exporting to image"),
            ("[far0 linux/amd64 2/2] RUN x", "[far0 linux/amd64 2/2] RUN x"),
            ("[build 1/2] RUN internal] x", "[build 1/2] RUN internal] x"),
            ("RUN x", "RUN x"),
        ] {
            assert_eq!(without_node(name), bare);
        }
    }

    #[test]
    fn steps_that_run_at_once_cost_their_time_once() {
        let message = vertex("[a 2/2] RUN make", Some(0), Some(1000))
            .vertex("[b 2/2] COPY . .", Some(500), Some(1500))
            .vertex("[b 1/2] FROM docker.io/library/busybox", Some(0), Some(9000))
            .vertex("[internal] load build context", Some(0), Some(9000))
            .vertex("exporting to image", Some(9000), Some(9900))
            .vertex("[c 2/2] RUN cached", Some(3000), Some(4000))
            .cached()
            .vertex("[d 2/2] RUN never ends", Some(3000), None);
        assert_eq!(cost(&message, &[]), (1500, 0, 0));
    }

    #[test]
    fn checks_are_our_steps_and_what_the_caller_adds() {
        let message = vertex("[2/2] RUN make", Some(0), Some(1000))
            .vertex("[internal] load cofferdam helper", Some(800), Some(900))
            .vertex("[cofferdam] strip set-uid bits and file capabilities", Some(1000), Some(1300));
        assert_eq!(cost(&message, &[]), (1000, 400, 100));
        // On our clock the first step started at 0 as well.
        assert_eq!(cost(&message, &[(850, 950), (1400, 1500)]), (1000, 550, 150));
    }

    #[test]
    fn a_step_that_is_reported_twice_ran_once() {
        let message = vertex("RUN a", Some(0), None).vertex("RUN a", Some(0), Some(700));
        assert_eq!(cost(&message.vertex("RUN a", Some(600), Some(900)), &[]), (900, 0, 0));
    }

    #[test]
    fn checks_count_where_the_engine_tells_no_time() {
        let mut ledger = Ledger::default();
        ledger.checked(ours(10), ours(30));
        assert_eq!(ledger.cost().checks, Duration::from_millis(20));
    }

    proptest! {
        #[test]
        fn no_time_is_counted_twice(
            runs in prop::collection::vec((any::<bool>(), -50..50i64, -50..50i64), 0..20),
        ) {
            let mut message = Message::new();
            for (at, (ours, start, length)) in runs.iter().enumerate() {
                let name = if *ours { format!("[cofferdam] {at}") } else { format!("RUN {at}") };
                message = message.vertex(&name, Some(*start), Some(start + length));
            }
            let (no_cache, checks, overlapped) = cost(&message, &[]);
            let brute = |wanted: fn(bool) -> bool| (-50..100).filter(|at| {
                runs.iter().any(|(ours, s, l)| wanted(*ours) && s <= at && *at < s + l)
            }).count() as u128;
            prop_assert_eq!(no_cache, brute(|ours| !ours));
            prop_assert_eq!(checks, brute(|ours| ours));
            let both = (-50..100).filter(|at| {
                let runs = |wanted: bool| runs.iter().any(|(ours, s, l)| {
                    *ours == wanted && s <= at && *at < s + l
                });
                runs(true) && runs(false)
            }).count() as u128;
            prop_assert_eq!(overlapped, both);
        }
    }
}
