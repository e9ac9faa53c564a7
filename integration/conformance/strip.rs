//! Set-uid bits and file capabilities, however they came into the image.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::saved::{capable, exported, privileged};
use crate::support::{Engine, Project, tests};

tests![
    strip_without_a_shell,
    strip_empty_image,
    strip_hard_links,
    strip_where_the_base_had_nothing,
    strip_capabilities,
    strip_files_of_the_context,
    keep_suid_with_a_reason,
    keep_suid_that_names_nothing,
    keep_suid_without_a_reason,
];

/// VFS_CAP_REVISION_2 with cap_net_raw permitted and effective.
const NET_RAW: [u8; 20] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A scratch image with one static program and no user but a number.
fn strip_without_a_shell(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX AS build\n\
         RUN cp /bin/busybox /echo && chmod 6755 /echo && echo NAME >/name\n\
         FROM scratch\n\
         COPY --from=build /echo /bin/echo\n\
         COPY --from=build /name /name\n\
         USER 65532:65532\n\
         ENTRYPOINT [\"/bin/echo\", \"no shell\"]\n",
    );
    let image = project.built(&[]);
    assert_eq!(engine.run(&[&image]), "no shell");
    assert_eq!(privileged(&exported(engine, &image)), Vec::<String>::new());
    assert_eq!(engine.layers(&image), 3);
    // Nothing of the helper, and none of the mount points it needed.
    let tar = crate::support::saved::Saved::of(engine, &image);
    assert_eq!(tar.holders(b"cofferdam-inspector"), Vec::<&str>::new());
}

/// Nothing but configuration: what buildx can build, we can.
fn strip_empty_image(engine: &'static Engine) {
    let project = Project::new(engine, "FROM scratch\nENV A=b\nLABEL name=NAME\n");
    let (ours, theirs) = (project.tag("ours"), project.tag("theirs"));
    let buildx = project.buildx(&["-q", "-t", &theirs]);
    let outcome = project.build(&["-t", &ours]).run();
    assert_eq!(outcome.code() == Some(0), buildx.code() == Some(0), "{}", outcome.told());
    if outcome.code() == Some(0) {
        assert_eq!(engine.inspect(&ours)["Config"], engine.inspect(&theirs)["Config"]);
        assert_eq!(engine.layers(&ours), 0);
    }
}

/// An overlay breaks links when it copies a file up: each name must be stripped.
fn strip_hard_links(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\n\
         RUN cp /bin/busybox /one && chmod 4755 /one && ln /one /two && mkdir /d && ln /one /d/three\n\
         RUN ln /two /four\n\
         RUN echo NAME\n",
    );
    let image = project.built(&[]);
    let found = engine.root_sh(&image, "find / -xdev -perm /6000 -type f");
    assert_eq!(found, "");
    for name in ["/one", "/two", "/d/three", "/four"] {
        assert_eq!(engine.root_sh(&image, &format!("stat -c %a {name}")), "755", "{name}");
        assert!(engine.history(&image)[0].contains(&format!(" {name}")));
    }
}

/// What is known of the base does not hold for what the steps did to it: the first one leaves the
/// time to get to know it.
fn strip_where_the_base_had_nothing(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM DEBIAN\n\
         RUN sleep 2; mkdir /found; find /usr -mindepth 3 -type d | sort >/found/all; : NAME\n\
         RUN cp /bin/true \"$(sed -n 3p /found/all)\"/added && chmod 4755 \"$(sed -n 3p /found/all)\"/added\n\
         RUN f=$(find /usr/share -mindepth 3 -type f | head -n 1) && chmod 6755 $f\n\
         RUN d=$(find /usr -mindepth 4 -type d | sort | tail -n 1) && rm -r $d && mkdir $d && \
             cp /bin/true $d/replaced && chmod 2755 $d/replaced\n\
         RUN d=$(find /etc -mindepth 1 -type d | sort | head -n 1) && cp -r $d /etc/moved && rm -r $d && \
             cp /bin/true /etc/moved/moved && chmod 4755 /etc/moved/moved\n\
         RUN find / -xdev -perm /6000 -type f | sort >/found/before\n",
    );
    let image = project.built(&[]);
    assert_eq!(engine.root_sh(&image, "find / -xdev -perm /6000 -type f"), "");
    let before = engine.root_sh(&image, "cat /found/before");
    for end in ["/added", "/replaced", "/moved"] {
        assert!(before.lines().any(|line| line.ends_with(end)), "{before}");
    }
    let told = &engine.history(&image)[0];
    let told: Vec<&str> = told.trim_start_matches("cofferdam strip ").split(' ').collect();
    assert_eq!(told, before.lines().collect::<Vec<_>>());
}

