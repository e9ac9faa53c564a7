//! Status streams and what buildx makes of them.

use std::borrow::Cow;

mod golden;
mod random;
mod replay;
mod script;

use self::script::{Build, ManualClock};
use super::*;
use crate::report::progress::testing::message::{Message, vertex};
use crate::report::quiet::QuietProgress;

#[test]
fn a_small_build_reads_as_in_buildx() {
    let mut build = Build::new();
    build.progress = build.progress.with_description("building with \"default\"");
    let load = "[internal] load build definition from Dockerfile";
    let transfer = "transferring dockerfile:";
    build
        .at(0, &vertex(load, None, None).vertex("[1/2] FROM a", None, None))
        .at(200, &vertex(load, Some(0), None))
        .at(400, &Message::new().transfer(load, transfer, (64, 0), (1, 5), true))
        .at(600, &vertex(load, Some(0), Some(40)))
        .at(800, &vertex("[1/2] FROM a", Some(50), Some(60)).cached())
        .at(1000, &vertex("[2/2] RUN x", Some(100), None))
        .at(1200, &Message::new().log("[2/2] RUN x", 421, "log line\n"))
        .at(1400, &vertex("[2/2] RUN x", Some(100), Some(549)));
    assert_eq!(
        build.end(),
        "#0 building with \"default\"\n\n\
         #1 [internal] load build definition from Dockerfile\n\
         #1 transferring dockerfile: 64B done\n\
         #1 DONE 0.0s\n\n\
         #2 [1/2] FROM a\n\
         #2 CACHED\n\n\
         #3 [2/2] RUN x\n\
         #3 0.321 log line\n\
         #3 DONE 0.4s\n"
    );
}

#[test]
fn failures_are_told_again_at_the_end_and_cancellations_are_not() {
    let mut build = Build::new();
    let message = Message::new()
        .vertex("RUN false", Some(0), Some(500))
        .error("exit code: 1")
        .vertex("RUN sleep", Some(0), Some(600))
        .error("process did not complete: context canceled")
        .log("RUN false", 123, "log tail\nmore");
    build.at(0, &message);
    assert_eq!(
        build.end(),
        "#1 RUN false\n\
         #1 0.123 log tail\n\
         #1 0.123 more\n\
         #1 ERROR: exit code: 1\n\n\
         #2 RUN sleep\n\
         #2 CANCELED\n\
         ------\n > RUN false:\n0.123 log tail\n0.123 more\n------\n"
    );
}

#[test]
fn steps_that_never_start_are_not_shown() {
    let mut build = Build::new();
    build
        .at(0, &vertex("lazy", None, None))
        .at(200, &vertex("lazy", None, None).error("never mind"));
    assert_eq!(build.end(), "");
}

#[test]
fn an_open_step_is_left_with_dots_and_taken_up_again() {
    let mut build = Build::new();
    build
        .at(0, &vertex("a", Some(0), None).log("a", 100, "a1\n"))
        .at(300, &vertex("b", Some(0), Some(200)))
        .at(600, &Message::new().log("a", 500, "a2\n"))
        .at(900, &vertex("a", Some(0), Some(800)));
    assert_eq!(
        build.end(),
        "#1 a\n#1 0.100 a1\n#1 ...\n\n\
         #2 b\n#2 DONE 0.2s\n\n\
         #1 a\n#1 0.500 a2\n#1 DONE 0.8s\n"
    );
}

