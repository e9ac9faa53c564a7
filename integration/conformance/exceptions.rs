//! `cofferdam.toml`: what it allows, for how long, and what is said about it.

use crate::support::{Engine, Project, tests};

tests![
    a_refusal_names_the_exception_that_lifts_it,
    an_image_that_the_lock_lacks_can_be_excepted,
    an_exception_ends_on_its_day,
    kept_files_come_from_the_configuration_too,
    a_mistake_is_shown_where_it_is,
];

const DOCKERFILE: &str = "FROM BUSYBOX\nRUN echo NAME\n";
const WITH_TOKEN: &str = "FROM BUSYBOX\nARG TOKEN\nRUN echo NAME\n";

fn exception(rule: &str, expires: &str) -> String {
    format!(
        "[[exception]]\nrule = {rule:?}\npath = \"Dockerfile\"\nreason = \"tested\"\n\
         expires = {expires}\n"
    )
}

fn a_refusal_names_the_exception_that_lifts_it(engine: &'static Engine) {
    let project = Project::new(engine, WITH_TOKEN);
    let image = project.tag("1");
    let args = ["-t", &image, "--build-arg", "TOKEN=correct-horse-battery-staple"];
    let refused = project.build(&args).run().fails(3);
    let lines = refused.stderr.lines().skip_while(|line| line.trim() != "[[exception]]");
    let written: Vec<&str> = lines.take(5).map(str::trim).collect();
    project.write("cofferdam.toml", written.join("\n").replace('…', "a public token"));
    project.build(&args).run().succeeds();
    let record = project.provenance(&image);
    let used = &record["predicate"]["buildDefinition"]["internalParameters"]["exceptions"];
    assert_eq!(used.as_array().map(Vec::len), Some(1), "{used}");
    assert_eq!(used[0]["rule"], "secret-in-arg");
    assert_eq!(used[0]["reason"], "a public token");
    // Another Dockerfile is not excepted.
    project.write("other.Dockerfile", project.read("Dockerfile"));
    project.build(&[&args[..], &["-f", "other.Dockerfile"]].concat()).run().fails(3);
    // What nothing needs is pointed at.
    project.dockerfile(DOCKERFILE);
    project.built(&[]);
    project.build(&[]).run().succeeds().says("nothing used the exception from secret-in-arg");
}

fn an_image_that_the_lock_lacks_can_be_excepted(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    project.build(&["--locked"]).run().fails(3).says("rule = \"not-locked\"");
    project.write("cofferdam.toml", exception("not-locked", "2999-01-01"));
    project.build(&["--locked"]).run().succeeds();
    assert!(!project.path("cofferdam.lock").exists(), "a final lock was written");
}

fn an_exception_ends_on_its_day(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    project.write("cofferdam.toml", exception("remote-add", "2020-02-29"));
    let image = project.tag("1");
    let refused = project.build(&["-t", &image]).run().explains(3);
    refused.says("error[exception-expired]").says("cofferdam.toml:1:1").says("2020-02-29");
    assert_eq!(engine.try_docker(&["image", "inspect", &image]).status.code(), Some(1));
}

fn kept_files_come_from_the_configuration_too(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nRUN cp /bin/busybox /a && cp /a /b && chmod 4755 /a /b && echo NAME\n",
    );
    project
        .write("cofferdam.toml", "[strip]\nkeep = [{ path = \"/a\", reason = \"configured\" }]\n");
    let image = project.built(&[]);
    let modes = engine.run(&["--rm=false", &image, "stat", "-c", "%a", "/a", "/b"]);
    assert_eq!(modes, "4755\n755");
    let record = project.provenance(&image);
    let kept = &record["predicate"]["buildDefinition"]["externalParameters"]["keepSuid"];
    assert_eq!(kept[0]["reason"], "configured");
}

fn a_mistake_is_shown_where_it_is(engine: &'static Engine) {
    let project = Project::new(engine, DOCKERFILE);
    project.write("cofferdam.toml", "[strip]\ncapabilitys = true\n");
    project.build(&[]).run().fails(1).says("cofferdam.toml:2:1").says("unknown field");
    project.write("cofferdam.toml", exception("remote-add", "2026-02-30"));
    project.build(&[]).run().fails(1).says("cofferdam.toml:5:11");
}
