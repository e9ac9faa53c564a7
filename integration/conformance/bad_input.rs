//! What people get wrong: said in a paragraph, with the next step, before anything has moved.

use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::proxy::Proxy;
use crate::support::{Engine, Outcome, Project, tests};

tests![
    no_context,
    no_dockerfile,
    empty_dockerfile,
    dockerfile_is_a_directory,
    syntax_error,
    unknown_instruction,
    unknown_target,
    invalid_name,
    missing_source_of_copy,
    unreadable_context_file,
    broken_symlink_is_copied,
    special_files_in_the_context,
    file_that_changes_while_sent,
    file_that_vanishes_while_sent,
    large_ignored_file_costs_nothing,
    names_that_are_no_text,
];

/// A build that must fail with this code, tell it well, and leave everything as it was.
fn refuses(project: &Project, args: &[&str], code: i32) -> Outcome {
    let (image, iidfile) = (project.tag("old"), project.beside("tmp").join("iid"));
    let engine = project.engine;
    let (id, recorded) = (engine.id(&image), project.recorded());
    std::fs::write(&iidfile, "sha256:stale").unwrap();
    let args = [&["-t", &image, "--iidfile", iidfile.to_str().unwrap()], args].concat();
    let outcome = project.build(&args).run().explains(code);
    assert_eq!(engine.id(&image), id, "the name has moved\n{}", outcome.told());
    assert!(!iidfile.exists(), "there is an ID\n{}", outcome.told());
    assert_eq!(project.recorded(), recorded, "there is a record\n{}", outcome.told());
    outcome
}

/// A project whose image `old` is built, and whose Dockerfile is then this one.
fn with_old(engine: &'static Engine, dockerfile: &str) -> Project {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    project.build(&["-t", &project.tag("old")]).run().succeeds();
    project.dockerfile(dockerfile);
    project
}

fn no_context(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\n");
    project.cofferdam(&["build", "none"]).run().fails(1).says("none").says("not found");
    project.cofferdam(&["build", "Dockerfile"]).run().explains(1).says("not a directory");
}

fn no_dockerfile(engine: &'static Engine) {
    let project = with_old(engine, "");
    std::fs::remove_file(project.path("Dockerfile")).unwrap();
    refuses(&project, &[], 1).says("Dockerfile").says("-f");
    refuses(&project, &["-f", "other/File"], 1).says("other/File");
}

fn empty_dockerfile(engine: &'static Engine) {
    for text in ["", "\n\n", "# only a comment\n", "ARG A=1\n"] {
        let project = with_old(engine, text);
        refuses(&project, &[], 1).says("Dockerfile");
    }
}

fn dockerfile_is_a_directory(engine: &'static Engine) {
    let project = Project::empty(engine);
    std::fs::create_dir(project.path("Dockerfile")).unwrap();
    project.build(&[]).run().fails(1).says("Dockerfile");
}

fn syntax_error(engine: &'static Engine) {
    let project = with_old(engine, "FROM BUSYBOX\n\nCOPY onlyone\n");
    refuses(&project, &[], 1).says("Dockerfile:3");
    let project = with_old(engine, "FROM BUSYBOX AS\n");
    refuses(&project, &[], 1).says("Dockerfile:1");
    let project = with_old(engine, "FROM ${UNDEFINED}\n");
    refuses(&project, &[], 1).says("Dockerfile:1");
}

fn unknown_instruction(engine: &'static Engine) {
    let project = with_old(engine, "FROM BUSYBOX\nRUM echo\n");
    refuses(&project, &[], 1).says("Dockerfile:2").says("RUM");
}

fn unknown_target(engine: &'static Engine) {
    let project = with_old(engine, "FROM BUSYBOX AS builder\n");
    refuses(&project, &["--target", "bulider"], 1).says("bulider");
}

