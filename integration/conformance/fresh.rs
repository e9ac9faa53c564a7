//! Never from cache: neither layers nor what cache mounts hold, and nothing piles up.

use std::time::Duration;

use rustix::process::Signal;

use crate::leaks::with_secret;
use crate::support::{Engine, Project, eventually, processes, tests, unique};

tests![
    fresh_steps,
    fresh_cache_mounts,
    cache_mount_without_an_id,
    cache_mounts_of_others_are_left_alone,
    cache_mounts_of_parallel_builds,
    nothing_is_held_when_a_build_is_over,
    no_orphans,
    no_orphans_of_a_killed_build,
];

const PAGE: u64 = 4096;

fn fresh_steps(engine: &'static Engine) {
    let project =
        Project::new(engine, "FROM DEBIAN\nRUN date +%N >/stamp\nRUN cat /stamp >/copy\n");
    let stamps: Vec<String> = (0..2)
        .map(|_| {
            let image = project.built(&[]);
            let stamp = engine.root_sh(&image, "cat /stamp");
            assert_eq!(stamp, engine.root_sh(&image, "cat /copy"));
            stamp
        })
        .collect();
    assert_ne!(stamps[0], stamps[1]);
    // Nor from what an ordinary build left behind.
    project.buildx(&["-q", "-t", &project.tag("theirs")]).succeeds();
    let theirs = engine.root_sh(&project.tag("theirs"), "cat /stamp");
    assert_ne!(engine.root_sh(&project.built(&[]), "cat /stamp"), theirs);
}

/// What two RUNs of a build see in a mount at `/cache`.
const SHARING: &str = "FROM BUSYBOX\n\
    RUN --mount=type=cache,MOUNTtarget=/NAME ls /NAME >/before; echo x >/NAME/left\n\
    RUN --mount=type=cache,MOUNTtarget=/NAME ls /NAME >/after\n";

fn fresh_cache_mounts(engine: &'static Engine) {
    twice(&Project::new(engine, &SHARING.replace("MOUNT", "id=id-NAME,")));
    twice(&Project::new(engine, &SHARING.replace("MOUNT", "id=id-NAME,sharing=locked,")));
}

fn cache_mount_without_an_id(engine: &'static Engine) {
    twice(&Project::new(engine, &SHARING.replace("MOUNT", "")));
}

fn twice(project: &Project) {
    for _ in 0..2 {
        let image = project.built(&[]);
        let seen = project.engine.root_sh(&image, "cat /before; echo --; cat /after");
        assert_eq!(seen, "--\nleft", "{}", project.read("Dockerfile"));
    }
}

fn cache_mounts_of_others_are_left_alone(engine: &'static Engine) {
    let ordinary =
        |step: &str| format!("FROM BUSYBOX\nRUN --mount=type=cache,id=NAME,target=/c {step}\n");
    let project = Project::new(engine, &ordinary("echo kept >/c/theirs"));
    project.buildx(&["-q", "-t", &project.tag("theirs")]).succeeds();

    project.dockerfile(&ordinary("ls /c >/seen; echo ours >/c/ours"));
    let image = project.built(&[]);
    assert_eq!(engine.root_sh(&image, "cat /seen"), "", "it reads what an ordinary build cached");

    // The step is another one, so an ordinary build runs it although it caches.
    project.dockerfile(&ordinary("ls /c >/seen; cat /c/theirs"));
    project.buildx(&["-q", "-t", &project.tag("theirs")]).succeeds();
    let seen = engine.root_sh(&project.tag("theirs"), "cat /seen");
    assert_eq!(seen, "theirs", "an ordinary build's cache is no longer what it was");
}

fn cache_mounts_of_parallel_builds(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nARG WHO\n\
         RUN --mount=type=cache,id=NAME,target=/c touch /c/$WHO; sleep 3; ls /c >/seen\n",
    );
    let elsewhere = project.beside("tmp");
    let running: Vec<_> = ["one", "two", "three"]
        .into_iter()
        .map(|who| {
            let (image, arg) = (project.tag(who), format!("WHO={who}"));
            let build = project.build(&["-t", &image, "--build-arg", &arg]);
            // The third is another user's.
            let build =
                if who == "three" { build.env("XDG_STATE_HOME", &elsewhere) } else { build };
            (who, image, build.start())
        })
        .collect();
    for (who, image, running) in running {
        running.outcome().succeeds();
        assert_eq!(engine.root_sh(&image, "cat /seen"), who);
    }
}

