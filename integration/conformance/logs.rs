//! What steps print: a secret in it is shown to nobody, and nothing comes of the build.

use crate::support::{Engine, Project, tests};

tests![
    a_printed_secret_is_marked_and_refused,
    every_way_of_showing_the_log_is_marked,
    what_is_printed_of_a_secret_in_small_pieces_is_found,
    a_failed_step_shows_no_secret_either,
    an_ordinary_log_is_whole,
];

const VALUE: &str = "correct-horse-battery-staple";

/// A project whose step is this script, with the secret as `$S`.
fn project(engine: &'static Engine, script: &str) -> Project {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nRUN --mount=type=secret,id=npm --mount=type=bind,target=/context \
         sh /context/step NAME\n",
    );
    project.write(".dockerignore", "token");
    project.write("token", VALUE);
    project.write("step", format!("S=$(cat /run/secrets/npm)\n{script}\n"));
    project
}

fn build(project: &Project, more: &[&str]) -> crate::support::Outcome {
    let image = project.tag("1");
    project.build(&[&["-t", &image, "--secret", "id=npm,src=token"], more].concat()).run()
}

/// Ways to print it that the text does not show.
const WAYS: [&str; 6] = [
    "printf '%s\\n' \"$S\"",
    "printf '%s\\n' \"$S\" >&2",
    "printf '%s' \"$S\" | base64",
    "printf '%s' \"$S\" | rev",
    "printf '%s' \"$S\" | od -An -tx1 | tr -d ' \\n'",
    "printf 'token=%s and more' \"$S\"",
];

fn a_printed_secret_is_marked_and_refused(engine: &'static Engine) {
    for way in WAYS {
        let project = project(engine, way);
        let refused = build(&project, &["--iidfile", "iid"]).fails(3);
        let refused = refused.says("error[secret-in-log]").says("npm").says("Dockerfile:2");
        refused.says("***").never_says(VALUE).never_says("elpats-yrettab");
        assert_eq!(engine.id(&project.tag("1")), None);
        assert!(!project.path("iid").exists());
        assert!(project.recorded().is_empty(), "{way}");
    }
}

fn every_way_of_showing_the_log_is_marked(engine: &'static Engine) {
    for mode in ["plain", "rawjson", "quiet", "none"] {
        let project = project(engine, WAYS[0]);
        let refused = build(&project, &["--progress", mode]).fails(3);
        refused.never_says(VALUE).never_says("Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5");
    }
}

fn what_is_printed_of_a_secret_in_small_pieces_is_found(engine: &'static Engine) {
    for way in [
        "for c in $(echo \"$S\" | sed 's/./& /g'); do printf %s $c; sleep 0.02; done",
        "head -c 32760 /dev/zero | tr '\\0' x; printf '%s\\n' \"$S\"",
        "printf 'correct-horse'; sleep 0.3; printf '%s' -battery-staple",
    ] {
        let project = project(engine, way);
        build(&project, &[]).fails(3).says("secret-in-log").never_says(VALUE);
    }
}

fn a_failed_step_shows_no_secret_either(engine: &'static Engine) {
    let project = project(engine, "printf '%s\\n' \"$S\"; false");
    build(&project, &[]).fails(1).says("***").never_says(VALUE);
}

fn an_ordinary_log_is_whole(engine: &'static Engine) {
    let project = project(engine, "printf 'no newline, correct-horse'");
    build(&project, &[]).succeeds().says("no newline, correct-horse").says(", log (");
}
