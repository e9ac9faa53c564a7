//! Pictures of builds on terminals of several sizes.

use super::Terminal;
use crate::report::progress::colors::Colors;
use crate::report::progress::settings::{Builder, ProgressSettings};
use crate::report::progress::testing::message::{Message, vertex};
use crate::report::progress::tty::End;
use crate::report::style::Style;

const LOAD: &str = "[internal] load build context";
const MAKE: &str = "[2/3] RUN make";

fn running() -> Message {
    vertex(LOAD, Some(0), Some(300))
        .transfer(LOAD, "transferring context:", (12_300_000, 0), (10, 250), true)
        .vertex("[1/3] FROM busybox", Some(0), Some(20))
        .cached()
        .vertex(MAKE, Some(400), None)
        .vertex("[3/3] COPY . .", None, None)
        .log(MAKE, 500, "cc -o app main.c\n")
}

#[test]
fn a_build_at_80_columns() {
    let mut terminal = Terminal::new(80, 24);
    terminal.at(0, &vertex(LOAD, Some(0), None)).at(1500, &running());
    terminal.shows(&[
        "[+] Building 1.5s (2/4)",
        " => [internal] load build context                                          0.3s",
        " => => transferring context: 12.30MB                                       0.2s",
        " => CACHED [1/3] FROM busybox                                              0.0s",
        " => [2/3] RUN make                                                         1.1s",
        " => => # cc -o app main.c",
    ]);
    // A step that never starts was not needed.
    let done = vertex(MAKE, Some(400), Some(2000))
        .vertex("[3/3] COPY . .", Some(2000), Some(2100))
        .vertex("never mind", None, None);
    terminal.at(2200, &done).end(End::Done);
    terminal.shows(&[
        "[+] Building 2.2s (4/4) FINISHED",
        " => [internal] load build context                                          0.3s",
        " => => transferring context: 12.30MB                                       0.2s",
        " => CACHED [1/3] FROM busybox                                              0.0s",
        " => [2/3] RUN make                                                         1.6s",
        " => [3/3] COPY . .                                                         0.1s",
    ]);
}

#[test]
fn a_build_at_20_columns() {
    let mut terminal = Terminal::new(20, 24);
    terminal.at(0, &vertex(LOAD, Some(0), None)).at(1500, &running());
    terminal.shows(&[
        "[+] 1.5s (2/4)",
        " => [internal] 0.3s",
        " => => transfe 0.2s",
        " => CACHED [1/ 0.0s",
        " => [2/3] RUN  1.1s",
        " => => # cc -o app",
    ]);
}

#[test]
fn a_few_columns_and_rows_show_what_they_can() {
    for (columns, rows) in [(1, 1), (1, 24), (5, 3), (9, 4), (80, 1), (80, 2)] {
        let mut terminal = Terminal::new(columns, rows);
        terminal.at(0, &vertex(LOAD, Some(0), None)).at(1500, &running());
        let lines = terminal.lines();
        assert!(lines.len() <= rows, "{columns}x{rows} {lines:?}");
        // A terminal of one row has room for the cursor alone.
        let first = lines.first().map_or("", String::as_str);
        assert!(rows == 1 || first.starts_with('['), "{columns}x{rows} {lines:?}");
    }
}

#[test]
fn what_runs_is_shown_where_not_everything_is() {
    let mut terminal = Terminal::new(40, 6);
    let mut message = vertex("long", Some(0), None);
    for step in 0..9 {
        message = message.vertex(&format!("done {step}"), Some(step), Some(step + 100));
    }
    terminal.at(0, &message).at(1000, &Message::new().log("long", 900, "one\ntwo\nthree\n"));
    terminal.reads(&[
        "[+] Building 1.0s (9/10)",
        "=> long 1.0s",
        "=> => # one",
        "=> => # two",
        "=> => # three",
    ]);
    let more = (0..9).fold(Message::new(), |more, step| {
        more.vertex(&format!("more {step}"), Some(1000 + step), None)
    });
    terminal.at(1500, &more);
    assert_eq!(terminal.lines().len(), 5);
    assert!(terminal.lines()[1..].iter().all(|line| line.contains("more")), "the latest run");
    // The last picture has everything, above what fits as well.
    terminal.end(End::Done);
    let text = String::from_utf8_lossy(&terminal.written).into_owned();
    let last = text.rsplit("\x1b[?25l").next().unwrap();
    assert_eq!(last.matches(" => ").count(), 19);
}

#[test]
fn the_log_window_shows_the_lines_that_were_asked_for() {
    let settings = ProgressSettings { log_lines: 2, ..ProgressSettings::default() };
    let mut terminal = Terminal::with(40, 24, Style::PLAIN, &settings);
    let log =
        Message::new().vertex(MAKE, Some(0), None).log(MAKE, 10, "a\n\x1b[31mb\x1b[0m\n10%\r20%\n");
    terminal.at(100, &log);
    terminal.reads(&[
        "[+] Building 0.0s (0/1)",
        "=> [2/3] RUN make 0.0s",
        "=> => # b",
        "=> => # 20%",
    ]);
}

