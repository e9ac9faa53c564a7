//! The rules in a build: what refuses it, what is only said, and what the graph decides alone.

use serde_json::{Value, json};

use crate::support::{Engine, Project, tests};
use crate::triggers::nobody_builds;

tests![
    a_secret_in_the_text_is_refused_before_anything_runs,
    a_comment_lifts_no_refusal_and_an_exception_does,
    a_project_decides_what_refuses,
    warnings_take_one_line_and_no_place_where_only_the_answer_counts,
    stages_that_are_not_built_are_not_judged_by_the_graph,
    images_come_from_the_projects_registries,
    an_image_that_only_the_graph_names_comes_from_there_too,
    triggers_of_a_base_are_told_and_can_be_refused,
];

/// The value has the form of an AWS key and is none.
const LEAK: &str = "FROM BUSYBOX\n# cofferdam: ignore[secret-in-arg] not really one\n\
    ENV AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzzzzz\nRUN echo NAME\n";

fn exception(rule: &str) -> String {
    format!("[[exception]]\nrule = {rule:?}\npath = \"Dockerfile\"\nreason = \"tested\"\n")
}

fn a_secret_in_the_text_is_refused_before_anything_runs(engine: &'static Engine) {
    let project = Project::new(engine, LEAK);
    let image = project.tag("1");
    let refused = project.build(&["-t", &image, "--iidfile", "iid"]).run().explains(3);
    refused
        .says("error[secret-in-arg]")
        .says("Dockerfile:3:5")
        .says(&format!("{image} unchanged"))
        .never_says("[2/2]");
    assert_eq!(engine.id(&image), None);
    assert!(!project.path("iid").exists());
}

fn a_comment_lifts_no_refusal_and_an_exception_does(engine: &'static Engine) {
    let project = Project::new(engine, LEAK);
    project.build(&[]).run().fails(3).says("rule = \"secret-in-arg\"");
    project.write("cofferdam.toml", exception("secret-in-arg"));
    let image = project.built(&[]);
    let record = project.provenance(&image);
    let used = &record["predicate"]["buildDefinition"]["internalParameters"]["exceptions"];
    assert_eq!(used[0]["rule"], "secret-in-arg", "{used}");
}

fn a_project_decides_what_refuses(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    project.built(&[]);
    project.write("cofferdam.toml", "[rules]\nnonroot-user = \"deny\"\n");
    project.build(&[]).run().explains(3).says("error[nonroot-user]");
    project.write("cofferdam.toml", "profile = \"strict\"\n");
    project.build(&[]).run().explains(3).says("error[latest-tag]");
    project.write(
        "cofferdam.toml",
        "profile = \"strict\"\n[rules]\nnonroot-user = \"allow\"\nlatest-tag = \"warn\"\n",
    );
    project.build(&[]).run().succeeds().never_says("nonroot-user");
}

fn warnings_take_one_line_and_no_place_where_only_the_answer_counts(engine: &'static Engine) {
    let text = "FROM BUSYBOX\n# cofferdam: ignore[relative-workdir] as it is\nWORKDIR app\n\
        RUN chmod 777 /tmp/.. && echo NAME\n";
    let project = Project::new(engine, text);
    let image = project.tag("1");
    let told = project.build(&["-t", &image]).run().succeeds();
    let lines: Vec<&str> =
        told.stderr.lines().filter(|line| line.contains("cofferdam check")).collect();
    let [line] = lines.as_slice() else { panic!("{}", told.told()) };
    assert!(line.contains("nonroot-user") && line.contains("world-writable"), "{line}");
    assert!(!line.contains("relative-workdir"), "{line}");
    let quiet = project.build(&["-q", "-t", &image]).run().succeeds();
    assert_eq!(quiet.stderr, "");
    let stream = project.build(&["--progress", "rawjson", "-t", &image]).run().succeeds();
    stream.never_says("nonroot-user");
}

fn stages_that_are_not_built_are_not_judged_by_the_graph(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX AS app\nRUN echo NAME\nFROM BUSYBOX AS more\nADD http://127.0.0.1:1/f /f\n",
    );
    project.write("cofferdam.toml", "[rules]\nremote-add = \"deny\"\n");
    project.built(&["--target", "app"]);
}

fn images_come_from_the_projects_registries(engine: &'static Engine) {
    let project = Project::empty(engine);
    let extra = project.base("extra", "latest", "one", Value::Null);
    let base = project.base("base", "1", "base", Value::Null);
    project.dockerfile(&format!("FROM {base}\nCOPY --from={extra} /mark /extra\nRUN echo NAME\n"));
    let list = |entries: &[&str]| format!("[check]\nregistries = {entries:?}\n");
    project.write("cofferdam.toml", list(&["registry.example"]));
    let refused = project.build(&[]).run().fails(3);
    refused.says("error[registry-not-allowed]").says("Dockerfile:1:6").says("Dockerfile:2:13");
    project.write("cofferdam.toml", list(&[repository(&base)]));
    project.build(&[]).run().explains(3).says("Dockerfile:2:13");
    project.write("cofferdam.toml", list(&[repository(&base), repository(&extra)]));
    project.built(&[]);
    project
        .write("cofferdam.toml", list(&["registry.example"]) + &exception("registry-not-allowed"));
    project.built(&[]);
    project.write("cofferdam.toml", list(&[&engine.registry]));
    project.built(&[]);
}

fn an_image_that_only_the_graph_names_comes_from_there_too(engine: &'static Engine) {
    let project = Project::empty(engine);
    let extra = project.base("extra", "latest", "one", Value::Null);
    let trigger = format!("COPY --from={extra} /mark /extra");
    let base = project.base("base", "1", "base", json!({ "OnBuild": [trigger] }));
    project.dockerfile(&format!("FROM {base}\nRUN echo NAME\n"));
    let registries = format!("[check]\nregistries = [{:?}]\n", repository(&base));
    project.write("cofferdam.toml", registries);
    let outcome = project.build(&[]).run();
    if !nobody_builds(&project, &outcome) {
        outcome.explains(3).says("error[registry-not-allowed]").says("extra");
    }
}

/// An image's name without its tag.
fn repository(image: &str) -> &str {
    image.rsplit_once(':').unwrap().0
}

fn triggers_of_a_base_are_told_and_can_be_refused(engine: &'static Engine) {
    let project = Project::empty(engine);
    let base = project.base("base", "1", "base", json!({ "OnBuild": ["RUN echo from-a-trigger"] }));
    project.dockerfile(&format!("FROM {base}\nUSER 1000\nRUN echo NAME\n"));
    project.build(&[]).run().succeeds().says("onbuild-trigger");
    project.write("cofferdam.toml", "[rules]\nonbuild-trigger = \"deny\"\n");
    let refused = project.build(&[]).run().explains(3);
    refused.says("error[onbuild-trigger]").says("RUN echo from-a-trigger").says("Dockerfile:1:6");
    let denied = "[rules]\nonbuild-trigger = \"deny\"\n".to_string();
    project.write("cofferdam.toml", denied + &exception("onbuild-trigger"));
    project.built(&[]);
}
