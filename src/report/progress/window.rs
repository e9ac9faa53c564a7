//! The last lines of a log as a terminal would show them.
//!
//! Progress bars overwrite themselves with carriage returns and cursor movements; colours and
//! everything else that is meant for a terminal is left out.

use std::collections::VecDeque;

use super::columns::clean;

/// Characters of a line that a window remembers; no terminal is wider.
const LONGEST: usize = 1000;
/// Characters of a line that is shown on its own.
const LONGEST_ALONE: usize = 1 << 20;
const TAB: usize = 8;

/// A few lines at the bottom of a terminal that nobody sees.
#[derive(Debug)]
pub(crate) struct Window {
    lines: VecDeque<Vec<char>>,
    limit: usize,
    longest: usize,
    /// Lines between the last one and the one that is written to.
    up: usize,
    column: usize,
    state: State,
    /// The beginning of a character whose other bytes have not come.
    rest: Vec<u8>,
}

/// One line of a log, with its time in front, as a terminal would show it.
pub(crate) fn plain_text(line: &[u8]) -> String {
    let start = line.iter().position(|&byte| byte == b' ').map_or(0, |blank| blank + 1);
    let (time, text) = line.split_at(start);
    let mut window = Window { longest: LONGEST_ALONE, ..Window::new(1) };
    window.write(text);
    let text = window.lines().next_back().unwrap_or_default();
    format!("{}{text}", clean(&String::from_utf8_lossy(time)))
}

/// Where in a control sequence the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Text,
    /// After ESC.
    Escape,
    /// After ESC and bytes that choose a character set or the like.
    Intermediate,
    /// In a control sequence, with its first parameter.
    Control(usize),
    /// In a control sequence, after its first parameter.
    ControlRest(usize),
    /// In a string that ends with BEL or ESC `\`.
    String,
    /// After ESC in such a string.
    StringEscape,
}

