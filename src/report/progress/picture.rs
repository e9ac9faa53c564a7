//! Fits the jobs of a build into a terminal of any size.
//!
//! ```text
//! [+] Building 12.3s (5/9)
//!  => [internal] load build context                              0.3s
//!  => => transferring context: 12.30MB                           0.2s
//!  => [2/3] RUN make                                             4.1s
//!  => => # cc -o app main.c
//! ```

use std::collections::BTreeSet;

use super::colors::Role;
use super::columns::{cut, justified, width};
use super::jobs::Job;
use crate::report::screen::Size;

/// What stands in front of a job.
const ARROW: &str = " => ";
/// What stands in front of a line of its log.
const LOG: &str = " => => # ";
/// A name is not cut below this to make room for what is said about it, in columns.
const SHORTEST_NAME: usize = 12;
/// Nor below this to make room for its time.
const SHORTEST_BEFORE_TIME: usize = 6;
/// A window on a log leaves this many lines to others.
const BETWEEN_WINDOWS: usize = 3;

/// How a line is painted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Look {
    #[default]
    Plain,
    /// Less important than the rest.
    Faint,
    Role(Role),
}

/// One line of a picture, which takes no more columns than the terminal has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) look: Look,
}

/// The first line of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Header {
    /// Since the first step started.
    pub(crate) seconds: f64,
    pub(crate) done: usize,
    pub(crate) all: usize,
    /// Who builds, at the right end.
    pub(crate) builder: Option<String>,
}

/// The live picture: at most one line less than the terminal has, as the cursor takes one.
pub(crate) fn live(header: &Header, jobs: &[Job], log_lines: usize, size: Size) -> Vec<Line> {
    let room = size.rows.saturating_sub(1).max(1);
    let mut lines = vec![header.line("", size.columns)];
    let room = room - 1;
    let windows = windows(jobs, log_lines, room);
    let taken: usize = windows.iter().sum();
    let shown = choose(jobs, room.saturating_sub(taken));
    for (at, (job, window)) in jobs.iter().zip(windows).enumerate() {
        if !shown.contains(&at) {
            continue;
        }
        lines.extend(job.line(size.columns));
        let skipped = job.log.len().saturating_sub(window);
        lines.extend(job.log.iter().skip(skipped).map(|text| log_line(text, size.columns)));
    }
    lines
}

/// The last picture: all jobs, whatever the height.
pub(crate) fn last(header: &Header, jobs: &[Job], size: Size) -> Vec<Line> {
    let finished = header.done > 0 && header.done == header.all;
    let mut lines = vec![header.line(if finished { "FINISHED" } else { "" }, size.columns)];
    lines.extend(jobs.iter().filter_map(|job| job.line(size.columns)));
    lines
}

/// How many lines of its log each job shows, the oldest jobs first, while there is room.
fn windows(jobs: &[Job], log_lines: usize, room: usize) -> Vec<usize> {
    let mut windows = vec![0; jobs.len()];
    let open = jobs.iter().filter(|job| !job.done).count();
    let mut free = room.saturating_sub(open);
    for (window, job) in windows.iter_mut().zip(jobs).filter(|(_, job)| !job.log.is_empty()) {
        *window = job.log.len().min(log_lines).min(free);
        free = free.saturating_sub(*window + BETWEEN_WINDOWS);
    }
    windows
}

/// The jobs that are shown in so many lines: what runs, and then what happened last.
fn choose(jobs: &[Job], room: usize) -> BTreeSet<usize> {
    let places = |done: bool| (0..jobs.len()).rev().filter(move |&at| job_is(jobs, at, done));
    places(false).chain(places(true)).take(room).collect()
}

fn job_is(jobs: &[Job], at: usize, done: bool) -> bool {
    jobs.get(at).is_some_and(|job| job.done == done)
}

impl Header {
    fn line(&self, end: &str, columns: usize) -> Line {
        let Self { seconds, done, all, builder } = self;
        let columns = usable(columns);
        let facts = format!("{:.1}s ({done}/{all}) {end}", seconds.max(0.0));
        let facts = facts.trim_end();
        let mut text = format!("[+] Building {facts}");
        if width(&text) > columns {
            text = format!("[+] {facts}");
        }
        let text = text.as_str();
        let text = match builder {
            Some(builder) if width(text) + 1 + width(builder) <= columns => {
                justified(text, builder, columns)
            }
            _ => cut(text, columns).to_owned(),
        };
        Line { text, look: Look::Plain }
    }
}

impl Job {
    /// Its line; nothing where not even a name has room.
    fn line(&self, columns: usize) -> Option<Line> {
        let columns = usable(columns);
        let look = self.role.map_or(Look::Plain, Look::Role);
        let timer = format!("{:.1}s", self.seconds);
        let room = columns.checked_sub(width(ARROW) + 1 + width(&timer));
        let Some(mut room) = room.filter(|&room| room >= SHORTEST_BEFORE_TIME) else {
            let text = cut(&format!("{ARROW}{}", self.name), columns).to_owned();
            return Some(Line { text, look }).filter(|line| !line.text.is_empty());
        };
        let mut told = String::new();
        for (text, least) in [(&self.measure, SHORTEST_NAME), (&self.rate, width(&self.name))] {
            let left = room.saturating_sub(width(text) + 1);
            if !text.is_empty() && left >= least.min(width(&self.name)) {
                told = format!("{told} {text}");
                room = left;
            }
        }
        let left = format!("{ARROW}{}{told}", cut(&self.name, room));
        Some(Line { text: justified(&left, &timer, columns), look })
    }
}

fn log_line(text: &str, columns: usize) -> Line {
    let text = cut(&format!("{LOG}{text}"), usable(columns)).to_owned();
    Line { text, look: Look::Faint }
}

/// The last column stays free: what is written there may already begin the next line.
fn usable(columns: usize) -> usize {
    columns.saturating_sub(1).max(1)
}
