//! The lines of the live picture before they are fitted into a terminal.

use super::bytes::bytes;
use super::colors::Role;
use super::columns::clean;
use super::time::Moment;
use super::trace::Trace;
use super::vertex::{Transfer, Vertex};
use crate::report::filter::Filter;

/// A transfer that takes longer than this says how fast it goes, in seconds.
const WORTH_A_RATE: f64 = 0.5;
/// Shorter times are shown as none, in seconds.
const NO_TIME: f64 = 0.05;

/// A step, one of its transfers, or a warning.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Job {
    pub(crate) name: String,
    /// How long it took so far, in seconds.
    pub(crate) seconds: f64,
    /// How far it is, as `1.00MB / 3.20MB`.
    pub(crate) measure: String,
    /// How fast it goes, as `4.10MB/s`.
    pub(crate) rate: String,
    pub(crate) done: bool,
    pub(crate) role: Option<Role>,
    /// The last lines of its log, and how much was logged.
    pub(crate) log: Vec<String>,
}

/// Every job that has started, in the order in which steps did; `over` means that what still runs
/// is cut short.
pub(crate) fn jobs(trace: &Trace, now: Moment, over: bool, filter: &impl Filter) -> Vec<Job> {
    let mut jobs = Vec::new();
    for vertex in trace.started() {
        jobs.extend(step(vertex, now, over, filter));
        for (id, transfer) in vertex.transfers.listed() {
            jobs.push(transferring(id, &transfer, now, filter));
        }
        for warning in &vertex.warnings {
            let short = String::from_utf8_lossy(warning);
            let name = clean(&format!("WARN: {}", filter.text(&short)));
            let seconds = vertex.intervals.seconds_until(now).unwrap_or_default();
            let role = Some(Role::Warning);
            jobs.push(Job { name, seconds, done: true, role, ..Job::default() });
        }
    }
    jobs
}

fn step(vertex: &Vertex, now: Moment, over: bool, filter: &impl Filter) -> Option<Job> {
    let seconds = vertex.intervals.seconds_until(now)?;
    let finished = vertex.intervals.is_completed();
    let (word, role) = if vertex.is_failed() {
        ("ERROR ", Role::Error)
    } else if vertex.is_canceled() || (over && !finished) {
        ("CANCELED ", Role::Cancel)
    } else if vertex.cached {
        ("CACHED ", Role::Run)
    } else {
        ("", Role::Run)
    };
    let done = finished || over;
    let log = match vertex.logs.window() {
        Some(window) if !done => window.lines().collect(),
        _ => Vec::new(),
    };
    Some(Job {
        name: clean(&format!("{word}{}", filter.text(&vertex.name).replace('\t', " "))),
        seconds: shown(seconds),
        done,
        role: done.then_some(role),
        log,
        ..Job::default()
    })
}

fn transferring(id: &str, transfer: &Transfer, now: Moment, filter: &impl Filter) -> Job {
    let end = transfer.completed.unwrap_or(now);
    let seconds = transfer.started.map_or(0.0, |start| end.seconds_since(start));
    let done = transfer.completed.is_some();
    let measure = match (transfer.current, transfer.total) {
        (0, 0) => String::new(),
        (current, 0) => bytes(current),
        (current, total) => format!("{} / {}", bytes(current), bytes(total)),
    };
    let rate = match done {
        false if seconds >= WORTH_A_RATE && transfer.current > 0 => {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "three digits are shown, and `as` saturates"
            )]
            let rate = (transfer.current as f64 / seconds) as i64;
            format!("{}/s", bytes(rate))
        }
        _ => String::new(),
    };
    let role = done.then_some(Role::Run);
    let name = clean(&format!("=> {}", filter.text(id)));
    Job { name, seconds: shown(seconds), measure, rate, done, role, log: Vec::new() }
}

fn shown(seconds: f64) -> f64 {
    if seconds < NO_TIME { 0.0 } else { seconds }
}