#[test]
fn busy_steps_take_turns() {
    let mut build = Build::new();
    let both = vertex("a", Some(0), None).vertex("b", Some(0), None);
    build.at(0, &both);
    for tick in 1..=120 {
        let at = tick * 200;
        let text = format!("at {at}\n");
        let message = Message::new().log("a", at as i64, &text).log("b", at as i64, &text);
        build.at(at, &message);
    }
    build.at(25_000, &vertex("a", Some(0), Some(25_000)).vertex("b", Some(0), Some(25_000)));
    let text = build.end();
    let turns: Vec<&str> = text.lines().filter(|line| matches!(*line, "#1 a" | "#2 b")).collect();
    assert!(turns.len() >= 4 && turns.len() < 10, "{turns:?}");
    assert!(turns.windows(2).all(|pair| pair[0] != pair[1]), "{turns:?}");
    // The second step gets the screen once the first had it for ten seconds.
    let first_turn = text.split("#1 ...").next().unwrap_or_default();
    let last = first_turn.lines().last();
    assert!(last.is_some_and(|l| l.ends_with("at 10000") || l.ends_with("at 10200")), "{last:?}");
    for name in ["#1", "#2"] {
        for tick in 1..=120 {
            let end = format!(" at {}", tick * 200);
            let is_it = |line: &&str| line.starts_with(name) && line.ends_with(&end);
            assert_eq!(text.lines().filter(is_it).count(), 1, "{name} {end}");
        }
    }
}

#[test]
fn a_transfer_is_printed_when_it_moved_enough_or_long_enough_ago() {
    let mut build = Build::new();
    let id = "sha256:layer";
    let total = 20_000_000;
    let send = |build: &mut Build, at: i64, current: i64, done| {
        let message = Message::new().transfer("pull", id, (current, total), (0, at), done);
        build.at(at as u64, &message);
    };
    build.at(0, &vertex("pull", Some(0), None));
    send(&mut build, 200, 0, false);
    send(&mut build, 400, 900_000, false); // under 5 %
    send(&mut build, 600, 1_000_000, false);
    send(&mut build, 800, 1_100_000, false); // under 5 % more
    send(&mut build, 5_600, 1_200_000, false); // but five seconds later
    send(&mut build, 5_800, 20_000_000, false);
    send(&mut build, 6_000, 20_000_000, true);
    let unpack = "extracting sha256:layer";
    build
        .at(6_200, &Message::new().transfer("pull", unpack, (0, 0), (6_100, 6_105), false))
        .at(7_400, &Message::new().transfer("pull", unpack, (0, 0), (6_100, 7_300), true))
        .at(7_600, &vertex("pull", Some(0), Some(7_400)));
    assert_eq!(
        build.end(),
        "#1 pull\n\
         #1 sha256:layer 0B / 20.00MB 0.2s\n\
         #1 sha256:layer 1.00MB / 20.00MB 0.6s\n\
         #1 sha256:layer 1.20MB / 20.00MB 5.6s\n\
         #1 sha256:layer 20.00MB / 20.00MB 5.8s\n\
         #1 sha256:layer 20.00MB / 20.00MB 6.0s done\n\
         #1 extracting sha256:layer\n\
         #1 extracting sha256:layer 1.2s done\n\
         #1 DONE 7.4s\n"
    );
}

#[test]
fn a_group_is_one_step_and_weak_members_do_not_show_it() {
    let mut build = Build::new();
    build
        .at(0, &vertex("weak", Some(0), Some(10)).group("g", true))
        .at(200, &vertex("x", Some(100), None).group("g", false))
        .at(400, &Message::new().log("x", 350, "from a member\n"))
        .at(600, &vertex("y", Some(300), Some(500)).group("g", false))
        .at(800, &vertex("x", Some(100), Some(700)).group("g", false));
    // The first run took 0.01 s, the second 0.6 s with the third inside it; the
    // time of a log line is counted from the latest run.
    assert_eq!(build.end(), "#1 group g\n#1 0.250 from a member\n#1 DONE 0.6s\n");

    let mut hidden = Build::new();
    hidden.at(0, &vertex("weak", Some(0), Some(10)).group("g", true));
    assert_eq!(hidden.end(), "");
}