/// A capability is a set-uid bit by another name.
fn strip_capabilities(engine: &'static Engine) {
    let project = Project::empty(engine);
    let root = project.beside("tmp").join("root");
    std::fs::create_dir(&root).unwrap();
    for name in ["ping", "plain"] {
        std::fs::write(root.join(name), format!("{name} {}", project.name)).unwrap();
    }
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(root.join("ping"), "security.capability", &NET_RAW, flags)
        .expect("the temporary directory takes no capabilities");
    let base = project.base_of("capable", &root, &json!({}));
    project.dockerfile(&format!("FROM {base}\nCMD [\"/ping\"]\n"));

    let before = project.tag("before");
    project.buildx(&["-q", "-t", &before]).succeeds();
    assert_eq!(capable(&exported(engine, &before)), ["ping"], "the base has lost its capability");

    let after = project.built(&[]);
    assert_eq!(capable(&exported(engine, &after)), Vec::<String>::new());
    assert!(engine.history(&after)[0].starts_with("cofferdam strip /ping"));
    let statement = project.provenance(&after);
    let stripped =
        &statement["predicate"]["runDetails"]["byproducts"][0]["annotations"]["stripped"];
    assert_eq!(stripped[0]["path"], "/ping");
    assert!(stripped[0]["capabilities"].as_str().unwrap().contains("cap_net_raw"), "{stripped}");

    let kept = project.tag("kept");
    project.build(&["-t", &kept, "--keep-suid", "/ping=raw sockets"]).run().succeeds();
    assert_eq!(capable(&exported(engine, &kept)), ["ping"]);
}

/// Git keeps no set-uid bits, but build directories do.
fn strip_files_of_the_context(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nCOPY tools /tools\n");
    project.write("tools/run", format!("#!/bin/sh\necho {}\n", project.name));
    let mode = std::fs::Permissions::from_mode(0o6755);
    std::fs::set_permissions(project.path("tools/run"), mode).unwrap();
    let image = project.built(&[]);
    assert_eq!(
        engine.root_sh(&image, "stat -c %a /tools/run; /tools/run"),
        format!("755\n{}", project.name)
    );
}

const TWO: &str = "FROM BUSYBOX\nRUN for f in /a /b; do cp /bin/busybox $f; chmod 4755 $f; done\n";

fn keep_suid_with_a_reason(engine: &'static Engine) {
    let project = Project::new(engine, TWO);
    let image = project.built(&["--keep-suid", "/a=drops privileges"]);
    let found = engine.root_sh(&image, "find / -xdev -perm /6000 -type f; stat -c %a /b");
    assert_eq!(found, "/a\n755");
    let predicate = &project.provenance(&image)["predicate"];
    let keep = &predicate["buildDefinition"]["externalParameters"]["keepSuid"];
    assert_eq!(*keep, json!([{ "path": "/a", "reason": "drops privileges" }]));
    let report = &predicate["runDetails"]["byproducts"][0]["annotations"];
    let paths = |list: &Value| {
        let files = list.as_array().unwrap().iter();
        files.map(|file| file["path"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(paths(&report["kept"]), ["/a"]);
    assert_eq!(paths(&report["stripped"]), ["/b"]);
}

/// An exception that nothing uses is one that somebody may come to use.
fn keep_suid_that_names_nothing(engine: &'static Engine) {
    let project = Project::new(engine, TWO);
    let image = project.tag("1");
    let keep = ["-t", &image, "--keep-suid", "/usr/bin/gone=was needed once"];
    project.build(&keep).run().succeeds().says("/usr/bin/gone");
    assert_eq!(engine.root_sh(&image, "find / -xdev -perm /6000 -type f"), "");
}

fn keep_suid_without_a_reason(engine: &'static Engine) {
    let project = Project::new(engine, TWO);
    for keep in ["/a", "/a=", "/a= ", "a=relative"] {
        project.build(&["--keep-suid", keep]).run().explains(1).says("--keep-suid");
    }
}
