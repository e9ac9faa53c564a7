//! A builder with several nodes: each builds its platforms, and together they make one result. Both
//! nodes are stand-ins of the engine that has every exporter, so one engine is enough.

use std::time::Duration;

use crate::support::stand_in::buildkitd;
use crate::support::turnstile::{Fate, Turnstile};
use crate::support::{Engine, Project, http, tests};

tests![
    nodes_push_one_index,
    nodes_fill_one_directory,
    nodes_fail_together,
    nodes_that_are_gone,
    nodes_cannot_share_a_file,
];

const DOCKERFILE: &str =
    "FROM BUSYBOX\nARG TARGETARCH\nRUN echo $TARGETARCH NAME > /o; cp /bin/sh /x; chmod 4755 /x\n";
const BOTH: [&str; 2] = ["--platform", "linux/amd64,linux/386"];
const INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.index.v1+json";

/// Writes a builder `many` into buildx's store: `many0` for amd64, `many1` for 386 at `second`, or
/// at a stand-in. False for engines that are not behind it.
fn many(project: &Project, second: Option<&str>) -> bool {
    if project.engine.name != "b-containerd" {
        return false;
    }
    let (Some(one), Some(two)) = (buildkitd("unix"), buildkitd("tcp")) else { return false };
    let node = |name: &str, address: &str, architecture: &str| {
        serde_json::json!({
            "Name": name,
            "Endpoint": address,
            "Platforms": [{"os": "linux", "architecture": architecture}],
        })
    };
    let builder = serde_json::json!({
        "Name": "many",
        "Driver": "remote",
        "Nodes": [node("many0", &one, "amd64"), node("many1", second.unwrap_or(&two), "386")],
    });
    let instances = project.beside("docker").join("buildx/instances");
    std::fs::create_dir_all(&instances).unwrap();
    std::fs::write(instances.join("many"), builder.to_string()).unwrap();
    true
}

fn build(project: &Project, args: &[&str]) -> crate::support::run::Cofferdam {
    project.build(&[&["--builder", "many"], &BOTH[..], args].concat())
}

fn nodes_push_one_index(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    if !many(&project, None) {
        return;
    }
    let (one, other) = (project.tag("1"), project.tag("2"));
    let named = |name: &str| format!("{}/{name}", engine.registry);
    let (first, second) = (named(&one), named(&other));
    let args =
        ["--push", "-t", &first, "-t", &second, "--iidfile", "id", "--metadata-file", "meta"];
    let outcome = build(&project, &args).run().succeeds();
    let outcome = outcome.says("[many0 internal] load build definition");
    outcome.says("[many1 linux/386 2/2] RUN").says("[many1 cofferdam] strip");
    let digest = engine.served(&project.name, "1").unwrap();
    assert_eq!(engine.served(&project.name, "2"), Some(digest.clone()));
    assert_eq!(project.read("id"), digest);
    let meta: serde_json::Value = serde_json::from_str(&project.read("meta")).unwrap();
    assert_eq!(meta["containerimage.digest"], digest);
    assert_eq!(meta["image.name"], format!("{first},{second}"));
    let path = format!("/v2/{}/manifests/1", project.name);
    let index = http::tcp(&engine.registry, "GET", &path, &[("Accept", INDEX)]);
    let index: serde_json::Value = serde_json::from_slice(&index.body).unwrap();
    let manifests = index["manifests"].as_array().unwrap();
    let platforms: Vec<_> = manifests.iter().map(|m| &m["platform"]["architecture"]).collect();
    assert_eq!(platforms, ["amd64", "386"]);
    for architecture in ["amd64", "386"] {
        let platform = format!("--platform=linux/{architecture}");
        let run = ["run", "--rm", &platform, &first, "sh", "-c", "cat /o; stat -c %a /x"];
        let said = engine.docker(&run);
        assert_eq!(said.trim(), format!("{architecture} {}\n755", project.name));
        engine.try_docker(&["rmi", "-f", &first]);
    }
    engine.delete(&project.name, &digest);
}

fn nodes_fill_one_directory(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    if !many(&project, None) {
        return;
    }
    std::fs::create_dir_all(project.path("out/old")).unwrap();
    build(&project, &["-o", "type=local,dest=out,mode=delete"]).run().succeeds();
    assert!(!project.path("out/old").exists());
    for architecture in ["amd64", "386"] {
        let said = project.read(&format!("out/linux_{architecture}/o"));
        assert_eq!(said.trim(), format!("{architecture} {}", project.name));
    }
    // Nothing is kept, and nothing is wrong with that.
    build(&project, &[]).run().succeeds().says("No output specified with remote driver");
}

fn nodes_fail_together(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nARG TARGETARCH\nRUN if [ $TARGETARCH = 386 ]; then echo NAME; exit 7; else sleep 100; fi\n",
    );
    if !many(&project, None) {
        return;
    }
    let name = format!("{}/{}:1", engine.registry, project.name);
    let args = ["--push", "-t", &name, "-o", "out", "--metadata-file", "meta"];
    let outcome = build(&project, &args).run().explains(1).says("exit code: 7");
    assert!(outcome.elapsed < Duration::from_secs(60), "{}", outcome.told());
    assert_eq!(engine.served(&project.name, "1"), None);
    assert!(!project.path("out").exists() && !project.path("meta").exists());

    // All is pushed, and the registry goes away before the names.
    project.dockerfile(DOCKERFILE);
    let way = Turnstile::start(&engine.registry, Fate::Lost);
    let name = format!("{}/{}:1", way.address, project.name);
    build(&project, &["--push", "-t", &name]).run().explains(4).says("cannot name the image");
    assert_eq!(engine.served(&project.name, "1"), None);
}

fn nodes_that_are_gone(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    let gone = format!("unix://{}", project.path("gone.sock").display());
    if !many(&project, Some(&gone)) {
        return;
    }
    let name = format!("{}/{}:1", engine.registry, project.name);
    let outcome = build(&project, &["--push", "-t", &name]).run();
    outcome.explains(4).says("cannot use the node \"many1\"").never_says("#1 ");
    // Who does not need it does not miss it.
    let args = ["--builder", "many", "--platform", "linux/amd64", "-o", "out"];
    project.build(&args).run().succeeds();
}

fn nodes_cannot_share_a_file(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    if !many(&project, None) {
        return;
    }
    let lists = "docker exporter does not currently support exporting manifest lists";
    for (output, words) in [
        ("type=docker", lists),
        ("type=docker,dest=x.tar", lists),
        ("type=oci,dest=x.tar", "oci exporter makes one file"),
        ("type=tar,dest=x.tar", "tar exporter makes one file"),
    ] {
        build(&project, &["-o", output]).run().explains(1).says(words).never_says("#1 ");
        assert!(!project.path("x.tar").exists());
    }
    let closed = Turnstile::start(&engine.registry, Fate::Closed);
    let name = format!("{}/{}:1", closed.address, project.name);
    let outcome = build(&project, &["--push", "-t", &name]).run();
    outcome.explains(4).says("cannot be reached from here").never_says("#1 ");
}
