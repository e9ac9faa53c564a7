//! `docker build` after `cofferdam install`, with the real Docker CLI.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::run::Cofferdam;
use crate::support::{Engine, Project, eventually, processes, tests};

tests![
    docker_build_runs_cofferdam_until_it_is_uninstalled,
    flags_before_the_command_reach_the_build,
    other_builder_commands_go_on_to_docker,
    an_interrupted_cli_ends_the_build,
    the_shim_takes_builds_and_nothing_else,
];

/// As somebody typed it: no tool writes it so.
const CONFIG: &str = "{\r\n  \"psFormat\" : \"{{.ID}}\",\n\t\"auths\":{ },   \"currentContext\": \"default\"}\r\n\r\n";

fn project(engine: &'static Engine) -> Project {
    let project = Project::new(engine, "FROM BUSYBOX\nARG TOKEN\nRUN echo NAME\n");
    std::fs::write(project.beside("docker").join("config.json"), CONFIG).unwrap();
    project
}

fn installed(engine: &'static Engine) -> Project {
    let project = project(engine);
    project.cofferdam(&["install"]).run().succeeds();
    project
}

fn docker(project: &Project, args: &[&str]) -> Cofferdam {
    project.program(Path::new("docker"), args)
}

fn config(project: &Project) -> String {
    std::fs::read_to_string(project.beside("docker").join("config.json")).unwrap()
}

fn docker_build_runs_cofferdam_until_it_is_uninstalled(engine: &'static Engine) {
    let project = project(engine);
    project.cofferdam(&["install", "--dry-run"]).run().succeeds().says("would set aliases.builder");
    assert_eq!(config(&project), CONFIG);
    project.cofferdam(&["install"]).run().succeeds().says("undo with: cofferdam uninstall");
    let installed = config(&project);
    project.cofferdam(&["install"]).run().succeeds().says("nothing to do");
    assert_eq!(config(&project), installed);

    let image = project.tag("1");
    docker(&project, &["build", "-t", &image, "."]).run().succeeds().says("sealed");
    for build in [&["build"][..], &["image", "build"], &["builder", "build"]] {
        let id = docker(&project, &[build, &["-q", "."]].concat()).run().succeeds().out();
        let hex = id.strip_prefix("sha256:").and_then(|id| id.strip_suffix('\n'));
        assert!(hex.is_some_and(|hex| hex.len() == 64), "{build:?}: {id:?}");
    }
    docker(&project, &["build", "--no-such-flag", "."]).run().fails(1);
    let secret = format!("TOKEN=ghp_{}", "a1B2c3D4e5".repeat(4)).replace("D4e5a1", "Q9x7z2");
    docker(&project, &["build", "--build-arg", &secret, "."]).run().fails(3);
    docker(&project, &["build", "--help"]).run().succeeds();
    let plugins = docker(&project, &["info", "--format={{json .ClientInfo.Plugins}}"]).run();
    let plugins = plugins.succeeds().out();
    assert!(plugins.contains("\"cofferdam\"") && !plugins.contains("Err"), "{plugins}");
    docker(&project, &["--version"]).run().succeeds();
    docker(&project, &["cofferdam", "--version"]).run().succeeds();

    project.cofferdam(&["uninstall"]).run().succeeds();
    assert_eq!(config(&project), CONFIG);
    let mut left = std::fs::read_dir(project.beside("docker")).unwrap();
    assert!(left.all(|entry| entry.unwrap().file_name() == "config.json"));
    project.cofferdam(&["uninstall"]).run().succeeds().says("not installed");
}

fn flags_before_the_command_reach_the_build(engine: &'static Engine) {
    let project = installed(engine);
    let config = project.beside("docker");
    let elsewhere = || {
        let docker = |args: &[&str]| docker(&project, args).env("DOCKER_CONFIG", "/nowhere");
        let flags = ["--config", config.to_str().unwrap(), "-H", &engine.host];
        docker(&[&flags[..], &["build", "-q", "."]].concat())
    };
    elsewhere().env("DOCKER_HOST", "unix:///nowhere.sock").run().succeeds();
    let nowhere = ["--host=unix:///nowhere.sock", "build", "."];
    docker(&project, &nowhere).run().explains(4);
}