#[test]
fn a_group_is_cached_when_all_of_it_is_and_fails_with_any_of_it() {
    let mut cached = Build::new();
    let both = vertex("x", Some(0), Some(0)).cached().group("g", false);
    let both = both.vertex("y", Some(0), Some(0)).cached().group("g", false);
    cached.at(0, &both);
    assert_eq!(cached.end(), "#1 group g\n#1 CACHED\n");

    let mut failed = Build::new();
    let both = vertex("x", Some(0), Some(9)).error("no such file").group("g", false);
    failed.at(0, &both.vertex("y", Some(0), Some(5)).group("g", false));
    assert_eq!(failed.end(), "#1 group g\n#1 ERROR: no such file\n------\n > group g:\n------\n");
}

#[test]
fn warnings_stand_in_their_step() {
    let mut build = Build::new();
    build
        .at(0, &vertex("lint", Some(0), Some(100)).warning("lint", "FromAsCasing: mixed (line 1)"));
    assert_eq!(build.end(), "#1 lint\n#1 WARN: FromAsCasing: mixed (line 1)\n#1 DONE 0.1s\n");
}

#[test]
fn an_unfinished_line_is_ended_when_another_step_takes_over() {
    let mut build = Build::new();
    build
        .at(0, &vertex("a", Some(0), None).log("a", 100, "50%\r"))
        .at(200, &Message::new().log("a", 150, "60%"))
        .at(400, &vertex("b", Some(0), Some(300)))
        .at(600, &Message::new().log("a", 500, " 100%\n"))
        .at(800, &vertex("a", Some(0), Some(700)));
    assert_eq!(
        build.end(),
        "#1 a\n#1 0.100 50%\r60%\n#1 ...\n\n\
         #2 b\n#2 DONE 0.3s\n\n\
         #1 a\n#1 0.100 50%\r60% 100%\n#1 DONE 0.7s\n"
    );
}

#[test]
fn what_comes_after_the_end_of_a_step_opens_it_again() {
    let mut build = Build::new();
    let done = vertex("a", Some(0), Some(100));
    build.at(0, &done).at(200, &done).at(400, &Message::new().log("a", 90, "late\n"));
    assert_eq!(
        build.end(),
        "#1 a\n#1 DONE 0.1s\n\n#1 a\n#1 DONE 0.1s\n\n#1 a\n#1 0.090 late\n#1 DONE 0.1s\n"
    );
}

#[test]
fn completed_steps_are_printed_in_the_order_of_their_ends() {
    let mut build = Build::new();
    let message = vertex("slow", Some(0), Some(900)).vertex("fast", Some(0), Some(100));
    build.at(0, &message);
    assert_eq!(build.end(), "#1 fast\n#1 DONE 0.1s\n\n#2 slow\n#2 DONE 0.9s\n");
}

#[test]
fn messages_close_together_are_printed_together() {
    let mut progress = PlainProgress::new(ManualClock::default(), Unfiltered);
    let mut out = Vec::new();
    progress.update(&vertex("a", Some(0), None).0, &mut out).unwrap();
    assert_eq!(out, b"#1 a\n");
    progress.clock.0.set(50);
    let log = Message::new().log("a", 10, "x\n");
    progress.update(&log.0, &mut out).unwrap();
    assert_eq!(out, b"#1 a\n");
    progress.clock.0.set(200);
    progress.refresh(&mut out).unwrap();
    assert_eq!(out, b"#1 a\n#1 0.010 x\n");
}

#[test]
fn names_are_cut_only_when_asked_even_inside_a_character() {
    let name = format!("RUN {}", "ä".repeat(60));
    let mut build = Build::new();
    build.progress = build.progress.with_short_names(true);
    build.at(0, &vertex(&name, Some(0), Some(0)));
    assert!(build.end().starts_with(&format!("#1 RUN {}...\n", "ä".repeat(34))));
    let mut build = Build::new();
    build.at(0, &vertex(&name, Some(0), Some(0)));
    assert!(build.end().starts_with(&format!("#1 {name}\n")));
}

/// Masks one word everywhere.
struct Mask;

impl Filter for Mask {
    fn line<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        let text = String::from_utf8_lossy(line).replace("hunter2", "***");
        text.into_bytes().into()
    }

    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        text.replace("hunter2", "***").into()
    }

    fn whole_lines(&self) -> bool {
        true
    }
}

