//! `--push` through a builder: by digest first, and the names when everything else is done. The
//! builder is the stand-in that has every exporter, so one engine is enough.

use crate::support::run::Cofferdam;
use crate::support::stand_in::buildkitd;
use crate::support::turnstile::{Fate, Turnstile};
use crate::support::{Engine, Project, tests};

tests![
    push_gives_the_names_last,
    push_to_a_registry_that_goes_away,
    push_to_a_registry_that_keeps_its_names,
    push_where_only_the_builder_gets,
    push_of_a_refused_build,
];

const DOCKERFILE: &str = "FROM BUSYBOX\nRUN echo NAME > /o\n";

/// `cofferdam build ARGS .` by a builder; none for engines that are not it.
fn build(project: &Project, args: &[&str]) -> Option<Cofferdam> {
    let builder = buildkitd("unix").filter(|_| project.engine.name == "b-containerd")?;
    Some(project.build(args).env("BUILDKIT_HOST", builder))
}

/// What the registry has under a name of the project.
fn served(project: &Project, tag: &str) -> Option<String> {
    project.engine.served(&project.name, tag)
}

fn forget(project: &Project, digest: &str) {
    project.engine.delete(&project.name, digest);
}

fn push_gives_the_names_last(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    let way = Turnstile::start(&engine.registry, Fate::Open);
    let name = format!("{}/{}", way.address, project.name);
    let (one, two) = (name.clone(), format!("{name}:2"));
    let args = ["--push", "-t", &one, "-t", &two, "--iidfile", "id", "--metadata-file", "meta"];
    let Some(pushed) = build(&project, &args) else { return };
    pushed.run().succeeds();
    let digest = served(&project, "latest").unwrap();
    assert_eq!(served(&project, "2"), Some(digest.clone()));
    assert_eq!(project.read("id"), digest);
    let meta: serde_json::Value = serde_json::from_str(&project.read("meta")).unwrap();
    assert_eq!(meta["image.name"], format!("{one},{two}"));
    assert_eq!(meta["containerimage.digest"], digest);
    let puts: Vec<String> =
        way.asked().into_iter().filter(|line| line.starts_with("PUT ")).collect();
    let put = |tag: &str| format!("PUT /v2/{}/manifests/{tag} HTTP/1.1", project.name);
    assert_eq!(puts, [put("latest"), put("2")]);
    // Nothing of it is in the engine's own store.
    assert_eq!(engine.id(&one), None);
    forget(&project, &digest);
}

fn push_to_a_registry_that_goes_away(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    let way = Turnstile::start(&engine.registry, Fate::Lost);
    let name = format!("{}/{}:1", way.address, project.name);
    let args = ["--push", "-t", &name, "--iidfile", "id", "--metadata-file", "meta"];
    let Some(lost) = build(&project, &args) else { return };
    let outcome =
        lost.run().explains(4).says("cannot name the image").says("without a name, as sha256:");
    assert_eq!(served(&project, "1"), None);
    assert!(!project.path("id").exists() && !project.path("meta").exists());
    // The image is there, for whoever knows its digest.
    let digest = outcome.stderr.split("without a name, as ").nth(1).unwrap();
    let digest = digest.split(';').next().unwrap().to_string();
    assert_eq!(served(&project, &digest), Some(digest.clone()));
    forget(&project, &digest);
}

fn push_to_a_registry_that_keeps_its_names(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    let way = Turnstile::start(&engine.registry, Fate::Denied);
    let name = format!("{}/{}:1", way.address, project.name);
    let Some(denied) = build(&project, &["--push", "-t", &name]) else { return };
    denied.run().explains(4).says("names are final here").never_says("sealed");
    assert_eq!(served(&project, "1"), None);
}

fn push_where_only_the_builder_gets(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    let way = Turnstile::start(&engine.registry, Fate::Closed);
    let name = format!("{}/{}:1", way.address, project.name);
    let Some(pushed) = build(&project, &["--push", "-t", &name, "--iidfile", "id"]) else { return };
    pushed.run().succeeds();
    let digest = served(&project, "1").unwrap();
    assert_eq!(project.read("id"), digest);
    forget(&project, &digest);
    engine.try_docker(&["rmi", "-f", &name]);
}

/// The secret is found in the context, which is after the build and before the export.
fn push_of_a_refused_build(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nCOPY . /x\nRUN --mount=type=secret,id=s cat /run/secrets/s >/dev/null; echo NAME\n",
    );
    project.write("token", "a-secret-value");
    let name = format!("{}/{}:1", engine.registry, project.name);
    let args = ["--push", "-t", &name, "--secret", "id=s,src=token"];
    let Some(refused) = build(&project, &args) else { return };
    refused.run().fails(3);
    assert_eq!(served(&project, "1"), None);
}
