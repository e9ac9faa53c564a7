//! Progress on a terminal.

use std::time::Duration;

use crate::support::terminal::Screen;
use crate::support::{Engine, Project, tests};

tests![
    terminal_at_80_columns,
    terminal_at_20_columns,
    terminal_with_few_lines,
    terminal_interrupted,
    terminal_failed,
    terminal_made_wider,
    terminal_with_a_debug_log,
    rawjson_is_json,
    none_says_nothing,
];

/// Two steps at once that take a second and write lines, one of them over and over. What they
/// leave is theirs alone: engines let builds share steps whose inputs are the same.
const BUSY: &str = "FROM BUSYBOX AS a\n\
    RUN for i in 1 2 3 4 5; do echo \"line $i \u{65e5}\u{672c}\"; sleep 0.2; done; echo NAME >/a\n\
    FROM BUSYBOX AS b\n\
    RUN for i in 1 2 3 4 5; do printf \"\\r\\033[31m$i/5\\033[0m\"; sleep 0.2; done; echo NAME >/b\n\
    FROM BUSYBOX\nCOPY --from=a /a /\nCOPY --from=b /b /\n";

fn headers<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> usize {
    lines.into_iter().filter(|line| line.as_ref().starts_with("[+] ")).count()
}

/// At every moment one picture, and at the end one that stays, with the verdict below.
fn redraws(engine: &'static Engine, columns: u16, rows: u16) -> Vec<String> {
    let project = Project::new(engine, BUSY);
    let terminal = project.build(&["-t", &project.tag("1")]).on_terminal(columns, rows);
    let (code, mut screen) = terminal.ends();
    let lines = screen.all();
    assert_eq!(code, Some(0), "{lines:#?}");
    for seen in &screen.seen {
        assert!(headers(seen.lines()) <= 1, "two pictures at once:\n{seen}");
    }
    assert_eq!(headers(&lines), 1, "a picture is left behind: {lines:#?}");
    let at = |text: &str| lines.iter().position(|line| line.starts_with(text));
    assert!(at("[+] ") < at(" => ") && at(" => ") < at("sealed"), "{lines:#?}");
    assert!(at("cost").is_some(), "{lines:#?}");
    assert!(screen.has_cursor());
    let live = |seen: &&String| seen.contains(" => => # ");
    assert!(screen.seen.iter().any(|seen| live(&seen)), "no log was shown: {lines:#?}");
    assert!(!lines.iter().any(|line| line.contains(" => => # ")), "a log stays: {lines:#?}");
    lines
}

fn terminal_at_80_columns(engine: &'static Engine) {
    let lines = redraws(engine, 80, 30);
    let header = lines.iter().find(|line| line.starts_with("[+] ")).unwrap();
    assert!(header.starts_with("[+] Building ") && header.contains(" FINISHED "), "{lines:#?}");
    for step in [" => [a 2/2] RUN for i in", " => [b 2/2] RUN for i in", " => [cofferdam] strip"] {
        let shown = lines.iter().filter(|line| line.starts_with(step));
        let shown: Vec<&String> = shown.collect();
        assert!(shown.len() == 1 && shown[0].ends_with('s'), "{step}: {lines:#?}");
    }
}

fn terminal_at_20_columns(engine: &'static Engine) {
    let lines = redraws(engine, 20, 30);
    assert!(lines.iter().any(|line| line.starts_with(" => [a 2/2] RU")), "{lines:#?}");
}

fn terminal_with_few_lines(engine: &'static Engine) {
    redraws(engine, 60, 9);
}

/// The screen after a step that would take a minute was interrupted with a key.
fn interrupted(engine: &'static Engine, keys: &[u8]) -> (Option<i32>, Screen) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo began-NAME; sleep 61\n");
    let mut terminal = project.build(&["-t", &project.tag("1")]).on_terminal(80, 24);
    terminal.waits_for(" => => # began-");
    terminal.types(keys);
    let outcome = terminal.ends();
    assert_eq!(engine.id(&project.tag("1")), None);
    outcome
}

