//! What only the graph shows: images that a base's ONBUILD triggers ask for.

use serde_json::{Value, json};

use crate::pins::locked;
use crate::support::{Engine, Outcome, Project, tests};

tests![trigger_image_is_pinned_or_refused, trigger_image_is_refused_under_locked, trigger_runs_once];

/// A project whose base copies from `extra:latest`.
fn project(engine: &'static Engine) -> (Project, String) {
    let project = Project::empty(engine);
    let extra = project.base("extra", "latest", "one", Value::Null);
    let trigger = format!("COPY --from={extra} /mark /extra");
    let base = project.base("base", "1", "base", json!({ "OnBuild": [trigger] }));
    project.dockerfile(&format!("FROM {base}\nRUN echo NAME\n"));
    (project, extra)
}

fn refused(outcome: &Outcome) -> bool {
    outcome.code() == Some(3) && outcome.stderr.contains("extra")
}

fn trigger_image_is_pinned_or_refused(engine: &'static Engine) {
    let (project, extra) = project(engine);
    let digest = engine.served_name(&extra);
    let image = project.tag("1");
    for (round, mark) in ["two", "three"].into_iter().enumerate() {
        let outcome = project.build(&["-t", &image]).run();
        if !refused(&outcome) {
            let outcome = outcome.succeeds();
            assert_eq!(locked(&project, &extra), Some(digest.clone()), "{}", outcome.told());
            let statement = project.provenance(&image).to_string();
            assert!(statement.contains(digest.trim_start_matches("sha256:")), "{statement}");
            assert_eq!(engine.root_sh(&image, "cat /extra"), "one", "round {round}");
        }
        // A moved tag must change nothing, and nobody may have to notice it.
        project.base("extra", "latest", mark, Value::Null);
    }
    project.build(&["-t", &image, "--locked"]).run().succeeds();
    assert_eq!(engine.root_sh(&image, "cat /extra"), "one");
}

fn trigger_image_is_refused_under_locked(engine: &'static Engine) {
    let (project, extra) = project(engine);
    let text = project.read("Dockerfile");
    // The base alone is locked.
    let base = text.split_whitespace().nth(1).unwrap();
    project.dockerfile(&format!("FROM BUSYBOX\nCOPY --from={base} /mark /\n"));
    project.built(&[]);
    assert_eq!(locked(&project, &extra), None);
    let lock = project.lock();
    project.dockerfile(&text);
    let image = project.tag("2");
    let outcome = project.build(&["-t", &image, "--locked"]).run().explains(3);
    outcome.says("extra");
    assert_eq!(project.lock(), lock);
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
