//! Names, IDs, streams and flags, as scripts depend on them.

use crate::support::{Engine, Project, tests};

tests![
    every_tag_names_the_image,
    quiet_prints_the_id,
    iidfile_holds_the_id,
    stdout_stays_clean,
    dockerfile_elsewhere,
    target_args_and_labels,
    platform_of_the_engine,
    platform_that_was_never_asked,
    network_none,
    network_host_is_refused,
    progress_quiet,
    no_cache_flags_change_nothing,
    failing_step_is_shown,
    failing_step_moves_nothing,
];

fn every_tag_names_the_image(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    let names = [project.tag("a"), project.name.clone(), format!("{}/sub:b_1.x", project.name)];
    let [a, latest, sub] = &names;
    project.build(&["-t", a, "--tag", latest, "-t", sub]).run().succeeds().says("sealed");
    let id = engine.id(a).unwrap();
    assert_eq!(engine.id(&project.tag("latest")), Some(id.clone()));
    assert_eq!(engine.id(sub), Some(id.clone()));
    // Only the names that are asked for move.
    project.build(&["-t", sub]).run().succeeds();
    assert_eq!(engine.id(a), Some(id.clone()));
    assert_ne!(engine.id(sub), Some(id));
}

fn quiet_prints_the_id(engine: &'static Engine) {
    let project =
        Project::new(engine, "FROM BUSYBOX\nRUN echo NAME; cp /bin/sh /x; chmod 4755 /x\n");
    let image = project.tag("1");
    let outcome = project.build(&["-q", "-t", &image]).run().succeeds();
    assert_eq!(outcome.out(), format!("{}\n", engine.id(&image).unwrap()));
    assert!(!outcome.stderr.contains("#1 "), "{}", outcome.told());
    // Without a name, the ID is all there is; and it can be run.
    let outcome = project.build(&["-q"]).run().succeeds();
    let id = outcome.out().trim().to_string();
    assert_eq!(engine.root_sh(&id, "stat -c %a /x"), "755");
}

fn iidfile_holds_the_id(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    let image = project.tag("1");
    project.write("out/id", "sha256:stale");
    project.build(&["-t", &image, "--iidfile", "out/id"]).run().succeeds();
    assert_eq!(Some(project.read("out/id")), engine.id(&image));

    for (text, code) in [("FROM BUSYBOX\nRUN false\n", 1), ("FROM BUSYBOX\nRUM x\n", 1)] {
        project.write("out/id", "sha256:stale");
        project.dockerfile(text);
        project.build(&["--iidfile", "out/id"]).run().fails(code);
        assert!(!project.path("out/id").exists(), "a stale ID outlived a failure");
    }
    project.build(&["--iidfile", "no/such/directory/id"]).run().fails(1);
}

fn stdout_stays_clean(engine: &'static Engine) {
    let project =
        Project::new(engine, "FROM BUSYBOX\nRUN echo to-stdout-NAME; echo to-stderr-NAME >&2\n");
    let outcome = project.build(&["--progress", "plain"]).run().succeeds();
    // With buildx it means what `-q` means; `none` is what says nothing.
    assert_eq!(
        outcome.out().trim_end(),
        engine.id(&project.tag("1")).unwrap_or(outcome.out().trim_end().into())
    );
    assert_eq!(project.build(&["--progress", "none"]).run().succeeds().out(), "");
    let words = ["to-stdout-", "to-stderr-"].map(|word| format!("{word}{}", project.name));
    let outcome = outcome
        .says(&words[0])
        .says(&words[1])
        .says(" [internal] load build definition from Dockerfile");
    for line in ["sealed ", "pinned ", "stripped ", "user ", "record "] {
        assert!(outcome.stderr.lines().any(|l| l.starts_with(line)), "{line}: {}", outcome.told());
    }
    assert!(!outcome.stderr.contains('\x1b'), "colours without a terminal");
}

fn dockerfile_elsewhere(engine: &'static Engine) {
    let project = Project::empty(engine);
    project.write(
        "build/App.dockerfile",
        project.filled("FROM BUSYBOX\nCOPY . /context\nRUN echo NAME\n"),
    );
    // Its own ignore file wins over the context's.
    project.write("build/App.dockerfile.dockerignore", "secret\n");
    project.write("context/.dockerignore", "wanted\n");
    project.write("context/wanted", "wanted");
    project.write("context/secret", "secret");
    let image = project.tag("1");
    let build = ["build", "-t", &image, "-f", "build/App.dockerfile", "context"];
    project.cofferdam(&build).run().succeeds();
    assert_eq!(engine.root_sh(&image, "ls /context"), "wanted");
    assert!(project.path("build/cofferdam.lock").exists(), "the lock stands beside the Dockerfile");
    // From another directory, with absolute paths.
    let (file, context) = (project.path("build/App.dockerfile"), project.path("context"));
    let build = ["build", "-t", &image, "-f", file.to_str().unwrap(), context.to_str().unwrap()];
    project.cofferdam(&build).dir(&project.beside("tmp")).run().succeeds();
    assert_eq!(engine.root_sh(&image, "ls /context"), "wanted");
    // And when the Dockerfile lies outside of what it builds, in a directory that is named as `..`.
    let build = ["build", "-t", &image, "-f", "../build/App.dockerfile", "."];
    project.cofferdam(&build).dir(&project.path("context")).run().succeeds();
}

