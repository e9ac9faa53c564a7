//! What is searched for beside the secrets that steps mount, and what exceptions let stand where.

use serde_json::json;

use crate::leaks::{value, with_secret};
use crate::support::{Engine, Project, tests, tools, unique};

tests![
    a_build_argument_that_was_let_through_is_searched_for,
    a_private_key_is_searched_for_and_its_public_half_is_not,
    a_base_may_hold_a_value_by_an_exception,
];

const ARGUMENT: &str = "[[exception]]\nrule = \"secret-in-arg\"\npath = \"Dockerfile\"\n\
                        reason = \"an old builder\"\nexpires = 2999-01-01\n";

/// The history of steps holds it, as everybody was told; nothing else may.
fn a_build_argument_that_was_let_through_is_searched_for(engine: &'static Engine) {
    let project = Project::empty(engine);
    let (value, image) = (format!("let-through-{}", unique()), project.tag("1"));
    project.write("cofferdam.toml", ARGUMENT);
    let arg = format!("API_TOKEN={value}");
    let args = ["-t", &image, "--build-arg", &arg];
    project.dockerfile("FROM BUSYBOX\nARG API_TOKEN\nRUN echo ${#API_TOKEN} NAME >/size\n");
    let passed = project.build(&args).run().succeeds();
    passed.says("build argument API_TOKEN: in history and record by an exception");
    let (clean, told) = (engine.id(&image), searched(&project, &image));
    let places = json!(["history", "record"]);
    assert_eq!(
        told,
        json!([{ "id": "build argument API_TOKEN", "absent": false, "onlyIn": places }])
    );
    for (step, word) in [
        ("RUN echo $API_TOKEN >/NAME", "/cofferdam-test-"),
        ("RUN echo $API_TOKEN | base64 -w0 >/b64; : NAME", "/b64 (base64)"),
        ("ENV TOKEN=$API_TOKEN", "its configuration holds it"),
        ("LABEL token=$API_TOKEN", "its configuration holds it"),
    ] {
        project.dockerfile(&format!("FROM BUSYBOX\nARG API_TOKEN\n{step}\n"));
        let refused = project.build(&args).run().fails(3).never_says(&value);
        refused.says("build argument API_TOKEN is in the image").says(word).says("Dockerfile:3:1");
        assert_eq!(engine.id(&image), clean);
    }
    project.dockerfile("FROM BUSYBOX\nARG API_TOKEN\nRUN echo $API_TOKEN; : NAME\n");
    project.build(&args).run().fails(3).says("secret-in-log").never_says(&value);
}

/// What the record says of the secrets.
fn searched(project: &Project, image: &str) -> serde_json::Value {
    let record = project.provenance(image);
    let list = record["predicate"]["runDetails"]["byproducts"].as_array().unwrap();
    let search = list.iter().find(|one| one["name"] == "secret-search").unwrap();
    search["annotations"]["secrets"].clone()
}

/// Keys as ssh-keygen and openssl make them, and the halves that anybody may have.
const KEYS: &str = "cd /tmp && ssh-keygen -q -t rsa -b 2048 -N '' -f rsa && \
    ssh-keygen -q -t ed25519 -N '' -f ed && \
    openssl genpkey -quiet -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out pkcs8 && \
    openssl ecparam -name prime256v1 -genkey -noout -out ec && chmod 600 pkcs8 ec && \
    ssh-keygen -y -f pkcs8 >pkcs8.pub && openssl ec -in ec -pubout -out ec.pub 2>/dev/null && \
    for k in rsa ed pkcs8 ec; do echo \"= $k\"; cat $k; echo \"= $k.pub\"; cat $k.pub; done";

