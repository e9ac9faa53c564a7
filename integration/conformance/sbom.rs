//! What a build says its images hold: kept beside the record, and attached where that is asked for.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::attested::{Layout, attached, holds_attestations, unpacked};
use crate::support::{Engine, Project, tests};

tests![
    packages_of_a_build_are_those_of_its_image,
    a_document_tells_lines_stages_and_the_base,
    each_platform_has_packages_of_its_own,
    an_image_without_packages_has_an_empty_sbom,
    an_sbom_is_attached_without_a_scanner,
    an_sbom_is_attached_in_a_registry,
    parameters_without_a_generator_are_explained,
];

/// What an earlier step brought is deleted, and the database is written again.
const STEPS: &str = "FROM DEBIAN AS first\n\
    COPY minimist /app/node_modules/minimist/package.json\n\
    FROM first AS app\n\
    COPY lodash /app/node_modules/lodash/package.json\n\
    COPY lodash /app/node_modules/express/node_modules/lodash/package.json\n\
    RUN rm -r /app/node_modules/minimist && touch /var/lib/dpkg/status && echo NAME >/name\n";

fn project(engine: &'static Engine) -> Project {
    let project = Project::new(engine, STEPS);
    project.write("minimist", r#"{"name":"minimist","version":"0.0.8"}"#);
    project.write("lodash", r#"{"name":"lodash","version":"4.17.20"}"#);
    project
}

/// What was kept, by platform.
fn kept(project: &Project, image: &str) -> Vec<Value> {
    let id = project.engine.id(image).unwrap().replace(':', "-");
    let path = project.beside("data").join(format!("cofferdam/sbom/{id}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Ecosystem, name, version and architecture.
fn identities(packages: &Value) -> BTreeSet<String> {
    let fields = ["ecosystem", "name", "version", "architecture"];
    let identity =
        |package: &Value| fields.map(|field| package[field].as_str().unwrap_or("")).join(" ");
    packages.as_array().unwrap().iter().map(identity).collect()
}

fn packages_of_a_build_are_those_of_its_image(engine: &'static Engine) {
    let project = project(engine);
    let image = project.tag("1");
    let outcome = project.build(&["-t", &image]).run().succeeds();
    let bills = kept(&project, &image);
    let [bill] = bills.as_slice() else { panic!("{bills:?}") };
    let ours = identities(&bill["inventory"]["packages"]);
    let found = project.cofferdam(&["packages", "--format", "json", &image]).run().succeeds();
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(ours, identities(&found["packages"]));
    assert!(ours.contains("npm lodash 4.17.20 ") && !ours.iter().any(|it| it.contains("minimist")));
    assert!(ours.iter().filter(|it| it.starts_with("deb ")).count() > 50, "{ours:?}");
    assert_eq!(bill["inventory"].get("unread"), None);
    outcome.says(&format!("SBOM of {} packages", ours.len()));
}

fn a_document_tells_lines_stages_and_the_base(engine: &'static Engine) {
    let project = project(engine);
    let image = project.built(&[]);
    let document = |format: &str, image: &str| -> Value {
        let written = project.cofferdam(&["sbom", "--format", format, image]).run().succeeds();
        serde_json::from_slice(&written.stdout).unwrap()
    };
    let found = document("cyclonedx", &image);
    let properties = |name: &str, key: &str| {
        let mut list = found["components"].as_array().unwrap().iter();
        let package = list.find(|component| component["name"] == name).unwrap();
        let mut list = package["properties"].as_array().unwrap().iter();
        list.find(|property| property["name"] == key).map(|it| it["value"].clone())
    };
    let text = |value: Option<Value>| value.unwrap().as_str().unwrap().to_string();
    // The FROM of the stage that the base came with.
    assert_eq!(text(properties("libc6", "cofferdam:line")), "1");
    assert!(text(properties("libc6", "cofferdam:base")).starts_with(&engine.debian()));
    assert_eq!(text(properties("lodash", "cofferdam:line")), "4");
    assert_eq!(text(properties("lodash", "cofferdam:stage")), "app");
    assert_eq!(properties("lodash", "cofferdam:base"), None);
    assert!(text(properties("lodash", "cofferdam:layer")).starts_with("sha256:"));
    assert_ne!(properties("lodash", "cofferdam:layer"), properties("libc6", "cofferdam:layer"));
    let spdx = document("spdx", &image).to_string();
    assert!(spdx.contains("cofferdam:stage=app") && !spdx.contains("minimist"));
    // Of an image that somebody else built nothing is said that is not in it.
    let theirs = project.tag("theirs");
    project.buildx(&["-q", "-t", &theirs]).succeeds();
    let theirs = document("cyclonedx", &theirs).to_string();
    assert!(theirs.contains("lodash") && !theirs.contains("cofferdam:line"));
}

/// Needs a store that holds an index; nothing of the other architecture has to run.
fn each_platform_has_packages_of_its_own(engine: &'static Engine) {
    if !holds_attestations(engine) {
        return;
    }
    let text = "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /app/node_modules/x/package.json\n";
    let project = Project::new(engine, text);
    for (arch, version) in [("amd64", "1.0.0"), ("arm64", "2.0.0")] {
        project.write(arch, format!(r#"{{"name":"x","version":"{version}"}}"#));
    }
    let image = project.tag("1");
    let platforms = ["--platform", "linux/amd64,linux/arm64", "-t", &image, "--sbom=true"];
    project.build(&platforms).run().succeeds().says("SBOM of 2 packages on 2 platforms");
    let told: Vec<String> = kept(&project, &image)
        .iter()
        .map(|bill| format!("{} {}", bill["platform"], bill["inventory"]["packages"][0]["version"]))
        .collect();
    assert_eq!(told, [r#""linux/amd64" "1.0.0""#, r#""linux/arm64" "2.0.0""#]);
}

fn an_image_without_packages_has_an_empty_sbom(engine: &'static Engine) {
    let project = Project::new(engine, "FROM scratch\nCOPY name /name\n");
    project.write("name", &project.name);
    let image = project.tag("1");
    project.build(&["-t", &image]).run().succeeds().says("SBOM of 0 packages");
    assert_eq!(kept(&project, &image)[0]["inventory"]["packages"], Value::Array(Vec::new()));
}

fn an_sbom_is_attached_without_a_scanner(engine: &'static Engine) {
    if !holds_attestations(engine) {
        return;
    }
    let project = project(engine);
    let tar = format!("type=oci,dest={}", project.beside("o.tar").display());
    let args = ["--attest", "type=sbom", "--network", "none", "-o", &tar];
    project.build(&args).run().succeeds();
    // The base is the only input.
    assert_eq!(project.lock().matches("[[image]]").count(), 1, "{}", project.lock());
    let (_, found) = Layout(&unpacked(&project, "o.tar")).read();
    assert_eq!(found["spdxVersion"], "SPDX-2.3");
    let list = found["packages"].as_array().unwrap();
    let package = |name: &str| list.iter().find(|package| package["name"] == name);
    assert!(list.len() > 50 && package("minimist").is_none(), "{found}");
    let libc = package("libc6").unwrap()["annotations"].to_string();
    assert!(libc.contains(&format!("cofferdam:base={}", engine.debian())), "{libc}");
    let lodash = package("lodash").unwrap();
    assert!(lodash["annotations"].to_string().contains("cofferdam:line=4"), "{lodash}");
    assert_eq!(lodash["externalRefs"][0]["referenceLocator"], "pkg:npm/lodash@4.17.20");
}

fn an_sbom_is_attached_in_a_registry(engine: &'static Engine) {
    if !holds_attestations(engine) {
        return;
    }
    let project = project(engine);
    let name = format!("{}/{}", engine.registry, project.tag("s"));
    project.owns(name.clone());
    project.build(&["--sbom", "true", "-t", &name, "--push"]).run().succeeds();
    let entries = attached(engine, &name);
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert_eq!(entries[1]["annotations"]["vnd.docker.reference.digest"], entries[0]["digest"]);
    // What is attached does not change what runs.
    let status = engine.docker(&["run", "--rm", &name, "cat", "/name"]);
    assert_eq!(status.trim(), project.name);
}

fn parameters_without_a_generator_are_explained(engine: &'static Engine) {
    if !holds_attestations(engine) {
        return;
    }
    let project = project(engine);
    let refused = project.build(&["--attest", "type=sbom,LEVEL=2"]).run().explains(1);
    refused.says("LEVEL").says("generator=IMAGE");
}