/// A project whose context has a size that no other directory has.
fn sized(engine: &'static Engine, step: &str) -> (Project, u64) {
    let project = Project::new(
        engine,
        &format!(
            "FROM BUSYBOX\nCOPY context.bin /\n\
             RUN --mount=type=cache,id=NAME,target=/c : NAME; echo x >/c/x{step}\n"
        ),
    );
    let pages = 256 + u64::from_str_radix(&unique()[..4], 16).unwrap() / 32;
    project.write("context.bin", vec![b'c'; usize::try_from(pages * PAGE).unwrap()]);
    (project, pages * PAGE)
}

/// Fails when more than the next build would take away stays in the engine: a busy engine may take
/// longer to forget a directory than anybody should wait.
fn expect_no_orphans(project: &Project, size: u64) {
    let none = || orphans(project, size).is_empty();
    if !eventually(Duration::from_secs(3), none) {
        project.build(&[]).run();
        assert!(eventually(Duration::from_secs(3), none), "{:#?}", orphans(project, size));
    }
}

/// What of a project is in the engine's cache that no layer of an image is.
fn orphans(project: &Project, size: u64) -> Vec<String> {
    let sizes = i64::try_from(size).unwrap()..i64::try_from(size + 4 * PAGE).unwrap();
    let mut records = project.engine.cache("type==source.local");
    records.retain(|record| sizes.contains(&record.size));
    let of_steps = project.engine.cache_of(&project.name).into_iter();
    records.extend(of_steps.filter(|record| record.record_type == "exec.cachemount"));
    records.iter().map(|record| format!("{} {}", record.record_type, record.description)).collect()
}

/// What an engine takes to be in use can never be pruned.
fn nothing_is_held_when_a_build_is_over(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME >/stamp\n");
    let held = || {
        let ours = engine.cache_of(&project.name).into_iter();
        ours.filter(|record| record.in_use).map(|record| record.description).collect::<Vec<_>>()
    };
    for secret in [false, true] {
        let out = project.beside("out");
        let out = ["-o", out.to_str().unwrap()];
        match secret {
            true => with_secret(&project, "nothing has this value", &out).succeeds(),
            false => project.build(&out).run().succeeds(),
        };
        assert!(eventually(Duration::from_secs(5), || held().is_empty()), "{:#?}", held());
    }
}

fn no_orphans(engine: &'static Engine) {
    let (project, size) = sized(engine, "");
    project.built(&[]);
    project.built(&[]);
    expect_no_orphans(&project, size);
    // Nor of a build that failed.
    project.dockerfile(&(project.read("Dockerfile") + "RUN false\n"));
    project.build(&[]).run().fails(1);
    expect_no_orphans(&project, size);
}

/// Nobody can tidy up after SIGKILL, except the next build.
fn no_orphans_of_a_killed_build(engine: &'static Engine) {
    let long =
        format!("; sleep 300.{}", &unique()[..6].replace(['a', 'b', 'c', 'd', 'e', 'f'], "7"));
    let (project, size) = sized(engine, &long);
    let step = long.trim_start_matches("; ").replace(' ', "\0");
    let running = project.build(&[]).start();
    let started =
        eventually(Duration::from_secs(30), || !processes::with_argument(&step).is_empty());
    assert!(started, "the step never ran");
    running.signal(Signal::KILL);
    drop(running);
    let ended = eventually(Duration::from_secs(10), || processes::with_argument(&step).is_empty());
    assert!(ended, "the step goes on without anybody waiting for it");
    project.dockerfile(&project.read("Dockerfile").replace(&long, ""));
    project.built(&[]);
    expect_no_orphans(&project, size);
}
