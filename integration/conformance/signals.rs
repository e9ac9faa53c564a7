//! Ctrl-C and its relatives.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Engine, Project, eventually, processes, tests};

tests![interrupted_step, terminated_step, interrupted_while_sending];

/// A step whose shell and whose sleep are both recognized among all processes.
fn sleeping(engine: &'static Engine) -> (Project, String) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    project.built(&[]);
    // Digits that no other test has.
    let digits: String = project.name.bytes().map(|byte| char::from(b'0' + byte % 10)).collect();
    let digits = format!("300.{}", &digits[digits.len() - 12..]);
    project.dockerfile(&format!(
        "FROM BUSYBOX\nRUN --mount=type=cache,id=NAME,target=/c : NAME; sleep {digits}\n"
    ));
    (project, format!("sleep\0{digits}"))
}

fn stops(engine: &'static Engine, signal: Signal) {
    let (project, step) = sleeping(engine);
    let image = project.tag("1");
    let (id, recorded) = (engine.id(&image), project.recorded());
    let mut running = project.build(&["-t", &image, "--iidfile", "id"]).start();
    let started = || !processes::with_argument(&step).is_empty();
    assert!(eventually(Duration::from_secs(30), started), "the step never ran");
    let pressed = Instant::now();
    running.signal(signal);
    assert!(running.ends_within(Duration::from_secs(2)), "it does not end within 2 s");
    let gone = eventually(Duration::from_secs(3).saturating_sub(pressed.elapsed()), || {
        processes::with_argument(&step).is_empty()
    });
    let outcome = running.outcome().fails(130);
    assert!(gone, "the step goes on in the engine\n{}", outcome.told());
    assert!(!outcome.stderr.contains("sealed"), "{}", outcome.told());
    assert_eq!(engine.id(&image), id);
    assert_eq!(project.recorded(), recorded);
    assert!(!project.path("id").exists());
    let caches = || {
        let ours = engine.cache_of(&project.name);
        !ours.iter().any(|record| record.record_type == "exec.cachemount")
    };
    assert!(eventually(Duration::from_secs(3), caches), "a cache mount is left");
    // The next build is none the worse.
    project.dockerfile("FROM BUSYBOX\nRUN echo NAME\n");
    project.built(&[]);
}

fn interrupted_step(engine: &'static Engine) {
    stops(engine, Signal::INT);
}

fn terminated_step(engine: &'static Engine) {
    stops(engine, Signal::TERM);
}

fn interrupted_while_sending(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nCOPY . /context\nRUN echo NAME\n");
    std::fs::File::create(project.path("big")).unwrap().set_len(4 << 30).unwrap();
    let mut running = project.build(&["-t", &project.tag("1")]).start();
    std::thread::sleep(Duration::from_millis(700));
    running.signal(Signal::INT);
    assert!(running.ends_within(Duration::from_secs(2)), "it does not end within 2 s");
    running.outcome().fails(130);
    assert_eq!(engine.id(&project.tag("1")), None);
}
