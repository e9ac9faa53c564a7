//! Streams and terminals nobody thought of.

use proptest::prelude::*;

use super::Terminal;
use crate::report::progress::testing::message::{Message, vertex};
use crate::report::progress::tty::End;
use crate::report::screen::Size;

#[derive(Clone, Debug)]
enum Event {
    Start(String),
    End(String, bool),
    Log(String, String),
    Transfer(String, String, i64, i64, bool),
    Warning(String, String),
    Group(String, bool),
    Notice(String),
    Resize(usize, usize),
}

/// Texts with everything a terminal could obey.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,30}",
        "(\x1b\\[[0-9;?]{0,5}[A-Za-z]|[a-z\r\t\n\x07\x08\x0b\u{85}\u{9b}\u{202e}日❤\u{fe0f}é]){0,30}",
        ".{0,40}",
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let step = || prop_oneof!["[ab]", Just("[1/2] RUN \x1b[2Jx\n".to_owned())];
    prop_oneof![
        step().prop_map(Event::Start),
        (step(), any::<bool>()).prop_map(|(step, failed)| Event::End(step, failed)),
        (step(), text()).prop_map(|(step, text)| Event::Log(step, text)),
        (step(), text(), any::<i64>(), any::<i64>(), any::<bool>())
            .prop_map(|(step, id, at, of, done)| Event::Transfer(step, id, at, of, done)),
        (step(), text()).prop_map(|(step, text)| Event::Warning(step, text)),
        (step(), any::<bool>()).prop_map(|(step, weak)| Event::Group(step, weak)),
        "[a-z]{0,100}".prop_map(Event::Notice),
        (1..100usize, 1..30usize).prop_map(|(columns, rows)| Event::Resize(columns, rows)),
    ]
}

/// Everything that is written between two moves is a line of the picture.
fn check(terminal: &Terminal, written: &[u8], live: bool) -> Result<(), TestCaseError> {
    let text = String::from_utf8(written.to_vec()).unwrap();
    prop_assert!(text.starts_with("\x1b[?25l") && text.ends_with("\x1b[?25h"), "{:?}", text);
    let text = text.strip_prefix("\x1b[?25l").unwrap().strip_suffix("\x1b[J\x1b[?25h").unwrap();
    let text = text.trim_start_matches('\r');
    let text = match text.strip_prefix("\x1b[") {
        Some(up) => up.split_once('A').unwrap().1,
        None => text,
    };
    let lines: Vec<&str> = text.split_terminator("\x1b[K\n").collect();
    if live {
        prop_assert!(lines.len() <= terminal.size.rows.saturating_sub(1).max(1));
    }
    for line in lines {
        prop_assert!(!line.chars().any(char::is_control), "{:?}", line);
        let columns: usize = line.chars().map(crate::report::progress::columns::columns).sum();
        prop_assert!(columns < terminal.size.columns.max(2), "{:?}", line);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_line_is_too_wide_and_the_cursor_always_comes_back(
        events in prop::collection::vec((event(), 0..3000u64), 0..40),
        columns in 1..100usize,
        rows in 1..30usize,
        end in prop_oneof![Just(End::Done), Just(End::Cut)],
    ) {
        let mut terminal = Terminal { parser: None, ..Terminal::new(columns, rows) };
        let mut now = 0;
        for (event, pause) in events {
            now += pause;
            let at = now as i64;
            let message = match &event {
                Event::Start(step) => vertex(step, Some(at), None),
                Event::End(step, false) => vertex(step, Some(at), Some(at + 5)),
                Event::End(step, true) => vertex(step, Some(at), Some(at)).error("\x1b[1mno"),
                Event::Log(step, text) => Message::new().log(step, at, text),
                Event::Transfer(step, id, current, total, done) => {
                    Message::new().transfer(step, id, (*current, *total), (at - 700, at), *done)
                }
                Event::Warning(step, text) => Message::new().warning(step, text),
                Event::Group(step, weak) => vertex(step, Some(at), None).group("\x1b[1Ag", *weak),
                Event::Notice(text) => {
                    let drawn = !terminal.written.is_empty();
                    let before = terminal.written.len();
                    terminal.notice(text);
                    prop_assert!(!drawn || terminal.written[before..].ends_with(b"\n")
                        || terminal.written[before..].ends_with(b"\x1b[?25h"));
                    continue;
                }
                Event::Resize(columns, rows) => {
                    terminal.size = Size { columns: *columns, rows: *rows };
                    Message::new()
                }
            };
            let before = terminal.written.len();
            terminal.at(now, &message);
            check(&terminal, &terminal.written[before..], true)?;
        }
        let before = terminal.written.len();
        terminal.end(end);
        check(&terminal, &terminal.written[before..], false)?;
        for failure in terminal.tty.failures() {
            prop_assert!(!failure.name.chars().any(char::is_control));
            for line in &failure.tail {
                prop_assert!(!String::from_utf8_lossy(line).chars().any(char::is_control));
            }
        }
    }
}