fn terminal_interrupted(engine: &'static Engine) {
    let (code, mut screen) = interrupted(engine, b"\x03");
    let lines = screen.all();
    assert_eq!(code, Some(130), "{lines:#?}");
    assert!(screen.has_cursor(), "the cursor is gone");
    assert_eq!(headers(&lines), 1, "{lines:#?}");
    let step = " => CANCELED [2/2] RUN echo began-";
    assert!(lines.iter().any(|line| line.starts_with(step)), "{lines:#?}");
    let last = lines.iter().rfind(|line| !line.is_empty()).unwrap();
    assert_eq!(last, "error: interrupted", "{lines:#?}");
}

fn terminal_failed(engine: &'static Engine) {
    let lines = "for i in $(seq 30); do printf '\\033[31mred\\033[0m-%s\\n' $i; done";
    let project = Project::new(engine, &format!("FROM BUSYBOX\nRUN : NAME; {lines}; exit 7\n"));
    let (code, mut screen) = project.build(&[]).on_terminal(80, 24).ends();
    let lines = screen.all();
    assert_eq!(code, Some(1), "{lines:#?}");
    assert!(screen.has_cursor());
    assert!(lines.iter().any(|line| line.starts_with(" => ERROR [2/2] RUN")), "{lines:#?}");
    // Nobody has seen the log before: all of it is told.
    for number in 1..=30 {
        let end = format!(" red-{number}");
        assert!(lines.iter().any(|line| line.ends_with(&end)), "{end}: {lines:#?}");
    }
}

fn terminal_made_wider(engine: &'static Engine) {
    let project = Project::new(engine, BUSY);
    let terminal = project.build(&[]).on_terminal(40, 24);
    terminal.waits_for(" => => # line 1");
    terminal.resize(100, 30);
    let (code, mut screen) = terminal.ends();
    let lines = screen.all();
    assert_eq!(code, Some(0), "{lines:#?}");
    assert_eq!(headers(&lines), 1, "{lines:#?}");
    let step = lines.iter().find(|line| line.starts_with(" => [a 2/2] RUN")).unwrap();
    assert_eq!(step.len(), step.trim_end().len());
    assert!(step.chars().count() > 80, "it does not use the new width: {step:?}");
}

/// Lines of the log stand above the picture, which stays one.
fn terminal_with_a_debug_log(engine: &'static Engine) {
    let project = Project::new(engine, BUSY);
    let build = project.build(&["-t", &project.tag("1")]).env("RUST_LOG", "cofferdam=debug");
    let (code, mut screen) = build.on_terminal(100, 40).ends();
    let lines = screen.all();
    assert_eq!(code, Some(0), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains(" DEBUG cofferdam::")), "{lines:#?}");
    for seen in &screen.seen {
        assert!(headers(seen.lines()) <= 1, "two pictures at once:\n{seen}");
    }
    assert_eq!(headers(&lines), 1, "a picture is left behind: {lines:#?}");
    let json = project.build(&["--progress", "rawjson"]).env("RUST_LOG", "cofferdam=debug").run();
    // Until the flags were read, nobody knows who reads.
    let told = json.succeeds().stderr;
    for line in told.lines().skip_while(|line| !line.starts_with('{')) {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    }
}

fn rawjson_is_json(engine: &'static Engine) {
    let project = Project::new(engine, BUSY);
    let outcome = project.build(&["--progress", "rawjson", "-t", &project.tag("1")]).run();
    let outcome = outcome.succeeds();
    let mut names = Vec::new();
    let before = outcome.stderr.lines().filter(|line| !line.starts_with('{')).count();
    assert_eq!(before, 0, "{}", outcome.told());
    for line in outcome.stderr.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        for vertex in value["vertexes"].as_array().map(Vec::as_slice).unwrap_or_default() {
            names.extend(vertex["name"].as_str().map(String::from));
        }
    }
    assert!(names.iter().any(|name| name.starts_with("[a 2/2] RUN")), "{names:?}");
}

fn none_says_nothing(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo hidden-NAME\n");
    let outcome = project.build(&["--progress", "none", "--no-cache"]).run().succeeds();
    let hidden = format!("hidden-{}", project.name);
    let outcome = outcome.never_says(&hidden).never_says("sealed").never_says("[+]");
    assert!(outcome.elapsed < Duration::from_secs(60));
}
