//! The log of one step: bytes in, lines with their times out.

use std::collections::{BTreeMap, VecDeque};

use super::window::Window;
use crate::report::filter::Filter;

/// How many last lines of a failed step are shown again at the end.
const TAIL_LINES: usize = 10;

/// How much of the log of a step is kept for the case that it fails, in bytes.
const LOG_LIMIT: usize = 4 << 20;

/// A line is broken here, so that a step without newlines cannot fill the memory.
const LINE_LIMIT: usize = 1 << 20;

/// Log lines of one step on their way to the screen.
#[derive(Debug, Default)]
pub(crate) struct LogLines {
    /// Lines that were not printed whole yet, each with its time in front.
    ready: Vec<Vec<u8>>,
    /// Whether the last of `ready` has not ended yet.
    partial: bool,
    /// How many bytes of the first of `ready` are on the screen already.
    printed: usize,
    /// Unfinished lines per stream, kept back for a filter that wants whole ones,
    /// with the second at which each began.
    held: BTreeMap<i64, (f64, Vec<u8>)>,
    tail: VecDeque<Vec<u8>>,
    /// Bytes in `tail`.
    tail_bytes: usize,
    /// The lines that a live picture shows; it also keeps all of the log in `tail`.
    window: Option<Window>,
}

impl LogLines {
    /// Lines for a live picture of that many of them.
    pub(crate) fn live(window: usize) -> Self {
        Self { window: Some(Window::new(window)), ..Self::default() }
    }

    /// The last lines as a terminal would show them.
    pub(crate) fn window(&self) -> Option<&Window> {
        self.window.as_ref()
    }

    /// Takes a message of the engine, written `seconds` after the step began.
    ///
    /// Unfinished lines of both streams run together unless the filter wants
    /// whole lines; that is how buildx shows them.
    pub(crate) fn push(&mut self, data: &[u8], stream: i64, seconds: f64, filter: &impl Filter) {
        for piece in data.split_inclusive(|&byte| byte == b'\n') {
            let (text, ended) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            if filter.whole_lines() {
                self.hold(text, ended, stream, seconds, filter);
            } else {
                self.add(&filter.line(text), ended, seconds);
            }
        }
    }

    fn hold(&mut self, text: &[u8], ended: bool, stream: i64, seconds: f64, filter: &impl Filter) {
        let (began, mut line) = self.held.remove(&stream).unwrap_or((seconds, Vec::new()));
        line.extend_from_slice(text);
        if ended || line.len() >= LINE_LIMIT {
            self.add(&filter.line(&line), true, began);
        } else {
            self.held.insert(stream, (began, line));
        }
    }

    /// Lets go of the lines that were kept back; true when there were any.
    pub(crate) fn release(&mut self, filter: &impl Filter) -> bool {
        let held = std::mem::take(&mut self.held);
        let any = !held.is_empty();
        for (began, line) in held.into_values() {
            self.add(&filter.line(&line), true, began);
        }
        any
    }

    fn add(&mut self, text: &[u8], ended: bool, seconds: f64) {
        if let Some(window) = &mut self.window {
            window.write(text);
            window.write(if ended { b"\n" } else { b"" });
        }
        let continued = self.partial;
        self.partial = !ended;
        match (self.ready.last_mut(), self.tail.back_mut()) {
            (Some(line), Some(last)) if continued => {
                line.extend_from_slice(text);
                last.extend_from_slice(text);
                self.tail_bytes += text.len();
                if line.len() >= LINE_LIMIT {
                    self.partial = false;
                }
            }
            _ => {
                let mut line = time_prefix(seconds).into_bytes();
                line.extend_from_slice(text);
                self.make_room();
                self.tail_bytes += line.len();
                self.tail.push_back(line.clone());
                self.ready.push(line);
            }
        }
    }

    fn make_room(&mut self) {
        let full = |lines: &Self| match lines.window {
            Some(_) => lines.tail_bytes > LOG_LIMIT,
            None => lines.tail.len() >= TAIL_LINES,
        };
        while full(self) {
            let Some(line) = self.tail.pop_front() else { break };
            self.tail_bytes = self.tail_bytes.saturating_sub(line.len());
        }
    }

    /// Writes what is new, each line behind `#index`; an unfinished last line is
    /// written as far as it goes and continued by the next call.
    pub(crate) fn print(&mut self, index: u64, out: &mut Vec<u8>) {
        let count = self.ready.len();
        for (position, line) in self.ready.iter().enumerate() {
            if position == 0 && self.printed != 0 {
                out.extend_from_slice(line.get(self.printed..).unwrap_or_default());
            } else {
                out.extend_from_slice(format!("#{index} ").as_bytes());
                out.extend_from_slice(line);
            }
            if position + 1 != count || !self.partial {
                out.push(b'\n');
            }
        }
        self.printed = 0;
        match self.ready.pop() {
            Some(last) if self.partial => {
                self.printed = last.len();
                self.ready.clear();
                self.ready.push(last);
            }
            _ => self.ready.clear(),
        }
    }

    /// Ends the line on the screen because another step takes over; the
    /// unfinished line is written whole when this step has its next turn.
    pub(crate) fn suspend(&mut self, out: &mut Vec<u8>) {
        if self.partial {
            out.push(b'\n');
        }
        self.printed = 0;
    }

