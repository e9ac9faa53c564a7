//! Images that exist: the same wherever they are, and what speaks against them.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::gate::{Gate, Wants};
use crate::support::{Engine, Project, fakes, processes, tests, unique};

tests![
    image_is_the_same_wherever_it_is,
    image_of_a_registry_needs_no_engine_and_its_login,
    image_of_several_platforms,
    image_that_is_damaged_is_told,
    image_with_a_secret_is_denied,
    image_is_judged_as_the_project_says,
];

/// A package that a later step deletes and one that stays, a set-uid file that stays.
const TEXT: &str = "FROM BUSYBOX\n\
    COPY lodash /app/node_modules/lodash/package.json\n\
    RUN echo NAME >/name && cp /bin/busybox /tool && chmod 4755 /tool\n\
    COPY lodash /app/node_modules/other/package.json\n\
    RUN rm -r /app/node_modules/other && echo x >/open && chmod 666 /open\n\
    USER 1000\n";

fn project(engine: &'static Engine) -> Project {
    let project = Project::new(engine, TEXT);
    project.write("lodash", r#"{"name":"lodash","version":"4.17.20"}"#);
    project.write("cofferdam.toml", KEEP);
    project
}

const KEEP: &str = "[strip]\n\
    keep = [{ path = \"/tool\", reason = \"a test\", expires = 2999-01-01 }]\n";

fn said(project: &Project, command: &str, source: &str) -> Value {
    let mut line = vec![command, "--format", "json", source];
    line.extend((command == "inspect").then_some("--fail-on=never"));
    let outcome = project.cofferdam(&line).run();
    serde_json::from_slice(&outcome.succeeds().stdout).unwrap()
}

fn image_is_the_same_wherever_it_is(engine: &'static Engine) {
    let project = project(engine);
    let name = pushed(&project);
    engine.docker(&["pull", &name]);
    let saved = project.path("saved.tar").display().to_string();
    engine.docker(&["save", "-o", &saved, &name]);
    let layout = project.path("layout");
    layout_of(&project, &layout);
    let packed = project.path("packed.tar").display().to_string();
    let layout = layout.display().to_string();
    let tar = ["-C", &layout, "-cf", &packed, "."];
    assert!(std::process::Command::new("tar").args(tar).status().unwrap().success());
    std::fs::remove_file(project.path("cofferdam.toml")).unwrap();

    let whole = |source: &str| {
        let packages = said(&project, "packages", source)["packages"].clone();
        let inspection = said(&project, "inspect", source);
        (packages, inspection["findings"].clone(), inspection["history"].clone())
    };
    let expected = whole(&format!("docker-daemon:{name}"));
    assert_eq!(expected.0[0]["name"], "lodash", "{}", expected.0);
    let rules: Vec<&str> =
        expected.1.as_array().unwrap().iter().map(|it| it["rule"].as_str().unwrap()).collect();
    for rule in ["setuid-left", "world-writable"] {
        assert!(rules.contains(&rule), "{rules:?}");
    }
    let registry = format!("docker://{name}");
    for source in [&saved, &layout, &packed, &registry, &format!("registry:{name}"), &name] {
        assert_eq!(whole(source), expected, "{source}");
    }
    engine.docker(&["rmi", "-f", &name]);
    // What the engine does not have, the registry has.
    let outcome = project.cofferdam(&["packages", &name]).run().succeeds();
    outcome.says("the engine has no image");
}

/// Pushes the project's image under the name that is returned.
fn pushed(project: &Project) -> String {
    let name = format!("{}/{}:1", project.engine.registry, project.name);
    project.build(&["-t", &name, "--push"]).run().succeeds();
    name
}

/// What was pushed, as an OCI layout of the very same bytes.
fn layout_of(project: &Project, directory: &Path) {
    let blobs = directory.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let digest = project.engine.served(&project.name, "1").unwrap();
    let (kind, size) = copy(project, "manifests", &digest, &blobs);
    let entry = json!({ "mediaType": kind, "digest": digest, "size": size });
    let index = json!({ "schemaVersion": 2, "manifests": [entry] });
    std::fs::write(directory.join("index.json"), index.to_string()).unwrap();
}

/// Copies a blob and what it names; its kind, and its size.
fn copy(project: &Project, place: &str, digest: &str, to: &Path) -> (Value, usize) {
    let bytes = project.engine.get(&format!("/v2/{}/{place}/{digest}", project.name));
    std::fs::write(to.join(digest.trim_start_matches("sha256:")), &bytes).unwrap();
    let told: Value = match place {
        "manifests" => serde_json::from_slice(&bytes).unwrap(),
        _ => Value::Null,
    };
    let parts = |key: &str| told[key].as_array().cloned().unwrap_or_default();
    for part in parts("manifests") {
        copy(project, "manifests", part["digest"].as_str().unwrap(), to);
    }
    for part in parts("layers").iter().chain(Some(&told["config"]).filter(|it| it.is_object())) {
        copy(project, "blobs", part["digest"].as_str().unwrap(), to);
    }
    (told["mediaType"].clone(), bytes.len())
}

fn image_of_a_registry_needs_no_engine_and_its_login(engine: &'static Engine) {
    for wants in [Wants::Basic, Wants::Token] {
        let project = Project::empty(engine);
        let password = format!("p{}", unique());
        let gate = Gate::start(&engine.registry, wants, &password);
        let image = format!("{}/busybox:latest", gate.address);
        let nobody =
            || project.cofferdam(&["packages", &image]).env("DOCKER_HOST", fakes::nobody());
        nobody().run().explains(4).says("docker login");
        let auth = STANDARD.encode(format!("lab-user:{password}"));
        let config = format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, gate.address);
        std::fs::write(project.beside("docker/config.json"), config).unwrap();
        let outcome = nobody().run().succeeds();
        outcome.never_says(&password);
        // Once more, with everything that matters known: there is no blob but the configuration.
        nobody().run().succeeds();
        assert!(project.beside("home").join(".cache/cofferdam/layers").is_dir());
        assert!(processes::exposing(&password).is_empty());
    }
}

