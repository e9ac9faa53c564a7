//! Secrets: through the session only, all there or nothing at all.

use std::path::Path;
use std::time::Duration;

use crate::support::{Engine, Project, eventually, processes, saved, tests, unique};

tests![
    bad_secret_is_found_before_the_engine,
    secret_arrives_byte_for_byte,
    secret_is_nowhere_else,
    secret_build_arg_is_refused,
    secret_that_nobody_gave,
];

fn bad_secret_is_found_before_the_engine(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\n");
    project.write("empty", "");
    project.write("good", "hunter2-hunter2");
    for (spec, word) in [
        ("id=token,src=missing", "missing"),
        ("id=token,src=empty", "empty"),
        ("id=token,env=UNSET_VARIABLE", "UNSET_VARIABLE"),
        ("id=token,env=EMPTY_VARIABLE", "EMPTY_VARIABLE"),
        ("id=token,src=.", "token"),
        ("src=good", "id"),
        ("id=token,src=good,env=EMPTY_VARIABLE", "both"),
    ] {
        // An engine that is not there would be exit 4.
        let build = project.build(&["--secret", spec, "--iidfile", "id"]);
        let build =
            build.env("DOCKER_HOST", "unix:///nowhere/docker.sock").env("EMPTY_VARIABLE", "");
        build.run().explains(1).says(word).never_says("hunter2");
        assert!(!project.path("id").exists());
    }
}

fn secret_arrives_byte_for_byte(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\n\
         RUN --mount=type=secret,id=binary sha256sum /run/secrets/binary | cut -c1-64 >/sums\n\
         RUN --mount=type=secret,id=text,target=/t,mode=0400,uid=7 \\\n\
         \x20   sha256sum /t | cut -c1-64 >>/sums; stat -c %a:%u /t >>/sums\n",
    );
    let binary: Vec<u8> =
        (0..100_000_u32).map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let text = format!("line one {}\nline two\n", unique());
    project.write("binary", &binary);
    let args = ["--secret", "id=binary,src=binary", "--secret", "id=text,env=SOME_TEXT"];
    let image = project.tag("1");
    let build = project.build(&[&["-t", &image], &args[..]].concat());
    build.env("SOME_TEXT", &text).run().succeeds();
    let sum = |bytes: &[u8]| {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(bytes);
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let expected = format!("{}\n{}\n400:7", sum(&binary), sum(text.as_bytes()));
    assert_eq!(engine.root_sh(&image, "cat /sums"), expected);
}

fn secret_is_nowhere_else(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\n\
         RUN --mount=type=secret,id=file --mount=type=secret,id=variable \\\n\
         \x20   test -s /run/secrets/file && test -s /run/secrets/variable && sleep 3 && : NAME-step\n",
    );
    let (file, variable) = (format!("file-{}", unique()), format!("variable-{}", unique()));
    // Outside of the project: a context is read by the engine.
    let path = project.beside("tmp").join("file");
    std::fs::write(&path, &file).unwrap();
    let spec = format!("id=file,src={}", path.display());
    let image = project.tag("1");
    let args = ["-t", &image, "--secret", &spec, "--secret", "id=variable,env=THE_VARIABLE"];
    let running = project.build(&args).env("THE_VARIABLE", &variable).start();
    let step = format!("{}-step", project.name);
    let started = || !processes::with_argument(&step).is_empty();
    assert!(eventually(Duration::from_secs(30), started), "the step never ran");
    for secret in [&file, &variable] {
        let exposing = processes::exposing(secret).into_iter();
        let exposing: Vec<_> = exposing.filter(|(pid, _)| *pid != running.pid()).collect();
        assert!(exposing.is_empty(), "{exposing:?}");
    }
    let outcome = running.outcome().succeeds().never_says(&file).never_says(&variable);
    std::fs::remove_file(path).unwrap();
    let saved = saved::Saved::of(engine, &image);
    for secret in [&file, &variable] {
        assert_eq!(saved.holders(secret.as_bytes()), Vec::<&str>::new());
        for directory in ["project", "home", "data", "state", "tmp", "docker"] {
            nothing_below(&project.beside(directory), secret.as_bytes());
        }
    }
    assert!(!outcome.stderr.is_empty());
    let statement = project.provenance(&image);
    let secrets = &statement["predicate"]["buildDefinition"]["externalParameters"]["secrets"];
    assert_eq!(*secrets, serde_json::json!([{ "id": "file" }, { "id": "variable" }]));
}

/// Fails when a file below the directory holds the bytes, raw or in base64.
fn nothing_below(directory: &Path, secret: &[u8]) {
    for entry in walkdir::WalkDir::new(directory) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let bytes = std::fs::read(entry.path()).unwrap();
            let found = saved::forms(secret).iter().any(|form| saved::contains(&bytes, form));
            assert!(!found, "{} holds a secret", entry.path().display());
        }
    }
}

fn secret_build_arg_is_refused(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nARG NPM_TOKEN\nRUN echo NAME\n");
    let image = project.tag("1");
    let value = format!("n0t-a-place-holder-{}", unique());
    let args = [format!("NPM_TOKEN={value}"), "NPM_TOKEN".to_string()];
    for arg in &args {
        let build = project.build(&["-t", &image, "--build-arg", arg]).env("NPM_TOKEN", &value);
        let refused = build.run().explains(3);
        refused.says("--secret id=").says("NPM_TOKEN").never_says(&value);
        assert_eq!(engine.id(&image), None);
    }
    // By its value, whatever its name says.
    let password = unique();
    let arg = format!("MIRROR=https://someone:{password}@mirror.example/");
    let refused = project.build(&["--build-arg", &arg]).run().explains(3);
    refused.says("--secret id=").never_says(&password);
    // Where the secret lies is no secret.
    project.build(&["--build-arg", "TOKEN_FILE=/run/secrets/token"]).run().succeeds();
}

fn secret_that_nobody_gave(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nRUN --mount=type=secret,id=wanted,required=true test -s /run/secrets/wanted\n",
    );
    project.build(&["-t", &project.tag("1")]).run().fails(1).says("wanted").says(">>>");
    assert_eq!(engine.id(&project.tag("1")), None);
}
