//! Logins for registries: from helpers, from the file, from the environment, and as tokens.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::gate::{Gate, Wants};
use crate::support::run::Cofferdam;
use crate::support::{Engine, Project, processes, tests, unique};

tests![
    login_of_a_helper,
    login_of_the_environment,
    token_instead_of_a_password,
    helper_that_fails,
    helper_that_hangs,
    helper_that_nobody_needs,
];

/// A project whose base is behind a door, and the password that opens it.
fn guarded(engine: &'static Engine, wants: Wants) -> (Project, Gate, String) {
    let project = Project::empty(engine);
    let password = format!("p{}", unique());
    let gate = Gate::start(&engine.registry, wants, &password);
    project.dockerfile(&format!("FROM {}/busybox:latest\nRUN echo NAME\n", gate.address));
    (project, gate, password)
}

fn configure(project: &Project, text: &str) {
    std::fs::write(project.beside("docker").join("config.json"), text).unwrap();
}

/// A build with `docker-credential-lab` in its `PATH`.
fn with_helper(project: &Project, script: &str) -> Cofferdam {
    let directory = project.beside("tmp").join("bin");
    std::fs::create_dir_all(&directory).unwrap();
    let helper = directory.join("docker-credential-lab");
    std::fs::write(
        &helper,
        format!("#!/bin/sh\necho \"$*\" >>'{}/log'\n{script}\n", directory.display()),
    )
    .unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    project.build(&["-t", &project.tag("1")]).env("PATH", format!("{}:{path}", directory.display()))
}

fn login_of_a_helper(engine: &'static Engine) {
    for wants in [Wants::Basic, Wants::Token] {
        let (project, gate, password) = guarded(engine, wants);
        configure(&project, &format!(r#"{{"credHelpers":{{"{}":"lab"}}}}"#, gate.address));
        let script = format!(
            "read -r host || :\n[ \"$host\" = '{}' ] || exit 1\n\
             echo '{{\"ServerURL\":\"x\",\"Username\":\"lab-user\",\"Secret\":\"{password}\"}}'",
            gate.address
        );
        let outcome = with_helper(&project, &script).run().succeeds();
        outcome.never_says(&password);
        let log = std::fs::read_to_string(project.beside("tmp").join("bin/log")).unwrap();
        assert_eq!(log, "get\n", "a helper is asked once for each registry");
        assert!(processes::exposing(&password).is_empty());
    }
}

fn login_of_the_environment(engine: &'static Engine) {
    let (project, gate, password) = guarded(engine, Wants::Basic);
    let auth = |password: &str| STANDARD.encode(format!("lab-user:{password}"));
    let config = |password: &str| {
        format!(r#"{{"auths":{{"{}":{{"auth":"{}"}}}}}}"#, gate.address, auth(password))
    };
    configure(&project, &config("wrong"));
    project.build(&[]).run().explains(4).says(&gate.address);
    let build = project.build(&["-t", &project.tag("1")]);
    build.env("DOCKER_AUTH_CONFIG", config(&password)).run().succeeds().never_says(&password);
    let damaged = project.build(&[]).env("DOCKER_AUTH_CONFIG", "hunter2").run();
    damaged.explains(1).says("DOCKER_AUTH_CONFIG").never_says("hunter2");
}

/// The engine's build gets a token that was fetched here, and nothing that buys others.
fn token_instead_of_a_password(engine: &'static Engine) {
    let (project, gate, password) = guarded(engine, Wants::Token);
    configure(
        &project,
        &format!(
            r#"{{"auths":{{"{}":{{"username":"lab-user","password":"{password}"}}}}}}"#,
            gate.address
        ),
    );
    project.build(&["-t", &project.tag("1")]).run().succeeds().never_says(&password);
    assert!(gate.tokens_fetched_by("cofferdam/") > 0, "the engine fetched the token itself");
    let seed = project.beside("docker").join(".token_seed");
    assert_eq!(std::fs::metadata(&seed).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&seed).unwrap().contains(&password));

    // Where that is not wanted, the engine does it.
    let (project, gate, password) = guarded(engine, Wants::Token);
    configure(
        &project,
        &format!(
            r#"{{"auths":{{"{}":{{"username":"lab-user","password":"{password}"}}}}}}"#,
            gate.address
        ),
    );
    let build = project.build(&["-t", &project.tag("1")]);
    build.env("BUILDKIT_NO_CLIENT_TOKEN", "1").run().succeeds();
    assert_eq!(gate.tokens_fetched_by("cofferdam/"), 0);
}

fn helper_that_fails(engine: &'static Engine) {
    let (project, gate, _) = guarded(engine, Wants::Basic);
    configure(&project, r#"{"credsStore":"lab"}"#);
    let named = |script: &str, word: &str| {
        let outcome = with_helper(&project, script).run().explains(4);
        outcome.says("docker-credential-lab").says(&gate.address).says(word).never_says("hunter2");
    };
    named("cat >&2; echo 'the keyring is locked' >&2; exit 1", "the keyring is locked");
    named("echo '{\"Secret\":\"hunter2\"'", "not what helpers say");
    named("echo '{\"Secret\":\"hunter2\"}'; exit 2", "exit status: 2");
    // It has nothing: that is for the registry to judge.
    let none = with_helper(&project, "echo 'credentials not found in native keychain'; exit 1");
    none.run().explains(4).says("docker login");
    configure(&project, r#"{"credsStore":"lab-not-installed"}"#);
    let missing = project.build(&[]).run().explains(4);
    missing.says("docker-credential-lab-not-installed").says("PATH");
}

fn helper_that_hangs(engine: &'static Engine) {
    let (project, _gate, _) = guarded(engine, Wants::Basic);
    configure(&project, r#"{"credsStore":"lab"}"#);
    let outcome = with_helper(&project, "exec sleep 300").run().explains(4);
    let outcome = outcome.says("docker-credential-lab").says("within 15 s");
    assert!(outcome.elapsed < Duration::from_secs(25), "{}", outcome.told());
}

/// Every input is locked and in the engine, or needs no registry: nobody is asked for anything.
fn helper_that_nobody_needs(engine: &'static Engine) {
    let project = Project::new(engine, "FROM scratch\nCOPY Dockerfile /\n");
    configure(&project, r#"{"credsStore":"lab","credHelpers":{"r.example":"lab"}}"#);
    with_helper(&project, "exec sleep 300").run().succeeds();
    assert!(!project.beside("tmp").join("bin/log").exists());
}