fn target_args_and_labels(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX AS one\nARG A=default\nARG B\nARG C\nRUN echo \"$A,$B,$C\" >/args # NAME\n\
         FROM one AS two\nRUN false\n",
    );
    let args =
        ["--target", "one", "--build-arg", "A=x=y z", "--build-arg", "B", "--build-arg", "C"];
    let labels = ["--label", "a=b=c", "--label", "empty"];
    let image = project.tag("1");
    let build = project.build(&[&["-t", &image], &args[..], &labels[..]].concat());
    build.env("B", "from env").run().succeeds();
    assert_eq!(engine.root_sh(&image, "cat /args"), "x=y z,from env,");
    let found = engine.inspect(&image)["Config"]["Labels"].clone();
    assert_eq!((&found["a"], &found["empty"]), (&"b=c".into(), &"".into()));
}

fn platform_of_the_engine(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nARG TARGETARCH\nRUN echo $TARGETARCH NAME\n");
    let image = project.built(&["--platform", "linux/amd64"]);
    let found = engine.inspect(&image);
    assert_eq!((&found["Os"], &found["Architecture"]), (&"linux".into(), &"amd64".into()));
}

fn platform_that_was_never_asked(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    if engine.name != "b-containerd" {
        let two = project.build(&["--platform", "linux/amd64,linux/arm64"]).run();
        two.explains(1).says("multi-platform build is not supported");
    }
    project.build(&["--platform", "nonsense"]).run().fails(1).says("nonsense");
}

fn network_none(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN ls /sys/class/net >/net; echo NAME\n");
    let image = project.built(&["--network", "none"]);
    assert_eq!(engine.root_sh(&image, "cat /net"), "lo");
    let image = project.built(&[]);
    assert!(engine.root_sh(&image, "cat /net").contains("eth0"));
}

fn network_host_is_refused(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    project.build(&["--network", "host"]).run().explains(3).says("--network");
    project.dockerfile("# syntax=docker/dockerfile:1\nFROM BUSYBOX\nRUN echo NAME\n");
    project.dockerfile("FROM BUSYBOX\nRUN --network=host echo NAME\n");
    // Old frontends know no such flag: then it is a syntax error.
    let outcome = project.build(&["-t", &project.tag("1")]).run();
    assert!(matches!(outcome.code(), Some(1 | 3)), "{}", outcome.told());
    assert_eq!(engine.id(&project.tag("1")), None);
}

fn progress_quiet(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo hidden-NAME\n");
    let hidden = format!("hidden-{}", project.name);
    let outcome = project.build(&["--progress", "quiet"]).run().succeeds();
    let outcome = outcome.never_says(&hidden);
    // As with buildx: the ID and nothing else.
    assert!(outcome.out().starts_with("sha256:") && outcome.out().lines().count() == 1);
    // A step that fails is no longer quiet.
    project.dockerfile("FROM BUSYBOX\nRUN echo shown-NAME; false\n");
    let shown = format!("\n{}shown-{}", "", project.name);
    let outcome = project.build(&["--progress", "quiet"]).run().fails(1);
    assert!(outcome.stderr.contains(shown.trim()), "{}", outcome.told());
}

fn no_cache_flags_change_nothing(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    project.built(&["--no-cache", "--pull", "--rm", "--force-rm", "--load"]);
    let notice = project.build(&["--no-cache=false"]).run().succeeds();
    notice.says("--no-cache=false has no effect");
}

const FAILING: &str = "FROM BUSYBOX\n\
    # what fails\n\
    RUN echo out-NAME && \\\n    echo err-NAME >&2 && \\\n    exit 7\n\
    RUN echo never\n";

fn failing_step_is_shown(engine: &'static Engine) {
    let project = Project::new(engine, FAILING);
    let outcome = project.build(&[]).run().fails(1);
    let outcome =
        outcome.says(&format!("out-{}", project.name)).says(&format!("err-{}", project.name));
    let outcome = outcome.says("exit code: 7").says("Dockerfile:3");
    let marked: Vec<_> = outcome.stderr.lines().filter(|line| line.contains(">>>")).collect();
    assert!(marked.iter().any(|line| line.contains("RUN echo out-")), "{}", outcome.told());
    assert!(marked.len() <= 3, "{}", outcome.told());
}

fn failing_step_moves_nothing(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    let image = project.built(&[]);
    let (id, recorded) = (engine.id(&image), project.recorded());
    project.dockerfile(FAILING);
    project.build(&["-t", &image, "--iidfile", "id", "-q"]).run().fails(1);
    assert_eq!(engine.id(&image), id);
    assert_eq!(project.recorded(), recorded, "a failed build left a record");
    assert!(!project.path("id").exists());
}
