//! Every way to an engine: contexts, TLS, ssh.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::support::tls::TlsRelay;
use crate::support::{Engine, Outcome, Project, tests};

tests![
    engine_of_a_context,
    context_that_is_not_there,
    engine_behind_tls,
    engine_behind_ssh,
    ssh_that_is_refused,
];

const DOCKERFILE: &str = "FROM BUSYBOX\nCOPY a /a\nRUN cat /a; echo NAME\n";

fn project(engine: &'static Engine) -> Project {
    let project = Project::new(engine, DOCKERFILE);
    project.write("a", "it came here");
    project
}

/// `docker context create`; the directory of its TLS files.
fn context(project: &Project, name: &str, host: &str) -> PathBuf {
    let id: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    let store = project.beside("docker").join("contexts");
    let meta = store.join("meta").join(&id);
    std::fs::create_dir_all(&meta).unwrap();
    let text = serde_json::json!({
        "Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": false}},
    });
    std::fs::write(meta.join("meta.json"), text.to_string()).unwrap();
    store.join("tls").join(id).join("docker")
}

fn built(project: &Project, env: &[(&str, &str)]) -> Outcome {
    let image = project.tag("1");
    let build = project.build(&["-t", &image]).env("DOCKER_HOST", "");
    let build = env.iter().fold(build, |build, (name, value)| build.env(name, value));
    let outcome = build.run().succeeds().says("it came here");
    assert_eq!(project.engine.root_sh(&image, "cat /a"), "it came here");
    outcome
}

fn engine_of_a_context(engine: &'static Engine) {
    let project = project(engine);
    context(&project, "lab", &engine.host);
    context(&project, "nowhere", "unix:///nonexistent/engine.sock");
    let config = project.beside("docker").join("config.json");
    std::fs::write(&config, r#"{"currentContext":"nowhere"}"#).unwrap();
    built(&project, &[("DOCKER_CONTEXT", "lab")]);
    std::fs::write(&config, r#"{"currentContext":"lab"}"#).unwrap();
    built(&project, &[]);
    let other = project.build(&[]).env("DOCKER_HOST", "").env("DOCKER_CONTEXT", "nowhere");
    other.run().explains(4).says("/nonexistent/engine.sock");
}

fn context_that_is_not_there(engine: &'static Engine) {
    let project = project(engine);
    let build = project.build(&[]).env("DOCKER_HOST", "").env("DOCKER_CONTEXT", "gone");
    build.run().explains(1).says("context \"gone\": context not found: open ");
}

fn engine_behind_tls(engine: &'static Engine) {
    let project = project(engine);
    let relay = TlsRelay::start(engine.socket());
    let good = project.beside("tmp").join("good");
    relay.client(&good, (2020, 2090));
    let host = format!("tcp://{}", relay.address);
    let by_env = |certificates: &Path| {
        let build = project.build(&["-t", &project.tag("1")]).env("DOCKER_HOST", &host);
        build.env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", certificates).run()
    };
    by_env(&good).succeeds().says("it came here");
    relay.client(&context(&project, "tls", &host), (2020, 2090));
    built(&project, &[("DOCKER_CONTEXT", "tls")]);

    let expired = project.beside("tmp").join("expired");
    relay.client(&expired, (2001, 2002));
    by_env(&expired).explains(1).says("cert.pem").says("expired on 2002-01-01");
    let other = project.beside("tmp").join("other");
    TlsRelay::start(engine.socket()).client(&other, (2020, 2090));
    by_env(&other).explains(4).says("signed by none").says("ca.pem");
    // Without certificates the engine hangs up.
    let bare = project.build(&[]).env("DOCKER_HOST", &host).env("DOCKER_TLS", "1").run();
    bare.explains(4).says(&relay.address);
}

/// An `ssh` that runs the command here, with this engine as its default; its log.
fn ssh(project: &Project, script: &str) -> (String, PathBuf) {
    let directory = project.beside("tmp").join("bin");
    std::fs::create_dir_all(&directory).unwrap();
    let log = directory.join("log");
    let path = directory.join("ssh");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >>'{}'\nfor last; do :; done\nexport DOCKER_HOST='{}'\n{script}\n",
        log.display(),
        project.engine.host
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    (format!("{}:{path}", directory.display()), log)
}

fn engine_behind_ssh(engine: &'static Engine) {
    let project = project(engine);
    let (path, log) = ssh(&project, "exec sh -c \"$last\"");
    let build = project.build(&["-t", &project.tag("1")]).env("PATH", &path);
    build.env("DOCKER_HOST", "ssh://me@far.example:2222").run().succeeds().says("it came here");
    let log = std::fs::read_to_string(log).unwrap();
    for line in log.lines() {
        let expected =
            "-l me -p 2222 -o ConnectTimeout=30 -T -- far.example docker system dial-stdio";
        assert_eq!(line, expected);
    }
    assert!(log.lines().count() <= 4, "one connection for calls will do:\n{log}");
}

fn ssh_that_is_refused(engine: &'static Engine) {
    let project = project(engine);
    let (path, _) = ssh(&project, "echo 'me@far: Permission denied (publickey).' >&2; exit 255");
    let build = project.build(&[]).env("PATH", &path).env("DOCKER_HOST", "ssh://me@far");
    build.run().explains(4).says("ssh://me@far").says("Permission denied (publickey).");
    let build = project.build(&[]).env("DOCKER_HOST", "ssh://me:hunter2@far");
    build.run().explains(4).says("password").never_says("hunter2");
}
