//! One line of a file with a mark under the part that matters.
//!
//! ```text
//!   --> Dockerfile:7:1
//!    |
//!  7 | RUN cp /run/secrets/npm .npmrc
//!    | ^^^ /app/.npmrc
//!    |
//! ```

use super::style::{Paint, Style};
use super::text::printable;

/// Longer lines are cut around the mark.
const WIDTH: usize = 120;
/// How much is shown in front of the mark of a cut line.
const LEAD: usize = 40;

/// A part of one line of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// The file, as a path that leads there from where the user stands.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes of that line; none when they are not at hand, which shows only
    /// the place.
    pub source: Vec<u8>,
    /// How many characters are marked; one is marked at least.
    pub length: usize,
    /// What is said behind the mark; may be empty.
    pub label: String,
}

impl Snippet {
    /// A snippet of `source`, the whole file, whose line is looked up; a line that
    /// does not exist leaves only the place.
    pub fn of_file(file: &str, source: &[u8], line: usize, column: usize, length: usize) -> Self {
        let text = line
            .checked_sub(1)
            .and_then(|at| source.split(|&byte| byte == b'\n').nth(at))
            .unwrap_or_default();
        Self {
            file: file.to_owned(),
            line,
            column,
            source: text.to_vec(),
            length,
            label: String::new(),
        }
    }

    /// `file:line:column`, which terminals and editors open on a click.
    pub fn place(&self) -> String {
        let file = printable(&self.file);
        format!("{file}:{}:{}", self.line, self.column)
    }

    /// The width of the column of line numbers.
    pub(crate) fn gutter(&self) -> usize {
        self.line.to_string().len()
    }

    /// The lines of the snippet; the last is the empty frame, where notes follow.
    pub(crate) fn lines(&self, style: Style) -> Vec<String> {
        let gutter = self.gutter();
        let frame = |text: String| style.paint(Paint::Frame, &text);
        let arrow = frame(format!("{:gutter$} -->", ""));
        let mut lines = vec![format!("{arrow} {}", self.place())];
        let source = String::from_utf8_lossy(&self.source);
        let source = source.trim_end_matches(['\r', '\n']);
        if source.trim().is_empty() {
            return lines;
        }
        let empty = frame(format!("{:gutter$}  |", ""));
        let (text, offset, width) = self.marked(source);
        let mark = style.paint(Paint::Bad, &"^".repeat(width));
        let label = printable(&self.label);
        let number = frame(format!(" {:>gutter$} |", self.line));
        lines.push(empty.clone());
        lines.push(format!("{number} {text}"));
        lines.push(format!("{empty} {:offset$}{mark} {label}", "").trim_end().to_owned());
        lines.push(empty);
        lines
    }

    /// The text to show, where the mark begins on the screen, and its width.
    fn marked(&self, source: &str) -> (String, usize, usize) {
        // Lines may be as long as files: only what is shown is looked at.
        let cell = |character: char| {
            let text = printable(character.encode_utf8(&mut [0; 4]));
            let width = text.chars().map(columns).sum::<usize>();
            (text, width)
        };
        let mut widths = source.chars().map(|character| cell(character).1);
        let long = widths.try_fold(0, |sum, width| Some(sum + width).filter(|sum| *sum <= WIDTH));
        let start = self.column.saturating_sub(1);
        let from = if long.is_none() { start.saturating_sub(LEAD) } else { 0 };
        let end = start.saturating_add(self.length.max(1));
        let (mut text, mut shown) = (String::new(), 0);
        let (mut offset, mut width) = (0, 0);
        let mut cut = false;
        for (at, character) in source.chars().enumerate().skip(from) {
            let (cell, columns) = cell(character);
            if shown + columns > WIDTH {
                cut = true;
                break;
            }
            text += &cell;
            shown += columns;
            match at {
                at if at < start => offset += columns,
                at if at < end => width += columns,
                _ => {}
            }
        }
        let width = width.max(1);
        if from > 0 {
            text.insert(0, '…');
            offset += 1;
        }
        if cut {
            text.push('…');
        }
        (text, offset, width)
    }
}

/// How many columns of a terminal a character takes, near enough to put a mark
/// under it.
fn columns(character: char) -> usize {
    match character {
        '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str, column: usize, length: usize) -> String {
        let mut snippet = Snippet::of_file("Dockerfile", source.as_bytes(), 1, column, length);
        snippet.label = "here".into();
        snippet.lines(Style::PLAIN).join("\n")
    }

    #[test]
    fn the_mark_stands_under_the_text() {
        assert_eq!(
            shown("RUN cp a b\r\n", 5, 2),
            "  --> Dockerfile:1:5\n   |\n 1 | RUN cp a b\n   |     ^^ here\n   |"
        );
        assert_eq!(
            shown("\tRUN 日本 x", 6, 2),
            "  --> Dockerfile:1:6\n   |\n 1 |     RUN 日本 x\n   |         ^^^^ here\n   |"
        );
    }

    #[test]
    fn the_gutter_grows_with_the_number() {
        let source = "x\n".repeat(120);
        let snippet = Snippet::of_file("f", source.as_bytes(), 118, 1, 1);
        assert_eq!(
            snippet.lines(Style::PLAIN).join("\n"),
            "    --> f:118:1\n     |\n 118 | x\n     | ^\n     |"
        );
    }

    #[test]
    fn long_lines_are_cut_around_the_mark() {
        let source = format!("RUN {}NEEDLE{}", "a".repeat(300), "b".repeat(300));
        let shown = shown(&source, 305, 6);
        let lines: Vec<&str> = shown.lines().collect();
        let at = |line: usize, text: &str| {
            let before = lines[line].split(text).next().unwrap_or_default();
            before.chars().count()
        };
        assert_eq!(at(2, "NEEDLE"), at(3, "^^^^^^"));
        assert!(lines[2].ends_with('…') && lines[2].chars().count() < 130);
    }

    #[test]
    fn places_that_do_not_exist_are_still_named() {
        for (line, column) in [(0, 0), (9, 1), (usize::MAX, usize::MAX)] {
            let snippet = Snippet::of_file("f", b"RUN x", line, column, 3);
            assert_eq!(snippet.lines(Style::PLAIN).len(), 1);
        }
        assert!(shown("RUN x", usize::MAX, usize::MAX).contains("RUN x"));
    }

    proptest::proptest! {
        #[test]
        fn any_source_is_survived(source: Vec<u8>, line in 0..4usize, column: usize, length: usize) {
            let snippet = Snippet::of_file("f", &source, line, column, length);
            for line in snippet.lines(Style::PLAIN) {
                proptest::prop_assert!(!line.chars().any(char::is_control));
            }
        }
    }
}
