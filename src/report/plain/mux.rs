//! Which step has the screen, and what it prints there.
//!
//! One step at a time owns the output, under a `#n name` line; when another takes
//! over, the first is closed with `#n ...`. The format and the turn rules are those
//! of buildx (BuildKit's progressui).

use std::collections::HashMap;
use std::time::Duration;

use crate::report::filter::Filter;
use crate::report::progress::bytes::bytes;
use crate::report::progress::time::Moment;
use crate::report::progress::trace::Trace;
use crate::report::progress::vertex::{Transfer, Vertex};

/// A step keeps the screen about this long before its share counts.
const ANTI_FLICKER_SECONDS: f64 = 5.0;
/// A step that waited this long for the screen gets it.
const MAX_DELAY: Duration = Duration::from_secs(10);
/// A transfer is printed again after this many seconds …
const MIN_TIME_DELTA: f64 = 5.0;
/// … or after this part of its total.
const MIN_PROGRESS_DELTA: f64 = 0.05;
/// The length of a step name when names are cut.
const SHORT_NAME: usize = 72;

/// The printer of the plain format.
#[derive(Debug, Default)]
pub(crate) struct Mux {
    /// The step that has the screen.
    current: Option<usize>,
    /// What was last printed of each transfer; by name alone, across steps, as
    /// buildx does.
    last: HashMap<String, (i64, Moment)>,
    printed_any: bool,
    next_index: u64,
    /// The text behind `#0`, printed before the first step.
    pub(crate) description: Option<String>,
    /// Whether step names are cut to 72 bytes.
    pub(crate) short_names: bool,
}

/// The claim of one step to the screen.
struct Claim {
    place: usize,
    waited: Duration,
    speed: f64,
}

impl Mux {
    /// Prints what changed since the last call.
    pub(crate) fn print(
        &mut self,
        trace: &mut Trace,
        now: Duration,
        filter: &impl Filter,
        out: &mut Vec<u8>,
    ) {
        let (mut completed, mut running) = (Vec::new(), Vec::new());
        for &place in &trace.updates {
            match trace.get(place) {
                Some(vertex) if vertex.hidden => {}
                Some(vertex) => match vertex.intervals.stop() {
                    Some(stop) => completed.push((stop, place)),
                    None => running.push(place),
                },
                None => {}
            }
        }
        completed.sort_by_key(|(stop, _)| *stop);
        let current = self.current;

        // What is over leaves the screen first, so the step that has it is closed
        // with its result and not with dots.
        let current_completed = completed.iter().any(|(_, place)| Some(*place) == current);
        if let Some(current) = current.filter(|_| current_completed) {
            self.print_vertex(trace, current, filter, out);
        }
        for (_, place) in completed {
            if Some(place) != current {
                self.print_vertex(trace, place, filter, out);
            }
        }

        if running.is_empty() {
            let keeps = current.and_then(|place| trace.get(place)).is_some_and(Vertex::is_open);
            if let Some(open) = trace.first_open().filter(|_| !keeps) {
                self.print_vertex(trace, open, filter, out);
            }
            return;
        }
        if let Some(current) = current.filter(|place| running.contains(place)) {
            self.print_vertex(trace, current, filter, out);
        }
        if let Some(next) = next_turn(trace, running, current, current_completed, now) {
            self.print_vertex(trace, next, filter, out);
        }
    }

    /// Prints what steps without a turn still have to say, at the end of the output.
    ///
    /// buildx drops it; a build that breaks off should not take the last words of
    /// its steps with it.
    pub(crate) fn print_rest(
        &mut self,
        trace: &mut Trace,
        filter: &impl Filter,
        out: &mut Vec<u8>,
    ) {
        for place in trace.updates.clone() {
            if trace.get(place).is_some_and(|vertex| !vertex.hidden) {
                self.print_vertex(trace, place, filter, out);
            }
        }
        if let Some(last) = self.current.and_then(|place| trace.get_mut(place)) {
            last.logs.finish(out);
        }
    }

    fn print_vertex(
        &mut self,
        trace: &mut Trace,
        place: usize,
        filter: &impl Filter,
        out: &mut Vec<u8>,
    ) {
        if self.current != Some(place)
            && let Some(old) = self.current.and_then(|old| trace.get_mut(old))
        {
            old.logs.suspend(out);
            old.count = 0;
            line(out, &format!("#{} ...", old.index.unwrap_or_default()));
        }
        let Some(vertex) = trace.get_mut(place) else {
            return;
        };
        let index = *vertex.index.get_or_insert_with(|| {
            self.next_index += 1;
            self.next_index
        });
        if self.current != Some(place) {
            self.print_header(index, &filter.text(&vertex.name), out);
        }
        let has_open_transfer = self.print_transfers(index, vertex, filter, out);
        for warning in vertex.warnings.drain(..) {
            let short = String::from_utf8_lossy(&warning);
            line(out, &format!("#{index} WARN: {}", filter.text(&short)));
        }
        vertex.logs.print(index, out);

        self.current = Some(place);
        // The import of a remote cache reports transfers of steps that are over.
        if vertex.intervals.is_completed() && !has_open_transfer {
            self.current = None;
            vertex.count = 0;
            vertex.logs.finish(out);
            line(out, &format!("#{index} {}", outcome(vertex, filter)));
        }
        trace.updates.remove(&place);
    }

