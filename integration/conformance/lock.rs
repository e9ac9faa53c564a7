//! `cofferdam lock`: made, checked and renewed, with an engine and without.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::pins::locked;
use crate::support::gate::{Gate, Wants};
use crate::support::run::Cofferdam;
use crate::support::{Engine, Outcome, Project, tests, unique};

tests![
    lock_is_made_completed_and_pruned,
    check_writes_nothing_and_needs_nobody,
    upgrade_takes_a_moved_tag,
    index_that_grew_is_no_change,
    platform_that_is_not_there,
    image_that_no_registry_has,
    shared_lock_keeps_what_others_may_need,
    dockerfile_is_pinned_in_place,
    no_engine_is_no_matter,
    registry_wants_a_login,
];

const NONE: Value = Value::Null;

pub trait Locks {
    /// `cofferdam lock ARGS`
    fn lock_with(&self, args: &[&str]) -> Cofferdam;
    /// The same, which must succeed; what it prints.
    fn locks(&self, args: &[&str]) -> String;
    /// `cofferdam lock --check ARGS`, which must find fault; what it prints.
    fn faulty(&self, args: &[&str]) -> String;
}

impl Locks for Project {
    fn lock_with(&self, args: &[&str]) -> Cofferdam {
        self.cofferdam(&[&["lock"], args].concat())
    }

    #[track_caller]
    fn locks(&self, args: &[&str]) -> String {
        self.lock_with(args).run().succeeds().out()
    }

    #[track_caller]
    fn faulty(&self, args: &[&str]) -> String {
        let outcome = self.lock_with(&[&["--check"], args].concat()).run();
        assert_eq!(outcome.code(), Some(1), "{}", outcome.told());
        outcome.out()
    }
}

/// The platforms that the lock holds for a name.
fn platforms(project: &Project, name: &str) -> Vec<String> {
    let lock = project.lock();
    let entry = lock.split("[[image]]").find(|entry| entry.contains(&format!("\"{name}\"")));
    let lines = entry.unwrap().lines().filter(|line| line.starts_with("\"linux/"));
    lines.map(|line| line.split('"').nth(1).unwrap().to_string()).collect()
}

