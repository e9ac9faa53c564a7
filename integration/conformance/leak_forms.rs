//! Secrets in what programs write: archives, repositories, databases, compiled code and credentials,
//! and in every part of an image's configuration.

use serde_json::json;

use crate::leaks::{Way, check_ways, value, way, with_secret};
use crate::support::{Engine, Project, tests, tools, unique};

tests![
    what_programs_write_is_read,
    every_part_of_the_configuration_is_searched,
    a_trigger_that_configures_a_secret_is_refused,
    a_secret_of_the_environment_is_searched_for,
    a_value_in_the_context_is_found_in_the_layer,
];

const WAYS: &[Way] = &[
    way(r#"cd /tmp && printf '%s' "$S" >in && zip -q /w.zip in && rm in"#, "/w.zip > in (raw)"),
    way(
        r#"cd /tmp && printf '%s' "$S" >in && zip -q in.jar in && zip -q0 /w-nested.zip in.jar && rm in in.jar"#,
        "/w-nested.zip > in.jar > in (raw)",
    ),
    way(
        r#"cd /tmp && printf '%s' "$S" >in && tar -cJf /w.txz in && rm in"#,
        "/w.txz > xz > in (raw)",
    ),
    way(
        r#"git init -q /w-git && cd /w-git && printf '%s' "$S" >f && git add f && git -c user.name=x -c user.email=x commit -qm x && rm f"#,
        "/w-git/.git/objects/",
    ),
    way(
        r#"git init -q /w-pack && cd /w-pack && printf '%s' "$S" >f && git add f && git -c user.name=x -c user.email=x commit -qm x && rm f && git gc -q"#,
        "/w-pack/.git/objects/pack/",
    ),
    way(
        r#"python3 -c 'import sys, py_compile as p; open("/tmp/t.py", "w").write("T = " + repr(sys.argv[1])); p.compile("/tmp/t.py", "/w.pyc")' "$S" && rm /tmp/t.py"#,
        "/w.pyc (raw)",
    ),
    way(
        r#"python3 -c 'import sys, sqlite3; d = sqlite3.connect("/w.db"); d.execute("create table t (a, b)"); d.execute("insert into t values (7, ?)", sys.argv[1:]); d.commit()' "$S""#,
        "/w.db (raw)",
    ),
    way(
        r#"python3 -c 'import sys, bz2; open("/w.bz2", "wb").write(bz2.compress(sys.argv[1].encode()))' "$S""#,
        "/w.bz2 > bzip2 (raw)",
    ),
    way(
        r#"mkdir -p /root/.docker && printf '{"auths":{"r.example":{"auth":"%s"}}}' "$(printf 'me:%s' "$S" | base64 -w0)" >/root/.docker/config.json"#,
        "/root/.docker/config.json (base64)",
    ),
    way(
        r#"printf 'Authorization: Basic %s\n' "$(printf 'somebody:%s' "$S" | base64 -w0)" >/w-header"#,
        "/w-header (base64)",
    ),
    way(
        r#"{ head -c 50 /dev/zero | tr '\0' x; printf '%s' "$S"; seq 99; } | base64 >/w-mime"#,
        "/w-mime (base64)",
    ),
    way(r#"printf 'me:%s:19000:0:99999:7:::\n' "$S" >>/etc/shadow"#, "/etc/shadow (raw)"),
    way(
        r#"printf 'machine h login me password %s\n' "$S" >/root/.netrc && chmod 600 /root/.netrc"#,
        "/root/.netrc (raw)",
    ),
    way(
        r#"{ printf 'some more bytes'; printf '%s' "$S"; } | od -An -v -tx1 -w30 | tr -d ' ' >/w-plain-dump"#,
        "/w-plain-dump (hex)",
    ),
    way(
        r#"printf '%s' "$S" | perl -pe 's/([^\w.~-])/sprintf("%%%02x", ord $1)/ge' >/w-lower"#,
        "/w-lower (url)",
    ),
    way(
        r#"printf '%s' "$S" | perl -pe 's/(["\\])/\\$1/g; s/([&<>])/sprintf("\\u%04x", ord $1)/ge' >/w-html-safe"#,
        "/w-html-safe (json)",
    ),
    way(r#"printf '%s' "$S" | gzip | gzip >/w-twice"#, "/w-twice > gzip > gzip (raw)"),
    way(
        r#"printf '%s' "$S" | iconv -t UTF-16LE | gzip >/w-wide.gz"#,
        "/w-wide.gz > gzip (utf16-le)",
    ),
    way(
        r#"mkdir /tmp/d && printf '%s' "$S" >/tmp/d/f && tar -C /tmp -cf /w.tar d && rm -r /tmp/d && gzip -c /w.tar >/w.layer && rm /w.tar"#,
        "/w.layer > gzip > d/f (raw)",
    ),
    way(
        r#"head -c 65530 /dev/urandom >/w-border && printf '%s' "$S" >>/w-border"#,
        "/w-border (raw)",
    ),
    way(
        r#"cp /etc/hostname /w-user 2>/dev/null; useradd -M -c "$(printf '%s' "$S" | tr -d ':\n')" somebody"#,
        "/etc/passwd (raw)",
    ),
];

fn what_programs_write_is_read(engine: &'static Engine) {
    check_ways(engine, &tools::tools(), WAYS);
}

fn every_part_of_the_configuration_is_searched(engine: &'static Engine) {
    for line in [
        "HEALTHCHECK CMD curl -H 'Token: VALUE' http://localhost",
        "ENTRYPOINT [\"serve\", \"VALUE\"]",
        "SHELL [\"/bin/sh\", \"-c\", \": VALUE;\"]",
        "ONBUILD ENV WORD=VALUE",
        "ARG WORD=VALUE",
        "WORKDIR /srv/VALUE",
        "VOLUME /srv/VALUE",
        "USER VALUE",
        "LABEL a=1 \\\n  word=VALUE",
        "ENV A=1 \\\n    WORD=VALUE",
        "ARG PART=VALUE\nENV WHOLE=x-$PART-y",
    ] {
        let value = format!("config-{}", unique());
        let text = format!("FROM BUSYBOX\nLABEL who=NAME\n{}\n", line.replace("VALUE", &value));
        let project = Project::new(engine, &text);
        let image = project.tag("1");
        let refused = with_secret(&project, &value, &["-t", &image]).fails(3).never_says(&value);
        let number = if line.contains("\\\n") { 4 } else { 3 };
        refused.says("error[secret-in-image]").says(&format!("Dockerfile:{number}:"));
        assert_eq!(engine.id(&image), None, "{line}");
    }
}

/// The Dockerfile holds the value nowhere: its base does, or the command line.
fn a_trigger_that_configures_a_secret_is_refused(engine: &'static Engine) {
    let project = Project::empty(engine);
    let value = format!("trigger-{}", unique());
    for trigger in ["ENV WORD=", "LABEL word=", "CMD serve --word="] {
        let config = json!({ "OnBuild": [format!("{trigger}{value}")] });
        let base = project.base("trigger", &unique(), &unique(), config);
        project.dockerfile(&format!("# a comment\nFROM {base}\nLABEL who=NAME\n"));
        let refused = with_secret(&project, &value, &[]).fails(3).never_says(&value);
        refused.says("error[secret-in-image]").says("Dockerfile:2:1");
    }
    project.dockerfile("FROM BUSYBOX\nARG PART\nENV WORD=$PART\nLABEL who=NAME\n");
    let arg = format!("PART={value}");
    let refused = with_secret(&project, &value, &["--build-arg", &arg]).fails(3).never_says(&value);
    refused.says("error[secret-in-image]").says("Dockerfile:3:1");
}

fn a_secret_of_the_environment_is_searched_for(engine: &'static Engine) {
    let step =
        "FROM BUSYBOX\nRUN --mount=type=secret,id=x S=$(tail -n 9 /run/secrets/x); STEP; : NAME\n";
    let value = value();
    let project = Project::empty(engine);
    let image = project.tag("1");
    for (leak, code) in [("echo ${#S} >/x", 0), ("echo \"$S\" >/x", 3)] {
        project.dockerfile(&step.replace("STEP", leak));
        let build = project.build(&["-t", &image, "--secret", "id=x,env=WORD"]);
        let outcome = build.env("WORD", &value).run().never_says(&value);
        match code {
            0 => drop(outcome.succeeds().says("x: absent from")),
            _ => drop(outcome.fails(3).says("/x (raw)").says("Dockerfile:2:1")),
        }
    }
}

fn a_value_in_the_context_is_found_in_the_layer(engine: &'static Engine) {
    let project = Project::empty(engine);
    let value = value();
    project.write("settings", format!("url = x\ntoken = {value}\n"));
    for (step, path) in [
        ("RUN --mount=type=bind,target=/c cp /c/settings /etc/settings; : NAME", "/etc/settings"),
        ("COPY settings /srv/NAME", "/srv/"),
    ] {
        project.dockerfile(&format!("FROM BUSYBOX\n{step}\n"));
        let refused = with_secret(&project, &value, &[]).fails(3).never_says(&value);
        refused.says(path).says("(raw)").says("Dockerfile:2:1");
    }
    project.dockerfile(
        "FROM BUSYBOX\nRUN --mount=type=bind,target=/c wc /c/settings >/etc/count; : NAME\n",
    );
    with_secret(&project, &value, &[]).succeeds();
}