#[test]
fn nothing_gets_past_the_filter() {
    let mut build = Build::filtered(Mask);
    let name = "RUN echo hunter2";
    build
        .at(0, &vertex(name, Some(0), None).warning(name, "hunter2 seen"))
        .at(200, &Message::new().log(name, 10, "pass: hunt"))
        .at(400, &Message::new().log(name, 20, "er2\nlast hunter2"))
        .at(600, &Message::new().transfer(name, "put hunter2", (1, 0), (0, 1), true))
        .at(800, &vertex(name, Some(0), Some(700)).error("hunter2 failed"));
    assert_eq!(
        build.end(),
        "#1 RUN echo ***\n#1 WARN: *** seen\n#1 0.010 pass: ***\n#1 put *** 1B done\n\
         #1 0.020 last ***\n#1 ERROR: *** failed\n\
         ------\n > RUN echo ***:\n0.010 pass: ***\n0.020 last ***\n------\n"
    );
}

#[test]
fn unfinished_lines_of_an_unfinished_build_are_not_lost() {
    let mut build = Build::filtered(Mask);
    build.at(0, &vertex("a", Some(0), None).log("a", 5, "almost"));
    assert_eq!(build.end(), "#1 a\n#1 0.005 almost\n");
}

#[test]
fn the_quiet_sink_remembers_what_failed() {
    let mut quiet = QuietProgress::default();
    quiet.update(&vertex("ok", Some(0), Some(1)).0);
    let log: String = (0..30).map(|number| format!("line {number}\n")).collect();
    quiet.update(&vertex("RUN x", Some(0), None).log("RUN x", 1, log + "part").0);
    quiet.update(&Message::new().log("RUN x", 2, "ial").0);
    assert_eq!(quiet.failures(), []);
    quiet.update(&vertex("RUN x", Some(0), Some(9)).error("exit code: 2").0);
    let failures = quiet.failures();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].error, "exit code: 2");
    assert_eq!(failures[0].tail.len(), 10);
    assert_eq!(failures[0].tail.last().map(Vec::as_slice), Some(&b"0.001 partial"[..]));
}

#[test]
fn a_step_that_waited_ten_seconds_gets_its_turn_from_a_much_busier_one() {
    let mut build = Build::new();
    build.at(0, &vertex("busy", Some(0), None).vertex("slow", Some(0), None));
    for at in (200..12_000).step_by(200) {
        let mut message = Message::new();
        for part in 0..50 {
            message = message.log("busy", at, format!("{at} {part}\n"));
        }
        if at == 400 {
            message = message.log("slow", at, "patience\n");
        }
        build.at(at as u64, &message);
    }
    let text = build.end();
    let before: Vec<&str> = text.split("#2 0.400 patience").next().unwrap().lines().collect();
    assert_eq!(before[before.len() - 3..], ["#1 ...", "", "#2 slow"]);
    let last = before[before.len() - 4];
    assert!(last.contains(" 10200 ") || last.contains(" 10000 "), "{last}");
}

#[test]
fn a_step_that_is_over_waits_for_its_open_transfers() {
    let mut build = Build::new();
    build
        .at(0, &vertex("import", Some(0), Some(10)).transfer("import", "t", (1, 4), (0, 5), false))
        .at(200, &Message::new().transfer("import", "t", (4, 4), (0, 190), true));
    assert_eq!(build.end(), "#1 import\n#1 t 1B / 4B\n#1 t 4B / 4B 0.2s done\n#1 DONE 0.0s\n");
}

#[test]
fn a_late_copy_of_the_first_report_resets_nothing() {
    let mut build = Build::new();
    build
        .at(0, &vertex("a", Some(0), Some(9)).cached())
        .at(200, &vertex("a", None, None).last(|vertex| vertex.name = "other".into()))
        .at(400, &Message::new().log("a", 5, "late\n"));
    assert_eq!(build.end(), "#1 a\n#1 CACHED\n\n#1 a\n#1 0.005 late\n#1 CACHED\n");
}
