//! What only the graph shows: images that a base's ONBUILD triggers ask for.

use serde_json::{Value, json};

use crate::pins::locked;
use crate::support::{Engine, Outcome, Project, fakes, tests};

tests![
    trigger_image_is_never_unpinned,
    trigger_image_is_not_built_under_locked,
    trigger_download_is_refused,
    trigger_runs_once,
];

/// The two ways in which a trigger names an image.
const TRIGGERS: [&str; 2] = [
    "COPY --from=IMAGE /mark /extra",
    "RUN --mount=type=bind,from=IMAGE,target=/m cp /m/mark /extra",
];

/// A project whose base reads `extra:latest`.
fn project(engine: &'static Engine, trigger: &str) -> (Project, String) {
    let project = Project::empty(engine);
    let extra = project.base("extra", "latest", "one", Value::Null);
    let trigger = trigger.replace("IMAGE", &extra);
    let base = project.base("base", "1", "base", json!({ "OnBuild": [trigger] }));
    project.dockerfile(&format!("FROM {base}\nRUN echo NAME\n"));
    (project, extra)
}

/// Frontends before BuildKit 0.17 read such an image as an empty directory: nobody can build it.
pub fn nobody_builds(project: &Project, outcome: &Outcome) -> bool {
    outcome.code() == Some(1)
        && project.buildx(&["-q", "-t", &project.tag("theirs")]).code() != Some(0)
}

fn trigger_image_is_never_unpinned(engine: &'static Engine) {
    for trigger in TRIGGERS {
        let (project, extra) = project(engine, trigger);
        let digest = engine.served_name(&extra);
        let image = project.tag("1");
        for mark in ["two", "three"] {
            let outcome = project.build(&["-t", &image]).run();
            if nobody_builds(&project, &outcome) || outcome.code() == Some(3) {
                assert_eq!(engine.id(&image), None);
            } else {
                let outcome = outcome.succeeds();
                assert_eq!(locked(&project, &extra), Some(digest.clone()), "{}", outcome.told());
                let statement = project.provenance(&image).to_string();
                assert!(statement.contains(digest.trim_start_matches("sha256:")), "{statement}");
                assert_eq!(engine.root_sh(&image, "cat /extra"), "one");
            }
            // A moved tag must change nothing.
            project.base("extra", "latest", mark, Value::Null);
        }
    }
}

fn trigger_image_is_not_built_under_locked(engine: &'static Engine) {
    for trigger in TRIGGERS {
        let (project, extra) = project(engine, trigger);
        let text = project.read("Dockerfile");
        // The base alone is locked.
        let base = text.split_whitespace().nth(1).unwrap();
        project.dockerfile(&format!("FROM BUSYBOX\nCOPY --from={base} /mark /\n"));
        project.built(&[]);
        assert_eq!(locked(&project, &extra), None);
        let lock = project.lock();
        project.dockerfile(&text);
        let image = project.tag("2");
        let outcome = project.build(&["-t", &image, "--locked"]).run();
        if !nobody_builds(&project, &outcome) {
            outcome.explains(3).says("extra");
        }
        assert_eq!(project.lock(), lock);
        assert_eq!(engine.id(&image), None);
    }
}

/// What a base downloads is not in anybody's Dockerfile, and not fixed either.
fn trigger_download_is_refused(engine: &'static Engine) {
    let project = Project::empty(engine);
    let server = fakes::server(|_| fakes::response("200 OK", "", "downloaded"));
    let url = format!("http://{server}/file");
    let base =
        project.base("base", "1", "base", json!({ "OnBuild": [format!("ADD {url} /file")] }));
    project.dockerfile(&format!("FROM {base}\nRUN echo NAME\n"));
    let image = project.tag("1");
    project.build(&["-t", &image]).run().explains(3).says(&url);
    assert_eq!(engine.id(&image), None);
}

/// Triggers that read nothing from elsewhere run as they always did.
fn trigger_runs_once(engine: &'static Engine) {
    let project = Project::empty(engine);
    let triggers = json!({ "OnBuild": ["COPY . /src", "RUN echo ran >>/ran"] });
    let base = project.base("base", "1", "base", triggers);
    project.dockerfile(&format!("FROM {base}\nLABEL name=NAME\n"));
    project.write("file", "content");
    let image = project.built(&[]);
    assert_eq!(engine.root_sh(&image, "cat /src/file /ran"), "contentran");
    assert_eq!(engine.inspect(&image)["Config"]["OnBuild"], Value::Null);
}
