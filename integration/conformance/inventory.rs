//! What an image holds, against what its own tools say.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Engine, Project, tests};

tests![
    debian_packages_are_those_of_dpkg_query,
    a_package_belongs_to_the_layer_that_brought_it,
    an_archive_says_what_the_engine_says,
    documents_are_the_same_twice,
    what_is_no_image_is_explained,
];

fn packages(project: &Project, image: &str) -> Value {
    let outcome = project.cofferdam(&["packages", "--format", "json", image]).run().succeeds();
    serde_json::from_slice(&outcome.stdout).unwrap()
}

fn listed(found: &Value, kind: &str) -> BTreeSet<String> {
    let list = found["packages"].as_array().unwrap().iter();
    let list = list.filter(|package| package["ecosystem"] == kind);
    let text = |value: &Value| value.as_str().unwrap().to_string();
    list.map(|it| format!("{} {}", text(&it["name"]), text(&it["version"]))).collect()
}

fn debian_packages_are_those_of_dpkg_query(engine: &'static Engine) {
    let project = Project::new(engine, "FROM DEBIAN\nRUN echo NAME >/name\n");
    let image = project.built(&[]);
    let told = engine.root_sh(&image, "dpkg-query -W -f '${Package} ${Version}\\n'");
    let told: BTreeSet<String> = told.lines().map(str::to_string).collect();
    assert!(told.len() > 50, "{told:?}");
    let found = packages(&project, &image);
    assert_eq!(listed(&found, "deb"), told);
    assert_eq!(found["unread"], Value::Array(Vec::new()));
    assert_eq!(found["distro"]["id"], "debian");
}

const STEPS: &str = "FROM DEBIAN\n\
    COPY minimist /app/node_modules/minimist/package.json\n\
    COPY lodash /app/node_modules/lodash/package.json\n\
    RUN rm -r /app/node_modules/minimist && touch /var/lib/dpkg/status && echo NAME >/name\n";

fn steps(engine: &'static Engine) -> (Project, String) {
    let project = Project::new(engine, STEPS);
    project.write("minimist", r#"{"name":"minimist","version":"0.0.8"}"#);
    project.write("lodash", r#"{"name":"lodash","version":"4.17.20"}"#);
    let image = project.built(&[]);
    (project, image)
}

fn a_package_belongs_to_the_layer_that_brought_it(engine: &'static Engine) {
    let (project, image) = steps(engine);
    let found = packages(&project, &image);
    assert_eq!(listed(&found, "npm"), ["lodash 4.17.20".to_string()].into());
    let layer = |name: &str| {
        let mut list = found["packages"].as_array().unwrap().iter();
        list.find(|package| package["name"] == name).unwrap()["layer"].clone()
    };
    let lodash = layer("lodash");
    assert!(lodash["instruction"].as_str().unwrap().starts_with("COPY lodash"), "{lodash}");
    // The last layer wrote the database, and brought nothing.
    assert_eq!(layer("libc6")["number"], 1);
    let table = project.cofferdam(&["packages", &image]).run().succeeds();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.lines().any(|line| line.starts_with("lodash ") && line.contains("4.17.20")));
    assert!(!table.contains("minimist"));
}

fn an_archive_says_what_the_engine_says(engine: &'static Engine) {
    let (project, image) = steps(engine);
    let archive = project.path("image.tar").display().to_string();
    engine.docker(&["save", "-o", &archive, &image]);
    let (mut one, mut other) = (packages(&project, &image), packages(&project, &archive));
    // Stores differ in what they call an image.
    for found in [&mut one, &mut other] {
        found["image"] = Value::Null;
    }
    assert_eq!(one, other);
    let whole = std::fs::read(&archive).unwrap();
    project.write("cut.tar", &whole[..whole.len() / 2]);
    project.cofferdam(&["packages", "./cut.tar"]).run().explains(1).says("cut.tar");
}

fn documents_are_the_same_twice(engine: &'static Engine) {
    let text = "FROM BUSYBOX\nCOPY lodash /app/node_modules/lodash/package.json\nRUN echo NAME\n";
    let project = Project::new(engine, text);
    project.write("lodash", r#"{"name":"lodash","version":"4.17.20"}"#);
    let image = project.built(&[]);
    for (format, version) in [("cyclonedx", "1.6"), ("spdx", "SPDX-2.3")] {
        let write = || {
            let outcome = project.cofferdam(&["sbom", "--format", format, &image]).run();
            outcome.succeeds().stdout
        };
        let (one, other) = (write(), write());
        assert_eq!(one, other, "{format}");
        let text = String::from_utf8(one.clone()).unwrap();
        assert!(text.contains(version) && text.contains("pkg:npm/lodash@4.17.20"), "{text}");
        project.cofferdam(&["sbom", "--format", format, "-o", "out", &image]).run().succeeds();
        assert_eq!(project.read("out"), text);
    }
}

fn what_is_no_image_is_explained(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\n");
    project.write("text.tar", "no archive");
    project.write("empty.tar", "");
    for (what, words) in [
        ("docker-daemon:nobody/has-this:1", "no image"),
        ("./text.tar", "text.tar"),
        ("./empty.tar", "no archive of an image"),
        ("./absent.tar", "absent.tar"),
        (".", "directory"),
    ] {
        project.cofferdam(&["packages", what]).run().explains(1).says(words);
    }
    // What the engine does not have, its registry is asked for.
    let nowhere = format!("{}/nobody/has-this:1", engine.registry);
    let outcome = project.cofferdam(&["packages", &nowhere]).run().explains(4);
    outcome.says("the engine has no image").says("404");
}