fn other_builder_commands_go_on_to_docker(engine: &'static Engine) {
    let project = installed(engine);
    // The Docker CLI knows one of them itself. Nothing is pruned here: the question is not answered.
    let help = docker(&project, &["builder", "prune", "--help"]).run().succeeds();
    assert!(help.out().contains("docker builder prune"), "{}", help.told());
    docker(&project, &["builder", "prune", "--no-such-flag"]).run();
    docker(&project, &["builder", "ls"]).run().explains(1).says("buildx");
    let left = std::fs::read_dir(project.beside("tmp")).unwrap().count();
    assert_eq!(left, 0, "the configuration without the alias is left behind");

    let plugins = project.beside("docker").join("cli-plugins");
    std::os::unix::fs::symlink(&engine.buildx, plugins.join("docker-buildx")).unwrap();
    let list = docker(&project, &["builder", "ls"]).run().succeeds().out();
    assert!(list.contains("default"), "{list}");
    let help = docker(&project, &["builder", "prune", "--help"]).run().succeeds();
    assert!(help.out().contains("docker buildx prune"), "{}", help.told());
    // Its own exit code.
    let code = docker(&project, &["builder", "du", "--no-such-flag"]).run().code();
    assert_eq!(code, docker(&project, &["buildx", "du", "--no-such-flag"]).run().code());
    docker(&project, &["build", "-q", "."]).run().succeeds();
}

/// Without a terminal, the CLI has only its socket to say that it was interrupted.
fn an_interrupted_cli_ends_the_build(engine: &'static Engine) {
    let project = installed(engine);
    let digits: String = project.name.bytes().map(|byte| char::from(b'0' + byte % 10)).collect();
    let digits = format!("301.{}", &digits[digits.len() - 12..]);
    project.dockerfile(&format!("FROM BUSYBOX\nRUN : NAME; sleep {digits}\n"));
    let mut running = docker(&project, &["build", "."]).start();
    let step = format!("sleep\0{digits}");
    let started = || !processes::with_argument(&step).is_empty();
    assert!(eventually(Duration::from_secs(30), started), "the step never ran");
    running.signal(Signal::INT);
    assert!(running.ends_within(Duration::from_secs(4)), "it does not end");
    running.outcome().fails(130);
}

fn the_shim_takes_builds_and_nothing_else(engine: &'static Engine) {
    let project = project(engine);
    let shims = project.beside("shims");
    let install = ["install", "--shim", shims.to_str().unwrap()];
    project.cofferdam(&install).run().succeeds().says("PATH=");
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", shims.display());
    let shim = |args: &[&str]| {
        project.program(&shims.join("docker"), args).env("PATH", &path).env("DOCKER_BUILDKIT", "0")
    };
    for build in [&["build"][..], &["image", "build"], &["builder", "build"], &["buildx", "build"]]
    {
        shim(&[build, &["."]].concat()).run().succeeds().says("sealed");
    }
    let host = format!("--host={}", engine.host);
    shim(&[&host, "build", "."]).env("DOCKER_HOST", "unix:///nowhere").run().succeeds();
    let version = shim(&["version", "--format={{.Server.Version}}"]).run().succeeds().out();
    assert_eq!(version.trim(), engine.docker(&["version", "--format={{.Server.Version}}"]));
    let code = shim(&["no-such-command"]).run().code();
    assert_eq!(code, docker(&project, &["no-such-command"]).run().code());
    // Only the shim in PATH: it says so and does not call itself.
    let alone = project.program(&shims.join("docker"), &["version"]).env("PATH", &shims).run();
    alone.explains(1).says("no docker in PATH");

    project.cofferdam(&["uninstall"]).run().succeeds();
    assert!(!shims.exists());
    assert_eq!(config(&project), CONFIG);
}