#[test]
fn wide_characters_keep_the_right_edge() {
    let mut terminal = Terminal::new(30, 24);
    terminal.at(0, &vertex("[1/1] RUN echo 日本語日本語日本語", Some(0), None));
    terminal.reads(&["[+] Building 0.0s (0/1)", "=> [1/1] RUN echo 日本 0.0s"]);
}

#[test]
fn names_and_logs_command_nothing() {
    let mut terminal = Terminal::new(60, 24);
    let name = "RUN \x1b[2J\x1b[H\nevil\u{202e}";
    let message = vertex(name, Some(0), Some(10))
        .error("exit code: 1")
        .log(name, 5, "\x1b]0;title\x07\x1b[5Aover\u{9b}2J\n")
        .transfer(name, "\x1b[1A", (1, 2), (0, 5), true)
        .warning(name, "\x1b[3J");
    terminal.at(0, &message).end(End::Done);
    let failures = terminal.tty.failures();
    assert_eq!(failures[0].name, "RUN \\u{1b}[2J\\u{1b}[H\\nevil\\u{202e}");
    assert_eq!(failures[0].tail, [b"0.005 over2J"]);
    terminal.reads(&[
        "[+] Building 0.0s (1/1) FINISHED",
        "=> ERROR RUN \\u{1b}[2J\\u{1b}[H\\nevil\\u{202e} 0.0s",
        "=> => \\u{1b}[1A 1B / 2B 0.0s",
        "=> WARN: \\u{1b}[3J 0.0s",
    ]);
}

#[test]
fn notices_stand_above_the_picture() {
    let mut terminal = Terminal::new(40, 8);
    terminal.notice("first").at(0, &vertex(MAKE, Some(0), None));
    terminal.notice("second").at(1000, &Message::new()).notice("third").end(End::Cut);
    terminal.notice("below");
    terminal.reads(&[
        "first",
        "second",
        "third",
        "[+] Building 1.0s (0/1)",
        "=> CANCELED [2/3] RUN make 1.0s",
        "below",
    ]);
}

#[test]
fn a_shorter_picture_leaves_nothing_of_a_longer_one() {
    let mut terminal = Terminal::new(40, 12);
    let log = Message::new().log(MAKE, 10, "one\ntwo\nthree\n");
    terminal.at(0, &vertex(MAKE, Some(0), None)).at(100, &log);
    assert_eq!(terminal.lines().len(), 5);
    terminal.at(200, &vertex(MAKE, Some(0), Some(200)));
    terminal.reads(&["[+] Building 0.2s (1/1)", "=> [2/3] RUN make 0.2s"]);
}

#[test]
fn transfers_tell_how_far_and_how_fast() {
    let mut terminal = Terminal::new(80, 24);
    let message = vertex("pull", Some(0), None).transfer(
        "pull",
        "sha256:layer",
        (4_000_000, 16_000_000),
        (0, 2000),
        false,
    );
    terminal.at(0, &message).at(2000, &Message::new());
    assert_eq!(
        terminal.lines()[2],
        " => => sha256:layer 4.00MB / 16.00MB 2.00MB/s                              2.0s"
    );
}

#[test]
fn colours_are_those_that_were_asked_for() {
    let (colors, _) = Colors::parse("run=green:error=255,0,0");
    let builder = Some(Builder { name: "default".into(), driver: "docker".into() });
    let settings = ProgressSettings { colors, builder, ..ProgressSettings::default() };
    let mut terminal = Terminal::with(60, 24, Style::COLOR, &settings);
    let message = vertex("good", Some(0), Some(10))
        .vertex("bad", Some(0), Some(10))
        .error("exit code: 1")
        .vertex("runs", Some(0), None)
        .log("runs", 5, "words\n");
    terminal.at(0, &message);
    let text = String::from_utf8_lossy(&terminal.written).into_owned();
    assert!(text.contains("\x1b[32m => good "), "{text:?}");
    assert!(text.contains("\x1b[38;5;196m => ERROR bad "), "{text:?}");
    assert!(text.contains("\x1b[2m => => # words\x1b[0m"), "{text:?}");
    assert!(terminal.lines()[0].ends_with("docker:default"));
}

#[test]
fn a_terminal_that_became_narrower_has_wrapped_the_picture() {
    let mut terminal = Terminal::new(80, 24);
    terminal.at(0, &vertex(MAKE, Some(0), None).vertex(LOAD, Some(0), None));
    terminal.size.columns = 40;
    let before = terminal.written.len();
    terminal.at(100, &Message::new());
    let redrawn = String::from_utf8_lossy(&terminal.written[before..]).into_owned();
    // The header has one row; the steps, 79 columns wide, have two each.
    assert!(redrawn.starts_with("\x1b[?25l\r\x1b[5A"), "{redrawn:?}");
}