fn invalid_name(engine: &'static Engine) {
    let project = with_old(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    for name in ["UPPER:1", "a b", "a:b:c", "", ":1", "a@sha256:00", "-x", "a/../b"] {
        let tag = format!("--tag={name}");
        refuses(&project, &[&tag], 1).says("tag");
    }
}

fn missing_source_of_copy(engine: &'static Engine) {
    let project = with_old(engine, "FROM BUSYBOX\nRUN echo NAME\nCOPY none /\n");
    let image = project.tag("old");
    let id = engine.id(&image);
    let outcome = project.build(&["-t", &image]).run().fails(1);
    outcome.says("none").says("Dockerfile:3").says(">>>");
    assert_eq!(engine.id(&image), id);
}

/// Root reads everything, so this runs as somebody else, who may use the engine's socket.
fn unreadable_context_file(engine: &'static Engine) {
    let project = with_old(engine, "FROM BUSYBOX\nCOPY . /context\n");
    project.write("src/readable", "x");
    let socket = project.beside("tmp").join("engine.sock");
    let proxy = Proxy::start(&socket, engine.socket());
    let program = project.open_to_everybody();
    project.write("src/closed", "x");
    let closed = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(project.path("src/closed"), closed).unwrap();
    let (image, nobody) = (project.tag("old"), 65534);
    let (id, recorded) = (engine.id(&image), project.recorded());
    let build = || {
        let args = ["build", "-t", &image, "--iidfile", "id", "."];
        let build = project.program(&program, &args).user(nobody);
        build.env("DOCKER_HOST", proxy.host()).run()
    };
    build().explains(1).says("src/closed");
    assert_eq!((engine.id(&image), project.recorded()), (id, recorded));
    assert!(!project.path("id").exists());
    project.write(".dockerignore", "src/closed\n");
    build().succeeds();
}

/// A link is content like any other, wherever it leads.
fn broken_symlink_is_copied(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nCOPY . /context\nRUN echo NAME\n");
    for (link, to) in [("broken", "no/such/file"), ("outside", "/etc/passwd"), ("loop", "loop")] {
        std::os::unix::fs::symlink(to, project.path(link)).unwrap();
    }
    let image = project.built(&[]);
    let script = "cd /context; for link in broken outside loop; do readlink $link; done";
    assert_eq!(engine.root_sh(&image, script), "no/such/file\n/etc/passwd\nloop");
    // Copying what it should lead to is another matter.
    project.dockerfile("FROM BUSYBOX\nCOPY broken /file\n");
    project.build(&[]).run().fails(1);
}

/// A pipe or a socket in the context must not keep the build waiting.
fn special_files_in_the_context(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nCOPY . /context\nRUN echo NAME\n");
    project.write("file", "x");
    let pipe = project.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(project.path("socket")).unwrap();
    let outcome = project.build(&["-t", &project.tag("1")]).run();
    assert!(outcome.elapsed < Duration::from_secs(30), "{}", outcome.told());
    match outcome.code() {
        Some(0) => assert_eq!(engine.root_sh(&project.tag("1"), "cat /context/file"), "x"),
        _ => drop(outcome.explains(1)),
    }
}

/// Does something to files again and again while `work` goes on.
fn meanwhile<T>(mut again: impl FnMut(usize) + Send, work: impl FnOnce() -> T) -> T {
    let going = Arc::new(AtomicBool::new(true));
    std::thread::scope(|scope| {
        let flag = going.clone();
        scope.spawn(move || {
            for round in 0.. {
                if !flag.load(Ordering::Relaxed) {
                    break;
                }
                again(round);
            }
        });
        let result = work();
        going.store(false, Ordering::Relaxed);
        result
    })
}

/// A log that grows is sent as it is at some moment, or named; never half of it under a wrong
/// digest, and never for ever.
fn file_that_changes_while_sent(engine: &'static Engine) {
    let project = with_old(engine, "FROM BUSYBOX\nCOPY . /context\nRUN echo NAME\n");
    project.write("growing.log", vec![b'x'; 1 << 20]);
    let path = project.path("growing.log");
    let append = |_| {
        use std::io::Write as _;
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(&[b'y'; 4096]).unwrap();
        std::thread::sleep(Duration::from_micros(200));
    };
    let image = project.tag("old");
    let outcome = meanwhile(append, || project.build(&["-t", &image]).run());
    match outcome.code() {
        Some(0) => {
            let size = engine.root_sh(&image, "wc -c </context/growing.log");
            assert!(size.trim().parse::<usize>().unwrap() >= 1 << 20);
        }
        _ => drop(outcome.explains(1).says("growing.log")),
    }
}

fn file_that_vanishes_while_sent(engine: &'static Engine) {
    let project = with_old(engine, "FROM BUSYBOX\nCOPY . /context\nRUN echo NAME\n");
    for number in 0..500 {
        project.write(&format!("many/{number}"), "x");
    }
    let path = project.path("many/temporary");
    let flicker = |_| {
        std::fs::write(&path, "there").unwrap();
        std::thread::sleep(Duration::from_micros(500));
        std::fs::remove_file(&path).unwrap();
    };
    for _ in 0..3 {
        let outcome = meanwhile(flicker, || project.build(&["-t", &project.tag("old")]).run());
        if outcome.code() != Some(0) {
            outcome.explains(1).says("temporary");
        }
    }
}

fn large_ignored_file_costs_nothing(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nCOPY . /context\nRUN echo NAME\n");
    project.write(".dockerignore", "cofferdam.lock\n**/*.img\nnode_modules\n!node_modules/keep\n");
    project.write("node_modules/keep", "kept");
    for name in ["disk.img", "sub/disk.img", "node_modules/big"] {
        project.write(name, "");
        File::options().write(true).open(project.path(name)).unwrap().set_len(5 << 30).unwrap();
    }
    let image = project.tag("1");
    let outcome = project.build(&["-t", &image]).run().succeeds();
    assert!(outcome.elapsed < Duration::from_secs(20), "{}", outcome.told());
    let files = engine.root_sh(&image, "cd /context; find . -type f | sort");
    assert_eq!(files, "./.dockerignore\n./Dockerfile\n./node_modules/keep");
}

fn names_that_are_no_text(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nCOPY dir /context\nRUN echo NAME\n");
    std::fs::create_dir(project.path("dir")).unwrap();
    let strange = std::ffi::OsStr::from_bytes(b"new\nline and \x1b[31mred");
    std::fs::write(project.path("dir").join(strange), "strange").unwrap();
    let image = project.built(&[]);
    assert_eq!(engine.root_sh(&image, "cat /context/*"), "strange");
    // gRPC carries text only, and no other client can send this either.
    let wrong = std::ffi::OsStr::from_bytes(b"not-utf8-\xff");
    std::fs::write(project.path("dir").join(wrong), "wrong").unwrap();
    let outcome = project.build(&["-t", &image]).run();
    match outcome.code() {
        Some(0) => assert_eq!(engine.root_sh(&image, "cat /context/not*"), "wrong"),
        _ => drop(outcome.explains(1).says("not-utf8-")),
    }
}
