//! What people see on a terminal and programs in the stream.

mod frames;
mod random;
mod raw;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::settings::ProgressSettings;
use super::testing::message::Message;
use super::time::Clock;
use super::tty::{End, TtyProgress};
use crate::report::filter::Unfiltered;
use crate::report::screen::{Screen, Size};
use crate::report::style::Style;

/// A clock that stands where the test puts it, in milliseconds.
#[derive(Default)]
struct ManualClock(Cell<u64>);

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.get())
    }
}

/// A build on a terminal of its own.
struct Terminal {
    clock: Rc<ManualClock>,
    tty: TtyProgress<Rc<ManualClock>, Unfiltered>,
    screen: Screen,
    size: Size,
    /// What is on its screen; nothing is where only the bytes count.
    parser: Option<vt100::Parser>,
    /// Everything that was written.
    written: Vec<u8>,
}

impl Terminal {
    fn new(columns: usize, rows: usize) -> Self {
        Self::with(columns, rows, Style::PLAIN, &ProgressSettings::default())
    }

    fn with(columns: usize, rows: usize, style: Style, settings: &ProgressSettings) -> Self {
        let clock = Rc::new(ManualClock::default());
        Self {
            tty: TtyProgress::new(Rc::clone(&clock), Unfiltered, settings, style),
            clock,
            screen: Screen::default(),
            size: Size { columns, rows },
            parser: Some(vt100::Parser::new(rows as u16, columns as u16, 500)),
            written: Vec::new(),
        }
    }

    /// Takes a message at a time and draws, whether it is due or not.
    fn at(&mut self, millis: u64, message: &Message) -> &mut Self {
        self.clock.0.set(millis);
        self.tty.update(&message.0);
        let picture = self.tty.picture(self.size);
        let bytes = self.screen.draw(picture, self.size);
        self.write(&bytes);
        self
    }

    fn notice(&mut self, text: &str) -> &mut Self {
        let bytes = self.screen.above(format!("{text}\n").as_bytes(), self.size);
        self.write(&bytes);
        self
    }

    fn end(&mut self, end: End) -> &mut Self {
        let picture = self.tty.last_picture(end, self.size);
        let bytes = self.screen.draw(picture, self.size);
        self.screen.leave();
        self.write(&bytes);
        self
    }

    fn write(&mut self, bytes: &[u8]) {
        self.written.extend_from_slice(bytes);
        // The terminal driver returns the carriage.
        let text = String::from_utf8(bytes.to_vec()).unwrap().replace('\n', "\r\n");
        if let Some(parser) = &mut self.parser {
            parser.process(text.as_bytes());
        }
    }

    fn lines(&self) -> Vec<String> {
        let contents = self.parser.as_ref().unwrap().screen().contents();
        contents.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// The same without the gaps; times must stand at the right edge.
    fn reads(&self, expected: &[&str]) {
        let lines = self.lines();
        let is_time = |word: &str| word.strip_suffix('s').is_some_and(|n| n.parse::<f64>().is_ok());
        for line in lines.iter().filter(|line| line.rsplit(' ').next().is_some_and(is_time)) {
            assert_eq!(super::columns::width(line), self.size.columns - 1, "{line:?}");
        }
        let words = |line: &String| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(lines.iter().map(words).collect::<Vec<_>>(), expected);
    }

    fn shows(&self, expected: &[&str]) {
        assert_eq!(self.lines(), expected, "{:#?}", self.lines());
    }
}
