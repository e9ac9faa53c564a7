//! Source policies and what is done about policies that nobody here evaluates.

use serde_json::{Value, json};

use crate::support::{Engine, Project, fakes, tests};

tests![
    source_policy_denies_and_converts_images,
    source_policy_gives_downloads_their_checksum,
    policies_in_rego_are_not_passed_over,
];

const VARIABLE: &str = "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY";

/// A build under these rules.
fn build(project: &Project, rules: &Value, args: &[&str]) -> crate::support::Outcome {
    project.write("../data/policy.json", json!({ "version": 1, "rules": rules }).to_string());
    project.build(args).env(VARIABLE, project.beside("data").join("policy.json")).run()
}

fn source_policy_denies_and_converts_images(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX AS one\nFROM one\nRUN echo NAME\n");
    let busybox = format!("docker-image://{}", engine.busybox());
    let image = project.tag("1");
    for (selector, denied) in [
        (json!({ "identifier": busybox, "match_type": "EXACT" }), true),
        (json!({ "identifier": "docker-image://*/busybox*" }), true),
        (json!({ "identifier": "/busybox:[a-z]+$", "match_type": "REGEX" }), true),
        (json!({ "identifier": "docker-image://docker.io/*" }), false),
    ] {
        let rules = json!([{ "action": "DENY", "selector": selector }]);
        let outcome = build(&project, &rules, &["-t", &image]);
        if denied {
            outcome.explains(3).says("error[source-policy]").says("Dockerfile:1");
            assert!(engine.id(&image).is_none(), "what is denied got a name");
            assert!(!project.path("cofferdam.lock").exists());
        } else {
            outcome.succeeds();
            engine.try_docker(&["rmi", &image]);
            std::fs::remove_file(project.path("cofferdam.lock")).unwrap();
        }
    }
    // Another base, with its configuration: the one that is written does not even exist.
    let base = project.base("other", "1", "of another base", json!({ "User": "7" }));
    let name = base.split('@').next().unwrap();
    project.dockerfile("FROM REGISTRY/no-such:1\nRUN cat /mark && test $(id -u) = 7\n");
    let rules = json!([{
        "action": "CONVERT",
        "selector": { "identifier": format!("docker-image://{}/no-such:*", engine.registry) },
        "updates": { "identifier": format!("docker-image://{base}") },
    }]);
    let outcome = build(&project, &rules, &["-t", &image]);
    assert_eq!(outcome.code(), Some(0), "{}", outcome.told());
    assert_eq!(engine.inspect(&image)["Config"]["User"], "7", "{name}");
    let record = project.provenance(&image).to_string();
    assert!(!record.contains("no-such:1@") && record.contains("other"), "{record}");
    // Without the policy there is no such image.
    project.build(&[]).run().explains_input();
}

fn source_policy_gives_downloads_their_checksum(engine: &'static Engine) {
    let address = fakes::server(|_| fakes::response("200 OK", "", "downloaded"));
    let project = Project::new(engine, &format!("FROM scratch\nADD http://{address}/f /f\n"));
    let digest = cofferdam_frontend::graph::digest(b"downloaded");
    let rules = |digest: &str| {
        json!([{
            "action": "CONVERT",
            "selector": { "identifier": format!("http://{address}/f"), "match_type": "EXACT" },
            "updates": { "attrs": { "http.checksum": digest } },
        }])
    };
    build(&project, &json!([]), &[]).fails(3).says("error[remote-add]");
    let out = project.beside("out");
    build(&project, &rules(&digest), &["-o", out.to_str().unwrap()]).succeeds();
    assert_eq!(std::fs::read_to_string(out.join("f")).unwrap(), "downloaded");
    let other = cofferdam_frontend::graph::digest(b"something else");
    build(&project, &rules(&other), &[]).fails(1);
    let deny = json!([{ "action": "DENY", "selector": { "identifier": "http://*" } }]);
    build(&project, &deny, &[]).fails(3).says("error[source-policy]");
    // A context is asked about before it is fetched.
    project.write("../data/policy.json", json!({ "rules": deny }).to_string());
    let policy = project.beside("data").join("policy.json");
    let context = format!("http://{address}/context.tar");
    let denied = project.cofferdam(&["build", &context]).env(VARIABLE, policy).run();
    denied.explains(3).says("denies").never_says("load remote build context");
}

fn policies_in_rego_are_not_passed_over(engine: &'static Engine) {
    let project = Project::new(engine, "FROM scratch\nCOPY Dockerfile /NAME\n");
    project.write("Dockerfile.rego", "package docker\n");
    let refused = project.build(&[]).run().explains(3);
    refused.says("Dockerfile.rego is a policy in Rego").says("rule = \"policy-disabled\"");
    project.write(
        "cofferdam.toml",
        "[[exception]]\nrule = \"policy-disabled\"\npath = \"Dockerfile\"\nreason = \"tested\"\n\
         expires = 2999-01-01\n",
    );
    project.build(&["-o", "type=cacheonly"]).run().succeeds().says("Dockerfile.rego is not");
}
