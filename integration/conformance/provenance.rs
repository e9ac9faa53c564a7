//! The record: what went in, by digest, and what came out.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use sha2::Digest as _;

use crate::support::{Engine, Project, tests};

tests![
    provenance_lists_what_the_registry_serves,
    provenance_says_how_it_was_built,
    context_digest_is_about_content,
    provenance_of_an_unknown_image,
    provenance_needs_no_engine_for_an_id,
];

fn sha256(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn dependencies(statement: &Value) -> &Vec<Value> {
    statement["predicate"]["buildDefinition"]["resolvedDependencies"].as_array().unwrap()
}

/// The sha256 of the dependency with this name.
fn digest(statement: &Value, name: &str) -> Option<String> {
    let named = dependencies(statement).iter().find(|dependency| dependency["name"] == name)?;
    Some(named["digest"]["sha256"].as_str()?.to_string())
}

fn provenance_lists_what_the_registry_serves(engine: &'static Engine) {
    let project = Project::empty(engine);
    let base = project.base("base", "1", "base", Value::Null);
    let other = project.base("other", "1", "other", Value::Null);
    project.base("unused", "1", "unused", Value::Null);
    project.dockerfile(&format!(
        "FROM REGISTRY/NAME/unused:1 AS unused\n\
         FROM {base}\n\
         COPY --from={other} /mark /other\n\
         RUN --mount=type=bind,from=BUSYBOX,target=/b test -x /b/bin/busybox\n\
         COPY Dockerfile /\n"
    ));
    let image = project.built(&[]);
    let statement = project.provenance(&image);
    let listed: BTreeSet<(String, String)> = dependencies(&statement)
        .iter()
        .filter_map(|dependency| {
            let uri = dependency["uri"].as_str()?.strip_prefix("pkg:docker/")?.replace("%3A", ":");
            let digest = dependency["digest"]["sha256"].as_str()?;
            Some((uri.replace('@', ":"), format!("sha256:{digest}")))
        })
        .collect();
    let served = [base, other, engine.busybox()].map(|name| {
        let digest = engine.served_name(&name);
        (name, digest)
    });
    assert_eq!(listed, BTreeSet::from(served), "{statement:#}");

    assert_eq!(
        digest(&statement, "Dockerfile"),
        Some(sha256(project.read("Dockerfile").as_bytes()))
    );
    assert_eq!(digest(&statement, "cofferdam.lock"), Some(sha256(project.lock().as_bytes())));
    assert!(
        digest(&statement, "context").is_some()
            && digest(&statement, "cofferdam-inspector").is_some()
    );
}

fn provenance_says_how_it_was_built(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX AS wanted\nARG COLOUR\nRUN echo NAME; cp bin/busybox /suid; chmod 4755 /suid\n\
         FROM scratch\n",
    );
    project.write("token", "a-value-that-is-secret");
    let args = [
        "--target",
        "wanted",
        "--build-arg",
        "COLOUR=blue",
        "--label",
        "from=cli",
        "--secret",
        "id=token,src=token",
        "--platform",
        "linux/amd64",
        "--network",
        "none",
    ];
    let image = project.built(&args);
    let statement = project.provenance(&image);
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
    let predicate = &statement["predicate"];
    let typed = &predicate["buildDefinition"]["externalParameters"];
    for (key, value) in [
        ("target", json!("wanted")),
        ("platform", json!("linux/amd64")),
        ("network", json!("none")),
        ("buildArgs", json!({ "COLOUR": "blue" })),
        ("labels", json!({ "from": "cli" })),
        ("secrets", json!([{ "id": "token" }])),
    ] {
        assert_eq!(typed[key], value, "{key}");
    }
    assert!(typed["dockerfile"].as_str().unwrap().ends_with("Dockerfile"));
    assert!(!statement.to_string().contains("a-value-that-is-secret"));

    let id = engine.id(&image).unwrap();
    let subjects = statement["subject"].as_array().unwrap().iter();
    let subjects: Vec<_> = subjects.map(|s| s["digest"]["sha256"].as_str().unwrap()).collect();
    assert!(subjects.contains(&id.trim_start_matches("sha256:")), "{id}: {subjects:?}");

    let details = &predicate["runDetails"];
    assert!(details["builder"]["id"].as_str().unwrap().ends_with("/builder/local"));
    let server = engine.docker(&["version", "--format={{.Server.Version}}"]);
    assert_eq!(details["builder"]["version"]["docker"], *server);
    assert_eq!(details["builder"]["version"]["cofferdam"], env!("CARGO_PKG_VERSION"));
    let (started, finished) =
        (&details["metadata"]["startedOn"], &details["metadata"]["finishedOn"]);
    assert!(started.as_str().unwrap() <= finished.as_str().unwrap());
    let stripped = &details["byproducts"][0]["annotations"]["stripped"];
    assert_eq!(stripped[0]["path"], "/suid");
    assert_eq!(stripped[0]["mode_before"], "4755");
    assert_eq!(stripped[0]["mode_after"], "0755");
}

fn context_digest_is_about_content(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nCOPY . /context\nRUN echo NAME\n");
    project.write(".dockerignore", "ignored\n*.log\ncofferdam.lock\n");
    project.write("src/file", "one");
    project.write("src/other", "other");
    let digest = || digest(&project.provenance(&project.built(&[])), "context").unwrap();
    let first = digest();
    assert_eq!(digest(), first, "the same files");

    let file = std::fs::File::options().write(true).open(project.path("src/file")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    assert_eq!(digest(), first, "another time");
    project.write("ignored/file", "x");
    project.write("src/debug.log", "not ignored: the pattern is about the root");
    std::fs::remove_file(project.path("src/debug.log")).unwrap();
    project.write("debug.log", "x");
    assert_eq!(digest(), first, "ignored files");

    project.write("src/file", "two");
    let second = digest();
    assert_ne!(second, first, "another content");
    std::fs::rename(project.path("src/other"), project.path("src/renamed")).unwrap();
    let third = digest();
    assert_ne!(third, second, "another name");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(project.path("src/file"), mode).unwrap();
    assert_ne!(digest(), third, "another mode");
}

fn provenance_of_an_unknown_image(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nLABEL name=NAME\n");
    let none = project.tag("none");
    project.cofferdam(&["provenance", &none]).run().explains(1).says(&none);
    project.buildx(&["-q", "-t", &project.tag("theirs")]).succeeds();
    let theirs = project.tag("theirs");
    let outcome = project.cofferdam(&["provenance", &theirs]).run().explains(1).says(&theirs);
    assert_eq!(outcome.out(), "");
}

fn provenance_needs_no_engine_for_an_id(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    let id = engine.id(&project.built(&[])).unwrap();
    project.built(&[]);
    // The older image has lost its name, its record stays.
    let command = project.cofferdam(&["provenance", &id]);
    let outcome = command.env("DOCKER_HOST", "unix:///nowhere/docker.sock").run().succeeds();
    assert!(outcome.out().contains(id.trim_start_matches("sha256:")));
}