/// Everything in the project's directory.
pub fn files(project: &Project) -> Vec<String> {
    let entries = std::fs::read_dir(project.dir()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn lock_is_made_completed_and_pruned(engine: &'static Engine) {
    let project = Project::empty(engine);
    let [base, tool, unused] =
        ["base", "tool", "unused"].map(|name| project.base(name, "1", name, NONE));
    project.dockerfile(&format!(
        "FROM {unused} AS never\nFROM {base}\nCOPY --from={tool} /mark /copy\n"
    ));
    let said = project.locks(&[]);
    for name in [&base, &tool, &unused] {
        assert_eq!(locked(&project, name), Some(engine.served_name(name)));
        assert_eq!(platforms(&project, name), ["linux/amd64"]);
        assert!(said.contains(&format!("locked    {name}")), "{said}");
    }
    assert!(said.contains("cofferdam.lock  3 entries"), "{said}");
    let lock = project.lock();
    assert_eq!(project.locks(&[]), "fresh     cofferdam.lock  3 entries\n");
    assert_eq!(project.lock(), lock);
    project.build(&["-t", &project.tag("1"), "--locked"]).run().succeeds();
    assert_eq!(project.lock(), lock, "a build changes nothing in it");

    project.dockerfile(&format!("FROM {base}\n"));
    let said = project.locks(&["--target", ""]);
    assert!(said.contains(&format!("dropped   {tool}")), "{said}");
    assert_eq!((locked(&project, &tool), locked(&project, &unused)), (None, None));
    assert!(locked(&project, &base).is_some());
}

fn check_writes_nothing_and_needs_nobody(engine: &'static Engine) {
    let project = Project::empty(engine);
    let (base, new) = (project.base("base", "1", "b", NONE), project.base("new", "1", "n", NONE));
    project.dockerfile(&format!("FROM {base}\n"));
    let said = project.faulty(&[]);
    assert!(said.contains("missing") && said.contains("Dockerfile:1"), "{said}");
    assert!(!project.path("cofferdam.lock").exists());
    project.locks(&[]);
    let nobody = |args: &[&str]| project.lock_with(args).env("DOCKER_HOST", "unix:///nowhere");
    nobody(&["--check"]).run().succeeds();

    project.dockerfile(&format!("FROM {new}\n"));
    let lock = project.lock();
    let outcome = nobody(&["--check"]).run();
    assert_eq!(outcome.code(), Some(1));
    assert!(outcome.out().contains(&format!("missing   {new}")), "{}", outcome.told());
    assert!(outcome.out().contains(&format!("unused    {base}")), "{}", outcome.told());
    let told = project.lock_with(&["--check", "--format", "json"]).run().out();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((told["state"].as_str(), told["entries"].as_u64()), (Some("stale"), Some(1)));
    assert_eq!(
        told["changes"][0],
        json!({"change": "missing", "kind": "image", "name": new, "line": 1})
    );
    let said = project.locks(&["--diff"]);
    assert!(said.contains(&format!("lock      {new}")), "{said}");
    assert!(said.contains(&format!("drop      {base}")), "{said}");
    assert_eq!(project.lock(), lock);
    assert_eq!(files(&project), ["Dockerfile", "cofferdam.lock"]);
}

fn upgrade_takes_a_moved_tag(engine: &'static Engine) {
    let project = Project::empty(engine);
    let (base, tool) =
        (project.base("base", "1", "one", NONE), project.base("tool", "1", "t", NONE));
    project.dockerfile(&format!("FROM {base}\nCOPY --from={tool} /mark /t\nRUN echo NAME\n"));
    project.locks(&[]);
    let old = project.lock();
    let was = engine.served_name(&base);
    project.base("base", "1", "two", NONE);
    // A lock is no longer than it must be, and no shorter: what moved is the registry.
    assert!(project.locks(&[]).starts_with("fresh"));
    project.locks(&["--check"]);
    assert!(project.faulty(&["--upgrade"]).contains(&format!("stale     {base}")));
    assert!(project.locks(&["--diff", "--upgrade"]).contains(&format!("change    {base}")));
    assert!(project.locks(&[&format!("--upgrade={tool}")]).starts_with("fresh"));
    let unknown = project.lock_with(&["--upgrade=nobody"]).run().explains(1);
    unknown.says("--upgrade=nobody");
    assert_eq!(project.lock(), old);

    let said = project.locks(&[&format!("--upgrade={base}")]);
    assert!(said.contains(&format!("changed   {base}")) && said.contains(", was "), "{said}");
    let now = engine.served_name(&base);
    assert_ne!(now, was);
    assert_eq!(locked(&project, &base), Some(now));
    let image = project.built(&["--locked"]);
    assert_eq!(engine.root_sh(&image, "cat /mark"), "two");
    assert!(project.locks(&["--upgrade"]).starts_with("fresh"));
}

/// Puts an index under a tag.
fn put_index(engine: &Engine, repository: &str, tag: &str, manifests: &[Value]) {
    let kind = "application/vnd.oci.image.index.v1+json";
    let body = json!({"schemaVersion": 2, "mediaType": kind, "manifests": manifests}).to_string();
    let mut stream = TcpStream::connect(&engine.registry).unwrap();
    let head = format!(
        "PUT /v2/{repository}/manifests/{tag} HTTP/1.0\r\nHost: localhost\r\n\
         Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 201") || answer.starts_with("HTTP/1.1 201"), "{answer}");
}

/// An image of the project's own repository as an index lists it.
fn listed(engine: &Engine, repository: &str, tag: &str, os: &str, architecture: &str) -> Value {
    let digest = engine.served(repository, tag).unwrap();
    let manifest = crate::support::http::tcp(
        &engine.registry,
        "GET",
        &format!("/v2/{repository}/manifests/{digest}"),
        &[("Accept", crate::support::registry::ACCEPT)],
    );
    json!({
        "mediaType": manifest.header("Content-Type").unwrap(),
        "digest": digest,
        "size": manifest.body.len(),
        "platform": {"os": os, "architecture": architecture},
    })
}

fn index_that_grew_is_no_change(engine: &'static Engine) {
    let project = Project::empty(engine);
    for tag in ["amd", "arm", "said"] {
        project.base("multi", tag, tag, NONE);
    }
    let repository = format!("{}/multi", project.name);
    let name = format!("{}/{repository}:1", engine.registry);
    let of = |tag: &str, os: &str, arch: &str| listed(engine, &repository, tag, os, arch);
    put_index(engine, &repository, "1", &[of("amd", "linux", "amd64")]);
    project.dockerfile(&format!("FROM {name}\nRUN echo NAME\n"));
    project.locks(&[]);
    let lock = project.lock();
    let first = engine.served_name(&name);
    assert_eq!(locked(&project, &name), Some(first.clone()));
    assert_eq!(platforms(&project, &name), ["linux/amd64"]);

    // A platform and a statement more: nothing that this project builds from changed.
    put_index(
        engine,
        &repository,
        "1",
        &[
            of("amd", "linux", "amd64"),
            of("arm", "linux", "arm64"),
            of("said", "unknown", "unknown"),
        ],
    );
    assert_ne!(engine.served_name(&name), first);
    for args in [&["--upgrade"][..], &["--upgrade", "--no-engine"], &["--upgrade", "--check"]] {
        assert!(project.locks(args).starts_with("fresh"), "{args:?}");
    }
    assert_eq!(project.lock(), lock);
    project.built(&["--locked"]);

    // Another platform is another wish, which the locked index does not fulfil.
    project.lock_with(&["--platform", "linux/arm64"]).run().explains(1).says("no linux/arm64");
    assert_eq!(project.lock(), lock);
    // The manifest itself is a change.
    project.base("multi", "amd", "newer", NONE);
    put_index(
        engine,
        &repository,
        "1",
        &[of("amd", "linux", "amd64"), of("arm", "linux", "arm64")],
    );
    assert!(project.locks(&["--upgrade"]).contains("changed"));
    assert_eq!(locked(&project, &name), Some(engine.served_name(&name)));
    assert!(project.faulty(&["--platform", "linux/amd64,linux/arm64"]).contains("lacking"));
    project.locks(&["--platform", "linux/amd64,linux/arm64"]);
    assert_eq!(platforms(&project, &name), ["linux/amd64", "linux/arm64"]);
    project.locks(&["--check", "--platform", "linux/amd64,linux/arm64"]);
}

fn platform_that_is_not_there(engine: &'static Engine) {
    let project = Project::empty(engine);
    let base = project.base("base", "1", "b", NONE);
    project.dockerfile(&format!("FROM {base}\n"));
    let outcome = project.lock_with(&["--platform", "linux/s390x"]).run().explains(1);
    outcome.says("has no linux/s390x").says("it has linux/amd64");
    assert_eq!(files(&project), ["Dockerfile"]);
}

fn image_that_no_registry_has(engine: &'static Engine) {
    let project = Project::empty(engine);
    let (base, name) = (project.base("base", "1", "b", NONE), project.tag("local"));
    engine.docker(&["pull", "-q", &base]);
    engine.docker(&["tag", &base, &name]);
    let id = engine.id(&name).unwrap();
    project.dockerfile(&format!("FROM {name}\nRUN echo NAME\n"));
    project.locks(&[]);
    let lock = project.lock();
    assert!(lock.contains("kind = \"local\"") && lock.contains(&id), "{lock}");
    assert!(project.locks(&["--upgrade"]).starts_with("fresh"));
    project.built(&["--locked"]);
    assert_eq!(project.lock(), lock);
    engine.try_docker(&["rmi", &base]);
}

fn shared_lock_keeps_what_others_may_need(engine: &'static Engine) {
    let project = Project::empty(engine);
    let (one, two) = (project.base("one", "1", "1", NONE), project.base("two", "1", "2", NONE));
    project.dockerfile(&format!("FROM {one}\n"));
    project.write("other.Dockerfile", format!("FROM {two}\n"));
    project.locks(&[]);
    let said = project.locks(&["-f", "other.Dockerfile"]);
    assert!(said.contains(&format!("kept      {one}")), "{said}");
    assert!(locked(&project, &one).is_some() && locked(&project, &two).is_some());
    project.locks(&["--check"]);
    project.locks(&["--check", "-f", "other.Dockerfile"]);
    let said = project.locks(&["--prune"]);
    assert!(said.contains(&format!("dropped   {two}")), "{said}");
    assert_eq!(locked(&project, &two), None);
}

fn dockerfile_is_pinned_in_place(engine: &'static Engine) {
    let project = Project::empty(engine);
    let base = project.base("base", "1", "one", NONE);
    let text = format!(
        "# a comment\r\nARG TAG=1\n\nfrom   {base}   AS first\nFROM {}/base:$TAG\nRUN echo NAME\n",
        base.trim_end_matches("/base:1")
    );
    project.write("real/file", project.filled(&text));
    std::fs::set_permissions(project.path("real/file"), PermissionsExt::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real/file", project.path("Dockerfile")).unwrap();
    let digest = engine.served_name(&base);
    let said = project.locks(&["--write-dockerfile"]);
    assert!(said.contains("pinned") && said.contains("a variable makes its name"), "{said}");
    let expected = project.filled(&text).replacen(&base, &format!("{base}@{digest}"), 1);
    assert_eq!(project.read("Dockerfile"), expected);
    let link = std::fs::symlink_metadata(project.path("Dockerfile")).unwrap();
    assert!(link.file_type().is_symlink());
    let real = std::fs::metadata(project.path("real/file")).unwrap();
    assert_eq!(real.permissions().mode() & 0o777, 0o640);
    assert_eq!(files(&project), ["Dockerfile", "real"]);
    assert_eq!(std::fs::read_dir(project.path("real")).unwrap().count(), 1);

    // It is the image of then, and needs no lock for it.
    project.base("base", "1", "two", NONE);
    let image = project.built(&["--locked", "--target", "first"]);
    assert_eq!(engine.root_sh(&image, "cat /mark"), "one");
    let again = project.locks(&["--write-dockerfile"]);
    assert!(!again.contains("pinned"), "{again}");
}

fn no_engine_is_no_matter(engine: &'static Engine) {
    let project = Project::empty(engine);
    let base = project.base("base", "1", "b", NONE);
    project.dockerfile(&format!("FROM {base}\nCOPY --from=BUSYBOX /bin /b\n"));
    project.locks(&[]);
    let without_times = |lock: String| -> Vec<String> {
        lock.lines().filter(|line| !line.starts_with("resolved")).map(String::from).collect()
    };
    let expected = without_times(project.lock());
    let again = |command: Cofferdam| -> Outcome {
        std::fs::remove_file(project.path("cofferdam.lock")).unwrap();
        let outcome = command.run().succeeds();
        assert_eq!(without_times(project.lock()), expected, "{}", outcome.told());
        outcome
    };
    let nowhere = project.lock_with(&[]).env("DOCKER_HOST", "unix:///nowhere");
    again(nowhere).says("asking registries from here");
    let quiet = project.lock_with(&["--no-engine"]).env("DOCKER_HOST", "unix:///nowhere");
    again(quiet).never_says("nowhere");
    project.build(&["--locked"]).run().succeeds();
}

fn registry_wants_a_login(engine: &'static Engine) {
    for wants in [Wants::Basic, Wants::Token] {
        let project = Project::empty(engine);
        let password = format!("p{}", unique());
        let gate = Gate::start(&engine.registry, wants, &password);
        project.dockerfile(&format!("FROM {}/busybox:latest\n", gate.address));
        let outcome = project.lock_with(&["--no-engine"]).run().explains(4);
        outcome.says("Dockerfile:1").says("docker login");
        let auth = STANDARD.encode(format!("lab-user:{password}"));
        let config = format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, gate.address);
        std::fs::write(project.beside("docker").join("config.json"), config).unwrap();
        for args in [&["--no-engine"][..], &["--upgrade"]] {
            let outcome = project.lock_with(args).run().succeeds();
            outcome.never_says(&password);
        }
        let name = format!("{}/busybox:latest", gate.address);
        assert_eq!(locked(&project, &name), Some(engine.served_name(&engine.busybox())));
        assert!(!project.lock().contains(&password));
    }
}
