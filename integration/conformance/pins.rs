//! Every image by digest: from the text, from the lock, or resolved once.

use serde_json::Value;

use crate::support::{Engine, Project, tests};

tests![
    lock_is_written_once,
    locked_digest_beats_a_moved_tag,
    locked_refuses_what_the_lock_lacks,
    locked_is_the_default_in_ci,
    literal_digest_is_built,
    every_kind_of_input_is_pinned,
    base_from_a_build_arg_is_pinned,
    stages_nobody_needs_are_not_resolved,
    digest_that_does_not_exist,
    tag_that_does_not_exist,
    frontend_that_does_not_exist,
];

const NONE: Value = Value::Null;

/// The digest that the lock holds for a name.
pub fn locked(project: &Project, name: &str) -> Option<String> {
    let lock = project.lock();
    let entry = lock.split("[[image]]").find(|entry| entry.contains(&format!("\"{name}\"")))?;
    let line = entry.lines().find(|line| line.starts_with("digest = "))?;
    Some(line.split('"').nth(1)?.to_string())
}

fn lock_is_written_once(engine: &'static Engine) {
    let project = Project::empty(engine);
    let last = project.base("z-last", "1", "z", NONE);
    let first = project.base("a-first", "1", "a", NONE);
    project.dockerfile(&format!("FROM {last}\nCOPY --from={first} /mark /copy\n"));
    let image = project.tag("1");
    project.build(&["-t", &image]).run().succeeds().says("cofferdam.lock: locked");
    let lock = project.lock();
    let at = |name: &str| lock.find(name).unwrap_or_else(|| panic!("{name} is not in\n{lock}"));
    assert!(at(&first) < at(&last), "not sorted:\n{lock}");
    for name in [&first, &last] {
        assert_eq!(locked(&project, name), Some(engine.served_name(name)));
    }
    assert!(lock.contains("version = 1"), "{lock}");

    let written = |project: &Project| {
        std::fs::metadata(project.path("cofferdam.lock")).unwrap().modified().unwrap()
    };
    let before = written(&project);
    project.build(&["-t", &image]).run().succeeds().never_says("cofferdam.lock: locked");
    assert_eq!(project.lock(), lock);
    assert_eq!(written(&project), before, "an unchanged lock was written again");
    project.build(&["-t", &image, "--locked"]).run().succeeds();
}

fn locked_digest_beats_a_moved_tag(engine: &'static Engine) {
    let project = Project::empty(engine);
    let base = project.base("base", "1", "one", NONE);
    project.dockerfile(&format!("FROM {base}\nRUN echo NAME\n"));
    let mark = |args: &[&str]| engine.root_sh(&project.built(args), "cat /mark");
    assert_eq!(mark(&[]), "one");
    let lock = project.lock();
    project.base("base", "1", "two", NONE);
    assert_eq!(mark(&[]), "one");
    assert_eq!(mark(&["--locked"]), "one");
    assert_eq!(project.lock(), lock);
    // What is not locked is what the registry has now, whatever the engine has seen before.
    std::fs::remove_file(project.path("cofferdam.lock")).unwrap();
    assert_eq!(mark(&[]), "two");
}

fn locked_refuses_what_the_lock_lacks(engine: &'static Engine) {
    let project = Project::new(engine, "# a comment\nFROM BUSYBOX\nRUN echo NAME\n");
    let image = project.tag("1");
    let refused = project.build(&["-t", &image, "--locked"]).run().explains(3);
    refused.says("Dockerfile:2").says("cofferdam.lock has no entry").says("unchanged");
    assert!(!project.path("cofferdam.lock").exists());
    assert_eq!(engine.id(&image), None);
    assert_eq!(project.recorded(), Vec::<String>::new());
}

fn locked_is_the_default_in_ci(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    // Without a lock there is nothing to hold on to yet.
    project.build(&[]).env("CI", "true").run().succeeds();
    let lock = project.lock();
    project.build(&[]).env("CI", "true").run().succeeds();
    let base = project.base("new", "1", "x", NONE);
    project.dockerfile(&format!("FROM BUSYBOX\nCOPY --from={base} /mark /\n"));
    project.build(&[]).env("CI", "true").run().explains(3).says("Dockerfile:2");
    assert_eq!(project.lock(), lock);
    project.build(&["--locked=false"]).env("CI", "true").run().succeeds();
    assert_eq!(locked(&project, &base), Some(engine.served_name(&base)));
}