    /// Ends the line on the screen because the step is over.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.partial) {
            out.push(b'\n');
            self.ready.clear();
        }
        self.printed = 0;
    }

    /// Drops everything: the step went well and nobody will ask.
    pub(crate) fn forget(&mut self) {
        let window = self.window.take();
        *self = Self { window, ..Self::default() };
    }

    /// Drops what was not printed, keeping the tail: for outputs that show no log.
    pub(crate) fn discard(&mut self) {
        let last = self.ready.pop().filter(|_| self.partial);
        self.ready.clear();
        self.ready.extend(last);
    }

    /// The last lines with their times, oldest first.
    pub(crate) fn tail(&self) -> impl Iterator<Item = &[u8]> {
        self.tail.iter().map(Vec::as_slice)
    }
}

/// `0.123 `, `12.34 `, `123.4 `: the precision shrinks as the seconds grow.
fn time_prefix(seconds: f64) -> String {
    let precision = match seconds {
        s if s < 10.0 => 3,
        s if s < 100.0 => 2,
        _ => 1,
    };
    format!("{seconds:.precision$} ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::filter::Unfiltered;
    use std::borrow::Cow;

    struct Whole;

    impl Filter for Whole {
        fn line<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
            String::from_utf8_lossy(line).replace("hunter2", "***").into_bytes().into()
        }

        fn whole_lines(&self) -> bool {
            true
        }
    }

    fn printed(lines: &mut LogLines) -> String {
        let mut out = Vec::new();
        lines.print(7, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn tail(lines: &LogLines) -> Vec<String> {
        let lossy = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
        lines.tail().map(lossy).collect()
    }

    #[test]
    fn precision_shrinks_with_time() {
        assert_eq!(time_prefix(0.0), "0.000 ");
        assert_eq!(time_prefix(-0.5), "-0.500 ");
        assert_eq!(time_prefix(9.9996), "10.000 ");
        assert_eq!(time_prefix(10.0), "10.00 ");
        assert_eq!(time_prefix(123.45), "123.5 ");
    }

    #[test]
    fn an_unfinished_line_is_continued_in_place() {
        let mut lines = LogLines::default();
        lines.push(b"one\nhalf", 1, 0.5, &Unfiltered);
        assert_eq!(printed(&mut lines), "#7 0.500 one\n#7 0.500 half");
        assert_eq!(printed(&mut lines), "");
        lines.push(b" done\nnext\n", 1, 2.0, &Unfiltered);
        assert_eq!(printed(&mut lines), " done\n#7 2.000 next\n");
        assert_eq!(tail(&lines), ["0.500 one", "0.500 half done", "2.000 next"]);
    }

    #[test]
    fn a_suspended_line_is_written_whole_again() {
        let mut lines = LogLines::default();
        let mut out = Vec::new();
        lines.push(b"half", 1, 0.5, &Unfiltered);
        lines.print(7, &mut out);
        lines.suspend(&mut out);
        lines.push(b"+\n", 1, 0.6, &Unfiltered);
        lines.print(7, &mut out);
        assert_eq!(out, b"#7 0.500 half\n#7 0.500 half+\n");
    }

    #[test]
    fn carriage_returns_and_strange_bytes_stay() {
        let mut lines = LogLines::default();
        let mut out = Vec::new();
        lines.push(b"10%\r20%\r\n\xff\x1b[1m\n\n", 1, 0.0, &Unfiltered);
        lines.print(7, &mut out);
        assert_eq!(out, b"#7 0.000 10%\r20%\r\n#7 0.000 \xff\x1b[1m\n#7 0.000 \n");
    }

    #[test]
    fn a_filter_for_whole_lines_sees_them_whole_and_per_stream() {
        let mut lines = LogLines::default();
        lines.push(b"pass hun", 1, 0.1, &Whole);
        lines.push(b"warning\n", 2, 0.2, &Whole);
        assert_eq!(printed(&mut lines), "#7 0.200 warning\n");
        lines.push(b"ter2 ok\nrest hunter", 1, 0.3, &Whole);
        assert_eq!(printed(&mut lines), "#7 0.100 pass *** ok\n");
        assert!(lines.release(&Whole));
        assert_eq!(printed(&mut lines), "#7 0.300 rest hunter\n");
        assert!(!lines.release(&Whole));
    }

    #[test]
    fn the_tail_keeps_the_last_ten_lines() {
        let mut lines = LogLines::default();
        for number in 0..25 {
            lines.push(format!("{number}\n").as_bytes(), 1, 0.0, &Unfiltered);
            lines.discard();
        }
        let kept = tail(&lines);
        assert_eq!(kept.len(), 10);
        assert_eq!(kept.first().map(String::as_str), Some("0.000 15"));
    }

    #[test]
    fn a_step_without_newlines_is_broken_into_lines() {
        for _ in 0..2 {
            let mut lines = LogLines::default();
            let mut out = Vec::new();
            for _ in 0..40 {
                lines.push(&[b'x'; 1 << 16], 1, 0.0, &Unfiltered);
                lines.print(7, &mut out);
            }
            lines.finish(&mut out);
            assert_eq!(out.iter().filter(|&&b| b == b'x').count(), 40 << 16);
            assert_eq!(out.iter().filter(|&&b| b == b'\n').count(), 3);
        }
    }
}