impl Window {
    /// A window of that many lines.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            limit: limit.max(1),
            longest: LONGEST,
            up: 0,
            column: 0,
            state: State::Text,
            rest: Vec::new(),
        }
    }

    /// Takes a piece of the log.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let mut held = std::mem::take(&mut self.rest);
        held.extend_from_slice(bytes);
        let mut bytes = held.as_slice();
        loop {
            match std::str::from_utf8(bytes) {
                Ok(text) => return text.chars().for_each(|character| self.take(character)),
                Err(error) => {
                    let (good, bad) = bytes.split_at(error.valid_up_to());
                    String::from_utf8_lossy(good).chars().for_each(|c| self.take(c));
                    let Some(length) = error.error_len() else {
                        self.rest = bad.to_vec();
                        return;
                    };
                    self.take(char::REPLACEMENT_CHARACTER);
                    bytes = bad.get(length..).unwrap_or_default();
                }
            }
        }
    }

    /// The lines that are not blank, without anything a terminal would obey.
    pub(crate) fn lines(&self) -> impl DoubleEndedIterator<Item = String> {
        let text = |line: &Vec<char>| clean(line.iter().collect::<String>().trim_end());
        self.lines.iter().map(text).filter(|line| !line.is_empty())
    }

    fn take(&mut self, character: char) {
        self.state = match (self.state, character) {
            (State::Text, '\x1b') => State::Escape,
            (State::Text, _) => {
                self.print(character);
                State::Text
            }
            (State::Escape, '[') => State::Control(0),
            (State::Escape, ']' | 'P' | 'X' | '^' | '_') => State::String,
            (State::Escape | State::Intermediate, ' '..='/') => State::Intermediate,
            (State::Escape | State::Intermediate, _) => State::Text,
            (State::Control(number), '0'..='9') => {
                let digit = character.to_digit(10).map_or(0, |digit| digit as usize);
                State::Control(number.saturating_mul(10).saturating_add(digit).min(LONGEST))
            }
            (State::Control(number) | State::ControlRest(number), ' '..='?') => {
                State::ControlRest(number)
            }
            (State::Control(number) | State::ControlRest(number), _) => {
                self.control(character, number);
                State::Text
            }
            (State::String, '\x07') | (State::StringEscape, '\\') => State::Text,
            (State::String | State::StringEscape, '\x1b') => State::StringEscape,
            (State::String | State::StringEscape, _) => State::String,
        };
    }

    fn print(&mut self, character: char) {
        match character {
            '\n' => self.next_line(),
            '\r' => self.column = 0,
            '\x08' => self.column = self.column.saturating_sub(1),
            '\t' => {
                let stop = (self.column / TAB + 1) * TAB;
                while self.column < stop {
                    self.put(' ');
                }
            }
            _ if character.is_control() => {}
            _ => self.put(character),
        }
    }

    fn put(&mut self, character: char) {
        let column = self.column;
        self.column += 1;
        if column >= self.longest {
            return;
        }
        self.change(|line| match line.get_mut(column) {
            Some(place) => *place = character,
            None => {
                line.resize(column, ' ');
                line.push(character);
            }
        });
    }

    /// What programs that draw progress bars use: up, down, to a column, erase.
    fn control(&mut self, name: char, number: usize) {
        let count = number.max(1);
        match name {
            'A' => self.up = (self.up + count).min(self.lines.len().saturating_sub(1)),
            'B' => self.up = self.up.saturating_sub(count),
            'C' => self.column = (self.column + count).min(LONGEST),
            'D' => self.column = self.column.saturating_sub(count),
            'G' => self.column = count - 1,
            'K' => {
                let column = self.column;
                self.change(|line| match number {
                    0 => line.truncate(column),
                    1 => line.iter_mut().take(column + 1).for_each(|place| *place = ' '),
                    _ => line.clear(),
                });
            }
            'J' if number == 0 => {
                let column = self.column;
                self.change(|line| line.truncate(column));
                self.lines.truncate(self.lines.len() - self.up.min(self.lines.len()));
                self.up = 0;
            }
            _ => {}
        }
    }

    fn next_line(&mut self) {
        self.column = 0;
        if self.up > 0 {
            self.up -= 1;
            return;
        }
        // The line that is written to next is still blank.
        self.change(|_| {});
        self.lines.push_back(Vec::new());
        if self.lines.len() > self.limit + 1 {
            self.lines.pop_front();
        }
    }

    /// Changes the line that is written to.
    fn change(&mut self, change: impl FnOnce(&mut Vec<char>)) {
        if self.lines.is_empty() {
            self.lines.push_back(Vec::new());
        }
        let at = self.lines.len().saturating_sub(1 + self.up);
        if let Some(line) = self.lines.get_mut(at) {
            change(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(log: &str) -> Vec<String> {
        let mut window = Window::new(3);
        window.write(log.as_bytes());
        window.lines().collect()
    }

    #[test]
    fn the_last_lines_are_seen() {
        assert_eq!(seen("a\nb\n\nc"), ["a", "b", "c"]);
        assert_eq!(seen("a\nb\nc\nd\n"), ["b", "c", "d"]);
        assert_eq!(seen("a\tb\r\n"), ["a       b"]);
        assert_eq!(seen(""), [""; 0]);
    }

    #[test]
    fn progress_bars_overwrite_themselves() {
        assert_eq!(seen("10%\r20%\r100%"), ["100%"]);
        assert_eq!(seen("long line\r\x1b[Kshort"), ["short"]);
        assert_eq!(seen("one\ntwo\n\x1b[2A\x1b[2KONE\n\x1b[1B\rthree"), ["ONE", "two", "three"]);
        assert_eq!(seen("ab\x08c"), ["ac"]);
    }

    #[test]
    fn what_is_meant_for_a_terminal_is_left_out() {
        assert_eq!(seen("\x1b[1;31mred\x1b[0m\x1b(B \x1b]0;title\x07x"), ["red x"]);
        assert_eq!(seen("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\"), ["link"]);
        assert_eq!(seen("a\u{9b}2Jb\u{202e}c\x07"), ["a2Jb\\u{202e}c"]);
        assert_eq!(seen("\x1b[?25lbar\x1b[999999999999999999Cx").len(), 1);
    }

    #[test]
    fn a_line_alone_keeps_its_time_and_its_length() {
        assert_eq!(plain_text(b"0.123 10%\r\x1b[32m100%\x1b[0m"), "0.123 100%");
        let long = format!("1.000 {}", "x".repeat(5000));
        assert_eq!(plain_text(long.as_bytes()), long);
        assert_eq!(plain_text(b"0.1 "), "0.1 ");
    }

    #[test]
    fn a_character_may_come_in_two_pieces() {
        let mut window = Window::new(3);
        let text = "日本".as_bytes();
        window.write(&text[..4]);
        window.write(&text[4..]);
        window.write(b"\xff!");
        assert_eq!(window.lines().collect::<Vec<_>>(), ["日本\u{fffd}!"]);
    }

    proptest! {
        #[test]
        fn any_bytes_make_a_few_clean_lines(
            pieces in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..30),
                    "(\x1b\\[[0-9;?]{0,4}[A-K]|[a-z\n\r\t\x08]){0,10}".prop_map(String::into_bytes),
                ],
                0..20,
            ),
            limit in 0..8usize,
        ) {
            let mut window = Window::new(limit);
            for piece in &pieces {
                window.write(piece);
            }
            let lines: Vec<String> = window.lines().collect();
            prop_assert!(lines.len() <= limit.max(1) + 1);
            prop_assert!(lines.iter().all(|line| !line.chars().any(char::is_control)));
        }
    }
}