    fn print_header(&mut self, index: u64, name: &str, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.printed_any, true) {
            line(out, "");
        } else if let Some(description) = &self.description {
            line(out, &format!("#0 {description}\n"));
        }
        out.extend_from_slice(format!("#{index} ").as_bytes());
        match name.as_bytes().get(..SHORT_NAME) {
            Some(start) if self.short_names && name.len() > SHORT_NAME => {
                out.extend_from_slice(start);
                line(out, "...");
            }
            _ => line(out, name),
        }
    }

    /// Prints the transfers that moved far enough; true when one of the printed
    /// ones is still going on.
    fn print_transfers(
        &mut self,
        index: u64,
        vertex: &mut Vertex,
        filter: &impl Filter,
        out: &mut Vec<u8>,
    ) -> bool {
        let mut open = false;
        for (id, transfer) in vertex.transfers.take_updated() {
            if let Some(last) = self.last.get(id)
                && !is_worth_a_line(&transfer, *last)
            {
                continue;
            }
            self.last.insert(id.to_owned(), (transfer.current, transfer.at));
            open |= transfer.completed.is_none();
            let name = filter.text(id);
            line(out, &format!("#{index} {name}{}", measure(&transfer)));
        }
        open
    }
}

/// Decides which step prints next, once the one that has the screen had its say.
fn next_turn(
    trace: &Trace,
    mut running: Vec<usize>,
    current: Option<usize>,
    current_completed: bool,
    now: Duration,
) -> Option<usize> {
    if let Some(current) = current.filter(|place| !running.contains(place)) {
        running.push(current);
    }
    let claims: Vec<Claim> = running
        .into_iter()
        .filter_map(|place| {
            let vertex = trace.get(place)?;
            let waited = now.saturating_sub(vertex.waiting_since?);
            #[expect(clippy::cast_precision_loss, reason = "a rough rate")]
            let speed = vertex.count as f64 / waited.as_secs_f64();
            Some(Claim { place, waited, speed })
        })
        .collect();
    let overdue = claims
        .iter()
        .filter(|claim| claim.waited > MAX_DELAY && Some(claim.place) != current)
        .max_by_key(|claim| claim.waited);
    let fastest =
        claims.iter().reduce(|best, claim| if best.speed < claim.speed { claim } else { best });
    let next = overdue.or(fastest)?;
    if current.is_none() || current_completed || overdue.is_some() {
        return Some(next.place);
    }
    let total: f64 = claims.iter().map(|claim| claim.speed).sum();
    let own = claims.iter().find(|claim| Some(claim.place) == current)?;
    let share = own.speed / total;
    // The busier the step with the screen, the longer it may keep it.
    let keeps_for = 1.0 / (1.0 - share) * ANTI_FLICKER_SECONDS;
    (keeps_for < own.waited.as_secs_f64()).then_some(next.place)
}

fn is_worth_a_line(transfer: &Transfer, (last, last_at): (i64, Moment)) -> bool {
    if transfer.completed.is_some() {
        return true;
    }
    #[expect(clippy::cast_precision_loss, reason = "a rough part")]
    let progress = if transfer.total > 0 {
        transfer.current.saturating_sub(last) as f64 / transfer.total as f64
    } else {
        0.0
    };
    progress >= MIN_PROGRESS_DELTA || transfer.at.seconds_since(last_at) >= MIN_TIME_DELTA
}

/// ` 1.05MB / 3.20MB 0.4s done`, each part only where it is known.
fn measure(transfer: &Transfer) -> String {
    let mut text = String::new();
    if transfer.total != 0 {
        text = format!(" {} / {}", bytes(transfer.current), bytes(transfer.total));
    } else if transfer.current != 0 {
        text = format!(" {}", bytes(transfer.current));
    }
    if let Some(started) = transfer.started {
        let seconds = transfer.completed.unwrap_or(transfer.at).seconds_since(started);
        if seconds > 0.01 {
            text += &format!(" {seconds:.1}s");
        }
    }
    if transfer.completed.is_some() {
        text += " done";
    }
    text
}

/// The last line of a step.
fn outcome(vertex: &Vertex, filter: &impl Filter) -> String {
    if vertex.is_canceled() {
        "CANCELED".to_owned()
    } else if vertex.is_failed() {
        format!("ERROR: {}", filter.text(&vertex.error))
    } else if vertex.cached {
        "CACHED".to_owned()
    } else if let Some(seconds) = vertex.intervals.seconds() {
        format!("DONE {seconds:.1}s")
    } else {
        "DONE".to_owned()
    }
}

fn line(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
    out.push(b'\n');
}
