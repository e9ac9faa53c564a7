//! The result as a whole: what `docker build` would have made, hardened.

use serde_json::{Value, json};

use crate::support::saved::{self, Saved};
use crate::support::{Engine, Project, tests, unique};

tests![hardened_debian, config_as_buildx_makes_it, nothing_to_strip_changes_nothing];

/// Debian's set-uid files, a user, an entrypoint and a secret.
fn hardened_debian(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM DEBIAN\n\
         RUN --mount=type=secret,id=token \\\n    sha256sum /run/secrets/token | cut -c1-64 >/sum\n\
         RUN echo NAME >/public\n\
         USER 1000\n\
         ENTRYPOINT [\"/bin/echo\", \"entry\"]\n\
         CMD [\"point\"]\n",
    );
    let secret = format!("s3cret-{}-{}", unique(), unique());
    project.write("token.txt", &secret);
    let image = project.built(&["--secret", "id=token,src=token.txt"]);

    assert_eq!(engine.run(&[&image]), "entry point");
    let id = ["--entrypoint=id", &image, "-u"];
    assert_eq!(engine.run(&id), "1000");
    let found = engine.root_sh(&image, "find / -xdev -perm /6000 -type f; test -s /sum && echo ok");
    assert_eq!(found, "ok", "set-uid files are left, or the secret was not there");
    // What was stripped still works for what it is allowed to do.
    assert_eq!(engine.root_sh(&image, "su root -c 'echo works'"), "works");

    let entries = engine.history(&image);
    let ours = entries.iter().filter(|entry| entry.starts_with("cofferdam strip ")).count();
    assert_eq!(ours, 1, "{entries:#?}");
    assert!(entries[0].contains(" /usr/bin/passwd"), "{entries:#?}");

    let saved = Saved::of(engine, &image);
    assert!(!saved.holders(project.name.as_bytes()).is_empty(), "the search finds nothing at all");
    assert_eq!(saved.holders(secret.as_bytes()), Vec::<&str>::new(), "of {} bytes", saved.bytes());
}

/// Everything that a Dockerfile can say about an image, beside the real buildx.
fn config_as_buildx_makes_it(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\n\
         ARG VERSION=3\n\
         ENV APP=/app VERSION=$VERSION QUOTED=\"a b\"\n\
         LABEL org.example.name=NAME org.example.text=\"x = \\\"y\\\"\"\n\
         LABEL empty=\"\"\n\
         MAINTAINER somebody\n\
         RUN adduser -D -u 1000 app; cp /bin/busybox /suid; chmod 4755 /suid\n\
         WORKDIR /app\n\
         WORKDIR sub\n\
         EXPOSE 80 53/udp\n\
         VOLUME [\"/data\", \"/log\"]\n\
         HEALTHCHECK --interval=5s --timeout=3s --retries=2 CMD true || exit 1\n\
         STOPSIGNAL SIGQUIT\n\
         ONBUILD RUN echo triggered\n\
         SHELL [\"/bin/sh\", \"-ec\"]\n\
         USER app:app\n\
         ENTRYPOINT exec echo \"$APP\"\n\
         CMD [\"a\", \"b\"]\n",
    );
    let ours = project.tag("ours");
    let args = ["--build-arg", "VERSION=4", "--label", "from.cli=1"];
    project.build(&[&["-t", &ours], &args[..]].concat()).run().succeeds();
    let theirs = project.tag("theirs");
    project.buildx(&[&["--no-cache", "-q", "-t", &theirs], &args[..]].concat()).succeeds();

    let (ours_is, theirs_is) = (engine.inspect(&ours), engine.inspect(&theirs));
    assert_eq!(ours_is["Config"], theirs_is["Config"]);
    for key in ["Os", "Architecture", "Variant", "Author"] {
        assert_eq!(ours_is[key], theirs_is[key], "{key}");
    }
    let (mut with, without) = (engine.history(&ours), engine.history(&theirs));
    let strip = with.remove(0);
    assert!(strip.starts_with("cofferdam strip ") && strip.contains(" /suid"), "{strip}");
    assert_eq!(with, without);
    assert_eq!(engine.layers(&ours), engine.layers(&theirs) + 1);
}

/// An image without anything to strip is layer for layer what the Dockerfile says.
fn nothing_to_strip_changes_nothing(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nRUN echo NAME >/name\nRUN mkdir -m 2775 /shared\nCMD [\"cat\", \"/name\"]\n",
    );
    let ours = project.built(&[]);
    let theirs = project.tag("theirs");
    project.buildx(&["--no-cache", "-q", "-t", &theirs]).succeeds();
    assert_eq!(engine.layers(&ours), 3);
    assert_eq!(engine.layers(&ours), engine.layers(&theirs));
    assert_eq!(engine.history(&ours), engine.history(&theirs));
    let run = [ours.as_str()];
    assert_eq!(engine.run(&run), project.name);
    // A set-gid directory hands its group on; taking that away breaks databases.
    let tar = saved::exported(engine, &ours);
    let shared = saved::entries(&tar).into_iter().find(|entry| entry.path == "shared/").unwrap();
    assert_eq!(shared.mode & 0o7777, 0o2775);
    let report = &project.provenance(&ours)["predicate"]["runDetails"]["byproducts"][0];
    assert_eq!(report["annotations"]["stripped"], json!([]));
    assert_eq!(report["annotations"]["setgidDirectories"], Value::from(1));
}
