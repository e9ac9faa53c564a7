//! Secrets of all sizes and numbers, layers that are made to be hard to search, and logs that are.

use crate::leaks::{value, with_secret};
use crate::support::{Engine, Project, tests, unique};

tests![
    large_many_binary_and_nested_secrets_are_told_apart,
    hostile_layers_hide_nothing_and_end_nothing,
    what_cannot_be_unpacked_is_told,
    odd_logs_are_marked,
];

/// Bytes that no other test has.
fn noise(length: usize) -> Vec<u8> {
    let mut state = u64::from_str_radix(&unique(), 16).unwrap();
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn large_many_binary_and_nested_secrets_are_told_apart(engine: &'static Engine) {
    let project = Project::empty(engine);
    let directory = project.beside("state");
    let inner = format!("inner-{}", unique());
    let mut secrets: Vec<(String, Vec<u8>)> =
        (0..43).map(|n| (format!("s{n:02}"), format!("number-{n}-{}", unique()).into())).collect();
    let long: String =
        noise(500 << 7).iter().map(|byte| format!("{byte:02x}-{byte:04}\n")).collect();
    secrets.extend([
        ("binary".into(), noise(32)),
        ("inner".into(), inner.clone().into_bytes()),
        ("large".into(), noise(500 << 10)),
        ("outer".into(), format!("before-{inner}-behind").into_bytes()),
        ("short".into(), b"1234567".to_vec()),
        ("text".into(), long.into_bytes()),
        ("uniform".into(), vec![b'0'; 40]),
    ]);
    let mut args = Vec::new();
    for (id, value) in &secrets {
        let path = directory.join(id);
        std::fs::write(&path, value).unwrap();
        args.push(format!("--secret=id={id},src={}", path.display()));
    }
    assert_eq!(args.len(), 50);
    let image = project.tag("1");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let args = [&["-t", &image], &args[..]].concat();
    let step = |id: &str, way: &str| {
        format!("RUN --mount=type=secret,id={id} F=/run/secrets/{id}; cat $F | {way} >/leak-{id}\n")
    };
    let text = |way: &str| {
        let steps = ["binary", "large", "outer", "s17", "text", "short"].map(|id| step(id, way));
        format!("FROM BUSYBOX\n{}RUN : NAME\n", steps.concat())
    };
    project.dockerfile(&text("sha256sum"));
    let passed = project.build(&args).run().succeeds();
    let passed = passed.says("short: not provable").says("uniform: not provable");
    passed.says("s41, s42, text: absent from");
    let clean = engine.id(&image);

    project.dockerfile(&text("tail -c 400000"));
    let refused = project.build(&args).run().fails(3);
    let said = &refused.stderr;
    for (line, id) in
        [(2, "binary"), (3, "large"), (4, "outer"), (4, "inner"), (5, "s17"), (6, "text")]
    {
        let head = format!("error[secret-in-image]: secret {id} is in the image: /leak-");
        let finding = said.split("\n\n").find(|part| part.contains(&head));
        let finding = finding.unwrap_or_else(|| panic!("no {id}\n{}", refused.told()));
        assert!(finding.contains(&format!("Dockerfile:{line}:1")), "{id}: {finding}");
    }
    assert_eq!(said.matches("error[secret-in-image]").count(), 6, "{said}");
    assert_eq!(engine.id(&image), clean);
    // What only holds a part of another secret is that part.
    project.dockerfile(&format!("FROM BUSYBOX\n{}RUN : NAME\n", step("inner", "cat")));
    let refused = project.build(&args).run().fails(3).says("secret inner is in the image");
    assert!(!refused.stderr.contains("secret outer"), "{}", refused.told());
}

fn hostile_layers_hide_nothing_and_end_nothing(engine: &'static Engine) {
    let steps = [
        ("mkdir -m 0 /h-closed && echo \"$S\" >/h-closed/x", "/h-closed/x (raw)"),
        (
            "truncate -s 2G /h-sparse && echo \"$S\" | dd of=/h-sparse bs=1M seek=1500 conv=notrunc",
            "/h-sparse (raw)",
        ),
        (
            "perl -e 'for (1..100) { mkdir \"d\" x 20; chdir \"d\" x 20 or die } open F, \">x\"; print F $ARGV[0]' \"$S\"",
            "dddd/x (raw)",
        ),
        (
            "mknod /h-null c 1 3; mknod /h-disk b 8 0; mkfifo \"/h-pipe-$S\"; ln -s /proc/1/root/../../.. /h-out; ln -s h-loop /h-loop",
            "the name /h-pipe-*** (raw)",
        ),
        (
            "mkdir /h-away && ln -s /../../../../../proc/self/environ /h-away/e && ln -s . /h-away/round && printf '%s' \"$S\" >/h-away/f && ln /h-away/f /h-away/g && rm /h-away/f",
            "/h-away/g (raw)",
        ),
        (
            "perl -e 'my $n = \"\\xff\\xfe\\n\\e[31m\"; open F, \">/h-$n\" or die; print F $ARGV[0]' \"$S\"",
            "(raw), layer 7",
        ),
        (
            "perl -e 'mkdir \"/h-many\"; for (1..5000) { open F, \">/h-many/$_\" } print F $ARGV[0]' \"$S\"",
            "/h-many/5000 (raw)",
        ),
    ];
    let mut text = "FROM DEBIAN\n".to_string();
    for (step, _) in steps {
        text += &format!(
            "RUN --mount=type=secret,id=s S=$(cat /run/secrets/s | head -c 40); cd /; {step}; : NAME\n"
        );
    }
    let project = Project::new(engine, &text);
    let value = value();
    let refused = with_secret(&project, &value, &[]).fails(3).never_says(&value);
    let refused = refused.never_says("\x1b[31m");
    for (number, (_, found)) in steps.iter().enumerate() {
        let findings = refused.stderr.split("error[secret-in-image]");
        let finding = findings.into_iter().find(|part| part.contains(found));
        let finding = finding.unwrap_or_else(|| panic!("no {found:?}\n{}", refused.told()));
        let place = format!("Dockerfile:{}:1", number + 2);
        assert!(finding.contains(&place), "{found:?} is not at {place}\n{finding}");
    }
    assert!(refused.elapsed.as_secs() < 120, "{}", refused.told());
}

fn what_cannot_be_unpacked_is_told(engine: &'static Engine) {
    let project = Project::new(
        engine,
        "FROM DEBIAN\n\
         RUN head -c 300M /dev/zero | gzip -9 >/bomb.gz; : NAME\n\
         RUN echo deep | gzip | gzip | gzip | gzip | gzip | gzip | gzip >/deep.gz\n\
         RUN head -c 100000 /dev/urandom | gzip | head -c 50000 >/cut.gz\n",
    );
    let image = project.tag("1");
    let built = with_secret(&project, &value(), &["-t", &image]).succeeds();
    built.says("3 archives not unpacked");
    let record = project.provenance(&image);
    let list = record["predicate"]["runDetails"]["byproducts"].as_array().unwrap();
    let search = list.iter().find(|one| one["name"] == "secret-search").unwrap();
    let told = search["annotations"]["notUnpacked"].to_string();
    for (path, reason) in
        [("/bomb.gz", "too large"), ("/deep.gz", "too deep"), ("/cut.gz", "truncated")]
    {
        assert!(told.contains(path) && told.contains(reason), "{told}");
    }
}

fn odd_logs_are_marked(engine: &'static Engine) {
    let project = Project::empty(engine);
    project.write(".dockerignore", "step");
    for (script, code) in [
        ("printf 'at 10%%\\r%s\\rat 90%%\\r' \"$S\"", 3),
        ("printf '\\033[31m%s\\033[0m\\n' \"$S\"", 3),
        ("printf '%s' \"$S\" | base64 -w 20", 3),
        ("echo \"cannot log in as me:$S\" >&2; exit 7", 1),
        ("seq 3000; printf %s \"$S\"; seq 3000", 3),
    ] {
        let (value, image) = (value(), project.tag("1"));
        project.dockerfile(
            "FROM BUSYBOX\nRUN --mount=type=secret,id=s --mount=type=bind,target=/c sh /c/script NAME\n",
        );
        project.write("script", format!("S=$(cat /run/secrets/s)\n{script}\n"));
        let outcome = with_secret(&project, &value, &["-t", &image]).fails(code).never_says(&value);
        outcome.says("***");
        assert_eq!(engine.id(&image), None);
    }
    // Steps whose names hold it, and the engine's own words about them.
    let value = format!("name-of-a-step-{}", unique());
    project.dockerfile(&format!("FROM BUSYBOX\nRUN false {value}; exit 7\n"));
    with_secret(&project, &value, &[]).fails(1).never_says(&value).says("***");
}