fn image_of_several_platforms(engine: &'static Engine) {
    let project = project(engine);
    pushed(&project);
    let directory = project.path("out");
    layout_of(&project, &directory);
    let source = directory.display().to_string();
    assert_eq!(said(&project, "inspect", &source)["platform"], "linux/amd64");
    let other = project.cofferdam(&["inspect", "--platform", "linux/s390x", &source]).run();
    other.explains(1).says("linux/amd64");
    project.cofferdam(&["packages", "--platform", "nonsense", &source]).run().explains(1);
}

fn image_that_is_damaged_is_told(engine: &'static Engine) {
    let project = project(engine);
    pushed(&project);
    let directory = project.path("out");
    layout_of(&project, &directory);
    let source = directory.display().to_string();
    let largest = walkdir::WalkDir::new(directory.join("blobs")).into_iter().flatten();
    let largest = largest.filter(|entry| entry.file_type().is_file());
    let largest = largest.max_by_key(|entry| entry.metadata().unwrap().len()).unwrap();
    let whole = std::fs::read(largest.path()).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let digest = largest.file_name().to_str().unwrap().to_string();
    for bytes in [&flipped[..], &whole[..whole.len() / 2], b""] {
        std::fs::write(largest.path(), bytes).unwrap();
        project.cofferdam(&["inspect", &source]).run().explains(1).says(&digest);
    }
    std::fs::remove_file(largest.path()).unwrap();
    project.cofferdam(&["packages", &source]).run().explains(1).says("missing");
    std::fs::write(largest.path(), whole).unwrap();
    project.cofferdam(&["packages", &source]).run().succeeds();
}

fn image_with_a_secret_is_denied(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nCOPY value /app/config\nRUN rm /app/config && echo NAME >/name\n",
    );
    let value = format!("v4lue-{}", unique());
    project.write("value", format!("password={value}"));
    let image = project.built(&[]);
    project.write("needle", &value);
    let inspect = |image: &str, secret: &str| {
        project.cofferdam(&["inspect", "--secret", secret, image]).run()
    };
    let denied = |image: &str, words: &[&str], value: &str| {
        let found = inspect(image, "id=token,src=needle");
        assert_eq!(found.code(), Some(3), "{}", found.told());
        words.iter().for_each(|word| assert!(found.out().contains(word), "{}", found.told()));
        found.never_says(value);
    };
    denied(&image, &["/app/config (raw)", "secret token is in the image"], &value);
    let other = format!("other-{}", unique());
    project.write("needle", &other);
    let clean = inspect(&image, "id=token,src=needle").succeeds();
    assert!(clean.out().contains("token: absent"), "{}", clean.out());
    // Of a build argument the history tells.
    project.dockerfile("FROM BUSYBOX\nARG GREETING\nRUN echo $GREETING-NAME >/name\n");
    let (tag, arg) = (project.tag("2"), format!("GREETING={other}"));
    project.build(&["-t", &tag, "--build-arg", &arg]).run().succeeds();
    denied(&tag, &["its configuration holds it"], &other);
}

fn image_is_judged_as_the_project_says(engine: &'static Engine) {
    let project = project(engine);
    let image = project.built(&[]);
    let inspect = |args: &[&str]| {
        let line = [&["inspect"], args, &[image.as_str()]].concat();
        project.cofferdam(&line).run()
    };
    let kept = inspect(&[]).succeeds();
    assert!(!kept.out().contains("setuid-left"), "{}", kept.out());
    assert!(kept.out().contains("user      1000"), "{}", kept.out());
    std::fs::remove_file(project.path("cofferdam.toml")).unwrap();
    let found = inspect(&["--fail-on", "never"]).succeeds();
    assert!(found.out().contains("/tool"), "{}", found.out());
    assert_eq!(inspect(&["--fail-on", "info"]).code(), Some(3));
}
