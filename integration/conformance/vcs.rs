//! What git knows of the context: in the labels that buildx makes of it, and in the record.

use std::process::Command;

use crate::support::{Engine, Project, tests};

tests![git_labels_are_those_of_buildx, git_in_the_record, no_git_no_difference];

/// A project that is a directory of a repository, whose remote holds a password.
fn repository(engine: &'static Engine) -> Project {
    let project = Project::new(engine, "FROM BUSYBOX\nLABEL own=NAME\n");
    git(&project, &["init", "-q", "-b", "main"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "-q", "-m", "one"]);
    git(&project, &["remote", "add", "origin", "https://git.example/o/r.git"]);
    project
}

fn git(project: &Project, args: &[&str]) {
    let mut git = Command::new("git");
    git.current_dir(project.dir()).args(["-c", "user.name=n", "-c", "user.email=e@x"]).args(args);
    let output = git.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn labels(engine: &Engine, image: &str) -> String {
    engine.docker(&["image", "inspect", "-f", "{{json .Config.Labels}}", image])
}

fn git_labels_are_those_of_buildx(engine: &'static Engine) {
    let project = repository(engine);
    let (ours, theirs) = (project.tag("ours"), project.tag("theirs"));
    let own = ["--label", "org.opencontainers.image.source=mine", "--label", "more=x"];
    let build = |args: &[&str]| project.build(&[&own, args].concat());
    build(&["-t", &ours]).env("BUILDX_GIT_LABELS", "1").run().succeeds();
    let mut buildx = Command::new(&engine.buildx);
    buildx.args(["build", "--provenance=false", "-t", &theirs]).args(own).arg(".");
    buildx.env("DOCKER_HOST", &engine.host).env("BUILDX_GIT_LABELS", "full");
    buildx.env("BUILDX_CONFIG", project.beside("docker")).current_dir(project.dir());
    assert!(buildx.output().unwrap().status.success());
    assert_eq!(labels(engine, &ours), labels(engine, &theirs));
    for label in ["revision", "https://git.example/o/r.git", "source.entrypoint\":\"Dockerfile\""] {
        assert!(labels(engine, &ours).contains(label), "{label}");
    }
    build(&["-t", &ours]).run().succeeds();
    assert!(!labels(engine, &ours).contains("revision"));
}

fn git_in_the_record(engine: &'static Engine) {
    let project = repository(engine);
    git(&project, &["remote", "set-url", "origin", "https://me:hunter2@git.example/o/r.git"]);
    let recorded = |project: &Project, image: &str| {
        project.provenance(image)["predicate"]["buildDefinition"]["externalParameters"]["vcs"]
            .clone()
    };
    let image = project.built(&[]);
    let vcs = recorded(&project, &image);
    assert_eq!(vcs["source"], "https://git.example/o/r.git");
    assert_eq!(vcs["revision"].as_str().unwrap().len(), 40);
    let build = |variable| project.build(&["-t", &image]).env(variable, "0").run().succeeds();
    build("BUILDX_GIT_INFO");
    assert!(recorded(&project, &image).is_null());
    let labelled = project.build(&["-t", &image]).env("BUILDX_GIT_LABELS", "1");
    labelled.run().succeeds().never_says("hunter2");
    assert!(!labels(engine, &image).contains("hunter2"));
}

fn no_git_no_difference(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nLABEL own=NAME\n");
    let image = project.tag("1");
    let built =
        project.build(&["-t", &image]).env("PATH", "/nowhere").env("BUILDX_GIT_LABELS", "1");
    built.run().succeeds().says("BUILDX_GIT_LABELS: git knows nothing");
    project.build(&["-t", &image]).env("PATH", "/nowhere").run().succeeds();
}
