//! Secrets in images: every way in which a step may leave one is found at its line, nothing comes of
//! the build, and the same steps with another value pass.

use std::time::Duration;

use serde_json::json;

use crate::support::run::Cofferdam;
use crate::support::{Engine, Outcome, Project, tests, unique};

tests![
    every_way_to_leak_is_named_by_its_line,
    a_leak_leaves_nothing_behind,
    what_another_image_holds_is_nothing_left_behind,
    what_another_build_stands_on_is_nothing_left_behind,
    a_secret_in_the_configuration_is_refused,
    a_secret_in_the_record_is_refused,
    a_trigger_that_leaks_is_refused,
    what_is_in_no_layer_of_the_image_is_no_leak,
    a_short_secret_is_said_to_be_unproven,
    a_secret_in_the_base_is_refused,
    layers_are_those_of_the_image,
    every_platform_is_searched,
    a_secret_of_several_lines_is_found_by_one_of_them,
];

/// A step in which `$S` is the secret, other mounts it needs, and how it is found.
pub struct Way {
    pub step: &'static str,
    pub mounts: &'static str,
    pub found: &'static str,
}

pub const fn way(step: &'static str, found: &'static str) -> Way {
    Way { step, mounts: "", found }
}

const WAYS: &[Way] = &[
    way(r#"printf '%s' "$S" >/w-copied"#, "/w-copied (raw)"),
    way(r#"printf 'token = "%s"\n' "$S" >>/etc/w.conf"#, "/etc/w.conf (raw)"),
    way(r#"cp /bin/ls /w-program && printf '%s' "$S" >>/w-program"#, "/w-program (raw)"),
    way(r#"printf '%s' "$S" | base64 -w0 >/w-base64"#, "/w-base64 (base64)"),
    way(r#"printf 'user:%s' "$S" | base64 -w0 >/w-basic"#, "/w-basic (base64)"),
    way(r#"printf 'x%s' "$S" | base64 -w0 | tr +/ -_ >/w-url64"#, "/w-url64 (base64"),
    way(r#"printf '%s' "$S" | base64 -w20 >/w-wrapped"#, "/w-wrapped (base64)"),
    way(r#"printf '%s' "$S" | od -An -v -tx1 | tr -d ' \n' >/w-hex"#, "/w-hex (hex)"),
    way(
        r#"printf '%s' "$S" | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F >/w-upper"#,
        "/w-upper (hex-upper)",
    ),
    way(
        r#"printf '%s' "$S" | perl -pe 's/([^\w.~-])/sprintf("%%%02X", ord $1)/ge' >/w-encoded"#,
        "/w-encoded (url)",
    ),
    way(r#"printf '%s' "$S" | perl -pe 's/(["\\])/\\$1/g' >/w-json"#, "/w-json (json)"),
    way(
        r#"printf '%s' "$S" | perl -pe 's/&/&amp;/g; s/</&lt;/g; s/"/&quot;/g' >/w-xml"#,
        "/w-xml (xml)",
    ),
    way(r#"printf '%s' "$S" | perl -ne 'print scalar reverse' >/w-back"#, "/w-back (reversed)"),
    way(r#"printf '%s' "$S" | iconv -t UTF-16LE >/w-wide"#, "/w-wide (utf16-le)"),
    way(r#"printf '%s' "$S" | iconv -t UTF-16BE >/w-wider"#, "/w-wider (utf16-be)"),
    way(r#"echo x >"/w-name-$S""#, "the name /w-name-*** (raw)"),
    way(r#"mkdir -p "/w-directory/$S/x""#, "the name /w-directory/*** (raw)"),
    way(r#"ln -s "/run/$S" /w-link"#, "what /w-link links to (raw)"),
    way(
        r#"echo >/w-tagged; perl -e '($p, $n, $v) = @ARGV; syscall(188, $p, $n, $v, length $v, 0) && die $!' /w-tagged user.w "$S""#,
        "an extended attribute of /w-tagged (raw)",
    ),
    way(r#"printf '%s' "$S" >/w-one && ln /w-one /w-other && rm /w-one"#, "/w-other (raw)"),
    way(
        r#"cp -p /etc/debian_version /w-dated && printf '%s' "$S" >/w-dated && touch -d @0 /w-dated"#,
        "/w-dated (raw)",
    ),
    way(
        r#"truncate -s 100M /w-sparse && printf '%s' "$S" >>/w-sparse && truncate -s 200M /w-sparse"#,
        "/w-sparse (raw)",
    ),
    way(r#"printf '%s\n' "export T='$S'" >>/root/.bash_history"#, "/root/.bash_history (raw)"),
    way(r#"printf '%s' "$S" | gzip >/w-packed"#, "/w-packed >"),
    way(
        r#"mkdir /tmp/w && printf '%s' "$S" >/tmp/w/in && tar -C /tmp -czf /w.tgz w && rm -r /tmp/w"#,
        "w/in (raw)",
    ),
    way(r#"printf '%s' "$S" | base64 -w0 | gzip >/w-both"#, "(base64)"),
    Way {
        step: r#"printf '%s' "$S" >/cache/x && cp /cache/x /w-cached"#,
        mounts: "--mount=type=cache,target=/cache ",
        found: "/w-cached (raw)",
    },
    way(r#"mkdir /w-deep && cd /w-deep && printf '%s' "$S" >.hidden"#, "/w-deep/.hidden (raw)"),
    way(r#"umask 777 && printf '%s' "$S" >/w-closed"#, "/w-closed (raw)"),
];

/// Findings that are shown one by one.
const SHOWN: usize = 9;

/// A value with everything in it that somebody has to escape.
pub fn value() -> String {
    format!("q7\"K\\w&<Zt-%{}", unique())
}

/// Each way in a step of its own.
fn leaks(base: &str, ways: &[Way]) -> String {
    let step = |Way { step, mounts, .. }: &Way| {
        format!(
            "RUN {mounts}--mount=type=secret,id=s S=$(cat /run/secrets/s | head -c 40); {step}\n"
        )
    };
    let steps: String = ways.iter().map(step).collect();
    format!("FROM {base}\n{steps}RUN rm -f /w-copied && : NAME\n")
}

/// All of them with something that is made of the secret; one step, for these are slow on an engine
/// with the containerd store and a large base.
fn twin(base: &str, ways: &[Way]) -> String {
    let mounts: String = ways.iter().map(|way| way.mounts).collect();
    let steps: Vec<_> = ways.iter().map(|way| format!("({})", way.step)).collect();
    let steps = steps.join(" && ");
    format!(
        "FROM {base}\n\
         RUN {mounts}--mount=type=secret,id=s S=$(sha256sum </run/secrets/s | head -c 40); {steps}\n\
         RUN rm -f /w-copied && : NAME\n"
    )
}

pub fn with_secret(project: &Project, value: &str, args: &[&str]) -> Outcome {
    given_secret(project, value, args).run()
}

fn given_secret(project: &Project, value: &str, args: &[&str]) -> Cofferdam {
    let spec = project.beside("secret");
    std::fs::write(&spec, value).unwrap();
    let spec = format!("id=s,src={}", spec.display());
    project.build(&[&["--secret", &spec], args].concat())
}

/// Builds the clean twin of all, which gets the name, and then the leaks: each is found at its line,
/// and the name stays where it was.
pub fn check_ways(engine: &'static Engine, base: &str, ways: &[Way]) {
    let value = value();
    let project = Project::new(engine, &twin(base, ways));
    // The twin writes files of credentials too, only with other values in them.
    project.write("cofferdam.toml", "[rules]\nunknown-secret = \"allow\"\n");
    let image = project.tag("1");
    with_secret(&project, &value, &["-t", &image]).succeeds().says("s: absent from");
    let clean = engine.id(&image);
    assert!(clean.is_some());
    for ways in ways.chunks(SHOWN) {
        project.dockerfile(&leaks(base, ways));
        let refused = with_secret(&project, &value, &["-t", &image]).fails(3).never_says(&value);
        let said = &refused.stderr;
        for (number, way) in ways.iter().enumerate() {
            let finding =
                said.split("error[secret-in-image]").find(|part| part.contains(way.found));
            let finding =
                finding.unwrap_or_else(|| panic!("no {:?}\n{}", way.found, refused.told()));
            let place = format!("Dockerfile:{}:1", number + 2);
            assert!(finding.contains(&place), "{:?} is not at {place}\n{finding}", way.found);
        }
        assert_eq!(said.matches("error[secret-in-image]").count(), ways.len(), "{said}");
    }
    assert_eq!(engine.id(&image), clean);
}

fn every_way_to_leak_is_named_by_its_line(engine: &'static Engine) {
    check_ways(engine, "DEBIAN", WAYS);
}

fn a_leak_leaves_nothing_behind(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX AS first\n\
         RUN --mount=type=secret,id=s S=$(tail -n 9 /run/secrets/s); echo \"$S\" >/leak; : 'é\\n' NAME-first\n\
         FROM BUSYBOX\n\
         COPY --from=first /leak /etc/leak\n\
         RUN rm /etc/leak; : NAME-second\n",
    );
    let (value, image) = (value(), project.tag("1"));
    let output = project.beside("out");
    for args in [
        vec!["-t", &image, "--iidfile", "id", "--metadata-file", "metadata"],
        vec!["-o", output.to_str().unwrap()],
    ] {
        let refused = with_secret(&project, &value, &args).fails(3).never_says(&value);
        refused.says("Dockerfile:4:1").says("are gone from the engine");
        assert_eq!(engine.id(&image), None);
        assert!(!project.path("id").exists() && !project.path("metadata").exists());
        assert!(!output.exists());
        let left = engine.cache_of(&project.name);
        assert!(left.is_empty(), "{left:#?}");
    }
}

/// The last layer of every image has the same name in the cache, that of the strip op.
fn what_another_image_holds_is_nothing_left_behind(engine: &'static Engine) {
    let other = Project::new(engine, "FROM DEBIAN\nRUN : NAME-once\n");
    let image = other.tag("1");
    let took = other.build(&["-t", &image]).run().succeeds().elapsed;
    other.dockerfile("FROM DEBIAN\nRUN : NAME-again\n");
    let refused = leaks_during(engine, took, || {
        other.build(&["-t", &image]).run().succeeds();
    });
    for record in engine.cache("shared") {
        assert!(!refused.stderr.contains(&record.id), "{}", refused.told());
    }
    assert!(engine.id(&image).is_some());
}

/// With old engines every COPY has the same name, too, and what another step stands on is not pruned.
fn what_another_build_stands_on_is_nothing_left_behind(engine: &'static Engine) {
    let other =
        Project::new(engine, "FROM BUSYBOX\nCOPY Dockerfile /\nWORKDIR /w\nRUN : NAME-once\n");
    let out = other.beside("out");
    let out = ["-o", out.to_str().unwrap()];
    let took = other.build(&out).run().succeeds().elapsed;
    other.dockerfile("FROM BUSYBOX\nCOPY Dockerfile /\nWORKDIR /w\nRUN : NAME-again\n");
    leaks_during(engine, took, || {
        other.build(&out).run().succeeds();
    });
}

/// A leak, of which nothing may be left; something else goes on meanwhile that took so long before.
fn leaks_during(engine: &'static Engine, took: Duration, meanwhile: impl FnOnce()) -> Outcome {
    let wait = 2 * took.as_secs() + 3;
    let project = Project::new(
        engine,
        &format!(
            "FROM BUSYBOX\n\
             RUN --mount=type=secret,id=s S=$(tail -n 9 /run/secrets/s); sleep {wait}; \
             echo \"$S\" >/leak; : NAME\n"
        ),
    );
    let leaking = given_secret(&project, &value(), &[]).start();
    meanwhile();
    leaking.outcome().fails(3).says("are gone from the engine")
}

fn a_secret_in_the_configuration_is_refused(engine: &'static Engine) {
    let value = format!("config-{}", unique());
    for (line, number) in [
        (format!("FROM BUSYBOX\nENV WORD={value}\n"), 2),
        (format!("FROM BUSYBOX\nUSER 1\nLABEL a=1 word={value}\n"), 3),
        (format!("FROM BUSYBOX\nCMD [\"serve\", \"--word={value}\"]\n"), 2),
        (format!("FROM BUSYBOX\nRUN : {value}\n"), 2),
    ] {
        let project = Project::new(engine, &line);
        let image = project.tag("1");
        let refused = with_secret(&project, &value, &["-t", &image]).fails(3);
        refused.says("secret-in-image").says(&format!("Dockerfile:{number}:"));
        assert_eq!(engine.id(&image), None);
    }
}

/// Nothing of the image holds it: a build argument that no step reads.
fn a_secret_in_the_record_is_refused(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nARG WORD\nLABEL who=NAME\n");
    let (value, image) = (format!("record-{}", unique()), project.tag("1"));
    let arg = format!("WORD={value}");
    let args = ["-t", &image, "--build-arg", &arg];
    let refused = with_secret(&project, &value, &args).fails(3).never_says(&value);
    refused.says("secret-in-image").says("the build's record");
    assert_eq!(engine.id(&image), None);
}

fn a_trigger_that_leaks_is_refused(engine: &'static Engine) {
    let project = Project::empty(engine);
    let step = "RUN --mount=type=secret,id=s cat /run/secrets/s >/etc/from-trigger";
    let config = json!({ "OnBuild": [step] });
    let base = project.base("trigger", "1", &unique(), config);
    project.dockerfile(&format!("FROM {base}\nRUN : NAME\n"));
    let value = value();
    let refused = with_secret(&project, &value, &[]).fails(3).never_says(&value);
    refused.says("secret-in-image").says("/etc/from-trigger (raw)");
}

fn what_is_in_no_layer_of_the_image_is_no_leak(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX AS first\n\
         RUN --mount=type=secret,id=s S=$(tail -n 9 /run/secrets/s); echo \"$S\" >/used; echo NAME >/made\n\
         FROM BUSYBOX\n\
         RUN --mount=type=secret,id=s --mount=type=tmpfs,target=/t \\\n\
         \x20   --mount=type=cache,target=/c \\\n\
         \x20   S=$(tail -n 9 /run/secrets/s); for d in /t /c /dev/shm; do echo \"$S\" >$d/x; done\n\
         COPY --from=first /made /made\n",
    );
    let image = project.tag("1");
    with_secret(&project, &value(), &["-t", &image]).succeeds().says("s: absent from 3 layers");
    let statement = project.provenance(&image);
    let recorded = statement["predicate"]["runDetails"]["byproducts"].as_array().unwrap();
    let search = recorded.iter().find(|one| one["name"] == "secret-search").unwrap();
    let told = &search["annotations"];
    assert_eq!(told["secrets"], json!([{ "id": "s", "absent": true }]));
    assert_eq!(told["layers"], 3);
    assert!(told["bytes"].as_u64().unwrap() > 500_000 && told["configuration"] == true);
}

fn a_short_secret_is_said_to_be_unproven(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM BUSYBOX\nRUN --mount=type=secret,id=s S=$(tail -n 9 /run/secrets/s); echo \"$S\" >/pin; : NAME\n",
    );
    let image = project.tag("1");
    with_secret(&project, "1234567", &["-t", &image]).succeeds().says("s: not provable");
}

fn a_secret_in_the_base_is_refused(engine: &'static Engine) {
    let project = Project::empty(engine);
    let (value, root) = (value(), project.beside("state").join("root"));
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::write(root.join("etc/old"), &value).unwrap();
    let base = project.base_of("base", &root, &json!({}));
    project.write("new", unique());
    project.dockerfile(&format!("FROM {base}\nCOPY new /new\nLABEL who=NAME\n"));
    let refused = with_secret(&project, &value, &[]).fails(3).never_says(&value);
    refused.says("/etc/old (raw), the base ").says("build the base again");
}

/// Needs a store that holds an index; nothing of the other architecture has to run.
fn every_platform_is_searched(engine: &'static Engine) {
    if engine.name != "b-containerd" {
        return;
    }
    let project = Project::new(engine, "FROM scratch\nARG TARGETARCH\nCOPY x-$TARGETARCH /x/y\n");
    let (value, image) = (value(), project.tag("1"));
    let args = ["--platform", "linux/amd64,linux/arm64", "-t", &image];
    project.write("x-amd64", "clean");
    project.write("x-arm64", "clean");
    with_secret(&project, &value, &args).succeeds().says("s: absent from 2 layers");
    project.write("x-arm64", format!("{value} "));
    let refused = with_secret(&project, &value, &args).fails(3).never_says(&value);
    refused.says("/x/y (raw), layer 1 of 1").says("Dockerfile:3:1");
}

fn layers_are_those_of_the_image(engine: &'static Engine) {
    let mut texts = vec![
        "FROM BUSYBOX\nWORKDIR /a/b\nRUN echo NAME >x\nCOPY one two /c/\nENV A=1\nADD one /d\n"
            .into(),
        "FROM BUSYBOX AS f\nRUN echo NAME >/f\nFROM BUSYBOX\nCOPY --from=f /f /g\nRUN :\n".into(),
        "FROM scratch\nCOPY one /1\nCOPY two /2\n".to_string(),
    ];
    // BuildKit 0.8 knows neither.
    if engine.name != "a" {
        texts.push(
            "FROM BUSYBOX\nCOPY --link one /l/1\nCOPY --link two /l/2\nRUN echo NAME >/x\n\
             COPY <<E /h\nhere\nE\nRUN <<E\necho y >/y\nE\n"
                .into(),
        );
    }
    for text in texts {
        let project = Project::new(engine, &text);
        project.write("one", unique());
        project.write("two", unique());
        let image = project.tag("1");
        let built = with_secret(&project, &value(), &["-t", &image]).succeeds();
        let layers = engine.layers(&image);
        built.says(&format!("s: absent from {layers} layers"));
    }
}

fn a_secret_of_several_lines_is_found_by_one_of_them(engine: &'static Engine) {
    let (first, second) = (format!("first-{}", unique()), format!("second-{}", unique()));
    let project = Project::new(
        engine,
        "FROM BUSYBOX\n\
         RUN --mount=type=secret,id=s S=$(tail -n 1 /run/secrets/s); echo \"$S\" >/line; : NAME\n",
    );
    let value = format!("{first}\n\n{second}\n");
    let refused = with_secret(&project, &value, &[]).fails(3);
    refused.never_says(&second).says("/line (raw, line 3 of the value)");
}
