use super::*;

fn policy(rules: &str) -> SourcePolicy {
    SourcePolicy::parse(format!("{{\"version\":1,\"rules\":[{rules}]}}").as_bytes()).unwrap()
}

fn image(policy: &SourcePolicy, name: &str) -> Result<Option<String>, Denied> {
    policy.image(&format!("docker-image://{name}"))
}

const ALPINE: &str = "docker.io/library/alpine:3";

#[test]
fn of_allow_and_deny_the_last_counts() {
    let deny = r#"{"action":"DENY","selector":{"identifier":"docker-image://*"}}"#;
    let allow =
        r#"{"action":"ALLOW","selector":{"identifier":"docker-image://docker.io/library/*"}}"#;
    let other = "ghcr.io/a/b:1";
    let narrow = policy(&format!("{deny},{allow}"));
    assert_eq!(image(&narrow, ALPINE), Ok(None));
    assert!(image(&narrow, other).is_err());
    let closed = policy(&format!("{allow},{deny}"));
    assert!(image(&closed, ALPINE).is_err());
    assert_eq!(image(&SourcePolicy::default(), other), Ok(None));
}

#[test]
fn selectors_are_exact_wild_or_regular() {
    let deny = |kind: &str, identifier: &str| {
        policy(&format!(r#"{{"action":"DENY","selector":{{"identifier":"{identifier}"{kind}}}}}"#))
    };
    let exact = r#","match_type":"EXACT""#;
    let regex = r#","matchType":2"#;
    for (kind, identifier, denied) in [
        (exact, "docker-image://docker.io/library/alpine:3", true),
        (exact, "docker-image://docker.io/library/alpine*", false),
        ("", "docker-image://docker.io/library/alpine*", true),
        ("", "docker-image://docker.io/library/alpine", false),
        ("", "docker.io*", false),
        (regex, "alpine:[0-9]$", true),
        (regex, "^alpine", false),
    ] {
        let found = image(&deny(kind, identifier), ALPINE);
        assert_eq!(found.is_err(), denied, "{identifier}");
    }
}

#[test]
fn sources_are_converted_with_what_patterns_took() {
    let convert = |selector: &str, target: &str| {
        policy(&format!(
            r#"{{"action":"CONVERT","selector":{selector},"updates":{{"identifier":"{target}"}}}}"#
        ))
    };
    let wild = convert(
        r#"{"identifier":"docker-image://docker.io/library/*"}"#,
        "docker-image://mirror.example/${1}",
    );
    let to = |name: &str| Ok(Some(format!("docker-image://{name}")));
    assert_eq!(image(&wild, ALPINE), to("mirror.example/alpine:3"));
    let regex = convert(
        r#"{"identifier":"docker\\.io/library/(a[a-z]+):3","match_type":"REGEX"}"#,
        "h/$1:4",
    );
    assert_eq!(image(&regex, ALPINE), to("h/alpine:4"));
    let exact = convert(
        r#"{"identifier":"docker-image://docker.io/library/alpine:3","match_type":"EXACT"}"#,
        "docker-image://a@sha256:00",
    );
    assert_eq!(image(&exact, ALPINE), to("a@sha256:00"));
    let endless = convert(r#"{"identifier":"docker-image://*"}"#, "docker-image://${1}x");
    assert!(matches!(image(&endless, ALPINE), Err(Denied::Endless(_))));
}

#[test]
fn a_converted_source_is_judged_again() {
    let both = policy(
        r#"{"action":"CONVERT","selector":{"identifier":"docker-image://a*"},
            "updates":{"identifier":"docker-image://b"}},
           {"action":"DENY","selector":{"identifier":"docker-image://b"}}"#,
    );
    assert_eq!(image(&both, "a"), Err(Denied::Source("docker-image://b".into())));
}

#[test]
fn attributes_are_compared_and_set() {
    let url = "https://h/f";
    let source = |attrs: &[(&str, &str)]| SourceOp {
        identifier: url.into(),
        attrs: attrs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
    };
    let sum = policy(
        r#"{"action":"CONVERT","selector":{"identifier":"https://h/*"},
            "updates":{"attrs":{"http.checksum":"sha256:00"}}}"#,
    );
    let found = sum.evaluate(&source(&[])).unwrap().unwrap();
    assert_eq!(
        (found.identifier.as_str(), found.attrs["http.checksum"].as_str()),
        (url, "sha256:00")
    );
    for (condition, value, denied) in
        [("EQUAL", "x", true), ("NOTEQUAL", "x", false), ("MATCHES", "^[xy]$", true)]
    {
        let policy = policy(&format!(
            r#"{{"action":"DENY","selector":{{"identifier":"https://*","constraints":
                [{{"key":"k","value":"{value}","condition":"{condition}"}}]}}}}"#
        ));
        assert_eq!(policy.evaluate(&source(&[("k", "x")])).is_err(), denied, "{condition}");
    }
}

#[test]
fn what_cannot_be_enforced_is_refused() {
    for (json, words) in [
        ("{", "EOF"),
        ("[]", "expected a map"),
        (r#"{"version":2}"#, "version 2"),
        (r#"{"rules":[{"action":"WARN","selector":{}}]}"#, "none of ALLOW, DENY, CONVERT"),
        (r#"{"rules":[{"action":7,"selector":{}}]}"#, "action 7"),
        (r#"{"rules":[{"action":"CONVERT","selector":{"identifier":"a"}}]}"#, "needs updates"),
        (r#"{"rules":[{"selector":{"identifier":"("  ,"match_type":"REGEX"}}]}"#, "rule 1"),
        (r#"{"rules":[{"selector":{"identifier":"a**"}}]}"#, "wildcard"),
        (r#"{"rules":[{"selector":{"identifier":"a"},"unless":true}]}"#, "unknown field"),
    ] {
        let error = SourcePolicy::parse(json.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(words), "{json}: {error}");
    }
    assert!(SourcePolicy::parse(br#"{"rules":null}"#).unwrap().is_empty());
}

proptest::proptest! {
    #[test]
    fn any_file_is_read_or_not(bytes: Vec<u8>) {
        let _ = SourcePolicy::parse(&bytes);
    }
}