fn literal_digest_is_built(engine: &'static Engine) {
    let project = Project::empty(engine);
    let base = project.base("base", "1", "one", NONE);
    let digest = engine.served_name(&base);
    project.base("base", "1", "two", NONE);
    let (name, _) = base.rsplit_once(':').unwrap();
    for from in [format!("{name}@{digest}"), format!("{base}@{digest}")] {
        project.dockerfile(&format!("FROM {from}\nRUN echo NAME\n"));
        let image = project.built(&["--locked"]);
        assert_eq!(engine.root_sh(&image, "cat /mark"), "one", "{from}");
        assert!(!project.path("cofferdam.lock").exists(), "{from} needs no lock");
    }
}

fn every_kind_of_input_is_pinned(engine: &'static Engine) {
    let project = Project::empty(engine);
    let push =
        |mark: &str| ["base", "copied", "mounted"].map(|name| project.base(name, "1", mark, NONE));
    let names = push("one");
    let served = names.each_ref().map(|name| engine.served_name(name));
    project.dockerfile(
        "ARG WHERE=REGISTRY/NAME\n\
         ARG BASE=${WHERE}/base:1\n\
         FROM --platform=$BUILDPLATFORM ${BASE} AS first\n\
         COPY --from=REGISTRY/NAME/copied:1 /mark /copied\n\
         RUN --mount=type=bind,from=REGISTRY/NAME/mounted:1,target=/m \\\n\
         \x20   cp /m/mark /mounted\n\
         FROM first\n\
         COPY --from=0 /copied /again\n",
    );
    for mark in ["two", "three"] {
        let image = project.built(&[]);
        let marks = engine.root_sh(&image, "cat /mark /copied /mounted /again");
        assert_eq!(marks, "oneoneoneone");
        for (name, digest) in names.iter().zip(&served) {
            assert_eq!(locked(&project, name).as_ref(), Some(digest), "{name}");
        }
        push(mark);
    }
}

fn base_from_a_build_arg_is_pinned(engine: &'static Engine) {
    let project = Project::empty(engine);
    let base = project.base("base", "1", "one", NONE);
    project.dockerfile("ARG BASE=BUSYBOX\nFROM $BASE\nRUN cat /mark\n");
    let arg = format!("BASE={base}");
    let image = project.built(&["--build-arg", &arg]);
    let digest = engine.served_name(&base);
    assert_eq!(locked(&project, &base), Some(digest));
    assert_eq!(locked(&project, &engine.busybox()), None);
    project.base("base", "1", "two", NONE);
    project.built(&["--build-arg", &arg]);
    assert_eq!(engine.root_sh(&image, "cat /mark"), "one");
}

fn stages_nobody_needs_are_not_resolved(engine: &'static Engine) {
    let project =
        Project::new(engine, "FROM REGISTRY/NAME/none:1 AS unused\nFROM BUSYBOX\nRUN echo NAME\n");
    project.built(&[]);
    assert!(!project.lock().contains("none:1"));
    let unused = project.build(&["--target", "unused"]).run().explains(4);
    unused.says("Dockerfile:1");
}

fn digest_that_does_not_exist(engine: &'static Engine) {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let project = Project::new(engine, &format!("FROM REGISTRY/busybox@{digest}\nRUN true\n"));
    let image = project.tag("1");
    let outcome = project.build(&["-t", &image, "--iidfile", "id"]).run().explains_input();
    outcome.says(&digest);
    assert!(!project.path("id").exists());
    assert_eq!(engine.id(&image), None);
}

fn tag_that_does_not_exist(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX AS a\nFROM REGISTRY/NAME/none:7\n");
    let outcome = project.build(&["--iidfile", "id"]).run().explains_input();
    outcome.says("Dockerfile:2").says("none:7");
    assert!(!project.path("id").exists());
    assert!(!project.path("cofferdam.lock").exists(), "a build that failed wrote the lock");
}

fn frontend_that_does_not_exist(engine: &'static Engine) {
    let project = Project::new(engine, "# syntax=REGISTRY/NAME/frontend:1\nFROM BUSYBOX\n");
    project.build(&[]).run().explains_input().says("Dockerfile:1").says("frontend:1");
    project.build(&["--locked"]).run().explains(3).says("Dockerfile:1");
}
