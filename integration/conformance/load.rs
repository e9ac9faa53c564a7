//! `--load`: what a builder built, in the Docker engine in use. The builder is always the stand-in
//! that has every exporter; the engine under test is the one that loads.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::no_load::{Fate, NoLoad};
use crate::support::run::Cofferdam;
use crate::support::stand_in::buildkitd;
use crate::support::{Engine, Project, eventually, tests};

tests![
    load_makes_an_image_that_runs,
    load_goes_where_the_output_says,
    load_by_default_where_the_builder_says_so,
    load_of_several_platforms,
    load_that_docker_refuses,
    load_that_breaks_off,
    load_that_is_interrupted,
    load_of_a_refused_build,
];

const DOCKERFILE: &str = "FROM BUSYBOX\nLABEL who=NAME\nRUN echo NAME > /o; cp /bin/sh /x; chmod 4755 /x\n\
     CMD [\"cat\", \"/o\"]\n";

/// `cofferdam build ARGS .` by a builder.
fn build(project: &Project, args: &[&str]) -> Option<Cofferdam> {
    Some(project.build(args).env("BUILDKIT_HOST", buildkitd("unix")?))
}

/// IDs of the images that were made of the Dockerfile above, named or not.
fn made(project: &Project) -> Vec<String> {
    let filter = format!("--filter=label=who={}", project.name);
    let said = project.engine.docker(&["images", "--quiet", "--no-trunc", &filter]);
    let mut ids: Vec<String> = said.lines().map(String::from).collect();
    ids.sort();
    ids.dedup();
    ids
}

fn load_makes_an_image_that_runs(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    let (image, second) = (project.tag("1"), project.tag("2"));
    let args =
        ["--load", "-t", &image, "-t", &second, "--iidfile", "id", "--metadata-file", "meta"];
    let Some(first) = build(&project, &args) else { return };
    first
        .run()
        .succeeds()
        .says("importing to docker")
        .says(&format!("naming to docker.io/library/{image}"));
    let id = engine.id(&image).unwrap();
    assert_eq!(project.read("id"), id);
    assert_eq!(engine.id(&second), Some(id.clone()));
    assert_eq!(engine.run(&[&id]).trim(), project.name);
    assert_eq!(engine.root_sh(&image, "stat -c %a /x"), "755");
    assert!(project.provenance(&image).to_string().contains(id.trim_start_matches("sha256:")));
    let meta: serde_json::Value = serde_json::from_str(&project.read("meta")).unwrap();
    assert_eq!(meta["image.name"], format!("docker.io/library/{image},docker.io/library/{second}"));

    // Without a name, the ID is all there is.
    let quiet = build(&project, &["--load", "-q"]).unwrap().run().succeeds();
    let nameless = quiet.out().trim().to_string();
    assert_ne!(nameless, id);
    assert_eq!(engine.run(&[&nameless]).trim(), project.name);
}

fn load_goes_where_the_output_says(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    let image = project.tag("1");
    let Some(plain) = build(&project, &["-o", "type=docker", "-t", &image]) else { return };
    plain.run().succeeds();
    let first = engine.id(&image).unwrap();
    // A context, and an engine in use that nobody reaches.
    let nobody = project.path("nobody.sock");
    let nowhere = format!("unix://{}", nobody.display());
    let id = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    let meta = project.beside("docker").join(format!("contexts/meta/{id}"));
    std::fs::create_dir_all(&meta).unwrap();
    let endpoint = format!(
        r#"{{"Name":"foo","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{}","SkipTLSVerify":false}}}}}}"#,
        engine.host
    );
    std::fs::write(meta.join("meta.json"), endpoint).unwrap();
    let there = build(&project, &["-o", "type=docker,context=foo", "-t", &image]).unwrap();
    there.env("DOCKER_HOST", &nowhere).run().succeeds();
    assert_ne!(engine.id(&image).unwrap(), first);
    let gone = build(&project, &["--load", "-t", &image]).unwrap().env("DOCKER_HOST", &nowhere);
    gone.run().explains(4).says(&nobody.display().to_string());
    let unknown = build(&project, &["-o", "type=docker,context=bar", "-t", &image]).unwrap();
    unknown.run().explains(1).says("bar");
    project.owns(first);
}

