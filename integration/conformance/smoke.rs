//! Commands that have to work in the hardened image.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Engine, Project, tests};

tests![
    a_smoke_test_runs_as_a_container_would,
    a_smoke_test_names_the_file_it_needs,
    a_smoke_test_that_fails_anyway,
    a_smoke_test_without_a_shell,
];

fn a_smoke_test_runs_as_a_container_would(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\n\
         RUN cp /bin/busybox /one && chmod 4755 /one && mkdir /srv && echo 'app:x:7:7::/:/bin/sh' >>/etc/passwd\n\
         ENV GREETING=NAME\nWORKDIR /srv\nUSER app\nENTRYPOINT [\"/never\"]\n",
    );
    let image = project.tag("1");
    let as_container = "test \"$(id -u):$GREETING:$(pwd)\" = \"7:$0:/srv\" && test ! -u /one";
    let as_container = as_container.replace("$0", &project.name);
    let outcome = project
        .build(&["-t", &image, "--smoke", &as_container, "--smoke", "! ping -c1 -W1 1.1.1.1"])
        .run()
        .succeeds();
    outcome.says("smoke test: test").says("; 2 smoke tests passed");
    // Nothing of it is in the image.
    let wrote = project.tag("2");
    project.build(&["-t", &wrote, "--smoke", "touch /tmp/smoke || true"]).run().succeeds();
    assert_eq!(engine.layers(&wrote), engine.layers(&image));
    let internal =
        &project.provenance(&image)["predicate"]["buildDefinition"]["internalParameters"];
    assert_eq!(internal["smoke"][0], as_container);
}

/// Five files lose their bits; the command needs one of them, and does not name it.
fn a_smoke_test_names_the_file_it_needs(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\n\
         RUN for f in /a /b /c /d /e; do cp /bin/busybox $f; chmod 4755 $f; done; echo NAME\n\
         COPY start /start\n",
    );
    project.write("start", "#!/bin/sh\necho starting\ntest -u /d\n");
    std::fs::set_permissions(project.path("start"), std::fs::Permissions::from_mode(0o755))
        .unwrap();
    let image = project.built(&[]);
    let before = engine.id(&image);
    let failed = project.build(&["-t", &image, "--smoke", "/start"]).run().explains(1);
    let failed = failed.says("starting").says("smoke test failed").says("exit code: 1");
    failed.says("needs the bits of /d").says("--keep-suid /d=");
    assert_eq!(engine.id(&image), before, "nothing is named when it fails");

    let kept = ["-t", &image, "--smoke", "/start", "--keep-suid", "/d=the start needs it"];
    project.build(&kept).run().succeeds().says("kept 1: d; 1 smoke test passed");
}

fn a_smoke_test_that_fails_anyway(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nRUN cp /bin/busybox /a && chmod 4755 /a && echo NAME\n",
    );
    let image = project.tag("1");
    let failed = project.build(&["-t", &image, "--smoke", "echo broken; exit 3"]).run().explains(1);
    failed.says("exit code: 3").says("as it was built, too");
    assert_eq!(engine.id(&image), None, "nothing is named when it fails");
    project.dockerfile("FROM BUSYBOX\nRUN echo NAME\n");
    let failed = project.build(&["-t", &image, "--smoke", "exit 3"]).run().explains(1);
    failed.says("exit code: 3").says("nothing was stripped");
}

fn a_smoke_test_without_a_shell(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX AS build\n\
         RUN cp /bin/busybox /true && echo NAME\n\
         FROM scratch\n\
         COPY --from=build /true /bin/true\n",
    );
    let image = project.tag("1");
    let failed = project.build(&["-t", &image, "--smoke", "true"]).run().explains(1);
    failed.says("/bin/sh").says("JSON array");
    project.build(&["-t", &image, "--smoke", "[\"/bin/true\"]"]).run().succeeds();
}