fn a_private_key_is_searched_for_and_its_public_half_is_not(engine: &'static Engine) {
    let project = Project::empty(engine);
    let made = engine.run(&[&tools::tools(), "sh", "-c", KEYS]);
    for part in made.split("= ").skip(1) {
        let (name, text) = part.split_once('\n').unwrap();
        project.write(&format!("keys/{name}"), text);
    }
    project.write(".dockerignore", "keys/rsa\nkeys/ed\nkeys/ec\nkeys/pkcs8\n");
    let image = project.tag("1");
    let ssh = "--ssh=deploy=keys/rsa,keys/ed,keys/pkcs8,keys/ec";
    let build = |text: &str| {
        project.dockerfile(text);
        project.build(&["-t", &image, ssh]).run()
    };
    // Everything public, as one line, in JSON and as it is.
    let public = "FROM BUSYBOX\nCOPY keys /root/.ssh\n\
         RUN cd /root/.ssh && cat *.pub >authorized_keys && sed 's/^/h.example /' rsa.pub >known_hosts \
         && tr '\\n' ' ' <ec.pub >one-line; : NAME\n";
    build(public).succeeds().says("private key of --ssh deploy: absent from");
    let clean = engine.id(&image);
    for key in ["rsa", "ed", "pkcs8", "ec"] {
        let text = project.read(&format!("keys/{key}"));
        let lines: Vec<&str> = text.lines().collect();
        let last = if key == "ec" { lines[1] } else { lines[lines.len() - 3] };
        project.write("copy", format!("# a note\n{last}\n"));
        let refused = build("FROM BUSYBOX\nCOPY copy /srv/NAME\n").fails(3).never_says(last);
        refused.says("private key of --ssh deploy is in the image").says("Dockerfile:2:1");
        assert_eq!(engine.id(&image), clean);
    }
    // The same as secrets.
    let specs: Vec<String> =
        ["rsa", "ed", "pkcs8", "ec"].map(|key| format!("--secret=id={key},src=keys/{key}")).into();
    project.dockerfile(public);
    let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
    project.build(&specs).run().succeeds().says("ec, ed, pkcs8, rsa: absent from");
}

fn a_base_may_hold_a_value_by_an_exception(engine: &'static Engine) {
    let project = Project::empty(engine);
    let (value, root) = (value(), project.beside("state").join("root"));
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::write(root.join("etc/words"), format!("one\n{value}\ntwo\n")).unwrap();
    let base = project.base_of("base", &root, &json!({}));
    let image = project.tag("1");
    project.write("new", unique());
    project.dockerfile(&format!("FROM {base}\nCOPY new /new\nLABEL who=NAME\n"));
    let refused = with_secret(&project, &value, &["-t", &image]).fails(3).never_says(&value);
    let lines = refused.stderr.lines().skip_while(|line| line.trim() != "[[exception]]");
    let written: Vec<&str> = lines.take(6).map(str::trim).collect();
    let exception = written.join("\n").replace('…', "a word of a dictionary");
    assert!(exception.contains("secret = \"s\""), "{exception}");
    project.write("cofferdam.toml", &exception);
    let passed = with_secret(&project, &value, &["-t", &image]).succeeds();
    passed.says("s: in the base by an exception, and nowhere else");
    let clean = engine.id(&image);
    assert_eq!(
        searched(&project, &image),
        json!([{ "id": "s", "absent": false, "onlyIn": ["base"] }])
    );
    let record = project.provenance(&image);
    let used = &record["predicate"]["buildDefinition"]["internalParameters"]["exceptions"];
    assert_eq!((&used[0]["rule"], &used[0]["secret"]), (&json!("secret-in-image"), &json!("s")));
    assert_eq!(used[0]["reason"], "a word of a dictionary");
    // Nothing that this build made may hold it, changed or not.
    for (name, content) in [("new", format!("x{value}")), ("new", format!("one\n{value}\ntwo\n"))] {
        project.write(name, content);
        let refused = with_secret(&project, &value, &["-t", &image]).fails(3).never_says(&value);
        let refused = refused.says("/new (raw), layer 2 of 2").says("Dockerfile:2:1");
        assert!(!refused.stderr.contains("the base "), "{}", refused.told());
    }
    // Another secret is not excepted, and what has ended neither.
    project.write("new", "clean");
    project.write("cofferdam.toml", exception.replace("secret = \"s\"", "secret = \"other\""));
    with_secret(&project, &value, &["-t", &image]).fails(3).says("the base ");
    project.write("cofferdam.toml", exception.replace("expires = 2", "expires = 1"));
    with_secret(&project, &value, &["-t", &image]).fails(3).says("exception-expired");
    assert_eq!(engine.id(&image), clean);
    project.write("cofferdam.toml", exception.replace("secret = \"s\"\n", ""));
    with_secret(&project, &value, &[]).fails(1).says("cofferdam.toml:2:8").says("for one secret");
}