fn load_by_default_where_the_builder_says_so(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    let image = project.tag("1");
    let warning =
        "No output specified with remote driver. Build result will only remain in the build cache.";
    let Some(silent) = build(&project, &["-t", &image]) else { return };
    silent.run().succeeds().says(warning);
    let asked = build(&project, &["-t", &image]).unwrap().env("BUILDX_NO_DEFAULT_LOAD", "1");
    asked.run().succeeds().never_says("No output specified");
    assert_eq!(engine.id(&image), None);

    let instances = project.beside("docker").join("buildx/instances");
    std::fs::create_dir_all(&instances).unwrap();
    let builder = format!(
        r#"{{"Name":"loads","Driver":"remote","Nodes":[{{"Name":"loads0","Endpoint":"{}","DriverOpts":{{"default-load":"true"}}}}]}}"#,
        buildkitd("unix").unwrap()
    );
    std::fs::write(instances.join("loads"), builder).unwrap();
    let loads = || project.build(&["--builder", "loads", "-t", &image]);
    loads().env("BUILDX_NO_DEFAULT_LOAD", "1").run().succeeds();
    assert_eq!(engine.id(&image), None);
    loads().run().succeeds().never_says("No output specified");
    assert!(engine.id(&image).is_some());
}

fn load_of_several_platforms(engine: &'static Engine) {
    let project = Project::new(engine, "FROM scratch\nLABEL who=NAME\nCOPY Dockerfile /\n");
    let image = project.tag("1");
    let args = ["--load", "-t", &image, "--platform", "linux/amd64,linux/arm64"];
    let Some(both) = build(&project, &args) else { return };
    let outcome = both.run();
    if engine.name == "b-containerd" {
        outcome.succeeds();
        assert!(engine.id(&image).is_some());
        return;
    }
    let words = "docker exporter does not currently support exporting manifest lists";
    outcome.explains(1).says(words).never_says("#1 ");
    assert_eq!(made(&project), [""; 0]);
}

fn load_that_docker_refuses(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    let image = project.tag("1");
    let full = "write /var/lib/docker/x: no space left on device";
    let way = NoLoad::start(&project.beside("d.sock"), engine.socket(), Fate::Refused(full));
    let args = ["--load", "-t", &image, "--iidfile", "id", "--metadata-file", "meta"];
    let Some(refused) = build(&project, &args) else { return };
    let outcome = refused.env("DOCKER_HOST", way.host()).run();
    outcome.explains(1).says("cannot load the image").says(full).says("docker system df");
    assert_eq!(way.begun(), 1);
    assert_eq!(made(&project), [""; 0]);
    assert!(!project.path("id").exists() && !project.path("meta").exists());
    assert!(project.recorded().is_empty());
}

fn load_that_breaks_off(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    let image = project.tag("1");
    let way = NoLoad::start(&project.beside("d.sock"), engine.socket(), Fate::Cut);
    let Some(cut) = build(&project, &["--load", "-t", &image]) else { return };
    let outcome = cut.env("DOCKER_HOST", way.host()).run();
    outcome.explains(4).says("d.sock");
    assert_eq!(made(&project), [""; 0]);
}

fn load_that_is_interrupted(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    let image = project.tag("1");
    let way = NoLoad::start(&project.beside("d.sock"), engine.socket(), Fate::Stuck);
    let Some(stuck) = build(&project, &["--load", "-t", &image]) else { return };
    let mut running = stuck.env("DOCKER_HOST", way.host()).start();
    assert!(eventually(Duration::from_secs(60), || way.begun() == 1), "nothing was ever loaded");
    running.signal(Signal::INT);
    assert!(running.ends_within(Duration::from_secs(5)), "it does not end");
    running.outcome().fails(130);
    assert_eq!(made(&project), [""; 0]);
}

/// The secret is found in the context, which is after the build and before the export.
fn load_of_a_refused_build(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nLABEL who=NAME\nCOPY . /x\n\
         RUN --mount=type=secret,id=s cat /run/secrets/s >/dev/null; echo NAME\n",
    );
    project.write("token", "a-secret-value");
    let image = project.tag("1");
    let args = ["--load", "-t", &image, "--secret", "id=s,src=token"];
    let Some(refused) = build(&project, &args) else { return };
    refused.run().fails(3);
    assert_eq!(made(&project), [""; 0]);
}
